"""The search backend of SQLite: FTS5 offers candidates for a text, and texts sort by NOCASE.

NOCASE knows the case of ASCII letters only, but any program can write to a table with such an
index. SQLite takes one index for a table: the one with the fewest candidates is named to it.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Select,
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
from hero_admin.database.statement_cache import statement_cache
from hero_admin.listing.collation import IsMissing, IsThere, ReadSortKey, SortKey
from hero_admin.listing.columns import CappedCount, Selection, adapted
from hero_admin.listing.predicates import Predicates
from hero_admin.listing.search import candidates
from hero_admin.listing.search.candidates import (
    FilterIndex,
    count_matching,
    fetch_number,
    filter_indexes,
    select_sorted,
)
from hero_admin.listing.search.patterns import folded
from hero_admin.listing.search.sqlite_candidates import TrigramIndex, is_candidate
from hero_admin.listing.search.sqlite_index import SqliteIndex, changes_name
from hero_admin.listing.search.trigram_index import has_trigrams, trigrams_of
from hero_admin.listing.search.wanted import Wanted
from hero_admin.listing.segments import Start
from hero_admin.model.resource import Resource
from hero_admin.model.total import Total

is_lateral = False
# Of two characters it has the words that begin with them.
min_characters = 2

Index = FilterIndex | TrigramIndex

_schema = table("sqlite_master", column("type"), column("name"))
HAS_TABLE = (
    select(func.count())
    .select_from(_schema)
    .where(_schema.c.type == text("'table'"), _schema.c.name == bindparam("name"))
)


async def fetch_estimate(session: AsyncSession, table: Table) -> int | None:
    """Fetch how many rows a table had when ANALYZE was called last."""
    has_statistics = text("SELECT 1 FROM sqlite_master WHERE name = 'sqlite_stat1'")
    if (await session.execute(has_statistics)).scalar() is None:
        return None
    asked = text("SELECT max(CAST(stat AS INTEGER)) FROM sqlite_stat1 WHERE tbl = :name")
    counted: int | None = (await session.execute(asked, {"name": table.name})).scalar()
    return counted


async def fetch_has_trigrams(session: AsyncSession, resource: Resource) -> bool:
    """Whether there is the index of trigrams."""
    # What is made last.
    name = changes_name(resource)
    [[count]] = await short_reads.fetch_few(session, HAS_TABLE, {"name": name})
    return bool(count)


async def is_rare(session: AsyncSession, wanted: Wanted) -> bool:
    """Whether the index has few candidates for a text."""
    few = candidates.FEW
    index = TrigramIndex(wanted.query.resource)
    return await fetch_number(session, index, wanted.values, few) <= few


async def fetch_few(session: AsyncSession, wanted: Wanted, most: int) -> Sequence[Row] | None:
    """Fetch the rows from the candidates of whichever index has the fewest."""
    has_trigrams = await candidates.has_trigram_candidates(session, wanted.query)
    indexes = _indexes(replace(wanted, has_trigrams=has_trigrams))
    return await _fetch_from(session, wanted, indexes, most) if indexes else None


async def fetch_candidates(session: AsyncSession, wanted: Wanted) -> Sequence[Row] | None:
    """Fetch the rows from the candidates of whichever index has the fewest."""
    return await _fetch_from(session, wanted, _indexes(wanted), candidates.MAX_CANDIDATES)


async def _fetch_from(
    session: AsyncSession, wanted: Wanted, indexes: Sequence[Index], most: int
) -> Sequence[Row] | None:
    index, number = await _fewest(session, wanted, indexes, most)
    if number > most:
        return None
    query, how = wanted.query, (wanted.selection, wanted.predicates, wanted.start)
    statement = _select_from(index, *how, is_backward=query.is_backward)
    return await short_reads.fetch_few(session, statement, wanted.parameters(most=most))


async def fetch_count(session: AsyncSession, wanted: Wanted) -> Total | None:
    """Count the rows among the candidates of whichever index has the fewest."""
    most, indexes = max(wanted.limit, candidates.MAX_CANDIDATES), _indexes(wanted)
    index, number = indexes[0], None
    if len(indexes) > 1:
        index, number = await _fewest(session, wanted, indexes, most)
    rows = index.select(wanted.selection.columns).subquery("candidates")
    count = await count_matching(session, rows, wanted, most)
    # The number of candidates matters only up to the cap.
    if number is None and count <= wanted.limit:
        number = await fetch_number(session, index, wanted.values, most)
    is_complete = number is not None and number <= most
    return Total.capped(count, wanted.limit, is_complete=is_complete)


async def fetch_is_candidate(
    session: AsyncSession, resource: Resource, text: str, most: int | None = None
) -> ColumnElement[bool] | None:
    """Return the predicate that a row is one of the candidates for `trigrams`, up to `most`."""
    if not has_trigrams(text) or not await fetch_has_trigrams(session, resource):
        return None
    if most is not None:
        values = {"trigrams": trigrams_of(text)}
        if await fetch_number(session, TrigramIndex(resource), values, most) > most:
            return None
    return is_candidate(resource)


async def read_to_the_end(session: AsyncSession, *, is_narrowed: bool) -> None:
    """Do nothing: whoever reads takes as long as it takes."""


async def refresh(connection: AsyncConnection, resource: Resource) -> None:
    """Bring all that has changed into the index of trigrams."""
    for statement in SqliteIndex(resource).refreshing():
        await connection.exec_driver_sql(statement)


@statement_cache
def _select_from(
    index: Index, selection: Selection, predicates: Predicates, start: Start, *, is_backward: bool
) -> Select[Any]:
    """Return the statement that sorts the candidates of an index."""
    rows = index.select(selection.columns).subquery("candidates")
    statement = select_sorted(selection, rows, start, is_backward=is_backward)
    return statement.where(*adapted(predicates.all(), rows))


def _indexes(wanted: Wanted) -> list[Index]:
    trigrams = [TrigramIndex(wanted.query.resource)] if wanted.has_trigrams else []
    return [*filter_indexes(wanted.query), *trigrams]


async def _fewest(
    session: AsyncSession, wanted: Wanted, indexes: Sequence[Index], most: int
) -> tuple[Index, int]:
    """Return the index with the fewest candidates, and their number up to `most` + 1."""
    best, least = indexes[0], await fetch_number(session, indexes[0], wanted.values, most)
    for index in indexes[1:]:
        number = await fetch_number(session, index, wanted.values, least - 1)
        if number < least:
            best, least = index, number
    return best, least


def sort_key_sql(text: str) -> str:
    """Return the sort key of a text, as an index has it."""
    return f"{text} COLLATE NOCASE"


# Any: what SQLAlchemy passes on to the compiler.
@compiles(SortKey, "sqlite")
@compiles(ReadSortKey, "sqlite")
def _write_sort_key(element: SortKey | ReadSortKey, compiler: SQLCompiler, **options: Any) -> str:
    return f"({sort_key_sql(compiler.process(element.clauses, **options))})"


@compiles(IsMissing, "sqlite")
def _write_is_missing(element: IsMissing, compiler: SQLCompiler, **options: Any) -> str:
    # An index finds NULL by the column alone.
    return f"({compiler.process(element.clauses, **options)} IS NULL)"


@compiles(IsThere, "sqlite")
def _write_is_there(element: IsThere, compiler: SQLCompiler, **options: Any) -> str:
    # An index skips NULL by the least key that it has.
    text, least = (compiler.process(each, **options) for each in element.clauses)
    return f"({sort_key_sql(text)} >= {least})"


@compiles(CappedCount, "sqlite")
def _write_capped_count(element: CappedCount, compiler: SQLCompiler, **options: Any) -> str:
    # To count all rows of a table takes a tenth of the time of counting those of a subquery.
    _, skipping = element.clauses
    return compiler.process(skipping, **options)


@compiles(folded, "sqlite")
def _write_folded(element: folded, compiler: SQLCompiler, **options: Any) -> str:
    # A column of texts may hold what is none, nor in UTF-8, which no function gets as a text.
    return f"fold(CAST({compiler.process(element.clauses, **options)} AS BLOB))"
