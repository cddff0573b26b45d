"""Results: the rows of one page, its position in the list, and the cursors of its neighbours."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlalchemy.ext.asyncio import AsyncSession

from hero_admin.database.short_reads import Row, fetch_few
from hero_admin.listing.columns import Selection, order_of, select_listing, selection_of
from hero_admin.listing.counts import cached_total, counting, fetch_total, fetch_total_of
from hero_admin.listing.cursors import Cursor
from hero_admin.listing.query import ListQuery
from hero_admin.listing.references import with_made_titles
from hero_admin.listing.search.backend import backend_of
from hero_admin.listing.search.plan import fetch_narrowed
from hero_admin.listing.search.wanted import Found
from hero_admin.listing.segments import cursor_parameters, start_of
from hero_admin.model.site import Site
from hero_admin.model.total import Total


@dataclass(frozen=True)
class Page:
    """One page of a list without its rows.

    count: the number of its rows.
    first_position: that of its first row in the list, from 1; 0 if unknown.
    next_cursor, previous_cursor: those of the neighbouring pages, None at an end of the list.
    scanned_count: the number of rows that an unfinished search has scanned.
    is_partial: whether only words that begin with the searched text were found.
    """

    count: int
    first_position: int
    next_cursor: Cursor | None
    previous_cursor: Cursor | None
    total: Total | None
    scanned_count: int = 0
    is_partial: bool = False

    @property
    def last_position(self) -> int:
        return self.first_position + self.count - 1


@dataclass(frozen=True)
class Listing:
    """One page of a list, and its rows, each with the columns of the selection."""

    page: Page
    selection: Selection
    rows: tuple[Row, ...]


async def fetch_listing(session: AsyncSession, site: Site, query: ListQuery) -> Listing:
    """Fetch the page of `query`: one statement for a list that is not narrowed."""
    is_narrowed = query.is_narrowed or query.scope is not None
    shown = (*query.fields, *(link.own for link in query.links))
    # A record is made of what the functions of computed columns may read.
    shown = (*shown, *(query.resource.function_fields if query.columns != query.fields else ()))
    shown = (*shown, *query.predicate_fields) if is_narrowed else shown
    selection = selection_of(site, query, shown, is_lateral=backend_of(session).is_lateral)
    total = None if is_narrowed else cached_total(session, query.resource)
    is_counted = not is_narrowed and total is None
    limit = query.size + 1
    if is_narrowed:
        found = await fetch_narrowed(session, query, selection, limit)
    else:
        read = await _fetch_rows(session, query, selection, limit, is_counted=is_counted)
        found = Found(tuple(read))
    results = _Results.of(query, selection, found)
    if results.is_whole_list:
        total = Total(len(results.rows))
    elif is_counted and results.rows:
        total = await fetch_total_of(session, query.resource, results.rows[0][-1])
    elif is_counted:
        total = await fetch_total(session, site, query)
    is_first = query.is_jump and not await _is_preceded(session, results)
    page = results.page(total, is_first=is_first)
    # Plain tuples do not keep the result of the statement alive.
    rows = await with_made_titles(session, selection, results.rows)
    return Listing(page, selection, tuple(map(tuple, rows)))


async def fetch_whole_rows(session: AsyncSession, site: Site, query: ListQuery) -> Listing:
    """Fetch the page of `query` with all fields of each row, for a program, without a count."""
    fields = (*query.resource.fields, *query.predicate_fields)
    selection = selection_of(site, query, fields, is_lateral=backend_of(session).is_lateral)
    limit = query.size + 1
    if query.is_narrowed:
        found = await fetch_narrowed(session, query, selection, limit)
    else:
        found = Found(tuple(await _fetch_rows(session, query, selection, limit)))
    results = _Results.of(query, selection, found)
    return Listing(results.page(None, is_first=False), selection, tuple(results.rows))


async def _fetch_rows(
    session: AsyncSession,
    query: ListQuery,
    selection: Selection,
    limit: int,
    *,
    is_counted: bool = False,
) -> Sequence[Row]:
    """Fetch up to `limit` rows; `is_counted` adds the capped count of all rows to each."""
    statement = select_listing(
        selection,
        start_of(order_of(selection), query.cursor),
        is_backward=query.is_backward,
        is_counted=is_counted,
    )
    parameters = {**cursor_parameters(query.cursor, is_falling=query.is_falling), "size": limit}
    if is_counted:
        parameters |= counting()
    return await fetch_few(session, statement, parameters)


async def _is_preceded(session: AsyncSession, results: "_Results") -> bool:
    """Whether there is a row before those of a page that starts at a value."""
    query = results.query
    if not results.rows:
        return False
    if query.is_narrowed or query.scope:
        return True
    before = replace(query, cursor=results.cursor(results.rows[0], 0), is_backward=True)
    return bool(await _fetch_rows(session, before, results.selection, 1))


@dataclass(frozen=True)
class _Results:
    """The rows of a page in the order of the list.

    has_more: whether rows beyond the page were found, in the direction in which it was read.
    """

    query: ListQuery
    selection: Selection
    found: Found
    rows: Sequence[Row]
    has_more: bool

    @classmethod
    def of(cls, query: ListQuery, selection: Selection, found: Found) -> "_Results":
        rows = found.rows[: query.size]
        if query.is_backward:
            rows = rows[::-1]
        return cls(query, selection, found, rows, len(found.rows) > query.size)

    @property
    def is_whole_list(self) -> bool:
        is_cut_off = self.has_more or self.query.cursor is not None
        return not (is_cut_off or self.found.edge or self.found.is_partial)

    def cursor(self, row: Row, position: int) -> Cursor:
        query, selection = self.query, self.selection
        relation = query.sort.relation
        link = row[selection.column_index(relation)] if relation else None
        key = tuple(row[selection.column_index(field)] for field in query.resource.key)
        return Cursor(query.sort.text, row[selection.sort_index], key, max(0, position), link)

    def page(self, total: Total | None, *, is_first: bool) -> Page:
        """Return the page; `is_first`: no row precedes it, though the query has a cursor."""
        query, rows, edge = self.query, self.rows, self.found.edge
        first = self._first_position(total)
        last = first + len(rows) - 1 if first else 0
        is_behind_others = query.cursor is not None and not is_first
        has_next, has_previous = self.has_more, is_behind_others
        if query.is_backward:
            has_next, has_previous = is_behind_others, self.has_more
        next_cursor = self.cursor(rows[-1], last) if rows and has_next else None
        previous_cursor = self.cursor(rows[0], first) if rows and has_previous else None
        # The next page continues an unfinished search.
        if edge is not None and query.is_backward:
            previous_cursor = edge
        elif edge is not None:
            next_cursor = edge
        return Page(
            len(rows),
            first,
            next_cursor,
            previous_cursor,
            total,
            scanned_count=self.found.scanned_count,
            is_partial=self.found.is_partial,
        )

    def _first_position(self, total: Total | None) -> int:
        query, cursor = self.query, self.query.cursor
        if query.is_jump:
            return 0
        if cursor is not None and not query.is_backward:
            return cursor.position + 1 if cursor.position else 0
        if not query.is_backward or not self.has_more:
            return 1
        if cursor is not None:
            return max(0, cursor.position - len(self.rows))
        return total.count - len(self.rows) + 1 if total and total.is_exact else 0
