"""What a person's hands do on a simulated page: press a button, fill in a field, submit a form."""

import html
import re
from dataclasses import dataclass

from nicegui import ui
from nicegui.testing import User
from nicegui.testing.user_interaction import UserInteraction

from pages.controls import Button, Words
from pages.fields import Feeling, Select
from pages.markup import Block
from tests.pages.stage import until


def elements(user: User) -> list[ui.element]:
    """Return all elements of the page, in the order in which they were made."""
    assert user.client is not None
    return list(user.client.elements.values())


@dataclass(frozen=True)
class InMarkup:
    """A button in the markup of a block: what screen readers call it, and what it says when it is pressed."""

    block: Block
    name: str
    word: str


def buttons(user: User, name: str) -> list[Button | InMarkup]:
    """Return the buttons called *name*, oldest first: by what screen readers call them, or by an element's text."""
    found: list[Button | InMarkup] = []
    for one in elements(user):
        if isinstance(one, Button) and name in (one.text, one.props.get("aria-label")):
            found.append(one)
        elif isinstance(one, Block):
            found += [button for button in in_markup(one) if name == button.name]
    return found


def in_markup(block: Block) -> list[InMarkup]:
    """Return the buttons of a block, in order."""
    found = []
    for attributes in re.findall(r"<button ([^>]*data-act=[^>]*)>", block.content):
        has = {name: html.unescape(value) for name, value in re.findall(r'([\w-]+)="([^"]*)"', attributes)}
        found.append(InMarkup(block, has["aria-label"], has["data-act"]))
    return found


def press(user: User, name: str) -> None:
    """Click the button called *name*; the newest of several."""
    found = buttons(user, name)
    assert found, f"no button {name!r}"
    if isinstance(found[-1], Button):
        UserInteraction(user, {found[-1]}, None).click()
    else:
        act(user, found[-1].block, found[-1].word)


def act(user: User, block: ui.element, word: str) -> None:
    """Click the button of that word in a row, or in a part of one: its list is told."""
    row = block
    while "data-row" not in row.props:
        assert row.parent_slot is not None, "a button outside of any row"
        row = row.parent_slot.parent
    assert row.parent_slot is not None
    UserInteraction(user, {row.parent_slot.parent}, None).trigger("click", [row.props["data-row"], word])


async def undo(user: User, name: str = "Undo") -> None:
    """Press Undo as soon as it is offered: a toast may come after the page has already redrawn what was done."""
    await until(lambda: buttons(user, name))
    press(user, name)


def field(user: User, label: str) -> ui.input:
    """Return the field with this label; the newest of several."""
    ids = {
        one.props["for"]
        for one in elements(user)
        if isinstance(one, Words) and one.tag == "label" and one.text == label
    }
    found = [
        one
        for one in elements(user)
        if isinstance(one, ui.input) and (one.html_id in ids or one.props.get("aria-label") == label)
    ]
    assert found, f"no field {label!r}"
    return found[-1]


def fill(user: User, label: str, text: str) -> None:
    """Type *text* into the field with this label, over what stands there."""
    assert user.client is not None
    with user.client:
        field(user, label).value = text


def slide(user: User, label: str, value: int | None) -> None:
    """Move the slider with this label."""
    assert user.client is not None
    found = [one for one in elements(user) if isinstance(one, Feeling) and one.props["label"] == label]
    with user.client:
        found[-1].value = value


def pick(user: User, option: str) -> None:
    """Pick one of the words of a choice; of the newest choice that has it."""
    assert user.client is not None
    found = [one for one in elements(user) if isinstance(one, ui.radio) and option in one.options.values()][-1]
    with user.client:
        found.value = next(value for value, label in found.options.items() if label == option)


def choose(user: User, label: str, value: str) -> None:
    """Choose from the drop-down list with this label."""
    assert user.client is not None
    with user.client:
        _select(user, label).value = value


def chosen(user: User, label: str) -> str:
    """Return what the drop-down list with this label shows as chosen."""
    return _select(user, label).value


def _select(user: User, label: str) -> Select:
    return next(one for one in elements(user) if isinstance(one, Select) and one.props.get("aria-label") == label)


def submit(user: User, css_class: str = "dialog") -> None:
    """Submit the newest form of that class, as Enter and its button do."""
    form = [one for one in elements(user) if one.tag == "form" and css_class in one.classes][-1]
    UserInteraction(user, {form}, None).trigger("submit.prevent")


def texts(user: User) -> str:
    """Return everything that stands on the page, visible or not: texts and markup."""
    return "\n".join(
        one.text if isinstance(one, Words) else one.content for one in elements(user) if isinstance(one, Words | Block)
    )


def dialogs(user: User) -> list[ui.dialog]:
    """Return the dialogs that are open."""
    return [one for one in elements(user) if isinstance(one, ui.dialog) and one.value]


def rows(user: User, list_name: str) -> list[ui.element]:
    """Return the rows of the list with that name."""
    found = next(one for one in elements(user) if one.tag == "ul" and one.props.get("aria-label") == list_name)
    return list(found.default_slot.children)
