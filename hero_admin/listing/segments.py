"""Segments: a list as a chain of parts, each of which one index holds in order.

Rows without a value form the last section, in either direction of sorting.
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

# Where a page starts: at an end of the list, at a value, or after a row that has a value, that
# points at a record without a title, or that has none.
Start = Literal["end", "from", "titled", "untitled", "none"]


@dataclass(frozen=True)
class Link:
    """The related records by whose titles a list is sorted, and how rows point at them."""

    column: ColumnElement[Any]
    records: FromClause
    target: ColumnElement[Any]
    is_optional: bool


@dataclass(frozen=True)
class OrderBy:
    """What a list is sorted by. `value` is None when it is sorted by its primary key alone.

    is_lateral: whether the database knows LATERAL, and an index compares rows; one that does not
    keeps to the order of joins instead, and compares the first columns only.
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
        """The columns that the order consists of, the most important first."""
        if self.value is None:
            return self.key
        if self.link is None:
            return (self.value, *self.key)
        return (self.value, self.link.target, *self.key)


@dataclass(frozen=True)
class Segment:
    """Rows that follow each other in one index; led rows are found through related records."""

    predicates: tuple[ColumnElement[bool], ...] = ()
    is_led: bool = False


# It sorts after every other character in every collation.
LAST_CHARACTER = "\U0010ffff"


def start_of(order: OrderBy, cursor: Cursor | None) -> Start:
    """Return where a page with this cursor starts."""
    if cursor is None:
        return "end"
    if not cursor.key:
        return "from"
    if order.link is not None and cursor.link is not None:
        return "untitled" if cursor.value is None else "titled"
    return "none" if cursor.value is None else "titled"


def cursor_parameters(cursor: Cursor | None, *, is_falling: bool) -> dict[str, Any]:
    """Return the parameters of the statements for a page with this cursor."""
    if cursor is None:
        return {}
    value = cursor.value
    if not cursor.key and isinstance(value, str) and is_falling:
        # “m” stands for all names that begin with it, which are sorted after it.
        value += LAST_CHARACTER
    key = {f"key{number}": part for number, part in enumerate(cursor.key)}
    return {"edge": value, "edge_text": value, "link": cursor.link, **key}


def segments(order: OrderBy, start: Start, *, is_backward: bool) -> list[Segment]:
    """Return the segments of a page that starts there, nearest first."""
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
    """Return the sections of the whole list, in their order."""
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

    PostgreSQL compares rows. Were it told that one value stays the same, it might look for that
    value along the keys. SQLite compares the first columns only, so each case is a segment.
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
    """Return the rows that have the value of the edge, in a list that nothing leads.

    `is_rest`: only those beyond it.
    """
    assert order.value is not None
    edge = _given("edge", order.value)
    if not is_rest:
        # With an equality PostgreSQL might scan the primary key for it.
        return Segment((order.value >= edge, order.value <= edge))
    if not order.is_lateral:
        return Segment((order.value == edge, _beyond(order.key, _key_names(order), is_falling)))
    row = _beyond((order.value, *order.key), ["edge", *_key_names(order)], is_falling)
    return Segment((row, order.value >= edge if is_falling else order.value <= edge))


def _key_names(order: OrderBy) -> list[str]:
    return [f"key{number}" for number in range(len(order.key))]


def _given(name: str, column: ColumnElement[Any]) -> ColumnElement[Any]:
    # With its type, which takes a value as it is stored.
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
