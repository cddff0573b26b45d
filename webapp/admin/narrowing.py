"""Narrowing: the rows that a search or filters leave, found without reading the whole table.

A condition that many rows fulfil is met soon by walking the list in its order; one that few fulfil
has an index that proposes them, and they are few enough to be sorted. First a short walk, then the
index, then a longer walk: where that ends, the answer says so instead of taking longer.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from sqlite3 import SQLITE_INTERRUPT
from typing import Any, TypeVar

from sqlalchemy import (
    ColumnElement,
    FromClause,
    Row,
    Select,
    and_,
    func,
    or_,
    select,
    text,
    true,
)
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from webapp import sqlite
from webapp.admin.cursor import Cursor
from webapp.admin.indexes import is_indexed
from webapp.admin.keyset import (
    Order,
    Stretch,
    marks_of,
    parameters_of,
    place_of,
    select_stretch,
    stretches,
)
from webapp.admin.query import ListQuery
from webapp.admin.search import begins_in_any
from webapp.admin.selection import (
    Selection,
    adapted,
    conditions_of,
    order_of,
    selection_of,
    with_titles,
)
from webapp.admin.site import Site
from webapp.admin.total import COUNT_CAP, Total
from webapp.admin.trigrams import TRIGRAM_CHARACTERS, fetch_has_trigrams, is_proposed, proposals
from webapp.folding import fold

# Rows to look at: comparing texts takes longer than comparing numbers.
SHORT_WALK, SHORT_SEARCH = 5_000, 500
LONG_WALK, LONG_SEARCH = 50_000, 20_000
# So many hits of a short walk promise that a long one will do.
PROMISING = 5
# So many proposed rows are looked at and sorted.
MOST_PROPOSED = 200_000
MOST_COUNTED = 500_000
# What is complete is worth waiting for; twice that and a walk still fit into a request.
PROPOSING_MILLISECONDS = 1_500
COUNTING_MILLISECONDS = 3_000
CANCELLED = "57014"

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

    rows: tuple[Sequence[Any], ...]
    edge: Cursor | None = None
    looked_at: int = 0
    is_partial: bool = False


@dataclass(frozen=True)
class Source:
    """An index that proposes rows: where from, and which."""

    rows: FromClause
    condition: ColumnElement[bool]

    def select(self, columns: Sequence[ColumnElement[Any]], limit: int) -> Select[Any]:
        return select(*columns).select_from(self.rows).where(self.condition).limit(limit)


async def fetch_narrowed(
    session: AsyncSession, query: ListQuery, selection: Selection, limit: int
) -> Found:
    """Fetch the first `limit` rows from where the query begins."""
    conditions = conditions_of(query)
    short, long = (SHORT_SEARCH, LONG_SEARCH) if query.text else (SHORT_WALK, LONG_WALK)
    walked = await _walk(session, query, selection, conditions, limit, short)
    if walked.edge is None:
        return walked
    # For a short text an index proposes beginnings of words only: the walk comes first.
    is_walk_first = len(walked.rows) >= PROMISING or _is_short(query)
    if not is_walk_first:
        proposed = await _fetch_proposed(session, query, selection, limit)
        if proposed is not None:
            return proposed
    edge, missing = walked.edge, limit - len(walked.rows)
    rest = query.first(before=edge) if query.is_backward else query.first(after=edge)
    further = await _walk(session, rest, selection, conditions, missing, long)
    if further.edge is None:
        return Found(walked.rows + further.rows)
    if is_walk_first:
        proposed = await _fetch_proposed(session, query, selection, limit)
        if proposed is not None:
            return proposed
    return Found(walked.rows + further.rows, further.edge, short + long)


async def fetch_count(
    session: AsyncSession, site: Site, query: ListQuery, *, is_exact: bool
) -> Total:
    """Count the rows of a narrowed list, as far as an index or a walk tells them."""
    selection = selection_of(site, query, query.condition_fields)
    conditions = conditions_of(query)
    key = query.resource.key[0].column
    cap, most = (MOST_COUNTED, MOST_COUNTED) if is_exact else (COUNT_CAP, MOST_PROPOSED)
    if _is_postgresql(session):
        if not _is_short(query) and await _proposes(session, query):
            some = select(key).where(*conditions).limit(cap + 1)
            counted = select(func.count()).select_from(some.subquery())
            rows = await _only_by_index(session, counted, {}, COUNTING_MILLISECONDS)
            if rows is not None:
                return _total(rows[0][0], cap)
    else:
        counting = partial(_count_fewest, session, query, selection, conditions, cap, most)
        total = await _in_time(session, counting, COUNTING_MILLISECONDS)
        if total is not None:
            return total
    # What a walk sees is a number that there are at least.
    length = LONG_SEARCH if query.text else LONG_WALK
    walk = select(*selection.columns).order_by(key).limit(length + 1).subquery("walk")
    count = await _count(session, walk, conditions, cap)
    walked = await _count(session, walk, [], length + 1)
    return _total(count, cap, is_complete=walked <= length)


async def exact_conditions(session: AsyncSession, query: ListQuery) -> list[ColumnElement[bool]]:
    """Return what every row of a list fulfils, so that SQLite sees which rows are proposed."""
    conditions = conditions_of(query)
    is_long = len(fold(query.text)) >= TRIGRAM_CHARACTERS and "\0" not in query.text
    is_asked = is_long and not _is_postgresql(session)
    if is_asked and await fetch_has_trigrams(session, query.resource):
        conditions.append(is_proposed(query.resource, query.text))
    return conditions


def _total(count: int, cap: int, *, is_complete: bool = True) -> Total:
    return Total(min(count, cap), is_capped=count > cap or not is_complete)


async def _count(
    session: AsyncSession, rows: FromClause, conditions: Sequence[ColumnElement[bool]], cap: int
) -> int:
    some = select(1).select_from(rows).where(*adapted(conditions, rows)).limit(cap + 1)
    counted = select(func.count()).select_from(some.subquery())
    return int((await session.execute(counted)).scalar_one())


async def _count_fewest(
    session: AsyncSession,
    query: ListQuery,
    selection: Selection,
    conditions: Sequence[ColumnElement[bool]],
    cap: int,
    most: int,
) -> Total | None:
    source, proposed = await _fewest(session, query, most, is_partial=False)
    if source is None:
        return None
    rows = source.select(selection.columns, most).subquery("proposed")
    count = await _count(session, rows, conditions, cap)
    return _total(count, cap, is_complete=proposed <= most)


async def _walk(
    session: AsyncSession,
    query: ListQuery,
    selection: Selection,
    conditions: Sequence[ColumnElement[bool]],
    limit: int,
    budget: int,
) -> Found:
    """Look at `budget` rows of each stretch from where the query begins, in the list's order."""
    order, cursor, is_backward = order_of(selection), query.cursor, query.is_backward
    parameters = parameters_of(cursor, is_falling=query.is_falling)
    rows: list[Row[Any]] = []
    place, is_lateral = place_of(order, cursor), _is_postgresql(session)
    for stretch in stretches(order, place, is_backward=is_backward, is_lateral=is_lateral):

        def walk(columns: Sequence[ColumnElement[Any]], length: int) -> Select[Any]:
            return select_stretch(
                columns,
                order,
                stretch,  # noqa: B023 - called in this turn of the loop
                length,
                is_backward=is_backward,
                is_lateral=is_lateral,
            )

        walked = walk(selection.columns, budget).subquery("walk")
        # Both databases keep the order of the walk, and stop it when there are enough.
        kept = select(*walked.c).where(*adapted(conditions, walked)).limit(limit - len(rows))
        some = kept.subquery("kept")
        statement = with_titles(selection, some).order_by(*marks_of(some, order, query.is_falling))
        rows += (await session.execute(statement, parameters)).all()
        if len(rows) == limit:
            break
        ending = walk([], budget).offset(budget - 1).limit(1)
        last = (await session.execute(ending, parameters)).first()
        if last is not None:
            return Found(tuple(rows), _edge(query, order, stretch, last))
    return Found(tuple(rows))


