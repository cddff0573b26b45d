"""Rows: the HTML of the rows of a list."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from markupsafe import Markup, escape

from hero_admin.database.short_reads import Row
from hero_admin.listing.cells import Write, reader_of, titler_of, writer_of
from hero_admin.listing.columns import Selection
from hero_admin.model.fields import Field
from hero_admin.model.primary_keys import key_text
from hero_admin.model.site import Site


@dataclass(frozen=True)
class Manner:
    """How rows are written; `back` is a parameter of links, `marked` the key of one row."""

    selection: Selection
    fields: tuple[Field, ...]
    can_edit: bool
    back: str = ""
    marked: str = ""


def written(rows: tuple[Row, ...], manner: Manner) -> Markup:
    """Return the rows of a table."""
    layout = _layout(manner.selection, manner.fields, can_edit=manner.can_edit)
    resource, marked = manner.selection.resource, manner.marked
    has_tools = manner.can_edit and not resource.read_only
    write_title = layout.write_title
    edit_tail = f"?{escape(manner.back)}" if manner.back else ""
    delete_tail = f"&amp;{escape(manner.back)}" if manner.back else ""
    parts = []
    for values in rows:
        key = key_text(resource, tuple(values[place] for place in layout.key_places))
        title = write_title(values)
        cells = [write(key, values[place], values[at]) for place, at, write in layout.cells]
        if layout.is_made:
            cells[0] = title
        mark, focus = (" data-marked", " autofocus") if key == marked else ("", "")
        if has_tools:
            tools = key, edit_tail, title, key, delete_tail, title
            parts.append(layout.text % (key, mark, key, title, key, focus, *cells, *tools))
        else:
            parts.append(layout.text % (key, mark, key, focus, *cells))
    return Markup("".join(parts))  # noqa: S704 - each part is escaped


@dataclass(frozen=True)
class _Layout:
    """How a row is written: a text with %s for what differs, and what writes that.

    cells: where the value of a column stands in a row, and the title of what it points at.
    """

    text: str
    key_places: tuple[int, ...]
    write_title: Callable[[Row], str]
    # Whether the first column has titles that a function makes.
    is_made: bool
    cells: tuple[tuple[int, int, Write], ...]


@lru_cache(maxsize=256)
def _layout(selection: Selection, fields: tuple[Field, ...], *, can_edit: bool) -> _Layout:
    resource, site = selection.resource, selection.site
    has_tools, at = can_edit and not resource.read_only, f"/{resource.name}"
    starts, cells = [], []
    for field in fields:
        is_number = field.input.is_range and not field.relation
        start = (
            f'<td data-label="{escape(resource.label_of(field))}"'
            + " class=number" * is_number
            + " dir=auto" * (field.is_text and not field.is_masked)
            + ">"
        )
        starts.append(start.replace("%", "%%"))
        place = selection.place(field)
        title_at = selection.title_place(field) if field.relation else place
        cells.append((place, title_at, writer_of(site, resource, field, can_reveal=can_edit)))
    if fields[0] is resource.titles.field:
        # What links to the record says something, even where its title is empty.
        first = _first_writer(site, fields[0])
        cells[0] = (*cells[0][:2], lambda _, value, title: first(value, title))
    # Words of our own stand without quotes: in so many rows they make 2 % of the page.
    check = (
        "<td class=check><label><input type=checkbox name=id form=selection"
        ' value="%s" aria-label="Select %s"></label></td>'
    )
    tools = (
        f'<td class=tools><a href="{at}/%s/edit%s" data-edit title=Edit>Edit %s</a>'
        f'<a href="{at}/%s/delete?in=list%s" data-dialog title=Delete>Delete %s</a></td>'
    )
    text = (
        f'<tr id="{resource.name}-%s"%s>{check if has_tools else ""}'
        f'<th scope=row><a dir=auto href="{at}/%s"%s>%s</a></th>'
        + "".join(f"{start}%s</td>" for start in starts[1:])
        + (f"{tools}</tr>\n" if has_tools else "</tr>\n")
    )
    key_places = tuple(selection.place(field) for field in resource.key)
    is_made = resource.titles.function is not None and fields[0] is resource.titles.field
    return _Layout(text, key_places, _titler(selection), is_made, tuple(cells))


# Any: values of a field, and of what it points at.
def _first_writer(site: Site, field: Field) -> Callable[[Any, Any], str]:
    """Return what writes a part of a title that stands in a column of its own."""
    write = titler_of(field)
    if field.relation is None:
        return lambda value, _: write(value)
    read = reader_of(site, field)

    def written(value: Any, title: Any) -> str:
        reference = read(value, title)
        return escape(reference.title) if reference else write(value)

    return written


def _titler(selection: Selection) -> Callable[[Row], str]:
    """Return what writes the title of a row."""
    resource, fields = selection.resource, selection.resource.titles.fields
    if len(fields) == 1 and resource.titles.function is None:
        place, write = selection.place(fields[0]), titler_of(fields[0])
        return lambda values: write(values[place])
    places = {field.name: selection.place(field) for field in fields}
    readers = {
        field.name: (selection.title_place(field), reader_of(selection.site, field))
        for field in fields
        if field.relation and resource.titles.function is None
    }

    def written(values: Row) -> str:
        own = {name: values[place] for name, place in places.items()}
        led_to = {name: read(own[name], values[at]) for name, (at, read) in readers.items()}
        titles = {name: reference.title for name, reference in led_to.items() if reference}
        return escape(resource.titles.of(own, titles))

    return written
