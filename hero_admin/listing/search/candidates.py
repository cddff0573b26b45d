"""Candidates: rows that an index offers for a predicate, few enough to be sorted."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from sqlalchemy import (
    FromClause,
    Select,
    and_,
    func,
    or_,
    select,
    true,
)
from sqlalchemy.ext.asyncio import AsyncSession

from hero_admin.database.folding import fold
from hero_admin.database.short_reads import Row, fetch_few
from hero_admin.database.statement_cache import statement_cache
from hero_admin.database.time_limit import in_time
from hero_admin.listing.columns import (
    Selection,
    adapted,
    order_of,
    select_count,
    with_titles,
)
from hero_admin.listing.keyset import SIZE
from hero_admin.listing.predicates import Predicates, predicate_parameters
from hero_admin.listing.query import ListQuery
from hero_admin.listing.search.backend import backend_of
from hero_admin.listing.search.filter_index import (
    LIMIT,
    RowIndex,
    fetch_candidate_count,
    filter_indexes,
)
from hero_admin.listing.search.patterns import words_of
from hero_admin.listing.search.trigram_index import TRIGRAM_CHARACTERS, has_trigrams
from hero_admin.listing.search.wanted import Found, Wanted
from hero_admin.listing.segments import Start, segments
from hero_admin.model.resource import Resource
from hero_admin.model.total import Total

# The most candidates that are checked and sorted.
MAX_CANDIDATES = 200_000
# Sorting this many takes no longer than a scan or a skip scan that finds a page of them.
MAX_RARE_CANDIDATES = 5_000
# Sorting this many takes no longer than the first scan of a search plan.
MAX_FIRST_CANDIDATES = 1_500
# Two attempts and a long scan still end within the deadline of a request.
CANDIDATES_MILLISECONDS = 1_500
COUNTING_MILLISECONDS = 3_000


async def fetch_before_scan(session: AsyncSession, wanted: Wanted) -> Found | None:
    """Fetch the rows from the candidates of an index, or from a small table, by short reads.

    None if each index has more than `MAX_FIRST_CANDIDATES` candidates, and the table more rows.
    """
    rows = await backend_of(session).fetch_few_candidates(session, wanted, MAX_FIRST_CANDIDATES)
    if rows is None and await _is_small(session, wanted.query.resource):
        rows = await fetch_matching(session, wanted, MAX_FIRST_CANDIDATES)
    return None if rows is None else Found(tuple(rows))


async def _is_small(session: AsyncSession, resource: Resource) -> bool:
    [[count]] = await fetch_few(session, select_count(resource), {"cap": MAX_FIRST_CANDIDATES + 1})
    return bool(count <= MAX_FIRST_CANDIDATES)


async def fetch_matching(session: AsyncSession, wanted: Wanted, cap: int) -> Sequence[Row]:
    """Fetch the rows from up to `cap` matching ones, by the plan that the database chooses."""
    query, how = wanted.query, (wanted.selection, wanted.predicates, wanted.start)
    statement = _select_matching(*how, is_backward=query.is_backward)
    return await fetch_few(session, statement, wanted.parameters(max_candidates=cap))


@statement_cache
def _select_matching(
    selection: Selection, predicates: Predicates, start: Start, *, is_backward: bool
) -> Select[Any]:
    # The limit keeps a planner from searching for matching rows in the order of the list.
    found = select(*selection.columns).where(*predicates.all()).limit(LIMIT).subquery("candidates")
    return select_sorted(selection, found, start, is_backward=is_backward)


async def fetch_candidates(session: AsyncSession, wanted: Wanted) -> Found | None:
    """Fetch the rows from the candidates of an index; None without an index or with too many."""
    query, filters = wanted.query, filter_indexes(wanted.query)
    # For a short text the trigram index finds words that begin with it only.
    is_partial = is_short(query) and not filters
    if is_partial and query.is_exact:
        return None
    has_trigrams = await has_trigram_candidates(session, query, is_partial=is_partial)
    if not filters and not has_trigrams:
        return None
    if is_partial:
        wanted = replace(wanted, predicates=replace(wanted.predicates, search="beginnings"))
    fetch = backend_of(session).fetch_candidates
    fetching = partial(fetch, session, replace(wanted, has_trigrams=has_trigrams))
    rows = await in_time(session, fetching, CANDIDATES_MILLISECONDS)
    return None if rows is None else Found(tuple(rows), is_partial=is_partial)


async def fetch_count(session: AsyncSession, wanted: Wanted) -> Total | None:
    """Count the matching candidates, up to one more than the limit; None without an index."""
    has_trigrams = await has_trigram_candidates(session, wanted.query)
    if not has_trigrams and not filter_indexes(wanted.query):
        return None
    fetch = backend_of(session).fetch_count
    counting = partial(fetch, session, replace(wanted, has_trigrams=has_trigrams))
    return await in_time(session, counting, COUNTING_MILLISECONDS)


async def count_matching(
    session: AsyncSession, rows: FromClause, wanted: Wanted, cap: int = 0
) -> int:
    """Count the matching ones of some rows, up to one more than the limit of `wanted`."""
    predicates = adapted(wanted.predicates.all(), rows)
    some = select(1).select_from(rows).where(*predicates).limit(wanted.limit + 1)
    counted = select(func.count()).select_from(some.subquery())
    given = {**wanted.values, "max_candidates": cap}
    return int((await session.execute(counted, given)).scalar_one())


def select_sorted(
    selection: Selection, rows: FromClause, start: Start, *, is_backward: bool
) -> Select[Any]:
    """Return the statement that sorts `rows` and selects the page at `start`."""
    order = order_of(selection)
    is_falling = order.is_descending != is_backward
    chain = segments(replace(order, is_lateral=False), start, is_backward=is_backward)
    statement = with_titles(selection, rows)
    if order.link is not None:
        link = rows.c[selection.sort_field.name] == order.link.target
        statement = statement.outerjoin(order.link.records, link)
    if start != "end":
        # The outer join has rows without a related record, which a led segment excludes.
        exists = [] if order.link is None else [order.link.target.is_not(None)]
        here = [and_(true(), *each.predicates, *(exists if each.is_led else [])) for each in chain]
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


@statement_cache
def select_from(
    index: RowIndex,
    selection: Selection,
    predicates: Predicates,
    start: Start,
    *,
    is_backward: bool,
) -> Select[Any]:
    """Return the statement for the page of the matching candidates of an index.

    These are read before they are checked: their number is limited.
    """
    rows = index.select(selection.columns).subquery("candidates")
    statement = select_sorted(selection, rows, start, is_backward=is_backward)
    return statement.where(*adapted(predicates.all(), rows))


async def has_candidates(session: AsyncSession, query: ListQuery) -> bool:
    """Whether an index may offer candidates."""
    if filter_indexes(query):
        return True
    return await has_trigram_candidates(session, query, is_partial=True)


async def has_trigram_candidates(
    session: AsyncSession, query: ListQuery, *, is_partial: bool = False
) -> bool:
    """Whether the trigram index exists and offers candidates for the search.

    is_partial: whether words that begin with a text shorter than a trigram are enough.
    """
    backend, text = backend_of(session), query.text
    is_indexed = has_trigrams(text)
    if is_short(query):
        is_indexed = is_partial and len(fold(text)) >= backend.min_characters and "\0" not in text
    return is_indexed and await backend.fetch_has_trigrams(session, query.resource)


async def has_selective_filter(
    session: AsyncSession, query: ListQuery, cap: int = MAX_RARE_CANDIDATES
) -> bool:
    """Whether the index of a filter has at most `cap` candidates."""
    values = predicate_parameters(query)
    for index in filter_indexes(query):
        if await fetch_candidate_count(session, index, values, cap) <= cap:
            return True
    return False


def is_short(query: ListQuery) -> bool:
    """Whether the search is for one word that is shorter than a trigram."""
    is_one_word = len(words_of(query.text)) == 1
    return is_one_word and 0 < len(fold(query.text)) < TRIGRAM_CHARACTERS