def _edge(query: ListQuery, order: Order, stretch: Stretch, marks: Sequence[Any]) -> Cursor:
    key = tuple(marks[len(marks) - len(order.key) :])
    if order.value is None:
        return Cursor(query.sort, marks[0], key)
    if order.link is None:
        return Cursor(query.sort, marks[0], key)
    value, link = marks[0], marks[1]
    if not stretch.is_led and link is not None and query.cursor is not None:
        value = query.cursor.value
    return Cursor(query.sort, value, key, link=link)


async def _fetch_proposed(
    session: AsyncSession, query: ListQuery, selection: Selection, limit: int
) -> Found | None:
    """Fetch the rows from those that an index proposes; None if none does, or too many."""
    if not await _proposes(session, query):
        return None
    is_partial = _is_short(query) and await fetch_has_trigrams(session, query.resource)
    conditions = conditions_of(query)
    if is_partial:
        conditions = query.conditions(begins_in_any(query.resource.search_fields, query.text))
    if not _is_postgresql(session):
        fetching = partial(_fetch_from_fewest, session, query, selection, conditions, limit)
        rows = await _in_time(session, fetching, PROPOSING_MILLISECONDS)
        return None if rows is None else Found(rows, is_partial=is_partial)

    parameters = parameters_of(query.cursor, is_falling=query.is_falling)
    some = select(*selection.columns).where(*conditions).limit(MOST_PROPOSED + 1).cte("proposed")
    number = select(func.count()).select_from(some)
    statement = _sorted(query, selection, some, limit).add_columns(number.scalar_subquery())
    found_or_none = await _only_by_index(session, statement, parameters, PROPOSING_MILLISECONDS)
    if found_or_none is not None and not found_or_none and query.cursor is not None:
        # None of them is on this page; perhaps because those that are were one too many.
        counted = await _only_by_index(session, number, {}, PROPOSING_MILLISECONDS)
        found_or_none = [] if counted and counted[0][0] <= MOST_PROPOSED else None
    if found_or_none is None or (found_or_none and found_or_none[0][-1] > MOST_PROPOSED):
        return None
    return Found(tuple(found_or_none), is_partial=is_partial)


