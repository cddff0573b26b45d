"""Narrowing: the rows that a search or filters leave, found without reading the whole table.

A condition that many rows fulfil is met soon by walking the list in its order; one that few fulfil
has an index that proposes them, and they are few enough to be sorted. First a short walk, then the
index, then a longer walk: where that ends, the answer says so instead of taking longer. Of a text
that is common, but not among the rows that come first, an index proposes many: the list is walked
by leaps before.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from sqlite3 import SQLITE_INTERRUPT
from typing import Any, TypeVar

from sqlalchemy import (
    ColumnElement,
    FromClause,
    Integer,
    Select,
    and_,
    bindparam,
    func,
    or_,
    select,
    tablesample,
    text,
    true,
)
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from webapp import sqlite
from webapp.admin.conditions import Conditions, conditions_of, values_of
from webapp.admin.cursor import Cursor
from webapp.admin.fields import Field
from webapp.admin.indexes import is_indexed
from webapp.admin.keyset import SIZE, Place, parameters_of, place_of, stretches
from webapp.admin.leaps import can_leap, fetch_by_leaps
from webapp.admin.query import ListQuery
from webapp.admin.resource import Resource
from webapp.admin.selection import Selection, adapted, order_of, selection_of, with_titles
from webapp.admin.site import Site
from webapp.admin.total import COUNT_CAP, Total
from webapp.admin.trigrams import (
    TRIGRAM_CHARACTERS,
    fetch_has_trigrams,
    is_proposed,
    proposals,
    trigrams_of,
)
from webapp.admin.walks import walk
from webapp.folding import fold
from webapp.reading import Row

# Rows to look at: comparing texts takes longer than comparing numbers.
SHORT_WALK, SHORT_SEARCH = 5_000, 500
LONG_WALK, LONG_SEARCH = 50_000, 20_000
# So many hits of a short walk promise that a long one will do.
PROMISING = 5
# So many proposed rows are looked at and sorted.
MOST_PROPOSED = 200_000
MOST_COUNTED = 500_000
# More proposed rows than this take longer than leaps do. PostgreSQL cannot count up to there, but
# a sample of its rows tells: so many hits in so many per cent.
COMMON = 5_000
SAMPLE_PERCENT, SAMPLE_HITS = 0.02, 5
# What is complete is worth waiting for; twice that and a walk still fit into a request.
PROPOSING_MILLISECONDS = 1_500
COUNTING_MILLISECONDS = 3_000
CANCELLED = "57014"

MOST = bindparam("most", type_=Integer)

Answer = TypeVar("Answer")

# For one statement: an index has to be asked for what it holds, and nothing else is read. The
# savepoint around it brings the settings back.
ONLY_BY_INDEX = text(
    "SELECT set_config('enable_seqscan', 'off', true), set_config('enable_indexscan', 'off', true),"
    " set_config('enable_indexonlyscan', 'off', true),"
    " set_config('plan_cache_mode', 'force_custom_plan', true),"
    " set_config('statement_timeout', :milliseconds, true)"
)


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


@dataclass(frozen=True)
class Source:
    """An index of SQLite that proposes rows: that of a field, or that of the trigrams."""

    resource: Resource
    conditions: Conditions
    field: Field | None = None

    def select(self, columns: Sequence[ColumnElement[Any]]) -> Select[Any]:
        """Return the statement for up to `MOST` of them."""
        rows, condition = proposals(self.resource)
        if self.field is not None:
            rows, condition = self.resource.table, dict(self.conditions.by_field())[self.field]
        return select(*columns).select_from(rows).where(condition).limit(MOST)


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
    is_walk_first = len(walked.rows) >= PROMISING or _is_short(query)
    if not is_walk_first:
        has_index = await _proposes(session, query)
        if can_leap(query, selection) and not (has_index and await _is_rare(session, query)):
            rows = await fetch_by_leaps(session, query, selection, edge, values, missing)
            if rows is not None:
                return Found((*walked.rows, *rows))
        proposed = await _fetch_proposed(session, query, selection, limit) if has_index else None
        if proposed is not None:
            return proposed
    rest = query.first(before=edge) if query.is_backward else query.first(after=edge)
    further = await walk(session, rest, selection, conditions, values, missing, long)
    if further.edge is None:
        return Found(walked.rows + further.rows)
    if is_walk_first and await _proposes(session, query):
        proposed = await _fetch_proposed(session, query, selection, limit)
        if proposed is not None:
            return proposed
    return Found(walked.rows + further.rows, further.edge, short + long)


async def fetch_count(
    session: AsyncSession, site: Site, query: ListQuery, *, is_exact: bool
) -> Total:
    """Count the rows of a narrowed list, as far as an index or a walk tells them."""
    selection = selection_of(site, query, query.condition_fields)
    conditions, values = conditions_of(query), values_of(query)
    key = query.resource.key[0].column
    cap, most = (MOST_COUNTED, MOST_COUNTED) if is_exact else (COUNT_CAP, MOST_PROPOSED)
    if _is_postgresql(session):
        if not _is_short(query) and await _proposes(session, query):
            some = select(key).where(*conditions.all()).limit(cap + 1)
            counted = select(func.count()).select_from(some.subquery())
            rows = await _only_by_index(session, counted, values, COUNTING_MILLISECONDS)
            if rows is not None:
                return _total(rows[0][0], cap)
    else:
        counting = partial(_count_fewest, session, query, selection, cap, most)
        total = await _in_time(session, counting, COUNTING_MILLISECONDS)
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
    is_asked = is_long and not _is_postgresql(session)
    if is_asked and await fetch_has_trigrams(session, query.resource):
        conditions.append(is_proposed(query.resource))
    return conditions


def all_values_of(query: ListQuery) -> dict[str, Any]:
    """Return the parameters of `exact_conditions`."""
    return {**values_of(query), "trigrams": trigrams_of(query.text)}


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
    sources = await _sources(session, query, is_partial=False)
    if not sources:
        return None
    values = {**all_values_of(query), "most": most}
    source, proposed = sources[0], None
    if len(sources) > 1:
        source, proposed = await _fewest(session, query, sources, most)
    rows = source.select(selection.columns).subquery("proposed")
    count = await _count(session, rows, source.conditions.all(), values, cap)
    # More of them would say nothing about more than can be told.
    if proposed is None and count <= cap:
        proposed = await _count_proposed(session, query, source, most)
    return _total(count, cap, is_complete=proposed is not None and proposed <= most)


async def _fetch_proposed(
    session: AsyncSession, query: ListQuery, selection: Selection, limit: int
) -> Found | None:
    """Fetch the rows from those that an index proposes; None if they are too many."""
    is_partial = _is_short(query) and await fetch_has_trigrams(session, query.resource)
    conditions = conditions_of(query)
    if is_partial:
        conditions = replace(conditions, search="beginnings")
    if not _is_postgresql(session):
        fetching = partial(_fetch_from_fewest, session, query, selection, conditions, limit)
        rows = await _in_time(session, fetching, PROPOSING_MILLISECONDS)
        return None if rows is None else Found(rows, is_partial=is_partial)

    given = {**all_values_of(query), "most": MOST_PROPOSED + 1, "size": limit}
    given |= parameters_of(query.cursor, is_falling=query.is_falling)
    place = place_of(order_of(selection), query.cursor)
    statement, number = _select_by_index(
        selection, conditions, place, is_backward=query.is_backward
    )
    found = await _only_by_index(session, statement, given, PROPOSING_MILLISECONDS)
    if found is not None and not found and query.cursor is not None:
        # None of them is on this page; perhaps because those that are were one too many.
        counted = await _only_by_index(session, number, given, PROPOSING_MILLISECONDS)
        found = [] if counted and counted[0][0] <= MOST_PROPOSED else None
    if found is None or (found and found[0][-1] > MOST_PROPOSED):
        return None
    return Found(tuple(found), is_partial=is_partial)


async def _fetch_from_fewest(
    session: AsyncSession,
    query: ListQuery,
    selection: Selection,
    conditions: Conditions,
    limit: int,
) -> tuple[Row, ...] | None:
    sources = await _sources(session, query, is_partial=True)
    if not sources:
        return None
    source, count = await _fewest(session, query, sources, MOST_PROPOSED)
    if count > MOST_PROPOSED:
        return None
    place = place_of(order_of(selection), query.cursor)
    statement = _select_from(source, selection, conditions, place, is_backward=query.is_backward)
    given = {**all_values_of(query), "most": MOST_PROPOSED, "size": limit}
    given |= parameters_of(query.cursor, is_falling=query.is_falling)
    return tuple((await session.execute(statement, given)).all())


@lru_cache(maxsize=256)
def _select_from(
    source: Source, selection: Selection, conditions: Conditions, place: Place, *, is_backward: bool
) -> Select[Any]:
    """Return the statement of SQLite that sorts what a source proposes."""
    proposed = source.select(selection.columns).subquery("proposed")
    statement = _sorted(selection, proposed, place, is_backward=is_backward)
    return statement.where(*adapted(conditions.all(), proposed))


@lru_cache(maxsize=256)
def _select_by_index(
    selection: Selection, conditions: Conditions, place: Place, *, is_backward: bool
) -> tuple[Select[Any], Select[Any]]:
    """Return the statement of PostgreSQL that sorts what fulfils the conditions, and their number.

    Each row ends with that number.
    """
    some = select(*selection.columns).where(*conditions.all()).limit(MOST).cte("proposed")
    number = select(func.count()).select_from(some)
    statement = _sorted(selection, some, place, is_backward=is_backward)
    return statement.add_columns(number.scalar_subquery()), number


def _sorted(
    selection: Selection, rows: FromClause, place: Place, *, is_backward: bool
) -> Select[Any]:
    """Return the statement that sorts a few rows and takes those from where the query begins."""
    order = order_of(selection)
    is_falling = order.is_descending != is_backward
    chain = stretches(order, place, is_backward=is_backward, is_lateral=False)
    statement = with_titles(selection, rows)
    if order.link is not None:
        link = rows.c[selection.sort_field.name] == order.link.target
        statement = statement.outerjoin(order.link.records, link)
    if place != "end":
        here = [and_(true(), *each.conditions) for each in chain]
        statement = statement.where(or_(*adapted(here, rows)))
    columns = adapted(order.columns, rows)
    nullable = [*columns[:1]] if order.value is not None else []
    if order.link is not None:
        nullable.insert(0, rows.c[selection.sort_field.name])
    missing = [column.is_(None) for column in nullable]
    return statement.order_by(
        *(each.desc() if is_backward else each.asc() for each in missing),
        *(each.desc() if is_falling else each.asc() for each in columns),
    ).limit(SIZE)


async def _proposes(session: AsyncSession, query: ListQuery) -> bool:
    """Whether there is an index that may propose the rows."""
    resource = query.resource
    if any(is_indexed(resource, field) for field in query.filtered_fields):
        return True
    return _can_propose(session, query) and await fetch_has_trigrams(session, resource)


async def _is_rare(session: AsyncSession, query: ListQuery) -> bool:
    """Whether the rows that contain a text are few enough to be sorted at once."""
    if not _is_postgresql(session):
        source = Source(query.resource, conditions_of(query))
        return await _count_proposed(session, query, source, COMMON) <= COMMON
    hits = _select_sample(query.resource, conditions_of(query))
    count: int = (await session.execute(hits, values_of(query))).scalar_one()
    return count < SAMPLE_HITS


@lru_cache(maxsize=64)
def _select_sample(resource: Resource, conditions: Conditions) -> Select[int]:
    some = tablesample(resource.table, func.system(SAMPLE_PERCENT), seed=text("0"))
    return select(func.count()).select_from(some).where(*adapted(conditions.all(), some))


async def _sources(session: AsyncSession, query: ListQuery, *, is_partial: bool) -> list[Source]:
    """Return the indexes of SQLite that propose rows of a list.

    `is_partial` allows for one that does not propose all rows, but those where a word begins so.
    """
    resource, conditions = query.resource, conditions_of(query)
    fields = [field for field in query.filtered_fields if is_indexed(resource, field)]
    sources = [Source(resource, conditions, field) for field in fields]
    is_usable = _can_propose(session, query) and (is_partial or not _is_short(query))
    if is_usable and await fetch_has_trigrams(session, resource):
        sources.append(Source(resource, conditions))
    return sources


async def _fewest(
    session: AsyncSession, query: ListQuery, sources: Sequence[Source], most: int
) -> tuple[Source, int]:
    """Return the source that proposes the fewest rows, and how many up to `most` + 1."""
    best, least = sources[0], await _count_proposed(session, query, sources[0], most)
    for source in sources[1:]:
        number = await _count_proposed(session, query, source, least - 1)
        if number < least:
            best, least = source, number
    return best, least


async def _count_proposed(
    session: AsyncSession, query: ListQuery, source: Source, most: int
) -> int:
    """Count the rows that a source proposes, up to `most` + 1."""
    given = {**all_values_of(query), "most": most + 1}
    return int((await session.execute(_select_number(source), given)).scalar_one())


@lru_cache(maxsize=256)
def _select_number(source: Source) -> Select[int]:
    some = source.select([source.resource.key[0].column]).subquery()
    return select(func.count()).select_from(some)


def _can_propose(session: AsyncSession, query: ListQuery) -> bool:
    """Whether an index of trigrams holds what is searched for, or words that begin with it."""
    least = 1 if _is_postgresql(session) else TRIGRAM_CHARACTERS - 1
    folded = fold(query.text)
    return len(folded) >= least and "\0" not in folded


def _is_short(query: ListQuery) -> bool:
    return 0 < len(fold(query.text)) < TRIGRAM_CHARACTERS


async def _only_by_index(
    session: AsyncSession, statement: Select[Any], parameters: Mapping[str, Any], milliseconds: int
) -> Sequence[Row] | None:
    """Execute a statement that PostgreSQL may answer by an index only; None if it takes long."""
    connection = await session.connection()
    savepoint = await connection.begin_nested()
    try:
        await connection.execute(ONLY_BY_INDEX, {"milliseconds": str(milliseconds)})
        found: Sequence[Row] = (await connection.execute(statement, parameters)).all()
    except DBAPIError as error:
        if getattr(error.orig, "sqlstate", None) != CANCELLED:
            raise
        return None
    finally:
        await savepoint.rollback()
    return found


async def _in_time(
    session: AsyncSession, answer: Callable[[], Awaitable[Answer | None]], milliseconds: int
) -> Answer | None:
    """Return what SQLite answers, None if it takes longer, as it may while a disk is cold."""
    raw = await (await session.connection()).get_raw_connection()
    driver = raw.driver_connection
    assert isinstance(driver, sqlite.Connection)
    try:
        with driver.ending_after(milliseconds / 1000):
            return await answer()
    except DBAPIError as error:
        if getattr(error.orig, "sqlite_errorcode", 0) & 0xFF != SQLITE_INTERRUPT:
            raise
        return None


def _is_postgresql(session: AsyncSession) -> bool:
    return session.get_bind().dialect.name == "postgresql"
