"""The keys that are listed are those that act, and each leads where the list says."""

import re

from nicegui.testing import User

from data import instances
from pages.routes import ENTRIES
from pages.shortcuts import GO, KEYS
from tests.pages.hands import dialogs, elements, press, submit, texts
from tests.pages.stage import Stage, until

OF_THE_BROWSER = {"j", "k", "Esc", "Ctrl Enter"}
"""Those that static/keys.js, the dialogs and forms know by themselves."""


async def keys_of(user: User, stage: Stage, address: str) -> set[str]:
    """Return the keys that anything on a page names."""
    client = await user.open(address)
    await until(lambda: all(section.redraws for section in stage.sections(client)))
    named = {str(one.props["aria-keyshortcuts"]) for one in elements(user) if "aria-keyshortcuts" in one.props}
    return named | set(re.findall(r'aria-keyshortcuts="([^"]+)"', texts(user)))


async def test_every_key_acts_and_every_key_that_acts_is_listed(user: User, stage: Stage) -> None:
    one = await stage.planned("Done one")
    await stage.do(instances.complete, one)
    for number in range(26):
        await stage.planned(f"Task {number}")
    await stage.task("Again", routine="daily")
    named = set()
    for address in ("/", "/tasks", "/tasks?view=history&page=2", "/goals?week=2026-01-01"):
        named |= await keys_of(user, stage, address)
    listed = {key for keys in KEYS.values() for key in keys}
    shown = {entry.path for entry in ENTRIES}
    missing = {GO[path] for path in GO if path not in shown}
    assert listed - OF_THE_BROWSER - missing - {"u"} == named - {"u"}


def test_the_list_says_where_each_page_is() -> None:
    labels = {GO[entry.path]: entry.label for entry in ENTRIES if entry.path in GO}
    assert labels.items() <= KEYS["Go to"].items()


async def test_the_list_opens_and_closes(user: User, stage: Stage) -> None:
    await keys_of(user, stage, "/")
    press(user, "Keyboard shortcuts")
    await until(lambda: dialogs(user))
    assert "Archive, or bring back" in texts(user)
    submit(user)
    await until(lambda: not dialogs(user))