async def _fetch_from_fewest(
    session: AsyncSession,
    query: ListQuery,
    selection: Selection,
    conditions: Sequence[ColumnElement[bool]],
    limit: int,
) -> tuple[Row[Any], ...] | None:
    source, count = await _fewest(session, query, MOST_PROPOSED, is_partial=True)
    if source is None or count > MOST_PROPOSED:
        return None
    proposed = source.select(selection.columns, MOST_PROPOSED).subquery("proposed")
    statement = _sorted(query, selection, proposed, limit)
    statement = statement.where(*adapted(conditions, proposed))
    parameters = parameters_of(query.cursor, is_falling=query.is_falling)
    return tuple((await session.execute(statement, parameters)).all())


def _sorted(query: ListQuery, selection: Selection, rows: FromClause, limit: int) -> Select[Any]:
    """Return the statement that sorts a few rows and takes those from where the query begins."""
    order = order_of(selection)
    place = place_of(order, query.cursor)
    chain = stretches(order, place, is_backward=query.is_backward, is_lateral=False)
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
        *(each.desc() if query.is_backward else each.asc() for each in missing),
        *(each.desc() if query.is_falling else each.asc() for each in columns),
    ).limit(limit)


async def _proposes(session: AsyncSession, query: ListQuery) -> bool:
    """Whether there is an index that may propose the rows."""
    resource = query.resource
    if any(is_indexed(resource, field) for field in query.filtered_fields):
        return True
    return _can_propose(session, query) and await fetch_has_trigrams(session, resource)


async def _fewest(
    session: AsyncSession, query: ListQuery, most: int, *, is_partial: bool
) -> tuple[Source | None, int]:
    """Return the index of SQLite that proposes the fewest rows, and how many up to `most` + 1.

    `is_partial` allows for one that does not propose all rows, but those where a word begins so.
    """
    resource = query.resource
    sources = [
        Source(resource.table, condition)
        for field, condition in query.narrowing()
        if is_indexed(resource, field)
    ]
    is_usable = _can_propose(session, query) and (is_partial or not _is_short(query))
    if is_usable and await fetch_has_trigrams(session, resource):
        sources.append(Source(*proposals(resource, query.text)))
    best: tuple[Source | None, int] = None, most + 1
    for source in sources:
        some = source.select([resource.key[0].column], best[1]).subquery()
        number = (await session.execute(select(func.count()).select_from(some))).scalar_one()
        if best[0] is None or number < best[1]:
            best = source, number
    return best


def _can_propose(session: AsyncSession, query: ListQuery) -> bool:
    """Whether an index of trigrams holds what is searched for, or words that begin with it."""
    least = 1 if _is_postgresql(session) else TRIGRAM_CHARACTERS - 1
    folded = fold(query.text)
    return len(folded) >= least and "\0" not in folded


def _is_short(query: ListQuery) -> bool:
    return 0 < len(fold(query.text)) < TRIGRAM_CHARACTERS


async def _only_by_index(
    session: AsyncSession, statement: Select[Any], parameters: dict[str, Any], milliseconds: int
) -> Sequence[Row[Any]] | None:
    """Execute a statement that PostgreSQL may answer by an index only; None if it takes long."""
    connection = await session.connection()
    savepoint = await connection.begin_nested()
    try:
        await connection.execute(ONLY_BY_INDEX, {"milliseconds": str(milliseconds)})
        found: Sequence[Row[Any]] = (await connection.execute(statement, parameters)).all()
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
