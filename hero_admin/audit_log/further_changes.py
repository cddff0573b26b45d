"""Further changes: of an operation that is committed in batches, and is one line in the history."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, cast

from sqlalchemy import CursorResult, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from hero_admin.audit_log.changes import Change, Entry, Operation, record
from hero_admin.audit_log.operation_changes import OLDEST_FIRST, is_of_operation

# What the entries that one line sums up have in common: resource, kind, whether a consequence.
Group = tuple[str, str, bool]


async def record_further(
    session: AsyncSession,
    operation: Operation,
    entries: Sequence[Entry],
    *,
    is_summed_up: bool = False,
) -> None:
    """Record changes of an operation, and add them to its line of the same resource and kind."""
    if is_summed_up:
        entries = [replace(entry, is_consequence=True) for entry in entries]
    await record(session, operation, entries, is_summed_up=True)
    groups: dict[Group, int] = {}
    for entry in () if is_summed_up else entries:
        group = (entry.resource, entry.kind.value, entry.is_consequence)
        groups[group] = groups.get(group, 0) + 1
    for group, count in groups.items():
        await _add_to_line(session, operation.id, group, count)


async def _add_to_line(session: AsyncSession, operation_id: str, group: Group, count: int) -> None:
    """Add to the line of a group of changes; the first of them becomes it."""
    resource, kind, is_consequence = group
    own = select(col(Change.id)).where(
        is_of_operation(operation_id),
        col(Change.resource) == resource,
        col(Change.kind) == kind,
        col(Change.is_consequence) == is_consequence,
    )
    first = own.order_by(*OLDEST_FIRST).limit(1).scalar_subquery()
    more = update(Change).where(col(Change.id) == first)
    added = await session.execute(more.values(group_size=col(Change.group_size) + count))
    assert cast(CursorResult[Any], added).rowcount == 1
