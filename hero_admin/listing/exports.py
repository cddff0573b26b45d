"""Exports: all rows of a list, as it filters and sorts them, as CSV or JSON texts."""

import json
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from hero_admin.listing.columns import Selection, select_all_segments, selection_of
from hero_admin.listing.computed_values import fetch_row_values
from hero_admin.listing.csv_text import csv_cells, csv_text, defused
from hero_admin.listing.link_cells import with_all_titles
from hero_admin.listing.link_keys import with_link_keys
from hero_admin.listing.predicates import predicate_parameters
from hero_admin.listing.query import ListQuery
from hero_admin.listing.search.backend import backend_of
from hero_admin.listing.search.plan import exact_predicates
from hero_admin.model.resource import Resource
from hero_admin.model.schemas import dumped, dumped_values
from hero_admin.model.site import Site

ROWS_PER_BATCH = 500
MEDIA_TYPES = {"csv": "text/csv", "json": "application/json", "jsonl": "application/jsonl"}
SEPARATORS = {",": ",", ";": ";", "tab": "\t", "\t": "\t"}
BYTE_ORDER_MARK = "\ufeff"

# Any: rows of any columns.
Rows = Sequence[Sequence[Any]]
# Returns rows in portions, with more columns at their end.
Complete = Callable[[AsyncSession, Selection, Rows], AsyncIterator[Rows]]


@dataclass(frozen=True)
class Format:
    """How the rows of a list are written.

    written: the text of some rows, and whether they are the first.
    complete: adds what the texts have besides the fields.
    """

    extension: str
    head: str
    written: Callable[[Rows, bool], str]
    tail: str
    complete: Complete

    @property
    def media_type(self) -> str:
        return MEDIA_TYPES[self.extension]


def csv_format(
    resource: Resource, separator: str = ",", *, has_mark: bool = False, has_masked: bool = False
) -> Format:
    """Return CSV; titles of relations and links are last.

    Masked columns are left out, unless asked for: a placeholder would be read back. Programs expect
    no byte-order mark; Excel misreads accents without one.
    """
    related = [field.name for field in resource.fields if field.relation]
    related += [link.name for link in resource.list_links]

    def lines(rows: Rows, _: bool) -> str:
        return csv_text((_csv_row(resource, row, has_masked=has_masked) for row in rows), separator)

    shown = [field for field in resource.fields if has_masked or not field.is_masked]
    names = [field.public_name for field in shown]
    for each in related:
        name = each.removesuffix("_id")
        # Programs find columns by name.
        names.append(f"{name}_title" if name in names else name)
    names += [column.name for column in resource.computed]
    mark = BYTE_ORDER_MARK if has_mark else ""
    head = mark + csv_text([[defused(name) for name in names]], separator)
    return Format("csv", head, lines, "", _with_titles)


def json_format(resource: Resource, *, has_masked: bool = False) -> Format:
    """Return a JSON array of what the API shows of each row.

    Besides there are the keys of all linked records, `"tracks": [3, 7]`, as the API adds them.
    """

    def items(rows: Rows, is_first: bool) -> str:
        texts = _json_texts(resource, rows, has_masked=has_masked)
        return "".join(
            ("\n" if is_first and position == 0 else ",\n") + text
            for position, text in enumerate(texts)
        )

    return Format("json", "[", items, "\n]\n", _with_computed)


def json_lines_format(resource: Resource, *, has_masked: bool = False) -> Format:
    """Return the same as JSON Lines, for programs that parse a stream."""

    def lines(rows: Rows, _: bool) -> str:
        texts = _json_texts(resource, rows, has_masked=has_masked)
        return "".join(f"{text}\n" for text in texts)

    return Format("jsonl", "", lines, "", _with_computed)


async def fetch_batches(
    session: AsyncSession, site: Site, query: ListQuery, complete: Complete
) -> AsyncGenerator[Rows]:
    """Fetch all rows of a list in batches, without a time limit."""
    backend = backend_of(session)
    await backend.prepare_streaming(session, is_narrowed=query.is_narrowed)
    predicates = await exact_predicates(session, query)
    fields = (*query.resource.fields, *query.predicate_fields)
    selection = selection_of(site, query, fields, is_lateral=backend.is_lateral)
    for statement in select_all_segments(selection, predicates):
        options = {"yield_per": ROWS_PER_BATCH}
        result = await session.stream(
            statement, predicate_parameters(query), execution_options=options
        )
        async for batch in result.partitions():
            async for rows in complete(session, selection, batch):
                yield rows


async def _with_titles(
    session: AsyncSession, selection: Selection, rows: Rows
) -> AsyncIterator[Rows]:
    resource, count = selection.resource, len(selection.resource.fields)
    columns = resource.computed
    found = await with_all_titles(session, selection, rows)
    if columns:
        computed = await fetch_row_values(session, selection, columns, rows)
        # Computed columns that the list is sorted or filtered by are among those of the statement.
        own = ((*row[:count], *row[len(selection.fields) :]) for row in found)
        found = [(*row, *each) for row, each in zip(own, computed, strict=True)]
    yield found


async def _with_computed(
    session: AsyncSession, selection: Selection, rows: Rows
) -> AsyncIterator[Rows]:
    """Yield rows with the keys of linked records, then computed columns, at their end."""
    columns = selection.resource.computed
    async for portion in with_link_keys(session, selection, rows):
        if not columns:
            yield portion
            continue
        values = await fetch_row_values(session, selection, columns, portion)
        yield [(*row, *each) for row, each in zip(portion, values, strict=True)]


# Any: values of any columns.
def _csv_row(resource: Resource, row: Sequence[Any], *, has_masked: bool) -> list[str]:
    """Return the texts of a row, which ends with its computed columns."""
    end = len(row) - len(resource.computed)
    own = csv_cells(resource.fields, row[:end], has_masked=has_masked)
    return own + csv_cells(resource.computed, row[end:])


def _json_texts(resource: Resource, rows: Rows, *, has_masked: bool) -> Iterator[str]:
    masked = frozenset[str]() if has_masked else resource.masked_names
    names, links = [field.name for field in resource.fields], resource.many_to_many
    computed = [column.name for column in resource.computed]
    for row in rows:
        values = dict(zip(names, row, strict=False))
        end = len(row) - len(computed)
        values |= dict(zip(computed, row[end:], strict=True))
        record = dumped(resource.schemas.read, values, masked, resource.unseen)
        for link, keys in zip(links, row[end - len(links) : end], strict=True):
            record[link.name] = dumped_values(keys)
        yield json.dumps(record, ensure_ascii=False)
