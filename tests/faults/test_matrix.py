"""The matrix is whole: each fault has its test, each test a fault that there is, and what is promised has its tests."""

import ast
import re
from pathlib import Path

from _pytest.mark.expression import Expression

from tests.data.ledger import ROOT
from tests.faults.matrix import FAULTS, LATER, Line, table

HERE = Path(__file__).parent
PROMISES = ROOT / "docs" / "promises.md"


def marks(path: Path) -> list[tuple[str, ast.Call]]:
    """Return the name of each marked test of a file with its mark."""
    return [
        (test.name, mark)
        for test in ast.parse(path.read_text()).body
        if isinstance(test, ast.FunctionDef | ast.AsyncFunctionDef)
        for mark in test.decorator_list
        if isinstance(mark, ast.Call) and ast.unparse(mark.func) == "pytest.mark.fault"
    ]


def marked() -> list[tuple[str, ast.Call]]:
    return [found for path in sorted(HERE.glob("test_*.py")) for found in marks(path)]


def test_each_fault_has_its_test_and_each_test_its_fault() -> None:
    numbers = {ast.literal_eval(mark.args[0]) for _, mark in marked()}
    assert numbers == FAULTS.keys() - LATER.keys()
    assert list(FAULTS) == [f"F{number:02}" for number in range(1, 36)]


def test_each_mark_says_what_is_injected_and_what_must_hold() -> None:
    for name, mark in marked():
        assert {keyword.arg for keyword in mark.keywords} == {"inject", "holds"}, name


def test_the_table_has_a_line_per_test_by_number() -> None:
    lines = [
        Line(number="F02", inject="b", holds="y", result="2 passed", seconds=1.25),
        Line(number="F01", inject="a", holds="x", result="failed", seconds=None),
    ]
    assert [line.split() for line in table(lines).splitlines()[2:]] == [
        ["F01", "a", "x", "failed"],
        ["F02", "b", "y", "2", "passed", "1.2"],
    ]


def test_each_test_and_command_that_the_promises_name_exists() -> None:
    text = PROMISES.read_text()
    named = re.findall(r"`(tests/[a-z_/]+\.py)(?:::(test_\w+))?`", text)
    assert len(named) > 10
    for path, test in named:
        content = (ROOT / path).read_text()
        assert not test or f"def {test}(" in content, f"{path} has no {test}"
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), flags=re.M)
    assert set(re.findall(r"`make ([a-z-]+)", text)) <= set(targets)
    for module in re.findall(r"`python -m (tests[\w.]*)", text):
        path = ROOT / module.replace(".", "/")
        assert path.with_suffix(".py").exists() or (path / "__main__.py").exists(), module


BY_ITSELF = {
    "orders": "tests/cache/orders.py",
    "soak": "tests/soak.py",
    "oracle": "tests/test_oracle.py",
    "days": "tests/scheduler/sweep.py",
    "load": "tests/load.py",
}
"""What a target of the Makefile runs that takes no expression."""


def is_run_by(command: str, expression: str, path: str, test: str) -> bool:
    """Whether `make *command*`, with `-k *expression*` if there is one, runs that test; all of the file if none."""
    if not expression:
        return BY_ITSELF.get(command) == path
    if command == "faults" and not path.startswith("tests/faults/"):
        return False
    compiled = Expression.compile(expression)
    numbers: dict[str, set[str]] = {}
    for name, mark in marks(ROOT / path):
        numbers.setdefault(name, set()).add(ast.literal_eval(mark.args[0]))

    def is_meant(name: str) -> bool:
        words = {*path.split("/")[1:], name, *numbers.get(name, ())}
        return compiled.evaluate(lambda asked, **_: any(asked.lower() in word.lower() for word in words))

    inside = ast.parse((ROOT / path).read_text()).body
    names = [test] if test else [str(getattr(one, "name", "")) for one in inside]
    return all(is_meant(name) for name in names if name.startswith("test_"))


def test_each_promise_has_a_command_that_runs_its_tests() -> None:
    rows = [line.split(" | ") for line in PROMISES.read_text().splitlines() if line.startswith("| ")][2:]
    assert len(rows) > 10
    for promise, tests, _, by in rows:
        commands = re.findall(r"`make ([a-z-]+)(?: ARGS=\"-k '?(.*?)'?\")?`", by)
        for path, test in re.findall(r"`(tests/[a-z_/]+\.py)(?:::(test_\w+))?`", tests):
            assert any(is_run_by(*command, path, test) for command in commands), f"{promise}: {path} {test}"
