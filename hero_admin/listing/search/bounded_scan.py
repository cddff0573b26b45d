"""Bounded scan: reads a limited number of rows in the order of the list, and filters them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Integer, Select, bindparam, select
from sqlalchemy.ext.asyncio import AsyncSession

from hero_admin.database.short_reads import Row
from hero_admin.database.statement_cache import statement_cache
from hero_admin.listing.columns import Selection, adapted, order_of, with_titles
from hero_admin.listing.cursors import Cursor
from hero_admin.listing.keyset import SIZE, order_by_clauses, select_segment
from hero_admin.listing.predicates import Predicates
from hero_admin.listing.query import ListQuery
from hero_admin.listing.search.wanted import Wanted
from hero_admin.listing.segments import OrderBy, Segment, Start, segments
from hero_admin.listing.sort_indexes import finds_values

BUDGET = bindparam("budget", type_=Integer)
LAST = bindparam("last", type_=Integer)


@dataclass(frozen=True)
class Scanned:
    """The matching rows, nearest first; `edge` is the last row read unless the list ended."""

    rows: tuple[Row, ...]
    edge: Cursor | None = None


@dataclass(frozen=True)
class _SegmentScan:
    """The statements for one segment: the matching rows, and the last row read."""

    segment: Segment
    rows: Select[Any]
    last: Select[Any]


async def scan(session: AsyncSession, wanted: Wanted, budget: int) -> Scanned:
    """Scan up to `budget` rows of each segment, in the order of the list, from the cursor on."""
    query, selection = wanted.query, wanted.selection
    scans = _segment_scans(
        selection, wanted.predicates, wanted.start, is_backward=query.is_backward
    )
    given = wanted.parameters(budget=budget, last=budget - 1)
    rows: list[Row] = []
    for each in scans:
        # Both statements see one snapshot, so the last row read fits the rows found.
        size = wanted.limit - len(rows)
        rows += (await session.execute(each.rows, {**given, "size": size})).all()
        if len(rows) == wanted.limit:
            break
        last = (await session.execute(each.last, given)).first()
        if last is not None:
            return Scanned(tuple(rows), _edge(query, order_of(selection), each.segment, last))
    return Scanned(tuple(rows))


@statement_cache
def _segment_scans(
    selection: Selection, predicates: Predicates, start: Start, *, is_backward: bool
) -> tuple[_SegmentScan, ...]:
    order, scans = order_of(selection), []
    bounds = _bounds(selection, predicates, order)
    for segment in segments(order, start, is_backward=is_backward):
        scanned, ending = (
            select_segment(columns, order, segment, BUDGET, is_backward=is_backward)
            for columns in (selection.columns, ())
        )
        # What the index of the scan itself finds is read, and nothing before it.
        scanned, ending = scanned.where(*bounds), ending.where(*bounds)
        read = scanned.subquery("scanned")
        # Both databases filter in the order of the subquery, and stop at the limit.
        matching = select(*read.c).where(*adapted(predicates.all(), read)).limit(SIZE)
        some = matching.subquery("matching")
        sorted_by = order_by_clauses(some, order, order.is_descending != is_backward)
        rows = with_titles(selection, some).order_by(*sorted_by)
        scans.append(_SegmentScan(segment, rows, ending.offset(LAST).limit(1)))
    return tuple(scans)


def _bounds(
    selection: Selection, predicates: Predicates, order: OrderBy
) -> Sequence[ColumnElement[bool]]:
    """Return the predicate of the column that the list is sorted by, if it is a range of its index.

    The index has to find it: what the scan leaves out by itself counts against no budget.
    """
    field = selection.sort_field
    if order.link is not None or not finds_values(selection.resource, field):
        return ()
    return [
        each.predicate() for each in predicates.filters if each.field is field and each.is_range
    ]


def _edge(query: ListQuery, order: OrderBy, segment: Segment, sort_values: Sequence[Any]) -> Cursor:
    key = tuple(sort_values[len(sort_values) - len(order.key) :])
    if order.value is None or order.link is None:
        return Cursor(query.sort.text, sort_values[0], key)
    value, link = sort_values[0], sort_values[1]
    if not segment.is_led and link is not None and query.cursor is not None:
        value = query.cursor.value
    return Cursor(query.sort.text, value, key, link=link)
