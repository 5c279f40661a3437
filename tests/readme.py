"""What the code knows better than the README: its lists and its picture. `python -m tests.readme` writes them, a test
compares them.

Each stands between `<!-- NAME -->` and `<!-- /NAME -->`.
"""

import re
from collections.abc import Sequence
from pathlib import Path

import app
from cache.pieces import PIECES, ROWS
from cache.rulebook import graph
from cache.values import VALUES
from events.catalog import CATALOG
from events.rules import RULES
from events.ruleset import Rule
from pages import inventory

README = Path(__file__).resolve().parents[1] / "README.md"
PICTURE = README.parent / "docs" / "rules.svg"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def code(words: Sequence[str]) -> str:
    return ", ".join(f"`{word}`" for word in words)


def first_sentence(doc: str | None) -> str:
    return " ".join((doc or "").split("\n\n")[0].split())


def rule_rows() -> list[list[str]]:
    return [[code([event.name for event in rule.on]), _when(rule), _drops(rule), _keeps(rule)] for rule in RULES]


def _when(rule: Rule) -> str:
    return "" if rule.when is None else rule.when.__name__.replace("_", " ")


def _drops(rule: Rule) -> str:
    if rule.carried:
        return "the prefix that it carries"
    if rule.parts is not None:
        return f"of {code(rule.invalidates)} the {rule.parts.__name__.replace('_', ' ')}"
    return code(rule.invalidates) or "nothing"


def _keeps(rule: Rule) -> str:
    reasons: dict[str, list[str]] = {}
    for pattern, reason in rule.keeps.items():
        reasons.setdefault(reason, []).append(pattern)
    return "; ".join(f"{code(patterns)}: {reason}" for reason, patterns in reasons.items())


def blocks() -> dict[str, str]:
    """The text of each list."""
    return {
        "events": table(["event", "what happened"], [[f"`{e.name}`", first_sentence(e.__doc__)] for e in CATALOG]),
        "rules": table(["event", "if it", "invalidates", "keeps, because"], rule_rows()),
        "values": table(
            ["key", "what", "varies", "at most"],
            [
                *([f"`{v.key}`", v.label, v.varies.replace("_", " "), str(v.ttl)] for v in VALUES),
                *([f"`{p.key}`", p.label, "kept in parts", str(p.ttl)] for p in PIECES),
            ],
        ),
        "settings": table(
            ["variable", "default", "meaning"],
            [[f"`{name}`", f"`{default}`", meaning] for name, (default, meaning) in app.VARIABLES.items()],
        ),
    }


def filled(text: str) -> str:
    """Return *text* with each list as the code has it."""
    for name, block in blocks().items():
        place = rf"(?<=<!-- {name} -->\n).*?(?=<!-- /{name} -->)"
        text, found = re.subn(place, lambda _, block=block: block + "\n", text, flags=re.DOTALL)  # type: ignore[misc]
        assert found == 1, f"the README has {found} places for the list of {name}, expected one"
    return text


def picture() -> str:
    """The picture of the rules, an SVG file."""
    return graph.svg(graph.draw(graph.graph(RULES, ROWS, inventory.parts())))


if __name__ == "__main__":
    README.write_text(filled(README.read_text()))
    PICTURE.write_text(picture())
