"""Keyset pagination: reads a page from a cursor on, at the same cost anywhere in the list.

With a predicate such as `value > :v OR (value = :v AND id > :id)` both databases read all rows
before the page, so a list is a chain of `segments`. In a list sorted by the titles of related
records, an index of the titles is read in order, joined with the rows of each record.
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

# The number of rows of a page, plus one.
SIZE: BindParameter[int] = bindparam("size", type_=Integer)


def select_segment(
    columns: Sequence[ColumnElement[Any]],
    order: OrderBy,
    segment: Segment,
    limit: ColumnElement[int] | int | None,
    *,
    is_backward: bool,
) -> Select[Any]:
    """Return the statement for the first rows of a segment, with the sort values `_order0`, ….

    The rows have `columns` first. Without `limit` it selects all rows of the segment.
    """
    is_falling = order.is_descending != is_backward

    def directed(sorted_by: Sequence[ColumnElement[Any]]) -> list[ColumnElement[Any]]:
        return [column.desc() if is_falling else column.asc() for column in sorted_by]

    link, table = order.link, order.table
    if not segment.is_led or link is None or order.value is None:
        marks = sorted_by = order.columns
        if link is not None and order.value is not None:
            # All rows of the segment have the same related record, or none.
            marks = (cast(null(), order.value.type), link.column, *order.key)
            # Without the link in ORDER BY, PostgreSQL might scan the primary key for such rows.
            sorted_by = marks[1:]
        rows = select(*columns, *_marked(marks)).where(*segment.predicates)
        return rows.order_by(*directed(sorted_by)).limit(limit)
    if not order.is_lateral:
        # With the unary plus SQLite cannot use the index of the target: it reads the titles first.
        # The left operand determines the collation, which has to be that of the target.
        pointed_at = UnaryExpression(link.target, operator=custom_op("+"), type_=link.target.type)
        source: FromClause = link.records.join(table, pointed_at == link.column)
        rows = select(*columns, *_marked(order.columns)).select_from(source)
        return rows.where(*segment.predicates).order_by(*directed(order.columns)).limit(limit)
    key_marks = [column.label(f"_key{number}") for number, column in enumerate(order.key)]
    of_one = select(*columns, *key_marks).where(link.column == link.target)
    led = of_one.order_by(*directed(order.key)).limit(limit).correlate(link.records).lateral("led")
    found = [led.c[number] for number in range(len(columns))]
    marks = (order.value, link.target, *(led.c[mark.name] for mark in key_marks))
    rows = select(*found, *_marked(marks)).select_from(link.records.join(led, true()))
    return rows.where(*segment.predicates).order_by(*directed(marks)).limit(limit)


def select_page(
    columns: Sequence[ColumnElement[Any]], order: OrderBy, start: Start, *, is_backward: bool
) -> Select[Any]:
    """Return the statement for `SIZE` rows from `start` on, nearest first, with sort values."""
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
    """Return the ORDER BY of a subquery of `select_segment` or of one segment of `select_page`."""
    marks: list[ColumnElement[Any]] = [
        ReadSortKey(mark) if isinstance(column, SortKey) else mark
        for column, mark in zip(order.columns, _marks(rows, order), strict=True)
    ]
    return [mark.desc() if is_falling else mark.asc() for mark in marks]


def _marks(rows: FromClause, order: OrderBy) -> list[ColumnElement[Any]]:
    return [rows.c[f"_order{number}"] for number in range(len(order.columns))]


def _marked(columns: Sequence[ColumnElement[Any]]) -> list[ColumnElement[Any]]:
    return [column.label(f"_order{number}") for number, column in enumerate(columns)]
