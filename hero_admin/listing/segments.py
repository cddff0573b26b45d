"""Segments: a list as a chain of parts, each of which an index has in order.

Rows without a value are the last section, ascending and descending.
"""

import operator
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import BindParameter, ColumnElement, FromClause, bindparam, tuple_

from hero_admin.listing.collation import SortKey, is_missing, is_there
from hero_admin.listing.cursors import Cursor
from hero_admin.model.exact_types import ExactType
from hero_admin.model.moments import edge_of

# Where a page starts: at an end of the list, at a value, or after a row: one with a sort value, one
# whose related record has no title, or one without a value.
Start = Literal["end", "from", "titled", "untitled", "none"]


@dataclass(frozen=True)
class Link:
    """The related records whose titles a list is sorted by, and the columns of the foreign key."""

    column: ColumnElement[Any]
    records: FromClause
    target: ColumnElement[Any]
    is_optional: bool


@dataclass(frozen=True)
class OrderBy:
    """The ORDER BY of a list.

    is_lateral: whether the database supports LATERAL, and row comparisons that use all columns of
    an index. One without follows the order of joins, and compares the first columns only.
    value: the sort column; None for the primary key.
    """

    is_descending: bool
    is_lateral: bool
    table: FromClause
    key: tuple[ColumnElement[Any], ...]
    value: ColumnElement[Any] | None
    is_nullable: bool
    link: Link | None = None

    @property
    def columns(self) -> tuple[ColumnElement[Any], ...]:
        """The columns of the ORDER BY."""
        if self.value is None:
            return self.key
        if self.link is None:
            return (self.value, *self.key)
        return (self.value, self.link.target, *self.key)


@dataclass(frozen=True)
class Segment:
    """Adjacent rows of one index; `is_led` if they are read by the titles of related records."""

    predicates: tuple[ColumnElement[bool], ...] = ()
    is_led: bool = False


# It sorts after every other character in every collation.
LAST_CHARACTER = "\U0010ffff"


def start_of(order: OrderBy, cursor: Cursor | None) -> Start:
    """Return the kind of start of a page with this cursor."""
    if cursor is None:
        return "end"
    if not cursor.key:
        return "from"
    if order.link is not None and cursor.link is not None:
        return "untitled" if cursor.value is None else "titled"
    return "none" if cursor.value is None else "titled"


def cursor_parameters(cursor: Cursor | None, *, is_falling: bool) -> dict[str, Any]:
    """Return the parameters of a statement for a page with this cursor."""
    if cursor is None:
        return {}
    value = cursor.value
    if not cursor.key and isinstance(value, str) and is_falling:
        # Descending, “m” is the position before all values that begin with it.
        value += LAST_CHARACTER
    key = {f"key{number}": part for number, part in enumerate(cursor.key)}
    return {"edge": value, "edge_text": value, "link": cursor.link, **key}


def segments(order: OrderBy, start: Start, *, is_backward: bool) -> list[Segment]:
    """Return the segments of a page, nearest first."""
    is_falling = order.is_descending != is_backward
    if order.value is None:
        return [_segment_of_keys(order, start, is_falling)]
    sections = _sections(order, order.value)
    names = list(sections)
    if is_backward:
        names.reverse()
    if start == "end":
        return [sections[name] for name in names]
    if start == "from":
        edge = _jump_edge(order.value, is_falling=is_falling)
        reached = order.value <= edge if is_falling else order.value >= edge
        return [
            Segment((reached,), order.link is not None),
            *(sections[name] for name in names[1:]),
        ]
    rest = [sections[name] for name in names[names.index(start) + 1 :]] if start in names else []
    return [*_rest_of_section(order, order.value, start, is_falling), *rest]


def _segment_of_keys(order: OrderBy, start: Start, is_falling: bool) -> Segment:
    if start == "end":
        return Segment()
    if start == "from":
        first, edge = order.key[0], _jump_edge(order.key[0], is_falling=is_falling)
        return Segment((first <= edge if is_falling else first >= edge,))
    return Segment((_beyond(order.key, _key_names(order), is_falling),))


