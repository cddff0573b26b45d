"""Formatted values: what a formatter of `Resource(show=…)` makes of them, as HTML."""

import logging
from collections.abc import Sequence
from typing import Any

from markupsafe import Markup, escape

from hero_admin.model import formats
from hero_admin.model.blobs import Blob
from hero_admin.model.fields import Field
from hero_admin.model.formats import Format, Formatter
from hero_admin.model.formatting import shown, shown_in_cell
from hero_admin.model.resource import Resource
from hero_admin.model.stored_values import Stored, plain
from hero_admin.web.mount import path_to

FAILED = "Couldn't be formatted"

logger = logging.getLogger("hero_admin.listing")


def marked_html(text: str, why: str) -> Markup:
    """Return a text that is shown as it is stored, and the reason on hover."""
    return Markup('<span class=unreadable title="{}">{}</span>').format(why, text)


def formatted_column(field: Field, values: Sequence[Any]) -> list[str | None]:
    """Return the HTML of the cells of a column; None where no formatter applies.

    That is for nothing, and for a value that its type cannot read.
    """
    given = field.show
    assert given is not None
    formatter = given.cell if isinstance(given, Format) else given
    found: list[str | None] = []
    has_failed = False
    for value in values:
        html, error = _formatted(formatter, value, is_cell=True)
        if error is not None:
            html = marked_html(shown_in_cell(field, value), FAILED)
            if not has_failed:
                _log(field, error)
            has_failed = True
        found.append(html)
    return found


def formatted_detail(field: Field, value: Any) -> str | None:
    """Return the HTML of a value on the page of its record; None where no formatter applies."""
    if field.show is None:
        return None
    html, error = _formatted(field.show, value)
    if error is not None:
        _log(field, error)
        return marked_html(shown(field, value), FAILED)
    return html


def formatted_text(field: Field, value: Any) -> str | None:
    """Return a formatted value as a text within a link, which may hold no other one."""
    html = formatted_column(field, [value])[0]
    return None if html is None else Markup(html).striptags()  # noqa: S704 - escaped


def thumbnail_html(resource: Resource, field: Field, key: str, value: Any) -> str | None:
    """Return the image in a column of files for a list; None where there is none."""
    if field.show is not formats.image or not isinstance(value, Blob) or not value.is_image:
        return None
    return formats.image(f"{path_to(resource.name, key, 'file', field.name)}?preview=1")


def _formatted(
    formatter: Formatter, value: Any, *, is_cell: bool = False
) -> tuple[str | None, Exception | None]:
    value = plain(value)
    if value is None or isinstance(value, Stored | Blob):
        return None, None
    try:
        shown = formatter(value)
        if is_cell and isinstance(shown, Markup):
            # On a phone each element would stand on a line of its own.
            return f"<div class=formatted>{shown}</div>", None
        # `Markup` stays as it is.
        return str(escape(shown)), None
    # It is not ours, and no value of one record takes down a list of many.
    except Exception as error:  # noqa: BLE001
        return None, error


def _log(field: Field, error: Exception) -> None:
    logger.warning("The format of %s failed", field.name, exc_info=error)
