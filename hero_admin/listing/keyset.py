"""Keyset pagination: finds a page from a row at its edge, at the same cost anywhere in the list.

A predicate such as `value > :v OR (value = :v AND id > :id)` makes both databases read everything
before it, so a list is a chain of `segments`. One sorted by the titles of other records is led by
them: their index has the order, and the rows of each are found by their own.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    FromClause,
    Integer,
    Select,
    bindparam,
    cast,
    literal,
    null,
    select,
    true,
    union_all,
)
from sqlalchemy.sql.elements import UnaryExpression
from sqlalchemy.sql.operators import custom_op

from hero_admin.listing.collation import ReadSortKey, SortKey
from hero_admin.listing.segments import OrderBy, Segment, Start, segments

# The number of rows that a statement returns.
SIZE: BindParameter[int] = bindparam("size", type_=Integer)


def select_segment(
    columns: Sequence[ColumnElement[Any]],
    order: OrderBy,
    segment: Segment,
    limit: ColumnElement[int] | int | None,
    *,
    is_backward: bool,
) -> Select[Any]:
    """Return the statement for the first rows of a segment: `columns`, and `_order0` and so on."""
    is_falling = order.is_descending != is_backward

    def turned(found: Sequence[ColumnElement[Any]]) -> list[ColumnElement[Any]]:
        return [column.desc() if is_falling else column.asc() for column in found]

    link, table = order.link, order.table
    if not segment.is_led or link is None or order.value is None:
        marks = sorted_by = order.columns
        if link is not None and order.value is not None:
            # All of these rows point at one record, or at none.
            marks = (cast(null(), order.value.type), link.column, *order.key)
            # With the link, or PostgreSQL would look for the rows without one by their keys.
            sorted_by = marks[1:]
        rows = select(*columns, *_marked(marks)).where(*segment.predicates)
        return rows.order_by(*turned(sorted_by)).limit(limit)
    if not order.is_lateral:
        # The plus keeps SQLite from beginning with the rows. The target stands on the left, as it
        # is by its collation that they point at it.
        pointed_at = UnaryExpression(link.target, operator=custom_op("+"), type_=link.target.type)
        source: FromClause = link.records.join(table, pointed_at == link.column)
        rows = select(*columns, *_marked(order.columns)).select_from(source)
        return rows.where(*segment.predicates).order_by(*turned(order.columns)).limit(limit)
    key_marks = [column.label(f"_key{number}") for number, column in enumerate(order.key)]
    of_one = select(*columns, *key_marks).where(link.column == link.target)
    led = of_one.order_by(*turned(order.key)).limit(limit).correlate(link.records).lateral("led")
    found = [led.c[number] for number in range(len(columns))]
    marks = (order.value, link.target, *(led.c[mark.name] for mark in key_marks))
    rows = select(*found, *_marked(marks)).select_from(link.records.join(led, true()))
    return rows.where(*segment.predicates).order_by(*turned(marks)).limit(limit)


def select_page(
    columns: Sequence[ColumnElement[Any]], order: OrderBy, start: Start, *, is_backward: bool
) -> Select[Any]:
    """Return the statement for `SIZE` rows from there, nearest first, with their order."""
    chain = [
        select_segment(columns, order, each, SIZE, is_backward=is_backward)
        for each in segments(order, start, is_backward=is_backward)
    ]
    if len(chain) == 1:
        return chain[0]
    numbered = [each.add_columns(literal(n).label("_segment")) for n, each in enumerate(chain)]
    rows = union_all(*(select(each.subquery()) for each in numbered)).subquery()
    falling = order.is_descending != is_backward
    return select(*rows.c).order_by(rows.c["_segment"], *marks_of(rows, order, falling)).limit(SIZE)


def marks_of(rows: FromClause, order: OrderBy, is_falling: bool) -> list[ColumnElement[Any]]:
    """Return the ORDER BY of rows of the statements above, within one segment."""
    marks: list[ColumnElement[Any]] = [
        ReadSortKey(mark) if isinstance(column, SortKey) else mark
        for column, mark in zip(order.columns, _marks(rows, order), strict=True)
    ]
    return [mark.desc() if is_falling else mark.asc() for mark in marks]


def _marks(rows: FromClause, order: OrderBy) -> list[ColumnElement[Any]]:
    return [rows.c[f"_order{number}"] for number in range(len(order.columns))]


def _marked(columns: Sequence[ColumnElement[Any]]) -> list[ColumnElement[Any]]:
    return [column.label(f"_order{number}") for number, column in enumerate(columns)]
