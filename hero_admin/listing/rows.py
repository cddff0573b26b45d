"""Rows: the HTML of the rows of a list.

A template would take ten times as long to write each of them. It writes one, with slots in it, and
what differs from row to row is put into these.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import chain, repeat
from typing import Any

from jinja2 import Template
from markupsafe import Markup, escape

from hero_admin.database.short_reads import Row
from hero_admin.database.statement_cache import statement_cache
from hero_admin.listing.cells import UNTITLED, Write, escaped, reader_of, texter_of, writer_of
from hero_admin.listing.columns import Selection
from hero_admin.model.fields import Field
from hero_admin.model.primary_keys import key_text
from hero_admin.model.site import Site

SLOT = re.compile("\0(.+?)\0")


@dataclass(frozen=True)
class Manner:
    """How rows are written; `back` is a parameter of links, `marked` the key of one row."""

    template: Template
    selection: Selection
    fields: tuple[Field, ...]
    can_edit: bool
    back: str = ""
    marked: str = ""


def written(rows: tuple[Row, ...], manner: Manner) -> Markup:
    """Return the rows of a table."""
    if not rows:
        return Markup("")
    layout = _layout(manner.template, manner.selection, manner.fields, can_edit=manner.can_edit)
    columns = list(zip(*rows, strict=True))
    own_keys = zip(*(columns[place] for place in layout.key_places), strict=True)
    keys = [key_text(manner.selection.resource, key) for key in own_keys]
    titles = escaped([layout.title_of(row) or UNTITLED for row in rows])
    back = escape(manner.back)
    filled: dict[str, Iterable[str]] = {
        "key": keys,
        "title": titles,
        "marked": [" data-marked" if key == manner.marked else "" for key in keys],
        "focus": [" autofocus" if key == manner.marked else "" for key in keys],
        "back": repeat(f"?{back}" if back else ""),
        "and_back": repeat(f"&amp;{back}" if back else ""),
        **{
            f"cell{number}": write(keys, columns[place], columns[at])
            for number, (place, at, write) in enumerate(layout.cells)
        },
    }
    if layout.has_title_first:
        filled["cell0"] = titles
    parts = (filled[part] if place % 2 else repeat(part) for place, part in enumerate(layout.parts))
    # Texts repeat without end, and each part is escaped.
    return Markup("".join(chain.from_iterable(zip(*parts))))  # noqa: B905, S704


@dataclass(frozen=True)
class _Layout:
    """How a row is written: texts, a slot after each but the last, and what these hold.

    cells: where the value of a column stands in a row, and the title of what it points at.
    """

    parts: tuple[str, ...]
    key_places: tuple[int, ...]
    title_of: Callable[[Row], str]
    # Whether the first column has the titles of records, and not only a part of them.
    has_title_first: bool
    cells: tuple[tuple[int, int, Write], ...]


@statement_cache
def _layout(
    template: Template, selection: Selection, fields: tuple[Field, ...], *, can_edit: bool
) -> _Layout:
    resource, site = selection.resource, selection.site
    cells = []
    for field in fields:
        place = selection.column_index(field)
        title_at = selection.title_index(field) if field.relation else place
        cells.append((place, title_at, writer_of(site, resource, field, can_reveal=can_edit)))
    is_titled = fields[0] is resource.titles.field
    if is_titled:
        # What links to the record says something, even where its title is empty.
        cells[0] = (*cells[0][:2], _first_writer(site, fields[0]))
    shown = {
        "resource": resource,
        "fields": fields,
        "has_tools": can_edit and not resource.read_only,
        "slot": "\0{}\0".format,
    }
    parts = SLOT.split(f"{template.render(shown)}\n")
    key_places = tuple(selection.column_index(field) for field in resource.key)
    has_parts = len(resource.titles.fields) > 1 or fields[0].relation is not None
    has_title_first = is_titled and (resource.titles.function is not None or not has_parts)
    return _Layout(
        tuple(parts),
        key_places,
        _titler(selection),
        has_title_first,
        tuple(cells),
    )


def _first_writer(site: Site, field: Field) -> Write:
    """Return what writes the parts of titles that stand in a column of their own."""
    text_of = texter_of(field)
    if field.relation is None:
        return lambda _, values, __: escaped([text_of(value) or UNTITLED for value in values])
    read = reader_of(site, field)

    # Any: values of a field, and of what it points at.
    def text(value: Any, title: Any) -> str:
        reference = read(value, title)
        return reference.title if reference else text_of(value) or UNTITLED

    return lambda _, values, titles: escaped(list(map(text, values, titles)))


def _titler(selection: Selection) -> Callable[[Row], str]:
    """Return what makes the title of a row."""
    resource, fields = selection.resource, selection.resource.titles.fields
    if len(fields) == 1 and resource.titles.function is None:
        place, text_of = selection.column_index(fields[0]), texter_of(fields[0])
        return lambda values: text_of(values[place])
    places = {field.name: selection.column_index(field) for field in fields}
    readers = {
        field.name: (selection.title_index(field), reader_of(selection.site, field))
        for field in fields
        if field.relation and resource.titles.function is None
    }

    def title(values: Row) -> str:
        own = {name: values[place] for name, place in places.items()}
        led_to = {name: read(own[name], values[at]) for name, (at, read) in readers.items()}
        titles = {name: reference.title for name, reference in led_to.items() if reference}
        return resource.titles.of(own, titles)

    return title
