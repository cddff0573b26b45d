"""Formats: ready formatters for `Resource(show=…)`, such as `show={Album.price: formats.money}`.

A formatter takes a value, never None, and returns a text, or `Markup` for HTML.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from markupsafe import Markup

from hero_admin.model.markdown import markdown_html
from hero_admin.web.texts import shortened, size_text

A_COLOR = re.compile(
    r"#[0-9a-f]{3,8}|[a-z]{3,30}|(rgba?|hsla?|lab|lch|oklab|oklch)\([\d.,%/ deg-]+\)"
)
A_LINK = re.compile(r"https?://[^\s/]|/(?![/\\])", re.IGNORECASE)
AN_ADDRESS = re.compile(r"[^@\s?&]+@[^@\s?&]+")

# Any: a value of any type.
Formatter = Callable[[Any], str]


@dataclass(frozen=True)
class Format:
    """A formatter that shows less in the cell of a list than on the page of a record."""

    page: Formatter
    cell: Formatter

    def __call__(self, value: Any) -> str:
        return self.page(value)


def money(amount: Any) -> str:
    """Return an amount with at least two decimal places: 1,234.50."""
    whole, _, places = f"{Decimal(str(amount)):,f}".partition(".")
    return (
        f"{whole}.{places.rstrip('0'):0<2}"
        if whole.lstrip("-").replace(",", "").isdigit()
        else whole
    )


def percent(share: Any) -> str:
    """Return a share of 1 with at most two decimal places: 0.125 as 12.5%."""
    whole, _, places = f"{Decimal(str(share)) * 100:,.2f}".partition(".")
    places = places.rstrip("0")
    return f"{whole}.{places}%" if places else f"{whole}%"


def file_size(size: Any) -> str:
    """Return a number of bytes: 900 bytes, 12 kB, 3.4 MB."""
    return size_text(int(size))


def link(url: Any) -> str:
    """Return a link to an http address or a path of this host; anything else is only text."""
    text = str(url)
    if not A_LINK.match(text):
        return text
    shown = re.sub(r"^https?://|/$", "", text, flags=re.IGNORECASE) or text
    return Markup('<a href="{}" rel=noreferrer>{}</a>').format(text, shown)


def email(address: Any) -> str:
    """Return a link that writes to an e-mail address."""
    text = str(address)
    if not AN_ADDRESS.fullmatch(text):
        return text
    return Markup('<a href="mailto:{}">{}</a>').format(text, text)


def color(value: Any) -> str:
    """Return a CSS colour, such as #3d4dd6, behind a swatch of it."""
    text = str(value)
    if not A_COLOR.fullmatch(text.lower()):
        return text
    # An attribute, as the Content-Security-Policy forbids inline styles.
    swatch = Markup(
        '<svg class=swatch viewBox="0 0 16 16" aria-hidden=true>'
        '<rect width=16 height=16 rx=4 fill="{}"/></svg> {}'
    )
    return swatch.format(text, text)


def image(url: Any) -> str:
    """Return the image at a path of this host; a file of the record is shown by itself.

    The Content-Security-Policy forbids images of other hosts, to which there is a link.
    """
    text = str(url)
    if not re.match(r"/(?![/\\])", text):
        return link(text)
    return Markup('<img class=thumbnail src="{}" alt="" loading=lazy>').format(text)


def _code(text: Any) -> str:
    return Markup("<pre class=code>{}</pre>").format(str(text))


def _code_in_cell(text: Any) -> str:
    return Markup("<code>{}</code>").format(one_line(str(text)))


def _markdown(text: Any) -> str:
    return Markup("<div class=markdown>{}</div>").format(markdown_html(str(text)))


def one_line(text: str) -> str:
    """Return the beginning of a text on one line."""
    return shortened(" ".join(text.split()))


code = Format(_code, _code_in_cell)
"""A text in a monospaced font, with its lines and spaces."""
markdown = Format(_markdown, lambda text: one_line(str(text)))
"""A text in Markdown, whose HTML is escaped; a list shows how it begins."""

__all__ = [
    "Format",
    "Formatter",
    "code",
    "color",
    "email",
    "file_size",
    "image",
    "link",
    "markdown",
    "money",
    "percent",
]
