"""The README says what the code does: lists are compared, names of files and make targets exist."""

import re
from pathlib import Path

import app
from pages.routes import ENTRIES
from tests.readme import README, filled

ROOT = README.parent


def test_the_lists_are_those_of_the_code() -> None:
    text = README.read_text()
    assert filled(text) == text, "run `make readme`"


def test_every_file_and_folder_that_it_names_exists() -> None:
    text = README.read_text()
    new = re.findall(r"New file `([^`]+)`", text)
    for name in re.findall(r"`([a-z_]+/[a-z_/]*(?:\.[a-z]+)?)`", text):
        assert name in new or (ROOT / name).exists() or name.startswith(("data/state/", "data/cache/")), name


def test_every_page_is_in_the_table_of_pages_in_its_order() -> None:
    table = README.read_text().partition("## Pages\n")[2].partition("\n\n![")[0]
    assert re.findall(r"^\| ([A-Z][a-z]+) \|", table, flags=re.M) == [entry.label for entry in ENTRIES]


def test_every_make_target_that_it_names_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), flags=re.M))
    assert set(re.findall(r"`make ([a-z-]+)", README.read_text())) <= targets


def test_every_variable_that_the_code_reads_is_listed() -> None:
    sources = [ROOT / "app.py", *(ROOT / "cache").glob("*.py"), *(ROOT / "data").glob("*.py")]
    read = set()
    for source in sources:
        read |= set(re.findall(r'environment(?:\.get\(|, )"([A-Z_]+)"', Path(source).read_text()))
    assert read == set(app.VARIABLES)
