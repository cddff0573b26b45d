"""Keyset paging: one statement that finds a page from a row at its edge, at the same cost anywhere.

A condition such as `value > :v OR (value = :v AND id > :id)` makes both databases read everything
before it, so each of its cases is a branch of its own, stopped by its own LIMIT and joined by
UNION ALL. Rows without a value form a section behind all others, in either direction of sorting.
"""

import operator
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, literal, select, tuple_, union_all

from webapp.admin.cursor import Cursor


@dataclass(frozen=True)
class Order:
    """What a list is sorted by. `value` is None when it is sorted by its primary key alone."""

    value: ColumnElement[Any] | None
    key: tuple[ColumnElement[Any], ...]
    is_nullable: bool
    is_descending: bool


def select_page(
    rows: Select[Any], order: Order, cursor: Cursor | None, limit: int, *, is_backward: bool
) -> Select[Any]:
    """Return the statement for the `limit` rows behind `cursor`, or before it, nearest first.

    Without a cursor these are the first rows, or backward the last ones.
    """
    conditions = _branches(order, cursor, is_backward=is_backward)
    is_falling = order.is_descending != is_backward
    columns = [*order.key] if order.value is None else [order.value, *order.key]
    directions = [column.desc() if is_falling else column.asc() for column in columns]
    branches = [rows.where(*branch).order_by(*directions).limit(limit) for branch in conditions]
    if len(branches) == 1:
        return branches[0]

    marked = [
        branch.add_columns(
            literal(number).label("_branch"),
            *(column.label(f"_order{place}") for place, column in enumerate(columns)),
        ).subquery()
        for number, branch in enumerate(branches)
    ]
    together = union_all(*(select(branch) for branch in marked)).subquery()
    names = [f"_order{place}" for place in range(len(columns))]
    order_columns = [together.c[name] for name in names]
    wanted = [column for column in together.c if column.name not in {"_branch", *names}]
    return (
        select(*wanted)
        .order_by(
            together.c["_branch"],
            *(column.desc() if is_falling else column.asc() for column in order_columns),
        )
        .limit(limit)
    )


def ordered(rows: Select[Any], order: Order) -> Select[Any]:
    """Return the statement for all rows in this order."""
    columns = [*order.key] if order.value is None else [order.value, *order.key]
    directions = [column.desc() if order.is_descending else column.asc() for column in columns]
    if order.is_nullable and order.value is not None:
        return rows.order_by(order.value.is_(None), *directions)
    return rows.order_by(*directions)


def _branches(
    order: Order, cursor: Cursor | None, *, is_backward: bool
) -> Sequence[Sequence[ColumnElement[bool]]]:
    """Return the conditions of the branches, in the order in which their rows follow each other."""
    is_falling = order.is_descending != is_backward
    value = order.value
    if value is None:
        return [[_beyond(order.key, cursor.key, is_falling)]] if cursor else [[]]

    valued = [value.is_not(None)] if order.is_nullable else []
    sections = [valued, [value.is_(None)]] if order.is_nullable else [valued]
    if is_backward:
        sections.reverse()
    if cursor is None:
        return sections

    behind = _beyond(order.key, cursor.key, is_falling)
    if cursor.value is None:
        return [[value.is_(None), behind], *(sections[1:] if is_backward else [])]
    # As a parameter, because SQLAlchemy compares nothing with a bare True.
    edge = literal(cursor.value, value.type)
    further = value < edge if is_falling else value > edge
    rest = [] if is_backward or not order.is_nullable else [[value.is_(None)]]
    return [[value == edge, behind], [further], *rest]


def _beyond(
    columns: tuple[ColumnElement[Any], ...], values: tuple[Any, ...], is_falling: bool
) -> ColumnElement[bool]:
    compare = operator.lt if is_falling else operator.gt
    is_single = len(columns) == 1
    here: ColumnElement[Any] = columns[0] if is_single else tuple_(*columns)
    there = [literal(value, column.type) for column, value in zip(columns, values, strict=True)]
    condition: ColumnElement[bool] = compare(here, there[0] if is_single else tuple_(*there))
    return condition
