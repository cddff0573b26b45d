"""The search backend of PostgreSQL: pg_trgm offers candidates, and texts sort by their fold.

The fold is that of the search, so that letters with accents sort beside those without, with or
without ICU. The planner chooses among the indexes; settings keep it from other plans.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ClauseElement, Select, Table, func, select, tablesample, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler

from hero_admin.database.fold_function import folded_sql
from hero_admin.database.identifiers import qualified, quoted
from hero_admin.database.own_tables import FOLD_FUNCTION
from hero_admin.database.short_reads import Row, fetch_few
from hero_admin.database.statement_cache import statement_cache
from hero_admin.listing.collation import IsMissing, IsThere, ReadSortKey, SortKey
from hero_admin.listing.columns import CappedCount, Selection, adapted
from hero_admin.listing.predicates import Predicates
from hero_admin.listing.search import candidates
from hero_admin.listing.search.candidates import (
    count_matching,
    is_short,
    select_from,
    select_sorted,
)
from hero_admin.listing.search.filter_index import (
    LIMIT,
    FilterIndex,
    fetch_candidate_count,
    filter_indexes,
)
from hero_admin.listing.search.trigram_index import index_name
from hero_admin.listing.search.wanted import Wanted
from hero_admin.listing.segments import Start
from hero_admin.model.column_types import LONG_TEXT_CHARACTERS
from hero_admin.model.resource import Resource
from hero_admin.model.total import Total

is_lateral = True
# pg_trgm has a trigram for the first letter of each word.
min_characters = 1

# A fold may be longer than its text, and a row whose index entry is too large cannot be stored.
MAX_KEY_CHARACTERS = LONG_TEXT_CHARACTERS
# A GIN index cannot count its candidates cheaply, so a sample of the table estimates them.
SAMPLE_PERCENT, SAMPLE_HITS = 0.02, 2

# The planner's estimate: rows per page at the last ANALYZE, times the current number of pages.
ESTIMATE = text(
    "SELECT (reltuples / relpages * (pg_relation_size(oid)"
    " / current_setting('block_size')::int))::bigint"
    " FROM pg_class WHERE oid = to_regclass(:name) AND relpages > 0"
)
HAS_INDEX = text(
    "SELECT coalesce((SELECT indisvalid FROM pg_index"
    " WHERE indexrelid = to_regclass(:name)), false)"
)
# Only bitmap index scans: anything else might read the whole table.
ONLY_BY_INDEX = text(
    "SELECT set_config('enable_seqscan', 'off', true), set_config('enable_indexscan', 'off', true),"
    " set_config('enable_indexonlyscan', 'off', true),"
    " set_config('plan_cache_mode', 'force_custom_plan', true)"
)
# A sort would read all rows before the first is sent; an index has them in order.
STREAM_ALL = text(
    "SELECT set_config('statement_timeout', '0', true), set_config('enable_sort', :sort, true)"
)


async def fetch_estimate(session: AsyncSession, table: Table) -> int | None:
    """Fetch the planner's estimate of the number of rows of a table."""
    count: int | None = (await session.execute(ESTIMATE, {"name": qualified(table)})).scalar()
    return count


async def fetch_has_trigrams(session: AsyncSession, resource: Resource) -> bool:
    """Whether the trigram index exists and is valid."""
    name = qualified(resource.table, index_name(resource))
    return bool((await session.execute(HAS_INDEX, {"name": name})).scalar())


async def is_rare(session: AsyncSession, wanted: Wanted) -> bool:
    """Whether a sample of the rows has fewer than `SAMPLE_HITS` matches."""
    hits = _select_sample(wanted.query.resource, wanted.predicates)
    count: int = (await session.execute(hits, wanted.values)).scalar_one()
    return count < SAMPLE_HITS


async def fetch_few_candidates(
    session: AsyncSession, wanted: Wanted, cap: int
) -> Sequence[Row] | None:
    """Fetch the rows from the index of a filter; a scan of a GIN index cannot stop early."""
    linked = await _fetch_by_link(session, wanted, cap)
    if linked is not None:
        return linked
    if not await candidates.has_selective_filter(session, wanted.query, cap):
        return None
    return await candidates.fetch_matching(session, wanted, cap)


async def fetch_candidates(session: AsyncSession, wanted: Wanted) -> Sequence[Row] | None:
    """Fetch the rows by whichever indexes the planner chooses, or by a link that has few."""
    linked = await _fetch_by_link(session, wanted, candidates.MAX_RARE_CANDIDATES)
    if linked is not None:
        return linked
    await session.execute(ONLY_BY_INDEX)
    query, cap = wanted.query, candidates.MAX_CANDIDATES
    how = wanted.selection, wanted.predicates, wanted.start
    statement, number = _select_by_index(*how, is_backward=query.is_backward)
    given = wanted.parameters(max_candidates=cap + 1)
    found: Sequence[Row] = (await session.execute(statement, given)).all()
    if found:
        return found if found[0][-1] <= cap else None
    # The page is empty: perhaps only because the candidates were cut off at the cap.
    is_first = query.cursor is None
    counted = 0 if is_first else (await session.execute(number, given)).scalar_one()
    return found if counted <= cap else None


