"""Text of a person never becomes markup, whatever it holds."""

from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pages.errors import UnescapedError
from pages.markup import NOTHING, Block, Markup, join, tag, text


class Seen(HTMLParser):
    """What a parser finds in markup."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""

    def handle_starttag(self, name: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.append((name, dict(attributes)))

    def handle_data(self, found: str) -> None:
        self.text += found


def parsed(markup: Markup) -> Seen:
    seen = Seen()
    seen.feed(markup)
    seen.close()
    return seen


anything = st.text() | st.sampled_from(
    ["<script>alert(1)</script>", "\"><img src=x onerror='alert(1)'>", "&lt;", "<!--", "]]>"]
)


@given(anything, anything)
def test_any_text_comes_out_as_it_went_in(child: str, value: str) -> None:
    seen = parsed(tag("p", child, title=value))
    assert [name for name, _ in seen.tags] == ["p"]
    assert seen.text == child.replace("\r\n", "\n").replace("\r", "\n") or seen.text == child
    assert seen.tags[0][1] == {"title": value}


@given(anything)
def test_escaping_happens_once(words: str) -> None:
    assert text(text(words)) == text(words)
    assert join(words, tag("b", words)) == text(words) + tag("b", words)


def test_attributes_are_written_as_html_spells_them() -> None:
    made = tag("svg", class_="spark", aria_label="a", hidden=True, open=False, id=None, view_box="0 0 1 1")
    assert made == '<svg class="spark" aria-label="a" hidden viewBox="0 0 1 1"></svg>'
    assert tag("path", d="M0 0") == '<path d="M0 0"/>'


def test_empty_parts_are_left_out_when_joining() -> None:
    assert join("a", "", NOTHING, "b", by=" · ") == "a · b"


@pytest.mark.parametrize("name", ["p onclick", "Script>", "", "1p", "p/"])
def test_a_name_that_is_none_is_refused(name: str) -> None:
    with pytest.raises(UnescapedError):
        tag(name)


def test_handlers_are_refused() -> None:
    with pytest.raises(UnescapedError, match="onclick"):
        tag("p", onclick="alert(1)")


def test_a_block_shows_markup_only() -> None:
    with pytest.raises(UnescapedError):
        Block("<b>plain</b>")  # type: ignore[arg-type]


def test_text_is_escaped_though_the_same_characters_were_markup_before() -> None:
    bold = tag("b", "bold")
    assert tag("p", bold, title=bold) == f'<p title="{bold}"><b>bold</b></p>'
    assert tag("p", str(bold), title=str(bold)) == ('<p title="&lt;b&gt;bold&lt;/b&gt;">&lt;b&gt;bold&lt;/b&gt;</p>')
