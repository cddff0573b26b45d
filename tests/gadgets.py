"""Models with every type of column, to prove that `Resource(Model)` alone is a complete admin."""

import enum
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

from pydantic import NaiveDatetime
from sqlalchemy import JSON, Column, Text
from sqlmodel import Field, Relationship, SQLModel


class Condition(enum.StrEnum):
    NEW = "new"
    IN_USE = "in use"
    BROKEN = "broken"


class Maker(SQLModel, table=True):
    """A text key, which may hold any character."""

    code: str = Field(primary_key=True, max_length=40)
    motto: str = ""


class Gadget(SQLModel, table=True):
    """Every type, needed and optional, and a key that is no number."""

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    title: str = Field(min_length=1, max_length=80)
    note: str | None = Field(default=None, sa_column=Column(Text))
    count: int = 0
    rank: int | None = Field(default=None, ge=1, le=10)
    weight: float | None = None
    price: Decimal = Field(default=Decimal("0.00"), max_digits=10, decimal_places=2)
    is_secret: bool = False
    is_licensed: bool | None = None
    made_on: date | None = None
    seen_at: datetime = Field(default_factory=lambda: datetime.now(UTC))
    checked_at: NaiveDatetime | None = None
    opens_at: time | None = None
    lasts: timedelta | None = None
    condition: Condition = Condition.NEW
    serial: UUID | None = Field(default=None, unique=True)
    data: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    extra: list[Any] | None = Field(default=None, sa_column=Column(JSON))
    maker_code: str | None = Field(default=None, foreign_key="maker.code", ondelete="CASCADE")
    maker: Maker | None = Relationship(sa_relationship_kwargs={"lazy": "raise"})


class Slot(SQLModel, table=True):
    """A key of two columns, one of which points at another record that it cannot be without."""

    shelf: str = Field(primary_key=True, max_length=20)
    number: int = Field(primary_key=True)
    gadget_id: UUID = Field(foreign_key="gadget.id")
