"""Rows: the HTML of the rows of a list.

Rendering the template for each row would take ten times as long. It is rendered once, with slots,
and the values of each row are inserted into the slots.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import chain, repeat
from typing import Any, NamedTuple

from jinja2 import Template
from markupsafe import Markup, escape

from hero_admin.database.short_reads import Row
from hero_admin.database.statement_cache import statement_cache
from hero_admin.listing.cells import (
    UNTITLED,
    CellRenderer,
    cell_renderer,
    escaped,
    reference_reader,
    text_formatter,
)
from hero_admin.listing.columns import Selection
from hero_admin.listing.computed_values import computed_renderer
from hero_admin.listing.formatted import formatted_text
from hero_admin.model.computed_fields import ComputedField
from hero_admin.model.fields import Field
from hero_admin.model.primary_keys import key_text
from hero_admin.model.site import Site

SLOT = re.compile("\0(.+?)\0")


class LinkCells(NamedTuple):
    """A column of linked records: its label, and the HTML of its cell in each row."""

    label: str
    cells: Sequence[str]


class Allowed(NamedTuple):
    """What the person who reads a list may do with its rows."""

    change: bool
    delete: bool
    reveal: bool

    @property
    def has_tools(self) -> bool:
        """Whether rows can be selected, and have buttons."""
        return self.change or self.delete


@dataclass(frozen=True)
class RowContext:
    """What the HTML of rows depends on, apart from their values.

    computed: the values of the computed columns among `fields`, in their order.
    links: the columns of linked records, after those of fields.
    has_forms: whether rows are edited on the page of the list.
    edited_name, edited_keys: the name and the keys of other records to edit, in URLs.
    is_linked: whether a row can be removed from the record that the list belongs to.
    back: the parameter of their links that leads back to the list, "" for none.
    marked: the key of the row to highlight, as a URL segment, "" for none.
    can_select: whether rows have a checkbox.
    """

    template: Template
    selection: Selection
    fields: tuple[Field, ...]
    allowed: Allowed
    has_forms: bool = False
    is_linked: bool = False
    # Any: values of any column.
    computed: tuple[Sequence[Any], ...] = ()
    links: tuple[LinkCells, ...] = ()
    edited_name: str = ""
    edited_keys: tuple[str, ...] = ()
    back: str = ""
    marked: str = ""
    can_select: bool = False


def render_rows(rows: tuple[Row, ...], context: RowContext) -> Markup:
    """Return the HTML of the rows of a table."""
    if not rows:
        return Markup("")
    layout = _layout(
        context.template,
        context.selection,
        context.fields,
        allowed=context.allowed,
        has_forms=context.has_forms,
        is_linked=context.is_linked,
        labels=tuple(link.label for link in context.links),
        edited_name=context.edited_name,
        can_select=context.can_select,
    )
    columns = [*zip(*rows, strict=True), *context.computed]
    key_columns = (columns[index] for index in layout.key_indexes)
    keys = [key_text(context.selection.resource, key) for key in zip(*key_columns, strict=True)]
    titles = escaped([layout.title_of(row) or UNTITLED for row in rows])
    back = escape(context.back)
    filled: dict[str, Iterable[str]] = {
        "key": keys,
        "edited": context.edited_keys or keys,
        "title": titles,
        "marked": [" data-marked" if key == context.marked else "" for key in keys],
        "focus": [" autofocus" if key == context.marked else "" for key in keys],
        "back": repeat(f"?{back}" if back else ""),
        "and_back": repeat(f"&amp;{back}" if back else ""),
        **{
            f"cell{number}": render(keys, columns[value_index], columns[title_index])
            for number, (value_index, title_index, render) in enumerate(layout.cells)
        },
    }
    filled |= {f"link{number}": link.cells for number, link in enumerate(context.links)}
    if layout.is_title_first:
        filled["cell0"] = titles
    # Texts are at the even positions, the names of slots at the odd ones.
    parts = (filled[part] if index % 2 else repeat(part) for index, part in enumerate(layout.parts))
    # Repeated texts have no end for `strict` to check; each part is escaped.
    return Markup("".join(chain.from_iterable(zip(*parts))))  # noqa: B905, S704


@dataclass(frozen=True)
class _Layout:
    """The template of a row, split at its slots, and how the slots are filled.

    parts: the texts of the template, with the names of the slots between them.
    cells: for each column the indexes of its value and of its title in a row, and its renderer.
    is_title_first: whether the first column shows the title of the record, and not a part of it.
    """

    parts: tuple[str, ...]
    key_indexes: tuple[int, ...]
    title_of: Callable[[Row], str]
    is_title_first: bool
    cells: tuple[tuple[int, int, CellRenderer], ...]


@statement_cache
def _layout(
    template: Template,
    selection: Selection,
    fields: tuple[Field, ...],
    *,
    allowed: Allowed,
    has_forms: bool,
    is_linked: bool,
    labels: tuple[str, ...],
    edited_name: str,
    can_select: bool,
) -> _Layout:
    resource, site = selection.resource, selection.site
    cells: list[tuple[int, int, CellRenderer]] = []
    computed = [field for field in fields if isinstance(field, ComputedField)]
    for field in fields:
        if isinstance(field, ComputedField):
            # They come last, after whatever else a row has.
            index = computed.index(field) - len(computed)
            cells.append((index, index, computed_renderer(site, resource, field)))
            continue
        value_index = selection.column_index(field)
        title_index = selection.title_index(field) if field.relation else value_index
        renderer = cell_renderer(site, resource, field, can_reveal=allowed.reveal)
        cells.append((value_index, title_index, renderer))
    is_titled = fields[0] is resource.titles.field
    if fields[0].show is not None and not is_titled:
        cells[0] = (*cells[0][:2], _first_cell_renderer(fields[0], cells[0][2]))
    if is_titled:
        # The link to the record needs a text, even if the title is empty.
        cells[0] = (*cells[0][:2], _title_cell_renderer(site, fields[0]))
    shown = {
        "resource": resource,
        "fields": fields,
        "has_boxes": can_select,
        "allowed": allowed,
        "has_forms": has_forms,
        "is_linked": is_linked,
        "link_labels": labels,
        "edited_name": edited_name or resource.name,
        "slot": "\0{}\0".format,
    }
    parts = SLOT.split(f"{template.render(shown)}\n")
    key_indexes = tuple(selection.column_index(field) for field in resource.key)
    has_parts = len(resource.titles.fields) > 1 or fields[0].relation is not None
    is_title_first = is_titled and (resource.titles.function is not None or not has_parts)
    return _Layout(
        tuple(parts),
        key_indexes,
        _title_formatter(selection),
        is_title_first,
        tuple(cells),
    )


def _first_cell_renderer(field: Field, render: CellRenderer) -> CellRenderer:
    """Return the renderer of a formatted first column, which is the link to the record."""

    # Any: values of a field, and titles.
    def texts(keys: Sequence[str], values: Sequence[Any], titles: Sequence[Any]) -> list[str]:
        formatted = [formatted_text(field, value) for value in values]
        others = render(keys, values, titles)
        pairs = zip(formatted, others, strict=True)
        return [other if text is None else str(escape(text)) for text, other in pairs]

    return texts


def _title_cell_renderer(site: Site, field: Field) -> CellRenderer:
    """Return the renderer of a first column that is a field of the title."""
    text_of = text_formatter(field)
    if field.relation is None:
        return lambda _, values, __: escaped([text_of(value) or UNTITLED for value in values])
    read = reference_reader(site, field)

    # Any: values of a field, and of the title of a related record.
    def text(value: Any, title: Any) -> str:
        reference = read(value, title)
        return reference.title if reference else text_of(value) or UNTITLED

    return lambda _, values, titles: escaped(list(map(text, values, titles)))


def _title_formatter(selection: Selection) -> Callable[[Row], str]:
    """Return the function that makes the title of a row."""
    resource, fields = selection.resource, selection.resource.titles.fields
    if len(fields) == 1 and resource.titles.function is None:
        index, text_of = selection.column_index(fields[0]), text_formatter(fields[0])
        return lambda values: text_of(values[index])
    indexes = {field.name: selection.column_index(field) for field in fields}
    readers = {
        field.name: (selection.title_index(field), reference_reader(selection.site, field))
        for field in fields
        if field.relation and resource.titles.function is None
    }

    def title(values: Row) -> str:
        own = {name: values[index] for name, index in indexes.items()}
        references = {name: read(own[name], values[at]) for name, (at, read) in readers.items()}
        titles = {name: reference.title for name, reference in references.items() if reference}
        return resource.titles.of(own, titles)

    return title
