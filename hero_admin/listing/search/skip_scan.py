"""Skip scan: searches the distinct values of an index for a text, reading one row per value.

Of 10,000 records named Adder it reads one to find that none contains Storm.
Also called a loose index scan: https://wiki.postgresql.org/wiki/Loose_indexscan
"""

import operator
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Integer, Select, bindparam, func, literal, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from hero_admin.database.folding import fold
from hero_admin.database.short_reads import Row
from hero_admin.database.statement_cache import statement_cache
from hero_admin.listing.collation import sorted_as
from hero_admin.listing.columns import Selection, order_of, with_titles
from hero_admin.listing.cursors import Cursor
from hero_admin.listing.keyset import SIZE, order_by_clauses, select_segment
from hero_admin.listing.predicates import Predicates
from hero_admin.listing.query import ListQuery
from hero_admin.listing.search.patterns import matches_words, words_of
from hero_admin.listing.search.wanted import Wanted
from hero_admin.listing.segments import cursor_parameters, value_only
from hero_admin.listing.sort_indexes import is_indexed

# The most distinct values that are read.
MAX_SKIPS = 5_000


def can_skip_scan(query: ListQuery, predicates: Predicates) -> bool:
    """Whether the only predicate is that the value of the sort column contains a text."""
    return (
        predicates.search == "anywhere"
        and predicates.searched == (query.sort.field,)
        and not query.filtered_fields
        and query.sort.relation is None
        # A key has no equal values to skip.
        and query.resource.key != (query.sort.field,)
        and is_indexed(query.resource, query.sort.field)
    )


async def fetch_by_skip_scan(
    session: AsyncSession, wanted: Wanted, edge: Cursor
) -> Sequence[Row] | None:
    """Fetch the first rows beyond `edge`; None if there are more than `MAX_SKIPS` values."""
    query, selection, limit = wanted.query, wanted.selection, wanted.limit
    if edge.value is None:
        # Rows without a value are the last ones of a list.
        return None if query.is_backward else ()
    is_falling = query.is_falling
    given = {**wanted.values, **cursor_parameters(edge, is_falling=is_falling), "skips": MAX_SKIPS}
    rows: list[Row] = []
    if isinstance(edge.value, str) and _has_words(edge.value, query.text):
        rest = _select_equal(selection, is_falling=is_falling, is_rest=True)
        rows += (await session.execute(rest, {**given, "size": limit})).all()
        if len(rows) == limit:
            return rows
    skips = _select_skips(selection, len(words_of(query.text)), is_falling=is_falling)
    equal = _select_equal(selection, is_falling=is_falling, is_rest=False)
    for value, number, is_found in await session.execute(skips, {**given, "size": limit + 1}):
        if value is None:
            return rows
        if is_found:
            size = limit - len(rows)
            rows += (await session.execute(equal, {"edge": value, "size": size})).all()
        if len(rows) == limit:
            return rows
        if number == MAX_SKIPS:
            break
    return None


def _has_words(value: str, text: str) -> bool:
    folded = fold(value)
    return all(fold(word) in folded for word in words_of(text))


@statement_cache
def _select_skips(selection: Selection, word_count: int, *, is_falling: bool) -> Select[Any]:
    """Return the statement for the matching values and the last value read."""
    field = selection.sort_field
    column, edge = sorted_as(field, field.exact), sorted_as(field, field.given("edge"))
    max_skips = bindparam("skips", type_=Integer)
    nearest = func.max if is_falling else func.min
    beyond = operator.lt if is_falling else operator.gt
    first = select(nearest(column)).where(beyond(column, edge)).scalar_subquery()
    skip = select(first.label("value"), literal(1).label("number")).cte("skip", recursive=True)
    following = select(nearest(column)).where(beyond(column, skip.c.value)).scalar_subquery()
    going_on = skip.c.value.is_not(None) & (skip.c.number < max_skips)
    skip = skip.union_all(select(following, skip.c.number + 1).where(going_on))
    is_found = matches_words([skip.c.value], word_count)
    is_last = skip.c.value.is_(None) | (skip.c.number == max_skips)
    return select(*skip.c, is_found.label("is_found")).where(or_(is_found, is_last)).limit(SIZE)


@statement_cache
def _select_equal(selection: Selection, *, is_falling: bool, is_rest: bool) -> Select[Any]:
    """Return the statement for the rows with one value: all, or the rest beyond the edge."""
    order = order_of(selection)
    rows = select_segment(
        selection.columns,
        order,
        value_only(order, is_falling=is_falling, is_rest=is_rest),
        SIZE,
        is_backward=is_falling != order.is_descending,
    ).subquery("equal")
    return with_titles(selection, rows).order_by(*order_by_clauses(rows, order, is_falling))
