"""Narrowing: the rows that a search or filters leave, found without reading the whole table.

A condition that many rows fulfil is met soon by walking the list in its order; one that few fulfil
has an index that proposes them, and they are few enough to be sorted. First a short walk, then the
index, then a longer walk: where that ends, the answer says so instead of taking longer. Where no
index says that a text is rare, a list of its values is walked by leaps before.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from sqlalchemy import ColumnElement, FromClause, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from webapp.admin import proposed
from webapp.admin.conditions import conditions_of, values_of
from webapp.admin.cursor import Cursor
from webapp.admin.in_time import in_time, is_postgresql
from webapp.admin.leaps import can_leap, fetch_by_leaps
from webapp.admin.proposed import fetch_proposed, is_short, proposes
from webapp.admin.query import ListQuery
from webapp.admin.selection import Selection, adapted, selection_of
from webapp.admin.site import Site
from webapp.admin.total import COUNT_CAP, Total
from webapp.admin.trigrams import TRIGRAM_CHARACTERS, fetch_has_trigrams, is_proposed
from webapp.admin.walks import walk
from webapp.folding import fold
from webapp.reading import Row

# Rows to look at: comparing texts takes longer than comparing numbers.
SHORT_WALK, SHORT_SEARCH = 5_000, 500
LONG_WALK, LONG_SEARCH = 50_000, 20_000
# So many hits of a short walk promise that a long one will do.
PROMISING = 5
LEAPING_MILLISECONDS = 500
MOST_COUNTED = 500_000
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
    conditions, values = conditions_of(query), values_of(query)
    short, long = (SHORT_SEARCH, LONG_SEARCH) if query.text else (SHORT_WALK, LONG_WALK)
    walked = await walk(session, query, selection, conditions, values, limit, short)
    if walked.edge is None:
        return Found(walked.rows)
    edge, missing = walked.edge, limit - len(walked.rows)
    # For a short text an index proposes beginnings of words only: the walk comes first.
    is_walk_first = len(walked.rows) >= PROMISING or is_short(query)
    if not is_walk_first:
        if can_leap(query, selection, conditions):
            leaping = partial(_leap, session, query, selection, edge, values, missing)
            rows = await in_time(session, leaping, LEAPING_MILLISECONDS)
            if rows is not None:
                return Found((*walked.rows, *rows))
        found = await fetch_proposed(session, query, selection, limit)
        if found is not None:
            return Found(found.rows, is_partial=found.is_partial)
    rest = query.first(before=edge) if query.is_backward else query.first(after=edge)
    further = await walk(session, rest, selection, conditions, values, missing, long)
    if further.edge is None:
        return Found(walked.rows + further.rows)
    if is_walk_first:
        found = await fetch_proposed(session, query, selection, limit)
        if found is not None:
            return Found(found.rows, is_partial=found.is_partial)
    return Found(walked.rows + further.rows, further.edge, short + long)


async def _leap(
    session: AsyncSession,
    query: ListQuery,
    selection: Selection,
    edge: Cursor,
    values: Mapping[str, Any],
    limit: int,
) -> Sequence[Row] | None:
    if await proposes(session, query) and await proposed.is_rare(session, query):
        return None
    return await fetch_by_leaps(session, query, selection, edge, values, limit)


async def fetch_count(
    session: AsyncSession, site: Site, query: ListQuery, *, is_exact: bool
) -> Total:
    """Count the rows of a narrowed list, as far as an index or a walk tells them."""
    selection = selection_of(site, query, query.condition_fields)
    conditions, values = conditions_of(query), values_of(query)
    key = query.resource.key[0].column
    cap, most = MOST_COUNTED, MOST_COUNTED
    if not is_exact:
        cap, most = COUNT_CAP, proposed.MOST_PROPOSED
    if is_postgresql(session):
        if not is_short(query) and await proposes(session, query):
            some = select(key).where(*conditions.all()).limit(cap + 1)
            counted = select(func.count()).select_from(some.subquery())
            rows = await proposed.only_by_index(session, counted, values, COUNTING_MILLISECONDS)
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
    count = await _count(session, seen, conditions.all(), values, cap)
    walked = await _count(session, seen, [], {}, length + 1)
    return _total(count, cap, is_complete=walked <= length)


async def exact_conditions(session: AsyncSession, query: ListQuery) -> list[ColumnElement[bool]]:
    """Return what every row of a list fulfils, so that SQLite sees which rows are proposed."""
    conditions = list(conditions_of(query).all())
    is_long = len(fold(query.text)) >= TRIGRAM_CHARACTERS and "\0" not in query.text
    is_asked = is_long and not is_postgresql(session)
    if is_asked and await fetch_has_trigrams(session, query.resource):
        conditions.append(is_proposed(query.resource))
    return conditions


def _total(count: int, cap: int, *, is_complete: bool = True) -> Total:
    return Total(min(count, cap), is_capped=count > cap or not is_complete)


async def _count(
    session: AsyncSession,
    rows: FromClause,
    conditions: Sequence[ColumnElement[bool]],
    values: Mapping[str, Any],
    cap: int,
) -> int:
    some = select(1).select_from(rows).where(*adapted(conditions, rows)).limit(cap + 1)
    counted = select(func.count()).select_from(some.subquery())
    return int((await session.execute(counted, values)).scalar_one())


async def _count_fewest(
    session: AsyncSession, query: ListQuery, selection: Selection, cap: int, most: int
) -> Total | None:
    """Count the rows that fulfil the conditions among those that an index of SQLite proposes."""
    sources = await proposed.sources_of(session, query, is_partial=False)
    if not sources:
        return None
    values = {**values_of(query), "most": most}
    source, number = sources[0], None
    if len(sources) > 1:
        source, number = await proposed.fewest(session, query, sources, most)
    rows = source.select(selection.columns).subquery("proposed")
    count = await _count(session, rows, source.conditions.all(), values, cap)
    # How many are proposed says nothing about more than can be told.
    if number is None and count <= cap:
        number = await proposed.count_proposed(session, query, source, most)
    return _total(count, cap, is_complete=number is not None and number <= most)
