"""Proposals: rows that an index holds for a condition, few enough to be sorted."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from typing import Any

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
from sqlalchemy.ext.asyncio import AsyncSession

from hero_admin.database.engines import is_postgresql
from hero_admin.database.folding import fold
from hero_admin.database.short_reads import Row
from hero_admin.database.time_limit import in_time
from hero_admin.listing.columns import Selection, adapted, order_of, with_titles
from hero_admin.listing.keyset import SIZE, Place, parameters_of, place_of, segments
from hero_admin.listing.predicates import NO_CONDITIONS, Predicates, predicates_of, values_of
from hero_admin.listing.query import ListQuery
from hero_admin.listing.search.patterns import words_of
from hero_admin.listing.search.trigram_index import (
    TRIGRAM_CHARACTERS,
    candidate_numbers,
    fetch_has_trigrams,
    has_trigrams,
    proposals,
    trigrams_of,
)
from hero_admin.listing.sort_indexes import finds_values
from hero_admin.model.fields import Field
from hero_admin.model.resource import Resource

# This many candidates are checked and sorted.
MAX_CANDIDATES = 200_000
# Sorting this many takes no longer than a scan or a skip scan to a page of them. For a text
# PostgreSQL cannot count up to there, but a sample of its rows tells: hits per sampled percentage.
FEW = 5_000
SAMPLE_PERCENT, SAMPLE_HITS = 0.02, 2
# What is complete is worth waiting for; twice that and a scan still fit into a request.
CANDIDATES_MILLISECONDS = 1_500

MOST = bindparam("most", type_=Integer)

# An index has to be asked for what it holds, and nothing else is read.
ONLY_BY_INDEX = text(
    "SELECT set_config('enable_seqscan', 'off', true), set_config('enable_indexscan', 'off', true),"
    " set_config('enable_indexonlyscan', 'off', true),"
    " set_config('plan_cache_mode', 'force_custom_plan', true)"
)


@dataclass(frozen=True)
class Proposed:
    """Rows of a page, nearest first; `is_partial`: only of words that begin with the text."""

    rows: tuple[Row, ...]
    is_partial: bool


@dataclass(frozen=True)
class Source:
    """An index that offers candidates: that of a field, or on SQLite that of the trigrams."""

    resource: Resource
    predicates: Predicates
    field: Field | None = None

    def select(self, columns: Sequence[ColumnElement[Any]]) -> Select[Any]:
        """Return the statement for up to `MOST` of them."""
        if self.field is None:
            return select(*columns).select_from(proposals(self.resource, MOST))
        predicate = dict(self.predicates.by_field())[self.field]
        return select(*columns).where(predicate).limit(MOST)


async def fetch_candidates(
    session: AsyncSession, query: ListQuery, selection: Selection, limit: int
) -> Proposed | None:
    """Fetch the rows from the candidates of an index; None if there is none, or too many."""
    if not await has_candidates(session, query):
        return None
    # The index of a filter leaves nothing out.
    is_partial = is_short(query) and not _has_indexed_filter(query)
    predicates = predicates_of(query)
    if is_partial:
        predicates = replace(predicates, search="beginnings")
    if not is_postgresql(session):
        fetching = partial(_fetch_from_fewest, session, query, selection, predicates, limit)
        rows = await in_time(session, fetching, CANDIDATES_MILLISECONDS)
        return None if rows is None else Proposed(rows, is_partial=is_partial)

    given = {**values_of(query), "most": MAX_CANDIDATES + 1, "size": limit}
    given |= parameters_of(query.cursor, is_falling=query.is_falling)
    place = place_of(order_of(selection), query.cursor)
    statement, number = _select_by_index(
        selection, predicates, place, is_backward=query.is_backward
    )
    found = await only_by_index(session, statement, given, CANDIDATES_MILLISECONDS)
    if found is not None and not found and query.cursor is not None:
        # None of them is on this page; perhaps because those that are were one too many.
        counted = await only_by_index(session, number, given, CANDIDATES_MILLISECONDS)
        found = [] if counted and counted[0][0] <= MAX_CANDIDATES else None
    if found is None or (found and found[0][-1] > MAX_CANDIDATES):
        return None
    return Proposed(tuple(found), is_partial=is_partial)


async def _fetch_from_fewest(
    session: AsyncSession,
    query: ListQuery,
    selection: Selection,
    predicates: Predicates,
    limit: int,
) -> tuple[Row, ...] | None:
    is_partial = predicates.search == "beginnings"
    sources = await sources_of(session, query, is_partial=is_partial)
    if not sources:
        return None
    source, count = await fewest(session, query, sources, MAX_CANDIDATES)
    if count > MAX_CANDIDATES:
        return None
    place = place_of(order_of(selection), query.cursor)
    statement = _select_from(source, selection, predicates, place, is_backward=query.is_backward)
    given = {**values_of(query), "most": MAX_CANDIDATES, "size": limit}
    given |= parameters_of(query.cursor, is_falling=query.is_falling)
    return tuple((await session.execute(statement, given)).all())


@lru_cache(maxsize=256)
def _select_from(
    source: Source, selection: Selection, predicates: Predicates, place: Place, *, is_backward: bool
) -> Select[Any]:
    """Return the statement of SQLite that sorts the candidates of a source."""
    rows = source.select(selection.columns).subquery("candidates")
    statement = _sorted(selection, rows, place, is_backward=is_backward)
    return statement.where(*adapted(predicates.all(), rows))


@lru_cache(maxsize=256)
def _select_by_index(
    selection: Selection, predicates: Predicates, place: Place, *, is_backward: bool
) -> tuple[Select[Any], Select[Any]]:
    """Return the statement of PostgreSQL that sorts what fulfils the conditions, and their number.

    Each row ends with that number.
    """
    some = select(*selection.columns).where(*predicates.all()).limit(MOST).cte("candidates")
    number = select(func.count()).select_from(some)
    statement = _sorted(selection, some, place, is_backward=is_backward)
    return statement.add_columns(number.scalar_subquery()), number


def _sorted(
    selection: Selection, rows: FromClause, place: Place, *, is_backward: bool
) -> Select[Any]:
    """Return the statement that sorts a few rows and takes those from where the query begins."""
    order = order_of(selection)
    is_falling = order.is_descending != is_backward
    chain = segments(order, place, is_backward=is_backward, is_lateral=False)
    statement = with_titles(selection, rows)
    if order.link is not None:
        link = rows.c[selection.sort_field.name] == order.link.target
        statement = statement.outerjoin(order.link.records, link)
    if place != "end":
        here = [and_(true(), *each.predicates) for each in chain]
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


async def has_candidates(session: AsyncSession, query: ListQuery) -> bool:
    """Whether an index may offer candidates."""
    if _has_indexed_filter(query):
        return True
    return _has_index(session, query) and await fetch_has_trigrams(session, query.resource)


def _has_indexed_filter(query: ListQuery) -> bool:
    return any(finds_values(query.resource, field) for field in query.filtered_fields)


async def are_few(session: AsyncSession, query: ListQuery) -> bool:
    """Whether the index of a filter says that it leaves few rows."""
    predicates = predicates_of(query)
    for field in query.filtered_fields:
        if finds_values(query.resource, field):
            source = Source(query.resource, predicates, field)
            if await count_candidates(session, query, source, FEW) <= FEW:
                return True
    return False


async def is_rare(session: AsyncSession, query: ListQuery) -> bool:
    """Whether the rows that contain a text are few enough to be sorted at once."""
    if not is_postgresql(session):
        source = Source(query.resource, predicates_of(query))
        return await count_candidates(session, query, source, FEW) <= FEW
    hits = _select_sample(query.resource, predicates_of(query))
    count: int = (await session.execute(hits, values_of(query))).scalar_one()
    return count < SAMPLE_HITS


@lru_cache(maxsize=64)
def _select_sample(resource: Resource, predicates: Predicates) -> Select[int]:
    # The seed makes it the same sample each time.
    some = tablesample(resource.table, func.system(SAMPLE_PERCENT), seed=text("0"))
    return select(func.count()).select_from(some).where(*adapted(predicates.all(), some))


async def has_few_candidates(session: AsyncSession, resource: Resource, wanted: str) -> bool:
    """Whether SQLite has candidates for a text, and few of them."""
    if is_postgresql(session) or not await fetch_has_trigrams(session, resource):
        return False
    counted = _select_number(Source(resource, NO_CONDITIONS))
    given = {"trigrams": trigrams_of(wanted), "most": FEW + 1}
    return int((await session.execute(counted, given)).scalar_one()) <= FEW


async def sources_of(session: AsyncSession, query: ListQuery, *, is_partial: bool) -> list[Source]:
    """Return the indexes of SQLite that have candidates for a list.

    `is_partial` allows for one that has only the rows in which a word begins with the text.
    """
    resource, predicates = query.resource, predicates_of(query)
    fields = [field for field in query.filtered_fields if finds_values(resource, field)]
    sources = [Source(resource, predicates, field) for field in fields]
    is_usable = _has_index(session, query) and (is_partial or not is_short(query))
    if is_usable and await fetch_has_trigrams(session, resource):
        sources.append(Source(resource, predicates))
    return sources


async def fewest(
    session: AsyncSession, query: ListQuery, sources: Sequence[Source], most: int
) -> tuple[Source, int]:
    """Return the source with the fewest candidates, and their number up to `most` + 1."""
    best, least = sources[0], await count_candidates(session, query, sources[0], most)
    for source in sources[1:]:
        number = await count_candidates(session, query, source, least - 1)
        if number < least:
            best, least = source, number
    return best, least


async def count_candidates(
    session: AsyncSession, query: ListQuery, source: Source, most: int
) -> int:
    """Count the candidates of a source, up to `most` + 1."""
    given = {**values_of(query), "most": most + 1}
    return int((await session.execute(_select_number(source), given)).scalar_one())


@lru_cache(maxsize=256)
def _select_number(source: Source) -> Select[int]:
    if source.field is None:
        rows = candidate_numbers(source.resource).limit(MOST).subquery()
    else:
        rows = source.select([source.resource.key[0].exact.label("key")]).subquery()
    return select(func.count()).select_from(rows)


def _has_index(session: AsyncSession, query: ListQuery) -> bool:
    """Whether an index of trigrams holds what is searched for, or words that begin with it."""
    if not is_short(query):
        return has_trigrams(query.text)
    least = 1 if is_postgresql(session) else TRIGRAM_CHARACTERS - 1
    return len(fold(query.text)) >= least and "\0" not in query.text


def is_short(query: ListQuery) -> bool:
    """Whether one word is searched for, so short that it is in no trigram."""
    is_one_word = len(words_of(query.text)) == 1
    return is_one_word and 0 < len(fold(query.text)) < TRIGRAM_CHARACTERS


async def only_by_index(
    session: AsyncSession, statement: Select[Any], parameters: Mapping[str, Any], milliseconds: int
) -> Sequence[Row] | None:
    """Execute a statement that PostgreSQL may answer by an index only; None if it takes long."""

    async def answer() -> Sequence[Row]:
        await session.execute(ONLY_BY_INDEX)
        found: Sequence[Row] = (await session.execute(statement, parameters)).all()
        return found

    return await in_time(session, answer, milliseconds)
