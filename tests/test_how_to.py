"""The README's way to a new rule, followed to the letter on a copy of the checkout, and with a step left out."""

import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

from tests.readme import README

ROOT = README.parent
LEFT_OUT = shutil.ignore_patterns(
    ".git", ".venv", "build", "cache.db*", "state", "screenshots", "__pycache__", ".*_cache", ".hypothesis", ".nicegui"
)
STEP = re.compile(
    r"[Ii]n `(?P<file>[^`]+)`, (?P<where>above|below) `(?P<anchor>[^`]+)`(?::\n\n|, write `(?P<line>[^`]+)`)"
    r"|At the end of `(?P<grown>[^`]+)`:\n\n"
    r"|New file `(?P<new>[^`]+)`:\n\n"
    r"|in `(?P<edited>[^`]+)`, write `(?P<right>[^`]+)` for every `(?P<wrong>[^`]+)`"
)


@dataclass(frozen=True)
class Step:
    """One edit: a change of the text of *file*."""

    file: str
    edit: Callable[[str], str]


def steps() -> list[Step]:
    """Read the steps out of the README."""
    text = README.read_text().partition("<!-- how-to -->\n")[2].partition("<!-- /how-to -->")[0]
    found = []
    for match in STEP.finditer(text):
        if match["edited"]:
            found.append(Step(match["edited"], replacing(match["wrong"], match["right"])))
            continue
        code = re.match(r" *```python\n(.*?)^ *```", text[match.end() :], flags=re.S | re.M)
        assert code or match["line"], f"no code follows {match[0]!r}"
        block = match["line"] + "\n" if match["line"] else re.sub("^   ", "", code[1], flags=re.M)
        if match["file"]:
            block += "\n\n" if match["where"] == "above" and not match["anchor"].startswith("VALUES") else ""
            found.append(Step(match["file"], inserting(block, match["where"], match["anchor"])))
        elif match["grown"]:
            found.append(Step(match["grown"], partial(appended, block="\n\n" + block)))
        else:
            found.append(Step(match["new"], partial(appended, block=block)))
    assert len(found) == text.count("```python") + text.count(", write `"), "a step is written in other words"
    return found


def appended(old: str, block: str) -> str:
    return old + block


def replacing(wrong: str, right: str) -> Callable[[str], str]:
    def edit(old: str) -> str:
        assert wrong in old
        return old.replace(wrong, right)

    return edit


def inserting(block: str, where: str, anchor: str) -> Callable[[str], str]:
    def edit(old: str) -> str:
        lines = old.splitlines(keepends=True)
        places = [number for number, line in enumerate(lines) if line.rstrip("\n") == anchor]
        assert len(places) == 1, f"{anchor!r} stands {len(places)} times"
        place = places[0] + (where == "below")
        return "".join([*lines[:place], block, *lines[place:]])

    return edit


def follow(folder: Path, wanted: Callable[[Step], bool] = lambda step: True) -> Path:
    """Copy the checkout to *folder* and carry out the steps that are *wanted*."""
    copy = folder / "checkout"
    shutil.copytree(ROOT, copy, ignore=LEFT_OUT)
    for step in filter(wanted, steps()):
        file = copy / step.file
        file.write_text(step.edit(file.read_text() if file.exists() else ""))
    return copy


def run(copy: Path, *arguments: str) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-m", *arguments], cwd=copy, capture_output=True, text=True, timeout=300, check=False
    )
    return done.returncode, done.stdout + done.stderr


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_following_the_steps_leads_to_a_rule_that_nothing_is_wrong_with(tmp_path: Path) -> None:
    copy = follow(tmp_path)
    code, said = run(copy, "events", "check", "--deep")
    assert (code, said.splitlines()[-1]) == (0, "nothing is wrong"), said
    assert "which dashboard.deadlines reads" not in said

    # What the README then asks for, and which tests it says are to be told by hand: all others pass, the new one too.
    assert run(copy, "tests.readme")[0] == 0
    _, said = run(copy, "pytest", "-rA", "-p", "no:cacheprovider", "-k", QUICK, "tests/events")
    assert set(re.findall(r"^FAILED (\S+?)::", said, flags=re.M)) == set(by_hand()), said
    assert "PASSED tests/events/test_postponed.py::" in said
    assert not re.search(r"^ERROR tests/", said, flags=re.M), said

    explained = run(copy, "events", "explain", "instance.postponed")[1]
    assert "redraws Deadlines on / (pages/dashboard.py:" in explained


QUICK = "not deep and not test_a_row_makes_stale"
"""What else `tests/events` has takes long, and asks each row of the table without knowing it."""


def by_hand() -> list[str]:
    """Return the files of tests that the README names as those that list events and values by hand."""
    text = README.read_text().partition("<!-- by-hand -->\n")[2].partition("<!-- /by-hand -->")[0]
    return re.findall(r"`(tests/events/\w+\.py)`", text)


LEAVING_OUT = {
    "the rules": (
        lambda step: step.file != "events/rules.py",
        [
            r"events/catalog\.py:\d+: instance\.postponed has no rule; write `\(\)` if nothing goes stale",
            r"cache/values\.py:\d+: value 'dashboard\.deadlines' is reached by no rule and nothing else bounds its age",
        ],
    ),
    "the command": (
        lambda step: step.file not in ("data/instances.py", "data/rehearsal.py"),
        [r"events/catalog\.py:\d+: nothing emits instance\.postponed: no command in data/ makes a InstancePostponed"],
    ),
    "the line in the catalog": (
        lambda step: (
            step.file != "events/catalog.py" or "class " in step.edit("# --- the rest\n    InstanceResumed,\n")
        ),
        [r"events/rules\.py:\d+: InstancePostponed is not in the catalog"],
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("what", LEAVING_OUT)
def test_a_step_that_is_left_out_is_named(what: str, tmp_path: Path) -> None:
    wanted, sentences = LEAVING_OUT[what]
    code, said = run(follow(tmp_path, wanted), "events", "check")
    assert code == 1, said
    for sentence in sentences:
        assert re.search(sentence, said), said


@pytest.mark.slow
def test_what_is_misspelt_is_named_with_what_was_meant(tmp_path: Path) -> None:
    copy = follow(tmp_path)
    file = copy / "events" / "rules.py"
    misspelt = file.read_text().replace("on=(InstancePostponed,)", "on=(InstancePostpone,)")
    file.write_text(misspelt.replace('"dashboard.deadlines", "dashboard.tasks", "ana', '"dashboard.deadline", "ana'))
    code, said = run(copy, "events", "check")
    assert code == 1
    assert "InstancePostpone is not in the catalog; did you mean 'InstancePostponed'?" in said
    assert "'dashboard.deadline' covers no value; did you mean 'dashboard.deadlines'?" in said
