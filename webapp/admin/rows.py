"""Rows: the HTML of the rows of a list."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

from markupsafe import Markup, escape

from webapp.admin.cells import Write, titler_of, writer_of
from webapp.admin.fields import Field
from webapp.admin.query import ListQuery
from webapp.admin.selection import Selection


class Row(NamedTuple):
    """One record in a list: its key as it stands in URLs, and what was read of it."""

    key: str
    # Any: values of any column.
    values: Sequence[Any]


def written(
    rows: Sequence[Row],
    selection: Selection,
    query: ListQuery,
    *,
    can_edit: bool,
    back: str = "",
    marked: str = "",
) -> Markup:
    """Return the rows of a table; `back` is a parameter of links, `marked` the key of one row."""
    layout = _layout(selection, query.fields, can_edit=can_edit)
    title_place, write_title = layout.title_place, layout.write_title
    edit_tail = f"?{escape(back)}" if back else ""
    delete_tail = f"&amp;{escape(back)}" if back else ""
    parts = []
    for key, values in rows:
        title = write_title(values[title_place])
        cells = [write(key, values[place], values[at]) for place, at, write in layout.cells]
        mark = " data-marked" if key == marked else ""
        if can_edit:
            tools = key, edit_tail, title, key, delete_tail, title
            parts.append(layout.text % (key, mark, key, title, key, *cells, *tools))
        else:
            parts.append(layout.text % (key, mark, key, *cells))
    return Markup("".join(parts))  # noqa: S704 - each part is escaped


@dataclass(frozen=True)
class _Layout:
    """How a row is written: a text with %s for what differs, and what writes that.

    cells: where the value of a column stands in a row, and the title of what it points at.
    """

    text: str
    title_place: int
    write_title: Callable[[Any], str]
    cells: tuple[tuple[int, int, Write], ...]


@lru_cache(maxsize=256)
def _layout(selection: Selection, fields: tuple[Field, ...], *, can_edit: bool) -> _Layout:
    resource, site = selection.resource, selection.site
    title_field, at = resource.title_field, f"/{resource.name}"
    starts, cells = [], []
    for field in fields:
        is_number = field.input.is_range and not field.relation
        start = f'<td data-label="{escape(field.label)}"' + ' class="number"' * is_number + ">"
        starts.append(start.replace("%", "%%"))
        place = selection.place(field)
        title_at = selection.title_place(field) if field.relation else place
        cells.append((place, title_at, writer_of(site, resource, field, can_reveal=can_edit)))
    write_title, title_place = titler_of(title_field), selection.place(title_field)
    if fields[0] is title_field:
        # What links to the record says something, even where its title is empty.
        cells[0] = (title_place, title_place, lambda _, value, __: write_title(value))
    check = (
        '<td class="check"><label><input type="checkbox" name="id" form="selection"'
        ' value="%s" aria-label="Select %s"></label></td>'
    )
    tools = (
        f'<td class="tools"><a href="{at}/%s/edit%s" data-edit title="Edit">Edit %s</a>'
        f'<a href="{at}/%s/delete?in=list%s" data-dialog title="Delete">Delete %s</a></td>'
    )
    text = (
        f'<tr id="{resource.name}-%s"%s>{check if can_edit else ""}'
        f'<th scope="row"><a href="{at}/%s">%s</a></th>'
        + "".join(f"{start}%s</td>" for start in starts[1:])
        + (f"{tools}</tr>\n" if can_edit else "</tr>\n")
    )
    return _Layout(text, title_place, write_title, tuple(cells))
