"""HTML that is safe to show: the one builder through which text gets into markup.

`tag` escapes every child and attribute that is not `Markup` already, and a `Block` shows `Markup` only. So text of a
person cannot become an element, wherever it came from. Nothing else in this package may use `ui.html`, or set
`innerHTML`.
"""

import functools
import html
import re
from typing import SupportsFloat

from nicegui import ui

from pages.errors import UnescapedError

_NAME = re.compile(r"[a-z][a-zA-Z0-9-]*")
_VOID = frozenset({"br", "hr", "img", "input", "path", "circle", "line", "rect"})

Attribute = str | SupportsFloat | bool | None


class Markup(str):
    """HTML made by this module. Only `tag`, `text`, `join` and `NOTHING` make it."""

    __slots__ = ()


NOTHING = Markup("")


def text(value: object) -> Markup:
    """Return *value* as text in which no character has a meaning in HTML, quotes included."""
    return value if isinstance(value, Markup) else Markup(html.escape(str(value), quote=True))


def join(*parts: str, by: str = "") -> Markup:
    """Return *parts*, each escaped unless it is markup, with *by* between them; empty ones are left out."""
    return Markup(text(by).join(text(part) for part in parts if part))


# Pages that a person has open in several windows show the same in each, and most of it what they showed before. Typed:
# a text and the markup of the same characters are equal, and must not be taken for each other.
@functools.lru_cache(maxsize=4096, typed=True)
def tag(name: str, *children: str, **attributes: Attribute) -> Markup:
    """Return the element *name* with *children*, escaped unless they are markup.

    Attributes are keywords: `class_="row"`, `aria_label="…"` (hyphens for underscores), `view_box=` as `viewBox`; True
    is an attribute without value, None and False leave it out. Handlers (`on…`) are refused.
    """
    opened = "<" + _checked(name)
    for keyword, value in attributes.items():
        if value is None or value is False:
            continue
        attribute = _checked(_SPELLINGS.get(keyword) or keyword.rstrip("_").replace("_", "-"))
        if attribute.startswith("on"):
            raise UnescapedError(f"{attribute}: markup carries no handlers; make an element and use its `on`")
        opened += f" {attribute}" if value is True else f' {attribute}="{text(value)}"'
    if name in _VOID:
        return Markup(f"{opened}/>")
    return Markup(f"{opened}>{join(*children)}</{name}>")


class Block(ui.element):
    """An element with read-only markup inside. Dense content is cheaper in one block than in many elements.

    A native element: `ui.html` is a component, which browsers render anew each time that anything on the page changes.
    """

    def __init__(self, markup: Markup = NOTHING, *, element: str = "div") -> None:
        shown = _only_markup(markup)
        super().__init__(element)
        self.props["innerHTML"] = shown

    @property
    def content(self) -> Markup:
        """What it shows."""
        found: Markup = self.props["innerHTML"]
        return found

    def show(self, markup: Markup) -> None:
        """Show *markup* instead; nothing is sent if it is the same."""
        if self.content != markup:
            self.props["innerHTML"] = _only_markup(markup)


Block.default_classes("markup")  # of the class, not of each: NiceGUI takes note of every change of an element


def act(word: str, text_: str = "", *, name: str, look: str = "", icon: str = "", key: str = "") -> Markup:
    """Return a button for a row of `rows.RowList`.

    *name* is what it is called in full, *key* the key that presses it in its row.
    """
    classes = f"button {look}" + (f" icon icon-{icon}" if icon else "") + ("" if text_ else " is-bare")
    return tag(
        "button",
        text_,
        type="button",
        class_=classes,
        data_act=word,
        data_once=True,
        aria_label=name,
        title=None if text_ else name,
        aria_keyshortcuts=key or None,
    )


_SPELLINGS = {"view_box": "viewBox", "preserve_aspect_ratio": "preserveAspectRatio"}


def _checked(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise UnescapedError(f"{name!r} is not the name of an element or attribute")
    return name


def _only_markup(markup: str) -> Markup:
    if not isinstance(markup, Markup):
        raise UnescapedError(f"plain text of {len(markup)} characters: build it with pages.markup.tag or text")
    return markup