async def _fetch_by_link(session: AsyncSession, wanted: Wanted, cap: int) -> Sequence[Row] | None:
    """Fetch the rows from those that a link has, if it has few: the planner cannot know that."""
    index = await _few_linked(session, wanted, cap)
    if index is None:
        return None
    query, how = wanted.query, (wanted.selection, wanted.predicates, wanted.start)
    statement = select_from(index, *how, is_backward=query.is_backward)
    return await fetch_few(session, statement, wanted.parameters(max_candidates=cap))


async def _few_linked(session: AsyncSession, wanted: Wanted, cap: int) -> FilterIndex | None:
    for index in filter_indexes(wanted.query):
        if index.is_linked:
            count = await fetch_candidate_count(session, index, wanted.values, cap)
            if count <= cap:
                return index
    return None


async def fetch_count(session: AsyncSession, wanted: Wanted) -> Total | None:
    """Count the rows by whichever indexes the planner chooses, or by a link that has few."""
    few = candidates.MAX_RARE_CANDIDATES
    index = await _few_linked(session, wanted, few)
    if index is not None:
        rows = index.select(wanted.selection.columns).subquery("candidates")
        count = await count_matching(session, rows, wanted, few)
        return Total.capped(count, wanted.limit)
    if is_short(wanted.query):
        return None
    await session.execute(ONLY_BY_INDEX)
    key = wanted.query.resource.key[0].exact
    some = select(key).where(*wanted.predicates.all()).limit(wanted.limit + 1)
    counted = select(func.count()).select_from(some.subquery())
    count = (await session.execute(counted, wanted.values)).scalar_one()
    return Total.capped(count, wanted.limit)


async def fetch_is_candidate(
    session: AsyncSession, resource: Resource, text: str, cap: int | None = None
) -> None:
    """Return None: the planner uses the index by itself."""


async def prepare_streaming(session: AsyncSession, *, is_narrowed: bool) -> None:
    """Lift the time limit of a transaction, and disable sorts unless the list is narrowed."""
    await session.execute(STREAM_ALL, {"sort": "on" if is_narrowed else "off"})


async def refresh(connection: AsyncConnection, resource: Resource) -> None:
    """Do nothing: PostgreSQL keeps its indexes up to date."""


@statement_cache
def _select_sample(resource: Resource, predicates: Predicates) -> Select[int]:
    # The seed makes the sample the same in every call.
    some = tablesample(resource.table, func.system(SAMPLE_PERCENT), seed=text("0"))
    return select(func.count()).select_from(some).where(*adapted(predicates.all(), some))


@statement_cache
def _select_by_index(
    selection: Selection, predicates: Predicates, start: Start, *, is_backward: bool
) -> tuple[Select[Any], Select[Any]]:
    """Return the statement for the page of the matching rows, and the one that counts them.

    The last column of the first one is that count.
    """
    some = select(*selection.columns).where(*predicates.all()).limit(LIMIT).cte("candidates")
    number = select(func.count()).select_from(some)
    statement = select_sorted(selection, some, start, is_backward=is_backward)
    return statement.add_columns(number.scalar_subquery()), number


def index_sql(resource: Resource, operators: str) -> str:
    """Return the statement that creates the trigram index with an operator class of `pg_trgm`."""
    columns = (quoted(field.column.name) for field in resource.search_fields)
    parts = ", ".join(f"{FOLD_FUNCTION}({each}) {operators}" for each in columns)
    name, rows = quoted(index_name(resource)), qualified(resource.table)
    return f"CREATE INDEX {name} ON {rows} USING gin ({parts})"


def sort_key_sql(text: str) -> str:
    """Return the SQL of the sort key of a text, as in an index."""
    return _start_of(f"{FOLD_FUNCTION}({text})")


def _start_of(folded: str) -> str:
    return f"left({folded}, {MAX_KEY_CHARACTERS})"


# Any: the options of SQLAlchemy's compiler.
def _sort_key(compiler: SQLCompiler, expression: ClauseElement, **options: Any) -> str:
    return _start_of(folded_sql(compiler.dialect, compiler.process(expression, **options)))


# Any: the options of SQLAlchemy's compiler.
@compiles(SortKey, "postgresql")
def _write_sort_key(element: SortKey, compiler: SQLCompiler, **options: Any) -> str:
    return f"({_sort_key(compiler, element.clauses, **options)})"


@compiles(ReadSortKey, "postgresql")
def _write_read_sort_key(element: ReadSortKey, compiler: SQLCompiler, **options: Any) -> str:
    return compiler.process(element.clauses, **options)


@compiles(CappedCount, "postgresql")
def _write_capped_count(element: CappedCount, compiler: SQLCompiler, **options: Any) -> str:
    counting, _ = element.clauses
    return compiler.process(counting, **options)


@compiles(IsMissing, "postgresql")
def _write_is_missing(element: IsMissing, compiler: SQLCompiler, **options: Any) -> str:
    return f"({_sort_key(compiler, element.clauses, **options)} IS NULL)"


@compiles(IsThere, "postgresql")
def _write_is_there(element: IsThere, compiler: SQLCompiler, **options: Any) -> str:
    text, _ = element.clauses
    return f"({_sort_key(compiler, text, **options)} IS NOT NULL)"
