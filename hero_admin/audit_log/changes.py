"""Changes: the entries of the history, written in the transaction of the change.

Values are recorded as they were stored, as texts where these read back as the same values: any
earlier version of a record can be restored, and replaying the log gives the tables.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any
from uuid import uuid4

from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    Index,
    Integer,
    Text,
    insert,
    literal_column,
)
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession
from sqlmodel import Field

from hero_admin.database.own_tables import OwnTable
from hero_admin.person import Person

# Any: JSON. A recorded value: its text or, where that would not read back as the same value, an
# object with the value of the driver; None for NULL.
Recorded = str | dict[str, Any] | None
# The old and the new one of a field.
Values = Mapping[str, tuple[Recorded, Recorded]]
# Up to this many equal changes of one operation have a line each in the history of all records.
MAX_TOLD_SINGLY = 3


class Kind(StrEnum):
    """What was done. LOADED: many records at once. REVEALED: a masked value was shown.

    RESTORED: a deleted record was created again.
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
    """One request or command; all its changes share its `id`, and are undone together.

    via: “page”, “api”, “bulk”, “action”, “undo”, “restore” or “command”.
    action: the label of an action.
    """

    by: Person
    via: str
    id: str = field(default_factory=lambda: uuid4().hex)
    action: str | None = None


# The changes in the timeline of all records, where an operation on many is one line.
# A literal, as a partial index does not match a parameter.
IN_TIMELINE = literal_column("group_size", Integer) > literal_column("0", Integer)
TIMELINE_INDEXES = {
    "ix_hero_admin_change_told": ("id",),
    "ix_hero_admin_change_resource": ("resource", "id"),
    "ix_hero_admin_change_by": ("by_name", "id"),
    "ix_hero_admin_change_kind": ("kind", "id"),
}


class Change(OwnTable, table=True):
    """One record created, changed or deleted; `values_json` has [old, new] for each field.

    is_consequence: whether a change of another record caused it, as when its team was deleted.
    group_size: how many changes this one sums up in the history of all records; 0 for those that
    another one sums up.
    """

    __tablename__ = "hero_admin_change"
    __table_args__ = (
        Index("ix_hero_admin_change_record", "resource", "key", "id"),
        Index("ix_hero_admin_change_operation", "operation", "id"),
        *(
            Index(name, *columns, sqlite_where=IN_TIMELINE, postgresql_where=IN_TIMELINE)
            for name, columns in TIMELINE_INDEXES.items()
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
    action: str | None = Field(default=None, max_length=80)
    resource: str = Field(max_length=200)
    key: str
    title: str
    kind: str = Field(max_length=20)
    is_consequence: bool = False
    values_json: str = Field(sa_column=Column(Text, nullable=False))
    group_size: int = Field(default=1, sa_column_kwargs={"server_default": "1"})

    @property
    def effect(self) -> Kind:
        """The effect on the record: restoring is creating."""
        kind = Kind(self.kind)
        return Kind.CREATED if kind is Kind.RESTORED else kind

    @property
    def values(self) -> dict[str, tuple[Recorded, Recorded]]:
        """The old and new value of each changed field, by name."""
        return {name: (old, new) for name, (old, new) in json.loads(self.values_json).items()}

    @property
    def moment(self) -> datetime:
        """The time in UTC; SQLite stores no zone."""
        return self.at if self.at.tzinfo else self.at.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Entry:
    """A change to be recorded."""

    resource: str
    key: str
    title: str
    kind: Kind
    values: Values
    is_consequence: bool = False


async def record(
    session: AsyncSession | AsyncConnection,
    operation: Operation,
    entries: Sequence[Entry],
    *,
    is_summed_up: bool = False,
) -> None:
    """Record changes in their transaction, by one statement.

    is_summed_up: whether another entry of the operation sums them up.
    """
    if not entries:
        return
    shared: dict[str, Any] = {
        "at": datetime.now(UTC),
        "operation": operation.id,
        "by_id": operation.by.user_id,
        "by_name": operation.by.name,
        "via": operation.via,
        "action": operation.action,
    }
    sizes = [0] * len(entries) if is_summed_up else _group_sizes(entries)
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
    # Without the ORM, whose batches would return each new id.
    await session.execute(insert(Change.__table__), rows)  # type: ignore[attr-defined]


def _group_sizes(entries: Sequence[Entry]) -> list[int]:
    """Return the group size of each entry: the first of many equal ones stands for all."""
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
