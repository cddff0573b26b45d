"""Results: one page of rows, its position in the list and the cursors beside it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from hero_admin.database.short_reads import Row, fetch_few
from hero_admin.listing.columns import Selection, order_of, selection_of, statement_of
from hero_admin.listing.counts import counting, fetch_total, fetch_total_of, known_total
from hero_admin.listing.cursors import Cursor
from hero_admin.listing.query import ListQuery
from hero_admin.listing.references import with_made_titles
from hero_admin.listing.search.backend import backend_of
from hero_admin.listing.search.plan import fetch_narrowed
from hero_admin.listing.search.wanted import Found
from hero_admin.listing.segments import cursor_parameters, start_of
from hero_admin.model.primary_keys import Key
from hero_admin.model.site import Site
from hero_admin.model.total import Total


@dataclass(frozen=True)
class Page:
    """One page of a list without its rows: their number and position, and the pages beside it.

    `first_position` counts from 1 and is 0 where nobody knows it.
    """

    count: int
    first_position: int
    next_cursor: Cursor | None
    previous_cursor: Cursor | None
    total: Total | None
    # How many rows a search had scanned when it was given up.
    scanned_count: int = 0
    # Only words that begin with the searched text were found.
    is_partial: bool = False

    @property
    def last_position(self) -> int:
        return self.first_position + self.count - 1


@dataclass(frozen=True)
class Listing:
    """One page of a list, and its rows as they were read by the selection."""

    page: Page
    selection: Selection
    rows: tuple[Row, ...]


async def fetch_listing(session: AsyncSession, site: Site, query: ListQuery) -> Listing:
    """Fetch the page that `query` asks for: one statement for a list that is not narrowed."""
    is_narrowed = query.is_narrowed or query.scope is not None
    shown = (*query.fields, *query.predicate_fields) if is_narrowed else query.fields
    is_lateral = backend_of(session).is_lateral
    reader = _Reader(selection_of(site, query, shown, is_lateral=is_lateral), query)
    limit = query.size + 1
    total = None if is_narrowed else known_total(session, query.resource)
    counts = not is_narrowed and total is None
    if is_narrowed:
        found = await fetch_narrowed(session, query, reader.selection, limit)
    else:
        read = await _fetch_rows(session, query, reader.selection, limit, is_counted=counts)
        found = Found(tuple(read))
    rows = list(found.rows)
    has_more = len(rows) > query.size
    del rows[query.size :]
    if query.is_backward:
        rows.reverse()
    is_whole = not has_more and query.cursor is None and not found.edge and not found.is_partial
    if is_whole:
        total = Total(len(rows))
    elif counts and rows:
        total = await fetch_total_of(session, query.resource, rows[0][-1])
    elif counts:
        total = await fetch_total(session, site, query)
    is_first = query.is_jump and not await _is_preceded(session, query, reader, rows)
    page = _page(query, reader, rows, has_more, total, found, is_first=is_first)
    # Plain tuples: they hold nothing of the statement that found them.
    rows = await with_made_titles(session, reader.selection, rows)
    return Listing(page, reader.selection, tuple(map(tuple, rows)))


async def _fetch_rows(
    session: AsyncSession,
    query: ListQuery,
    selection: Selection,
    limit: int,
    *,
    is_counted: bool = False,
) -> Sequence[Row]:
    """Fetch rows; counted ones have the number of all rows, as far as it is counted, at the end."""
    statement = statement_of(
        selection,
        start_of(order_of(selection), query.cursor),
        is_backward=query.is_backward,
        is_counted=is_counted,
    )
    parameters = {**cursor_parameters(query.cursor, is_falling=query.is_falling), "size": limit}
    if is_counted:
        parameters |= counting()
    return await fetch_few(session, statement, parameters)


async def _is_preceded(
    session: AsyncSession, query: ListQuery, reader: "_Reader", rows: Sequence[Any]
) -> bool:
    """Whether there is a row before the one that was jumped to."""
    if not rows:
        return False
    if query.is_narrowed or query.scope:
        return True
    before = replace(query, cursor=reader.cursor(query, rows[0], 0), is_backward=True)
    return bool(await _fetch_rows(session, before, reader.selection, 1))


class _Reader:
    """Reads the cursors of rows."""

    def __init__(self, selection: Selection, query: ListQuery) -> None:
        self.selection = selection
        self.key_indexes = [selection.column_index(field) for field in query.resource.key]

    def cursor(self, query: ListQuery, found: Sequence[Any], position: int) -> Cursor:
        relation = query.sort.relation
        link = found[self.selection.column_index(relation)] if relation else None
        value = found[self.selection.sort_index]
        return Cursor(query.sort.text, value, self._key(found), max(0, position), link)

    def _key(self, found: Sequence[Any]) -> Key:
        return tuple(found[index] for index in self.key_indexes)


def _page(
    query: ListQuery,
    reader: _Reader,
    found: Sequence[Sequence[Any]],
    has_more: bool,
    total: Total | None,
    search: Found,
    *,
    is_first: bool,
) -> Page:
    first = _first_position(query, len(found), has_more, total)
    last = first + len(found) - 1 if first else 0
    is_behind_others = query.cursor is not None and not is_first
    has_next, has_previous = has_more, is_behind_others
    if query.is_backward:
        has_next, has_previous = is_behind_others, has_more
    next_cursor = reader.cursor(query, found[-1], last) if found and has_next else None
    previous_cursor = reader.cursor(query, found[0], first) if found and has_previous else None
    # Where the search was given up, the next page continues it.
    if search.edge is not None and query.is_backward:
        previous_cursor = search.edge
    elif search.edge is not None:
        next_cursor = search.edge
    return Page(
        len(found),
        first,
        next_cursor,
        previous_cursor,
        total,
        scanned_count=search.scanned_count,
        is_partial=search.is_partial,
    )


def _first_position(query: ListQuery, count: int, has_more: bool, total: Total | None) -> int:
    if query.is_jump:
        return 0
    cursor = query.cursor
    if cursor is not None and not query.is_backward:
        return cursor.position + 1 if cursor.position else 0
    if not query.is_backward or not has_more:
        return 1
    if cursor is not None:
        return max(0, cursor.position - count)
    return total.count - count + 1 if total and total.is_exact else 0
