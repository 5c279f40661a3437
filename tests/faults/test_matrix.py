"""The matrix is whole: each fault has its test, each test a fault that there is, and what is promised has its tests."""

import ast
import re
from pathlib import Path

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
