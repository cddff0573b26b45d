"""Rows: the HTML of the rows of a list."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from markupsafe import Markup, escape

from webapp.admin.cells import UNTITLED, writer_of
from webapp.admin.display import shown_in_cell
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
    resource, title_field = query.resource, query.resource.title_field
    first, *others = query.fields
    title_place, first_place = selection.place(title_field), selection.place(first)
    is_titled = first is title_field
    cells = []
    for field in (first, *others):
        is_number = field.input.is_range and not field.relation
        start = f'<td data-label="{escape(field.label)}"' + ' class="number"' * is_number + ">"
        place = selection.place(field)
        title_at = selection.title_place(field) if field.relation else place
        write = writer_of(selection.site, resource, field, can_reveal=can_edit)
        cells.append((start, place, title_at, write))
    (_, _, first_title, write_first), *cells = cells
    name, at = resource.name, f"/{resource.name}"
    edit_tail = f"?{escape(back)}" if back else ""
    delete_tail = f"&amp;{escape(back)}" if back else ""
    parts: list[str] = []
    for key, values in rows:
        title = escape(shown_in_cell(title_field, values[title_place]) or UNTITLED)
        parts.append(f'<tr id="{name}-{key}"{" data-marked" if key == marked else ""}>')
        if can_edit:
            parts.append(
                '<td class="check"><label><input type="checkbox" name="id" form="selection"'
                f' value="{key}" aria-label="Select {title}"></label></td>'
            )
        head = title if is_titled else write_first(key, values[first_place], values[first_title])
        parts.append(f'<th scope="row"><a href="{at}/{key}">{head}</a></th>')
        for start, place, title_at, write in cells:
            parts += (start, write(key, values[place], values[title_at]), "</td>")
        if can_edit:
            parts.append(
                f'<td class="tools"><a href="{at}/{key}/edit{edit_tail}" data-edit title="Edit">'
                f'Edit {title}</a><a href="{at}/{key}/delete?in=list{delete_tail}" data-dialog'
                f' title="Delete">Delete {title}</a>'
            )
        parts.append("</td></tr>\n" if can_edit else "</tr>\n")
    return Markup("".join(parts))  # noqa: S704 - each part is escaped
