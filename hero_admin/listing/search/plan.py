"""The search plan: how to find a page of a searched or filtered list without a full scan.

A predicate that many rows satisfy is met soon in the order of the list: a bounded scan finds them.
One that few satisfy has an index, whose candidates are few enough to be sorted. So: a short scan;
then the index, at once if it estimates few rows; then a longer scan, and where that ends, the
page says so. Where no index can tell that a text is rare, a skip scan over the distinct values of
the sort column comes before the longer scan.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from sqlalchemy import ColumnElement, FromClause, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from hero_admin.database.engines import is_postgresql
from hero_admin.database.short_reads import Row
from hero_admin.database.time_limit import in_time
from hero_admin.listing.columns import Selection, adapted, selection_of
from hero_admin.listing.cursors import Cursor
from hero_admin.listing.predicates import predicates_of, values_of
from hero_admin.listing.query import ListQuery
from hero_admin.listing.search import candidates
from hero_admin.listing.search.bounded_scan import Scanned, scan
from hero_admin.listing.search.candidates import fetch_candidates, has_candidates, is_short
from hero_admin.listing.search.skip_scan import can_skip_scan, fetch_by_skip_scan
from hero_admin.listing.search.trigram_index import fetch_has_trigrams, has_trigrams, is_candidate
from hero_admin.model.site import Site
from hero_admin.model.total import COUNT_CAP, Total

# Rows to look at: comparing texts takes longer than comparing numbers.
FIRST_SCAN = 1_500
SHORT_SCAN, SHORT_SEARCH = 5_000, 500
LONG_SCAN, LONG_SEARCH = 50_000, 20_000
# With this many hits in a short scan, a long one will find the rest.
PROMISING = 5
SKIP_SCAN_MILLISECONDS = 500
MAX_COUNTED = 500_000
COUNTING_MILLISECONDS = 3_000


@dataclass(frozen=True)
class Found:
    """Rows of a page, nearest first; `edge` is where looking for more was given up.

    `looked_at` is how many rows were then looked at, and `is_partial` says that only the
    beginnings of words were found.
    """

    rows: tuple[Row, ...]
    edge: Cursor | None = None
    looked_at: int = 0
    is_partial: bool = False


async def fetch_narrowed(
    session: AsyncSession, query: ListQuery, selection: Selection, limit: int
) -> Found:
    """Fetch the first `limit` rows from where the query begins."""
    return await _SearchPlan(session, query, selection, limit).fetch()


class _SearchPlan:
    """The plan for one page: tries each way until one has found enough."""

    def __init__(
        self, session: AsyncSession, query: ListQuery, selection: Selection, limit: int
    ) -> None:
        self.session, self.query, self.selection, self.limit = session, query, selection, limit
        self.predicates, self.values = predicates_of(query), values_of(query)

    async def fetch(self) -> Found:
        short = SHORT_SEARCH if self.query.text else SHORT_SCAN
        first = min(FIRST_SCAN, short)
        scanned = await self.scan(self.query, first)
        if scanned.edge is not None and await candidates.are_few(self.session, self.query):
            found = await self.fetch_candidates()
            if found is not None:
                return found
        scanned = await self.scan_on(scanned, short - first)
        if scanned.edge is None:
            return Found(scanned.rows)
        return await self.fetch_beyond(scanned, short)

    async def fetch_beyond(self, scanned: Scanned, looked_at: int) -> Found:
        """Fetch the rest where a short scan has ended before the page was full."""
        # For a short text the index has beginnings of words only: the scan comes first.
        is_scan_first = len(scanned.rows) >= PROMISING or is_short(self.query)
        if not is_scan_first:
            found = await self.skip_scan(scanned) or await self.fetch_candidates()
            if found is not None:
                return found
        long = LONG_SEARCH if self.query.text else LONG_SCAN
        scanned = await self.scan_on(scanned, long)
        if scanned.edge is None:
            return Found(scanned.rows)
        found = await self.fetch_candidates() if is_scan_first else None
        return found or Found(scanned.rows, scanned.edge, looked_at + long)

    async def scan(self, query: ListQuery, budget: int, missing: int | None = None) -> Scanned:
        limit = self.limit if missing is None else missing
        return await scan(
            self.session, query, self.selection, self.predicates, self.values, limit, budget
        )

    async def scan_on(self, scanned: Scanned, budget: int) -> Scanned:
        """Look at `budget` more rows, unless the end has been reached or the page is full."""
        edge = scanned.edge
        if edge is None or not budget:
            return scanned
        query = self.query
        rest = query.first(before=edge) if query.is_backward else query.first(after=edge)
        more = await self.scan(rest, budget, self.limit - len(scanned.rows))
        return Scanned(scanned.rows + more.rows, more.edge)

    async def skip_scan(self, scanned: Scanned) -> Found | None:
        if scanned.edge is None or not can_skip_scan(self.query, self.predicates):
            return None
        scanning = partial(self._skip, scanned.edge, self.limit - len(scanned.rows))
        rows = await in_time(self.session, scanning, SKIP_SCAN_MILLISECONDS)
        return None if rows is None else Found((*scanned.rows, *rows))

    async def _skip(self, edge: Cursor, missing: int) -> Sequence[Row] | None:
        session, query = self.session, self.query
        if await has_candidates(session, query) and await candidates.is_rare(session, query):
            return None
        return await fetch_by_skip_scan(session, query, self.selection, edge, self.values, missing)

    async def fetch_candidates(self) -> Found | None:
        found = await fetch_candidates(self.session, self.query, self.selection, self.limit)
        return None if found is None else Found(found.rows, is_partial=found.is_partial)


async def fetch_count(
    session: AsyncSession, site: Site, query: ListQuery, *, is_exact: bool
) -> Total:
    """Count the rows of a narrowed list, as far as an index or a scan can tell."""
    selection = selection_of(site, query, query.predicate_fields)
    predicates, values = predicates_of(query), values_of(query)
    key = query.resource.key[0].exact
    cap, most = MAX_COUNTED, MAX_COUNTED
    if not is_exact:
        cap, most = COUNT_CAP, candidates.MAX_CANDIDATES
    if is_postgresql(session):
        if not is_short(query) and await has_candidates(session, query):
            some = select(key).where(*predicates.all()).limit(cap + 1)
            counted = select(func.count()).select_from(some.subquery())
            rows = await candidates.only_by_index(session, counted, values, COUNTING_MILLISECONDS)
            if rows is not None:
                return _total(rows[0][0], cap)
    else:
        counting = partial(_count_fewest, session, query, selection, cap, most)
        total = await in_time(session, counting, COUNTING_MILLISECONDS)
        if total is not None:
            return total
    # What a scan sees is a lower bound.
    length = LONG_SEARCH if query.text else LONG_SCAN
    seen = select(*selection.columns).order_by(key).limit(length + 1).subquery("scanned")
    count = await _count(session, seen, predicates.all(), values, cap)
    scanned = await _count(session, seen, [], {}, length + 1)
    return _total(count, cap, is_complete=scanned <= length)


async def exact_predicates(session: AsyncSession, query: ListQuery) -> list[ColumnElement[bool]]:
    """Return the predicates of a list, in the form that lets SQLite use the index."""
    predicates = list(predicates_of(query).all())
    is_asked = has_trigrams(query.text) and not is_postgresql(session)
    if is_asked and await fetch_has_trigrams(session, query.resource):
        predicates.append(is_candidate(query.resource))
    return predicates


def _total(count: int, cap: int, *, is_complete: bool = True) -> Total:
    return Total(min(count, cap), is_capped=count > cap or not is_complete)


async def _count(
    session: AsyncSession,
    rows: FromClause,
    predicates: Sequence[ColumnElement[bool]],
    values: Mapping[str, Any],
    cap: int,
) -> int:
    some = select(1).select_from(rows).where(*adapted(predicates, rows)).limit(cap + 1)
    counted = select(func.count()).select_from(some.subquery())
    return int((await session.execute(counted, values)).scalar_one())


async def _count_fewest(
    session: AsyncSession, query: ListQuery, selection: Selection, cap: int, most: int
) -> Total | None:
    """Count the rows that satisfy the predicates among the candidates of an index of SQLite."""
    sources = await candidates.sources_of(session, query, is_partial=False)
    if not sources:
        return None
    values = {**values_of(query), "most": most}
    source, number = sources[0], None
    if len(sources) > 1:
        source, number = await candidates.fewest(session, query, sources, most)
    rows = source.select(selection.columns).subquery("candidates")
    count = await _count(session, rows, source.predicates.all(), values, cap)
    # The number of candidates matters only up to the cap.
    if number is None and count <= cap:
        number = await candidates.count_candidates(session, query, source, most)
    return _total(count, cap, is_complete=number is not None and number <= most)
