"""History: who created, changed and deleted what, written in the transaction that does it.

Values are kept as they were stored, as texts where these give the very same values, so that any
earlier state of a record can be restored and the whole history, replayed, gives the tables.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any
from uuid import uuid4

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ColumnElement,
    DateTime,
    Index,
    Integer,
    Text,
    func,
    insert,
    literal_column,
    select,
)
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession
from sqlmodel import Field, col

from hero_admin.database.own_tables import OwnTable
from hero_admin.person import Identity

# Any: JSON. What stands for a value: its text or, where that would not bring back the very same
# one, an object that says how its driver has it; None is no value.
Recorded = str | dict[str, Any] | None
# The old and the new one of a field.
Values = Mapping[str, tuple[Recorded, Recorded]]
# Up to so many records that one operation treats alike have a line each in the history of all.
MAX_TOLD_SINGLY = 3


class Kind(StrEnum):
    """What was done; `LOADED` is many records at once, `REVEALED` is a masked value shown.

    `RESTORED` is a deleted record that is there again.
    """

    CREATED = "created"
    CHANGED = "changed"
    DELETED = "deleted"
    RESTORED = "restored"
    REVEALED = "revealed"
    LOADED = "loaded"


WRITES = (Kind.CREATED, Kind.CHANGED, Kind.DELETED, Kind.RESTORED)


@dataclass(frozen=True)
class Operation:
    """One request or command that changes something; all its changes share its `id`.

    via: how it came: “page”, “api”, “bulk”, “undo”, “restore”, “command”.
    """

    by: Identity
    via: str
    id: str = field(default_factory=lambda: uuid4().hex)


# What the history of all records shows; whole operations of thousands are one line of it.
# A literal: an index for it is of no use to a parameter.
IS_TOLD: ColumnElement[bool] = literal_column("group_size > 0", Boolean)
TOLD_INDEXES = {
    "ix_hero_admin_change_told": ("id",),
    "ix_hero_admin_change_resource": ("resource", "id"),
    "ix_hero_admin_change_by": ("by_name", "id"),
    "ix_hero_admin_change_kind": ("kind", "id"),
}


class Change(OwnTable, table=True):
    """One record created, changed or deleted; `values_json` has [old, new] for each field.

    is_consequence: whether it befell the record because of another one, as when its team was
    deleted.
    group_size: how many changes this one stands for in the history of all records; 0 for those
    that another one stands for.
    """

    __tablename__ = "hero_admin_change"
    __table_args__ = (
        Index("ix_hero_admin_change_record", "resource", "key", "id"),
        Index("ix_hero_admin_change_operation", "operation", "id"),
        *(
            Index(name, *columns, sqlite_where=IS_TOLD, postgresql_where=IS_TOLD)
            for name, columns in TOLD_INDEXES.items()
        ),
        {"sqlite_autoincrement": True},
    )

    id: int | None = Field(
        default=None,
        sa_column=Column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    )
    at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False, index=True))
    operation: str = Field(max_length=32)
    by_id: int | None = None
    by_name: str = Field(max_length=200)
    via: str = Field(max_length=20)
    resource: str = Field(max_length=200)
    key: str
    title: str
    kind: str = Field(max_length=20)
    is_consequence: bool = False
    values_json: str = Field(sa_column=Column(Text, nullable=False))
    group_size: int = Field(default=1, sa_column_kwargs={"server_default": "1"})

    @property
    def effect(self) -> Kind:
        """What it did to the record: a restored one was created anew."""
        kind = Kind(self.kind)
        return Kind.CREATED if kind is Kind.RESTORED else kind

    @property
    def values(self) -> dict[str, tuple[Recorded, Recorded]]:
        """The old and the new value of each field that changed, by its name."""
        return {name: (old, new) for name, (old, new) in json.loads(self.values_json).items()}

    @property
    def moment(self) -> datetime:
        """When it was, in UTC; SQLite gives back no zone."""
        return self.at if self.at.tzinfo else self.at.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Entry:
    """What is to be written down of one record."""

    resource: str
    key: str
    title: str
    kind: Kind
    values: Values
    is_consequence: bool = False


async def record(
    session: AsyncSession | AsyncConnection, operation: Operation, entries: Sequence[Entry]
) -> None:
    """Write down what was just done, in its transaction; one statement however many entries."""
    if not entries:
        return
    shared: dict[str, Any] = {
        "at": datetime.now(UTC),
        "operation": operation.id,
        "by_id": operation.by.user_id,
        "by_name": operation.by.name,
        "via": operation.via,
    }
    sizes = _group_sizes(entries)
    rows = [
        shared
        | {
            "resource": entry.resource,
            "key": entry.key,
            "title": entry.title,
            "kind": entry.kind.value,
            "is_consequence": entry.is_consequence,
            "values_json": json.dumps(entry.values, ensure_ascii=False, separators=(",", ":")),
            "group_size": size,
        }
        for entry, size in zip(entries, sizes, strict=True)
    ]
    # Not through the ORM, whose batches would ask for each new id.
    await session.execute(insert(Change.__table__), rows)  # type: ignore[attr-defined]


def _group_sizes(entries: Sequence[Entry]) -> list[int]:
    """Return for each entry how many alike it stands for; the first of many for all of them."""
    groups: dict[tuple[str, Kind, bool], list[int]] = {}
    for position, entry in enumerate(entries):
        groups.setdefault((entry.resource, entry.kind, entry.is_consequence), []).append(position)
    sizes = [1] * len(entries)
    for first, *others in groups.values():
        if 1 + len(others) > MAX_TOLD_SINGLY:
            sizes[first] = 1 + len(others)
            for position in others:
                sizes[position] = 0
    return sizes


async def lock_operation(session: AsyncSession, operation_id: str) -> list[Change]:
    """Fetch the changes of one operation, the last one first; two who take it back take turns."""
    changes = select(Change).where(col(Change.operation) == operation_id)
    last_first = changes.order_by(col(Change.id).desc())
    return list(await session.scalars(last_first.with_for_update()))


async def fetch_latest(
    session: AsyncSession, resource: str, key: str, *kinds: Kind
) -> Change | None:
    """Fetch the last change of a record, of one of these kinds or of any that writes."""
    changes = select(Change).where(
        _is_of(resource, [key]), col(Change.kind).in_([kind.value for kind in kinds or WRITES])
    )
    found: Change | None = await session.scalar(changes.order_by(col(Change.id).desc()).limit(1))
    return found


async def fetch_since(
    session: AsyncSession, resource: str, keys: Sequence[str], change_id: int
) -> list[Change]:
    """Fetch what was written to records after a change of theirs, the last one first."""
    changes = select(Change).where(
        _is_of(resource, keys), col(Change.id) > change_id, col(Change.kind).in_(WRITES)
    )
    return list(await session.scalars(changes.order_by(col(Change.id).desc())))


async def count_changes(session: AsyncSession, resource: str, keys: Iterable[str]) -> int:
    """Count what was ever written to these records; it grows with every change of one of them."""
    counted = (
        select(func.count())
        .select_from(Change)
        .where(_is_of(resource, list(keys)), col(Change.kind).in_(WRITES))
    )
    return (await session.execute(counted)).scalar_one()


def _is_of(resource: str, keys: Sequence[str]) -> ColumnElement[bool]:
    return (col(Change.resource) == resource) & col(Change.key).in_(keys)
