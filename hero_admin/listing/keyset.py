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
from hero_admin.listing.segments import Link, OrderBy, Segment, Start, segments

# The number of rows of a page, plus one.
SIZE: BindParameter[int] = bindparam("size", type_=Integer)
# None for all rows.
Limit = ColumnElement[int] | int | None


def select_segment(
    columns: Sequence[ColumnElement[Any]],
    order: OrderBy,
    segment: Segment,
    limit: Limit,
    *,
    is_backward: bool,
) -> Select[Any]:
    """Return the statement for the first rows of a segment, with the sort values `_order0`, ….

    The rows have `columns` first.
    """
    is_falling = order.is_descending != is_backward
    link, title = order.link, order.value
    values = sorted_by = order.columns
    if link is None or title is None:
        rows = select(*columns, *_labelled(values))
    elif not segment.is_led:
        # All rows of the segment have the same related record, or none.
        values = (cast(null(), title.type), link.column, *order.key)
        # Without the link in ORDER BY, PostgreSQL might scan the primary key for such rows.
        sorted_by = values[1:]
        rows = select(*columns, *_labelled(values))
    elif order.is_lateral:
        of_one = _select_of_one_record(columns, order, link, limit, is_falling=is_falling)
        found = [of_one.c[number] for number in range(len(columns))]
        key = [of_one.c[f"_key{number}"] for number in range(len(order.key))]
        values = sorted_by = (title, link.target, *key)
        source = link.records.join(of_one, true())
        rows = select(*found, *_labelled(values)).select_from(source)
    else:
        # With the unary plus SQLite cannot use the index of the target: it reads the titles first.
        # The left operand determines the collation, which has to be that of the target.
        target = UnaryExpression(link.target, operator=custom_op("+"), type_=link.target.type)
        source = link.records.join(order.table, target == link.column)
        rows = select(*columns, *_labelled(values)).select_from(source)
    rows = rows.where(*segment.predicates).order_by(*_directed(sorted_by, is_falling))
    return rows.limit(limit)


def _select_of_one_record(
    columns: Sequence[ColumnElement[Any]],
    order: OrderBy,
    link: Link,
    limit: Limit,
    *,
    is_falling: bool,
) -> FromClause:
    """Return the LATERAL subquery for the first rows that refer to one record, with their keys."""
    key = [column.label(f"_key{number}") for number, column in enumerate(order.key)]
    rows = select(*columns, *key).where(link.column == link.target)
    rows = rows.order_by(*_directed(order.key, is_falling)).limit(limit)
    return rows.correlate(link.records).lateral("led")


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
    sorted_by = order_by_clauses(rows, order, order.is_descending != is_backward)
    return select(*rows.c).order_by(rows.c["_segment"], *sorted_by).limit(SIZE)


def order_by_clauses(
    rows: FromClause, order: OrderBy, is_falling: bool
) -> list[ColumnElement[Any]]:
    """Return the ORDER BY of a subquery of `select_segment` or of one segment of `select_page`."""
    values = [rows.c[f"_order{number}"] for number in range(len(order.columns))]
    sorted_by: list[ColumnElement[Any]] = [
        ReadSortKey(value) if isinstance(column, SortKey) else value
        for column, value in zip(order.columns, values, strict=True)
    ]
    return _directed(sorted_by, is_falling)


def _directed(columns: Sequence[ColumnElement[Any]], is_falling: bool) -> list[ColumnElement[Any]]:
    return [column.desc() if is_falling else column.asc() for column in columns]


def _labelled(values: Sequence[ColumnElement[Any]]) -> list[ColumnElement[Any]]:
    return [value.label(f"_order{number}") for number, value in enumerate(values)]