def _sections(order: OrderBy, value: ColumnElement[Any]) -> dict[Start, Segment]:
    """Return the sections of the whole list, in order."""
    link, is_led = order.link, order.link is not None
    titled = (is_there(value),) if order.is_nullable else ()
    sections: dict[Start, Segment] = {"titled": Segment(titled, is_led)}
    if order.is_nullable:
        sections["untitled" if link else "none"] = Segment((is_missing(value),), is_led)
    if link and link.is_optional:
        sections["none"] = Segment((link.column.is_(None),))
    return sections


def _rest_of_section(
    order: OrderBy, value: ColumnElement[Any], start: Start, is_falling: bool
) -> list[Segment]:
    """Return the segments from a row to the end of its section.

    PostgreSQL uses an index for a row comparison. With an equality it might scan the primary key.
    SQLite uses an index for the first columns only, so equal and further values are two segments.
    """
    link, names = order.link, _key_names(order)
    behind = _beyond(order.key, names, is_falling)
    if start == "none":
        return [Segment((is_missing(value if link is None else link.column), behind))]
    edge = _given("edge", value)
    further = Segment((value < edge if is_falling else value > edge,), link is not None)
    if link is None:
        if order.is_lateral:
            return [Segment((_beyond((value, *order.key), ["edge", *names], is_falling),))]
        return [Segment((value == edge, behind)), further]
    same = _given("link", link.column)
    siblings = Segment((link.column == same, behind))
    if order.is_lateral:
        row = _beyond((link.column, *order.key), ["link", *names], is_falling)
        siblings = Segment((row, link.column >= same if is_falling else link.column <= same))
    beyond = _beyond((link.target,), ["link"], is_falling)
    if start == "untitled":
        return [siblings, Segment((is_missing(value), beyond), True)]
    return [siblings, Segment((value == edge, beyond), True), further]


def value_only(order: OrderBy, *, is_falling: bool, is_rest: bool) -> Segment:
    """Return the segment of the rows with the value of the edge; the list has no link.

    is_rest: only those beyond the edge.
    """
    assert order.value is not None
    edge = _given("edge", order.value)
    if not is_rest:
        # With an equality PostgreSQL might scan the primary key.
        return Segment((order.value >= edge, order.value <= edge))
    if not order.is_lateral:
        return Segment((order.value == edge, _beyond(order.key, _key_names(order), is_falling)))
    row = _beyond((order.value, *order.key), ["edge", *_key_names(order)], is_falling)
    return Segment((row, order.value >= edge if is_falling else order.value <= edge))


def _key_names(order: OrderBy) -> list[str]:
    return [f"key{number}" for number in range(len(order.key))]


def _given(name: str, column: ColumnElement[Any]) -> ColumnElement[Any]:
    # The type of the column binds stored values unchanged.
    given: BindParameter[Any] = bindparam(name, type_=column.type)
    return SortKey(given) if isinstance(column, SortKey) else given


def _jump_edge(column: ColumnElement[Any], *, is_falling: bool) -> ColumnElement[Any]:
    edge = _given("edge", column)
    kind = column.type
    if isinstance(edge, BindParameter) and isinstance(kind, ExactType):
        return edge_of(edge, kind.control.kind, is_falling=is_falling)
    return edge


def _beyond(
    columns: Sequence[ColumnElement[Any]], names: Sequence[str], is_falling: bool
) -> ColumnElement[bool]:
    compare = operator.lt if is_falling else operator.gt
    there = [_given(name, column) for name, column in zip(names, columns, strict=True)]
    is_single = len(columns) == 1
    here: ColumnElement[Any] = columns[0] if is_single else tuple_(*columns)
    predicate: ColumnElement[bool] = compare(here, there[0] if is_single else tuple_(*there))
    return predicate
