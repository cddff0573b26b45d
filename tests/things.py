"""A model with a column of every type, which other programs may have written any values to."""

import enum
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from pydantic import NaiveDatetime
from sqlalchemy import ARRAY, JSON, REAL, BigInteger, Column, Numeric, SmallInteger, String, Text
from sqlalchemy.dialects.postgresql import INET, INT4RANGE, JSONB, MONEY, TSVECTOR
from sqlmodel import Field, SQLModel


class Size(enum.Enum):
    SMALL = "s"
    LARGE = "l"


def on_postgresql(kind: Any, otherwise: Any = Text) -> Any:
    return kind.with_variant(otherwise(), "sqlite")


class Thing(SQLModel, table=True):
    """All but the title may be without a value."""

    id: int | None = Field(default=None, primary_key=True)
    title: str = Field(min_length=1, max_length=40)
    whole: int | None = None
    small: int | None = Field(default=None, sa_type=SmallInteger)
    big: int | None = Field(default=None, sa_type=BigInteger)
    ratio: float | None = None
    rough: float | None = Field(default=None, sa_type=REAL)
    price: Decimal | None = Field(default=None, max_digits=10, decimal_places=4)
    amount: Decimal | None = Field(default=None, sa_type=Numeric)
    flag: bool | None = None
    day: date | None = None
    moment: datetime | None = None
    clock: NaiveDatetime | None = None
    opens: time | None = None
    lasts: timedelta | None = None
    size: Size | None = None
    uid: UUID | None = None
    code: str | None = Field(default=None, max_length=8)
    padded: str | None = Field(default=None, sa_type=on_postgresql(String(8)))
    note: str | None = Field(default=None, sa_type=Text)
    data: dict[str, Any] | None = Field(default=None, sa_column=Column(JSON))
    doc: dict[str, Any] | None = Field(default=None, sa_column=Column(on_postgresql(JSONB(), JSON)))
    tags: list[str] | None = Field(default=None, sa_column=Column(on_postgresql(ARRAY(Text), JSON)))
    address: str | None = Field(default=None, sa_type=on_postgresql(INET()))
    span: str | None = Field(default=None, sa_type=on_postgresql(INT4RANGE()))
    words: str | None = Field(default=None, sa_type=on_postgresql(TSVECTOR()))
    cost: str | None = Field(default=None, sa_type=on_postgresql(MONEY()))


class Label(SQLModel, table=True):
    """A key that may be any text."""

    code: str = Field(primary_key=True, max_length=8)
    day: date | None = None
