"""Narrowing: the rows that a search or filters leave, found without reading the whole table.

A condition that many rows fulfil is met soon by walking the list in its order; one that few fulfil
has an index that proposes them, and they are few enough to be sorted. First a short walk; then the
index, at once if that of a filter says that there are few; then a longer walk: where that ends, the
answer says so instead of taking longer. Where no index says that a text is rare, a list of its
values is walked by leaps before.
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
from hero_admin.listing.search.bounded_scan import Walked, walk
from hero_admin.listing.search.candidates import fetch_candidates, has_candidates, is_short
from hero_admin.listing.search.skip_scan import can_skip_scan, fetch_by_skip_scan
from hero_admin.listing.search.trigram_index import fetch_has_trigrams, has_trigrams, is_candidate
from hero_admin.model.site import Site
from hero_admin.model.total import COUNT_CAP, Total

# Rows to look at: comparing texts takes longer than comparing numbers.
FIRST_WALK = 1_500
SHORT_WALK, SHORT_SEARCH = 5_000, 500
LONG_WALK, LONG_SEARCH = 50_000, 20_000
# So many hits of a short walk promise that a long one will do.
PROMISING = 5
LEAPING_MILLISECONDS = 500
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
    return await _Narrowing(session, query, selection, limit).fetch()


class _Narrowing:
    """The ways to the rows of one page."""

    def __init__(
        self, session: AsyncSession, query: ListQuery, selection: Selection, limit: int
    ) -> None:
        self.session, self.query, self.selection, self.limit = session, query, selection, limit
        self.predicates, self.values = predicates_of(query), values_of(query)

    async def fetch(self) -> Found:
        short = SHORT_SEARCH if self.query.text else SHORT_WALK
        first = min(FIRST_WALK, short)
        walked = await self.walk(self.query, first)
        if walked.edge is not None and await candidates.are_few(self.session, self.query):
            found = await self.propose()
            if found is not None:
                return found
        walked = await self.walk_on(walked, short - first)
        if walked.edge is None:
            return Found(walked.rows)
        return await self.fetch_beyond(walked, short)

    async def fetch_beyond(self, walked: Walked, looked_at: int) -> Found:
        """Fetch the rows where a short walk has ended before the page was full."""
        # For a short text an index proposes beginnings of words only: the walk comes first.
        is_walk_first = len(walked.rows) >= PROMISING or is_short(self.query)
        if not is_walk_first:
            found = await self.leap(walked) or await self.propose()
            if found is not None:
                return found
        long = LONG_SEARCH if self.query.text else LONG_WALK
        walked = await self.walk_on(walked, long)
        if walked.edge is None:
            return Found(walked.rows)
        found = await self.propose() if is_walk_first else None
        return found or Found(walked.rows, walked.edge, looked_at + long)

    async def walk(self, query: ListQuery, budget: int, missing: int | None = None) -> Walked:
        limit = self.limit if missing is None else missing
        return await walk(
            self.session, query, self.selection, self.predicates, self.values, limit, budget
        )

    async def walk_on(self, walked: Walked, budget: int) -> Walked:
        """Look at `budget` more rows, unless the end has been reached or the page is full."""
        edge = walked.edge
        if edge is None or not budget:
            return walked
        query = self.query
        rest = query.first(before=edge) if query.is_backward else query.first(after=edge)
        more = await self.walk(rest, budget, self.limit - len(walked.rows))
        return Walked(walked.rows + more.rows, more.edge)

    async def leap(self, walked: Walked) -> Found | None:
        if walked.edge is None or not can_skip_scan(self.query, self.predicates):
            return None
        leaping = partial(self._skip, walked.edge, self.limit - len(walked.rows))
        rows = await in_time(self.session, leaping, LEAPING_MILLISECONDS)
        return None if rows is None else Found((*walked.rows, *rows))

    async def _skip(self, edge: Cursor, missing: int) -> Sequence[Row] | None:
        session, query = self.session, self.query
        if await has_candidates(session, query) and await candidates.is_rare(session, query):
            return None
        return await fetch_by_skip_scan(session, query, self.selection, edge, self.values, missing)

    async def propose(self) -> Found | None:
        found = await fetch_candidates(self.session, self.query, self.selection, self.limit)
        return None if found is None else Found(found.rows, is_partial=found.is_partial)


async def fetch_count(
    session: AsyncSession, site: Site, query: ListQuery, *, is_exact: bool
) -> Total:
    """Count the rows of a narrowed list, as far as an index or a walk tells them."""
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
    # What a walk sees is a number that there are at least.
    length = LONG_SEARCH if query.text else LONG_WALK
    seen = select(*selection.columns).order_by(key).limit(length + 1).subquery("walk")
    count = await _count(session, seen, predicates.all(), values, cap)
    walked = await _count(session, seen, [], {}, length + 1)
    return _total(count, cap, is_complete=walked <= length)


async def exact_predicates(session: AsyncSession, query: ListQuery) -> list[ColumnElement[bool]]:
    """Return what every row of a list fulfils, so that SQLite sees which rows are proposed."""
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
    """Count the rows that fulfil the conditions among those that an index of SQLite proposes."""
    sources = await candidates.sources_of(session, query, is_partial=False)
    if not sources:
        return None
    values = {**values_of(query), "most": most}
    source, number = sources[0], None
    if len(sources) > 1:
        source, number = await candidates.fewest(session, query, sources, most)
    rows = source.select(selection.columns).subquery("proposed")
    count = await _count(session, rows, source.predicates.all(), values, cap)
    # How many are proposed says nothing about more than can be told.
    if number is None and count <= cap:
        number = await candidates.count_candidates(session, query, source, most)
    return _total(count, cap, is_complete=number is not None and number <= most)
