"""Recorded changes: those of an operation, and the latest ones of records."""

from collections.abc import Iterable, Sequence

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from hero_admin.audit_log.changes import WRITES, Change, Kind


async def lock_operation(session: AsyncSession, operation_id: str) -> list[Change]:
    """Fetch and lock the changes of an operation, newest first; concurrent undos take turns."""
    changes = select(Change).where(col(Change.operation) == operation_id)
    last_first = changes.order_by(col(Change.id).desc())
    return list(await session.scalars(last_first.with_for_update()))


async def fetch_latest(
    session: AsyncSession, resource: str, key: str, *kinds: Kind
) -> Change | None:
    """Fetch the latest change of a record, of one of these kinds or of any that writes."""
    changes = select(Change).where(
        _is_of(resource, [key]), col(Change.kind).in_([kind.value for kind in kinds or WRITES])
    )
    found: Change | None = await session.scalar(changes.order_by(col(Change.id).desc()).limit(1))
    return found


async def fetch_latest_of(
    session: AsyncSession, resource: str, keys: Iterable[str]
) -> list[Change]:
    """Fetch the latest change that writes of each of these records."""
    latest = select(func.max(col(Change.id))).where(
        _is_of(resource, list(keys)), col(Change.kind).in_(WRITES)
    )
    changes = select(Change).where(col(Change.id).in_(latest.group_by(col(Change.key))))
    return list(await session.scalars(changes))


async def fetch_since(
    session: AsyncSession, resource: str, keys: Sequence[str], change_id: int
) -> list[Change]:
    """Fetch the changes of records after `change_id`, newest first."""
    changes = select(Change).where(
        _is_of(resource, keys), col(Change.id) > change_id, col(Change.kind).in_(WRITES)
    )
    return list(await session.scalars(changes.order_by(col(Change.id).desc())))


async def count_changes(session: AsyncSession, resource: str, keys: Iterable[str]) -> int:
    """Count all changes of these records: a version number that every change increments."""
    counted = (
        select(func.count())
        .select_from(Change)
        .where(_is_of(resource, list(keys)), col(Change.kind).in_(WRITES))
    )
    return (await session.execute(counted)).scalar_one()


def _is_of(resource: str, keys: Sequence[str]) -> ColumnElement[bool]:
    return (col(Change.resource) == resource) & col(Change.key).in_(keys)
