"""The search plan: how to find a page of a searched or filtered list without a full scan.

If many rows match, a bounded scan in the order of the list soon finds a page of them. If few match,
an index has few candidates, which can be sorted. These are tried until the page is complete:

1. The candidates of an index, if there are few, or all rows of a small table.
2. A short bounded scan. Its first part is followed by 4 if a filter is selective or it finds no
   row with the text.
3. A skip scan over the distinct values of the sort column, unless an index knows the text is rare.
4. The candidates of an index, if there are not too many.
5. A long bounded scan. If it ends before the list does, the page says so.

If the short scan was promising, or the text is shorter than a trigram, 5 comes before 4, without 3.
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from hero_admin.database.short_reads import Row
from hero_admin.database.time_limit import in_time
from hero_admin.listing.columns import Selection, selection_of
from hero_admin.listing.cursors import Cursor
from hero_admin.listing.predicates import predicates_of
from hero_admin.listing.query import ListQuery
from hero_admin.listing.search import candidates
from hero_admin.listing.search.backend import backend_of
from hero_admin.listing.search.bounded_scan import Scanned, scan
from hero_admin.listing.search.candidates import (
    fetch_before_scan,
    fetch_candidates,
    is_short,
)
from hero_admin.listing.search.skip_scan import can_skip_scan, fetch_by_skip_scan
from hero_admin.listing.search.wanted import Found, Wanted
from hero_admin.model.site import Site
from hero_admin.model.total import COUNT_CAP, Total

# The number of rows per scan; fewer for a search, as comparing texts takes longer.
FIRST_SCAN, FIRST_SEARCH = 1_500, 500
# Costs about as much as sorting that many candidates, and saves sorting more of them.
SHORT_SCAN = candidates.MAX_RARE_CANDIDATES
LONG_SCAN, LONG_SEARCH = 50_000, 20_000
# With this many matches in a short scan, a long one is likely to fill the page.
PROMISING = 5
SKIP_SCAN_MILLISECONDS = 500
MAX_COUNTED = 500_000


async def fetch_narrowed(
    session: AsyncSession, query: ListQuery, selection: Selection, limit: int
) -> Found:
    """Fetch up to `limit` rows of a narrowed list from its cursor on."""
    return await _SearchPlan(session, Wanted.of(query, selection, limit)).fetch()


class _SearchPlan:
    """The plan for one page."""

    def __init__(self, session: AsyncSession, wanted: Wanted) -> None:
        self.session, self.wanted, self.query = session, wanted, wanted.query

    async def fetch(self) -> Found:
        found = await fetch_before_scan(self.session, self.wanted)
        if found is not None:
            return found
        length = FIRST_SEARCH if self.query.text else FIRST_SCAN
        scanned = await scan(self.session, self.wanted, length)
        if scanned.edge is not None and await candidates.has_selective_filter(
            self.session, self.query
        ):
            found = await fetch_candidates(self.session, self.wanted)
            if found is not None:
                return found
        # A text of which the first rows have none may be rare, which its index tells sooner.
        if scanned.rows or not self.query.text:
            scanned = await self.scan_on(scanned, SHORT_SCAN - length)
            length = SHORT_SCAN
        if scanned.edge is None:
            return Found(scanned.rows)
        return await self.fetch_beyond(scanned, length)

    async def fetch_beyond(self, scanned: Scanned, scanned_count: int) -> Found:
        """Fetch the rows after a short scan that has not filled the page."""
        # For a short text the index finds the beginnings of words only.
        is_scan_first = len(scanned.rows) >= PROMISING or is_short(self.query)
        if not is_scan_first:
            found = await self.skip_scan(scanned) or await fetch_candidates(
                self.session, self.wanted
            )
            if found is not None:
                return found
        long = LONG_SEARCH if self.query.text else LONG_SCAN
        scanned = await self.scan_on(scanned, long)
        if scanned.edge is None:
            return Found(scanned.rows)
        found = await fetch_candidates(self.session, self.wanted) if is_scan_first else None
        return found or Found(scanned.rows, scanned.edge, scanned_count + long)

    async def scan_on(self, scanned: Scanned, budget: int) -> Scanned:
        """Scan `budget` more rows, unless the list has ended or the page is full."""
        if scanned.edge is None or not budget:
            return scanned
        rest = self.wanted.beyond(scanned.edge, self.wanted.limit - len(scanned.rows))
        more = await scan(self.session, rest, budget)
        return Scanned(scanned.rows + more.rows, more.edge)

    async def skip_scan(self, scanned: Scanned) -> Found | None:
        if scanned.edge is None or not can_skip_scan(self.query, self.wanted.predicates):
            return None
        rest = replace(self.wanted, limit=self.wanted.limit - len(scanned.rows))
        scanning = partial(self._skip, rest, scanned.edge)
        rows = await in_time(self.session, scanning, SKIP_SCAN_MILLISECONDS)
        return None if rows is None else Found((*scanned.rows, *rows))

    async def _skip(self, rest: Wanted, edge: Cursor) -> Sequence[Row] | None:
        session, backend = self.session, backend_of(self.session)
        has_index = await candidates.has_candidates(session, self.query)
        if has_index and await backend.is_rare(session, rest):
            return None
        return await fetch_by_skip_scan(session, rest, edge)


async def fetch_count(
    session: AsyncSession, site: Site, query: ListQuery, *, is_exact: bool
) -> Total:
    """Count the rows of a narrowed list by an index or a scan, up to a limit."""
    cap = MAX_COUNTED if is_exact else COUNT_CAP
    fields, is_lateral = query.predicate_fields, backend_of(session).is_lateral
    wanted = Wanted.of(query, selection_of(site, query, fields, is_lateral=is_lateral), cap)
    total = await candidates.fetch_count(session, wanted)
    if total is not None:
        return total
    # The matches in a part of the table are a lower bound.
    length = LONG_SEARCH if query.text else LONG_SCAN
    key = query.resource.key[0].exact
    seen = select(*wanted.selection.columns).order_by(key).limit(length + 1).subquery("scanned")
    count = await candidates.count_matching(session, seen, wanted)
    scanned = await session.scalar(select(func.count()).select_from(seen))
    return Total.capped(count, cap, is_complete=(scanned or 0) <= length)


async def exact_predicates(session: AsyncSession, query: ListQuery) -> list[ColumnElement[bool]]:
    """Return the predicates of a list, with that for candidates if the database needs it."""
    backend, predicates = backend_of(session), list(predicates_of(query).all())
    is_candidate = await backend.fetch_is_candidate(session, query.resource, query.text)
    return predicates if is_candidate is None else [*predicates, is_candidate]
