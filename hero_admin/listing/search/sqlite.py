"""The search backend of SQLite: FTS5 offers candidates, and texts sort by NOCASE.

NOCASE folds ASCII letters only, but every program can write to a table with an index that uses it.
SQLite uses one index per table, so statements name the one with the fewest candidates.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Table,
    bindparam,
    column,
    func,
    select,
    table,
    text,
)
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler

from hero_admin.database import short_reads
from hero_admin.database.short_reads import Row
from hero_admin.listing.collation import IsMissing, IsThere, ReadSortKey, SortKey
from hero_admin.listing.columns import CappedCount
from hero_admin.listing.search import candidates
from hero_admin.listing.search.candidates import count_matching, select_from
from hero_admin.listing.search.filter_index import (
    FilterIndex,
    fetch_candidate_count,
    filter_indexes,
)
from hero_admin.listing.search.patterns import folded
from hero_admin.listing.search.sqlite_candidates import TrigramIndex, is_candidate
from hero_admin.listing.search.sqlite_index import SqliteIndex, changes_name
from hero_admin.listing.search.trigram_index import has_trigrams, trigrams_of
from hero_admin.listing.search.wanted import Wanted
from hero_admin.model.resource import Resource
from hero_admin.model.total import Total

is_lateral = False
# The index has a trigram for the first two characters of each word, after a space.
min_characters = 2

Index = FilterIndex | TrigramIndex

_schema = table("sqlite_master", column("type"), column("name"))
HAS_TABLE = (
    select(func.count())
    .select_from(_schema)
    .where(_schema.c.type == text("'table'"), _schema.c.name == bindparam("name"))
)


async def fetch_estimate(session: AsyncSession, table: Table) -> int | None:
    """Fetch the number of rows that a table had at the last ANALYZE."""
    has_statistics = text("SELECT 1 FROM sqlite_master WHERE name = 'sqlite_stat1'")
    if (await session.execute(has_statistics)).scalar() is None:
        return None
    estimate = text("SELECT max(CAST(stat AS INTEGER)) FROM sqlite_stat1 WHERE tbl = :name")
    counted: int | None = (await session.execute(estimate, {"name": table.name})).scalar()
    return counted


async def fetch_has_trigrams(session: AsyncSession, resource: Resource) -> bool:
    """Whether the trigram index exists."""
    # The table of changes is created last.
    name = changes_name(resource)
    [[count]] = await short_reads.fetch_few(session, HAS_TABLE, {"name": name})
    return bool(count)


async def is_rare(session: AsyncSession, wanted: Wanted) -> bool:
    """Whether the trigram index has at most `MAX_RARE_CANDIDATES` candidates."""
    few = candidates.MAX_RARE_CANDIDATES
    index = TrigramIndex(wanted.query.resource)
    return await fetch_candidate_count(session, index, wanted.values, few) <= few


async def fetch_few_candidates(
    session: AsyncSession, wanted: Wanted, cap: int
) -> Sequence[Row] | None:
    """Fetch the rows from the candidates of the index with the fewest."""
    has_trigrams = await candidates.has_trigram_candidates(session, wanted.query)
    indexes = _indexes(replace(wanted, has_trigrams=has_trigrams))
    return await _fetch_from(session, wanted, indexes, cap) if indexes else None


async def fetch_candidates(session: AsyncSession, wanted: Wanted) -> Sequence[Row] | None:
    """Fetch the rows from the candidates of the index with the fewest."""
    return await _fetch_from(session, wanted, _indexes(wanted), candidates.MAX_CANDIDATES)


async def _fetch_from(
    session: AsyncSession, wanted: Wanted, indexes: Sequence[Index], cap: int
) -> Sequence[Row] | None:
    index, number = await _smallest_index(session, wanted, indexes, cap)
    if number > cap:
        return None
    query, how = wanted.query, (wanted.selection, wanted.predicates, wanted.start)
    statement = select_from(index, *how, is_backward=query.is_backward)
    return await short_reads.fetch_few(session, statement, wanted.parameters(max_candidates=cap))


async def fetch_count(session: AsyncSession, wanted: Wanted) -> Total | None:
    """Count the rows among the candidates of the index with the fewest."""
    cap, indexes = max(wanted.limit, candidates.MAX_CANDIDATES), _indexes(wanted)
    index, number = indexes[0], None
    if len(indexes) > 1:
        index, number = await _smallest_index(session, wanted, indexes, cap)
    rows = index.select(wanted.selection.columns).subquery("candidates")
    count = await count_matching(session, rows, wanted, cap)
    # The number of candidates matters only up to the cap.
    if number is None and count <= wanted.limit:
        number = await fetch_candidate_count(session, index, wanted.values, cap)
    is_complete = number is not None and number <= cap
    return Total.capped(count, wanted.limit, is_complete=is_complete)


async def fetch_is_candidate(
    session: AsyncSession, resource: Resource, text: str, cap: int | None = None
) -> ColumnElement[bool] | None:
    """Return the predicate that a row is a candidate for `trigrams`; None for more than `cap`."""
    if not has_trigrams(text) or not await fetch_has_trigrams(session, resource):
        return None
    if cap is not None:
        values = {"trigrams": trigrams_of(text)}
        if await fetch_candidate_count(session, TrigramIndex(resource), values, cap) > cap:
            return None
    return is_candidate(resource)


async def prepare_streaming(session: AsyncSession, *, is_narrowed: bool) -> None:
    """Do nothing: SQLite has no time limit to lift, and no planner settings."""


async def refresh(connection: AsyncConnection, resource: Resource) -> None:
    """Update the trigram index, if there is one, with all changed rows."""
    if not await connection.scalar(HAS_TABLE, {"name": changes_name(resource)}):
        return
    for statement in SqliteIndex(resource).refreshing():
        await connection.exec_driver_sql(statement)


def _indexes(wanted: Wanted) -> list[Index]:
    trigrams = [TrigramIndex(wanted.query.resource)] if wanted.has_trigrams else []
    return [*filter_indexes(wanted.query), *trigrams]


async def _smallest_index(
    session: AsyncSession, wanted: Wanted, indexes: Sequence[Index], cap: int
) -> tuple[Index, int]:
    """Return the index with the fewest candidates, and their number up to `cap` + 1."""
    best, least = (
        indexes[0],
        await fetch_candidate_count(session, indexes[0], wanted.values, cap),
    )
    for index in indexes[1:]:
        number = await fetch_candidate_count(session, index, wanted.values, least - 1)
        if number < least:
            best, least = index, number
    return best, least


def sort_key_sql(text: str) -> str:
    """Return the SQL of the sort key of a text, as in an index."""
    return f"{text} COLLATE NOCASE"


# Any: the options of SQLAlchemy's compiler.
@compiles(SortKey, "sqlite")
@compiles(ReadSortKey, "sqlite")
def _write_sort_key(element: SortKey | ReadSortKey, compiler: SQLCompiler, **options: Any) -> str:
    return f"({sort_key_sql(compiler.process(element.clauses, **options))})"


@compiles(IsMissing, "sqlite")
def _write_is_missing(element: IsMissing, compiler: SQLCompiler, **options: Any) -> str:
    # IS NULL uses an index whatever its collation.
    return f"({compiler.process(element.clauses, **options)} IS NULL)"


@compiles(IsThere, "sqlite")
def _write_is_there(element: IsThere, compiler: SQLCompiler, **options: Any) -> str:
    # A lower bound makes SQLite start behind the NULLs of the index, where IS NOT NULL would not.
    text, least = (compiler.process(each, **options) for each in element.clauses)
    return f"({sort_key_sql(text)} >= {least})"


@compiles(CappedCount, "sqlite")
def _write_capped_count(element: CappedCount, compiler: SQLCompiler, **options: Any) -> str:
    # Counting a whole table takes a tenth of the time of counting a subquery with a limit.
    _, skipping = element.clauses
    return compiler.process(skipping, **options)


@compiles(folded, "sqlite")
def _write_folded(element: folded, compiler: SQLCompiler, **options: Any) -> str:
    # A TEXT column may hold other types or invalid UTF-8, which a function gets only as a BLOB.
    return f"fold(CAST({compiler.process(element.clauses, **options)} AS BLOB))"
