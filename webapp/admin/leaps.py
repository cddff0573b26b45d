"""Leaps: what contains a text, where equal values follow each other in the order of a list.

Of the 10,000 heroes named Adder only one has to be looked at to know that none is a Storm.
"""

import operator
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import Integer, Select, bindparam, func, literal, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from webapp.admin.cursor import Cursor
from webapp.admin.keyset import (
    SIZE,
    Stretch,
    marks_of,
    parameters_of,
    rest_of_value,
    select_stretch,
)
from webapp.admin.query import ListQuery
from webapp.admin.search import matches_any
from webapp.admin.selection import Selection, order_of, with_titles
from webapp.folding import fold
from webapp.reading import Row

# Values to look at.
LEAPS = 5_000


def can_leap(query: ListQuery, selection: Selection) -> bool:
    """Whether nothing is asked of a row but that the value it is sorted by contains a text."""
    is_searched = query.resource.search_fields == (query.sort_field,)
    return is_searched and not query.filtered_fields and order_of(selection).value is not None


async def fetch_by_leaps(
    session: AsyncSession,
    query: ListQuery,
    selection: Selection,
    edge: Cursor,
    values: Mapping[str, Any],
    limit: int,
) -> Sequence[Row] | None:
    """Fetch the first `limit` rows beyond `edge`; None if there are too many values to look at."""
    # Behind all values there is none that contains anything.
    if edge.value is None:
        return ()
    is_falling = query.is_falling
    given = {**values, **parameters_of(edge, is_falling=is_falling), "leaps": LEAPS}
    rows: list[Row] = []
    if fold(query.text) in fold(edge.value):
        rest = _select_equal(selection, is_falling=is_falling, is_rest=True)
        rows += (await session.execute(rest, {**given, "size": limit})).all()
    leaps = _select_leaps(selection, is_falling=is_falling)
    equal = _select_equal(selection, is_falling=is_falling, is_rest=False)
    for value, number, is_found in await session.execute(leaps, {**given, "size": limit + 1}):
        if value is None or len(rows) == limit:
            return rows
        if is_found:
            size = limit - len(rows)
            found = await session.execute(equal, {"edge": value, "size": size})
            rows += found.all()
        if number == LEAPS:
            break
    return rows if len(rows) == limit else None


@lru_cache(maxsize=64)
def _select_leaps(selection: Selection, *, is_falling: bool) -> Select[Any]:
    """Return the statement for the values that match, and the last one that was looked at."""
    column = selection.sort_field.column
    edge = bindparam("edge", type_=column.type)
    most = bindparam("leaps", type_=Integer)
    nearest = func.max if is_falling else func.min
    beyond = operator.lt if is_falling else operator.gt
    first = select(nearest(column)).where(beyond(column, edge)).scalar_subquery()
    leap = select(first.label("value"), literal(1).label("number")).cte("leap", recursive=True)
    following = select(nearest(column)).where(beyond(column, leap.c.value)).scalar_subquery()
    going_on = leap.c.value.is_not(None) & (leap.c.number < most)
    leap = leap.union_all(select(following, leap.c.number + 1).where(going_on))
    is_found = matches_any([leap.c.value])
    is_last = leap.c.value.is_(None) | (leap.c.number == most)
    return select(*leap.c, is_found.label("is_found")).where(or_(is_found, is_last)).limit(SIZE)


@lru_cache(maxsize=64)
def _select_equal(selection: Selection, *, is_falling: bool, is_rest: bool) -> Select[Any]:
    """Return the statement for rows that have one value: all, or those beyond the edge."""
    order = order_of(selection)
    assert order.value is not None
    equal = rest_of_value(order, is_falling=is_falling)
    conditions = equal.conditions if is_rest else equal.conditions[:1]
    rows = select_stretch(
        selection.columns,
        order,
        Stretch(conditions),
        SIZE,
        is_backward=is_falling != order.is_descending,
        is_lateral=False,
    ).subquery("equal")
    return with_titles(selection, rows).order_by(*marks_of(rows, order, is_falling))
