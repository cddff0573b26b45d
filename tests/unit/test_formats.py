"""Formats: whatever a value holds, what is shown of it runs nothing and leads nowhere unseen."""

from decimal import Decimal
from urllib.parse import urlsplit

import pytest
from bs4 import BeautifulSoup
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import escape

from hero_admin import formats
from hero_admin.model.formats import Formatter
from hero_admin.web.accent import Color, accent_stylesheet

TAGS = (
    *("p", "a", "em", "strong", "s", "code", "pre", "ul", "ol", "li", "blockquote", "hr", "br"),
    *("h3", "h4", "h5", "h6", "table", "thead", "tbody", "tr", "th", "td", "div", "html", "body"),
    *("svg", "rect", "img"),
)
ATTRIBUTES = {"href", "rel", "class", "start", "title", "data-align", "src", "alt", "loading"} | {
    *("viewbox", "aria-hidden", "width", "height", "rx", "fill")
}
SCHEMES = {"", "http", "https", "mailto"}
PIECES = (
    *("<script>", "</div>", "<img src=x onerror=y>", "javascript:", "](", "[a](", "![b](", "```"),
    *(
        "\n\n",
        "\n- ",
        "\n# ",
        "|",
        "|-|:-:|",
        "&#106;avascript:",
        "data:text/html,",
        "\\",
        "<a@b.c>",
    ),
    *('"', "'", "`", "*", "~~", "\x00", "url(", "#fff", "http://x.y", "//x.y", "/\\x", "a@b?x="),
)
TEXTS = st.lists(st.sampled_from(PIECES) | st.text(max_size=8), max_size=12).map("".join)
SHOWING: tuple[Formatter, ...] = (
    *(formats.link, formats.email, formats.color, formats.image, formats.code, formats.markdown),
    formats.markdown.cell,
    formats.code.cell,
)


@given(TEXTS)
def test_no_text_becomes_a_script_or_a_strange_link(text: str) -> None:
    for show in SHOWING:
        soup = BeautifulSoup(f"<p>{escape(show(text))}</p>", "html.parser")
        for tag in soup.find_all(True):
            assert tag.name in TAGS
            assert {name.lower() for name in tag.attrs} <= ATTRIBUTES
            address = str(tag.get("href", ""))
            assert urlsplit(address).scheme.lower() in SCHEMES
            source = str(tag.get("src", ""))
            assert not source or (source[0] == "/" and source[1:2] not in ("/", "\\"))


@given(st.text(max_size=60))
def test_a_text_without_markdown_is_shown_whole(text: str) -> None:
    shown = BeautifulSoup(str(formats.code(text)), "html.parser").get_text()
    assert shown.replace("\r\n", "\n").replace("\r", "\n") == text.replace("\r\n", "\n").replace(
        "\r", "\n"
    )


@pytest.mark.parametrize(
    ("show", "value", "text"),
    [
        (formats.money, Decimal("1234.5"), "1,234.50"),
        (formats.money, 0.005, "0.005"),
        (formats.percent, 0.125, "12.5%"),
        (formats.percent, 1, "100%"),
        (formats.percent, -0.33333, "-33.33%"),
        (formats.file_size, 12_345, "12 kB"),
        (formats.link, "ftp://x.y", "ftp://x.y"),
        (formats.link, "//evil.example", "//evil.example"),
        (formats.color, "url(#a)", "url(#a)"),
    ],
)
def test_a_value_is_shown_as_a_text(show: Formatter, value: object, text: str) -> None:
    assert show(value) == text


def test_headings_and_columns_of_markdown_fit_into_a_page() -> None:
    html = formats.markdown("# Tea\n\n|a|b|\n|-|-:|\n|1|2|\n\n[x](https://x.y)")
    assert "<h3>Tea</h3>" in html
    assert '<td data-align="right">2</td>' in html
    assert '<a href="https://x.y" rel="noreferrer">x</a>' in html
    assert formats.markdown.cell("# Tea\n\n*green*") == "# Tea *green*"


@given(st.tuples(*[st.integers(0, 255)] * 3))
def test_an_accent_is_refused_or_can_be_read_everywhere(parts: tuple[int, int, int]) -> None:
    color = Color(*parts)
    try:
        css = accent_stylesheet(str(color))
    except ValueError as error:
        # The colour that is offered instead does.
        color = Color.parse(str(error).split(": ")[1].split()[0])
        css = accent_stylesheet(str(color))
    assert color.contrast(Color.parse("#ffffff")) >= 4.5
    pair = css.partition("--accent:light-dark(")[2].partition(")")[0].split(",")
    assert pair[0] == str(color)
    assert Color.parse(pair[1]).contrast(Color.parse("#1b2029")) >= 4.5
