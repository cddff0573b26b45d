"""A schema of every type of SQLAlchemy, as an application brings it along with data."""

import asyncio
import enum
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from click.testing import CliRunner
from fastapi import FastAPI
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.orm import registry
from sqlmodel import Field, Relationship, SQLModel
from starlette.requests import Request

from hero_admin import Admin, Child, Person, Resource, Role
from hero_admin.cli.main import commands
from tests.example.shops import Shop
from tests.postgres import PostgresServer

NAME = "every_type"
MOMENT = datetime.fromisoformat("2026-11-29T12:30:15.250000")
KEY = UUID("0197a5a0-0000-7000-8000-000000000001")


class Shade(enum.Enum):
    DARK = "dark"
    LIGHT = "light"


class Base(SQLModel, registry=registry()):
    """What both databases can have."""


class Cents(sa.TypeDecorator[Decimal]):
    """A type of the application's own."""

    impl = sa.Integer
    cache_ok = True

    def process_bind_param(self, value: Decimal | None, _: sa.Dialect) -> int | None:
        return None if value is None else int(value * 100)

    def process_result_value(self, value: int | None, _: sa.Dialect) -> Decimal | None:
        return None if value is None else Decimal(value) / 100


class SampleTag(Base, table=True):
    sample_id: int = Field(foreign_key="sample.id", ondelete="CASCADE", primary_key=True)
    tag_id: UUID = Field(
        sa_column=sa.Column(
            "tag_no", sa.ForeignKey("tag.id", ondelete="CASCADE"), key="tag_id", primary_key=True
        )
    )


class Tag(Base, table=True):
    """Columns that SQLAlchemy knows by another name."""

    id: UUID = Field(sa_column=sa.Column("tag_no", sa.Uuid, key="id", primary_key=True))
    name: str = Field(sa_column=sa.Column("tag_name", sa.VARCHAR(20), key="name", unique=True))


class Sample(Base, table=True):
    """The types that SQLAlchemy writes for any database, and the SQL types that both have."""

    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(sa_type=sa.String(40))
    big: int | None = Field(default=None, sa_type=sa.BigInteger)
    small: int | None = Field(default=None, sa_type=sa.SmallInteger)
    plain: int | None = Field(default=None, sa_type=sa.INTEGER)
    bigint: int | None = Field(default=None, sa_type=sa.BIGINT)
    smallint: int | None = Field(default=None, sa_type=sa.SMALLINT)
    is_good: bool | None = Field(default=None, sa_type=sa.Boolean)
    is_bad: bool | None = Field(default=None, sa_type=sa.BOOLEAN)
    ratio: float | None = Field(default=None, sa_type=sa.Float)
    wide: float | None = Field(default=None, sa_type=sa.Double)
    real: float | None = Field(default=None, sa_type=sa.REAL)
    precise: float | None = Field(default=None, sa_type=sa.DOUBLE_PRECISION)
    amount: Decimal | None = Field(default=None, sa_type=sa.Numeric(10, 2))
    exact: Decimal | None = Field(default=None, sa_type=sa.DECIMAL(20, 8))
    number: Decimal | None = Field(default=None, sa_type=sa.NUMERIC(6, 3))
    cents: Decimal | None = Field(default=None, sa_type=Cents)
    day: date | None = Field(default=None, sa_type=sa.Date)
    at: datetime | None = Field(default=None, sa_type=sa.DateTime)
    at_utc: datetime | None = Field(default=None, sa_type=sa.DateTime(timezone=True))
    stamp: datetime | None = Field(default=None, sa_type=sa.TIMESTAMP)
    clock: time | None = Field(default=None, sa_type=sa.Time)
    lasts: timedelta | None = Field(default=None, sa_type=sa.Interval)
    text: str | None = Field(default=None, sa_type=sa.Text)
    letters: str | None = Field(default=None, sa_type=sa.Unicode(20))
    prose: str | None = Field(default=None, sa_type=sa.UnicodeText)
    code: str | None = Field(default=None, sa_type=sa.CHAR(3))
    shade: Shade | None = Field(default=None, sa_type=sa.Enum(Shade))
    level: str | None = Field(default=None, sa_type=sa.Enum("low", "high", name="level"))
    serial: UUID | None = Field(default=None, sa_type=sa.Uuid)
    uuid: UUID | None = Field(default=None, sa_type=sa.UUID)
    data: bytes | None = Field(default=None, sa_type=sa.LargeBinary)
    # Any: JSON, and a pickle of anything.
    facts: Any = Field(default=None, nullable=True, sa_type=sa.JSON)
    pickled: Any = Field(default=None, nullable=True, sa_type=sa.PickleType)
    tags: list[Tag] = Relationship(link_model=SampleTag)


class Note(Base, table=True):
    """A child, so that there are all kinds of relations, too."""

    id: int | None = Field(default=None, primary_key=True)
    tag_id: UUID | None = Field(
        default=None, sa_column=sa.Column("tag_no", sa.ForeignKey("tag.id"), key="tag_id")
    )
    sample_id: int = Field(foreign_key="sample.id", ondelete="CASCADE")
    body: str = Field(sa_type=sa.UnicodeText)


class OnSQLite(SQLModel, registry=registry()):
    """What only SQLite has."""


class SQLiteSample(OnSQLite, table=True):
    id: int | None = Field(default=None, primary_key=True)
    name: str = "one"
    blob: bytes | None = Field(default=None, sa_type=sa.BLOB)
    at: datetime | None = Field(default=None, sa_type=sa.DATETIME)
    clob: str | None = Field(default=None, sa_type=sa.CLOB)
    letters: str | None = Field(default=None, sa_type=sa.NVARCHAR(20))
    short: datetime | None = Field(default=None, sa_type=sqlite.DATETIME)
    facts: Any = Field(default=None, nullable=True, sa_type=sqlite.JSON)


class OnPostgreSQL(SQLModel, registry=registry()):
    """What only PostgreSQL has."""


class PostgreSQLSample(OnPostgreSQL, table=True):
    id: int | None = Field(default=None, primary_key=True)
    name: str = "one"
    words: list[str] | None = Field(default=None, sa_type=sa.ARRAY(sa.Text))
    numbers: list[int] | None = Field(default=None, sa_type=postgresql.ARRAY(sa.Integer))
    data: bytes | None = Field(default=None, sa_type=postgresql.BYTEA)
    facts: Any = Field(default=None, nullable=True, sa_type=postgresql.JSONB)
    lasts: timedelta | None = Field(default=None, sa_type=postgresql.INTERVAL)
    at: datetime | None = Field(default=None, sa_type=postgresql.TIMESTAMP(timezone=True))
    clock: time | None = Field(default=None, sa_type=postgresql.TIME(timezone=True))
    mood: str | None = Field(default=None, sa_type=postgresql.ENUM("glad", "sad", name="mood"))
    # Any: values that have no type in Python, or one of the driver's.
    bits: Any = Field(default=None, nullable=True, sa_type=postgresql.BIT(4))
    host: Any = Field(default=None, nullable=True, sa_type=postgresql.INET)
    network: Any = Field(default=None, nullable=True, sa_type=postgresql.CIDR)
    card: Any = Field(default=None, nullable=True, sa_type=postgresql.MACADDR)
    card8: Any = Field(default=None, nullable=True, sa_type=postgresql.MACADDR8)
    money: Any = Field(default=None, nullable=True, sa_type=postgresql.MONEY)
    oid: Any = Field(default=None, nullable=True, sa_type=postgresql.OID)
    table: Any = Field(default=None, nullable=True, sa_type=postgresql.REGCLASS)
    found: Any = Field(default=None, nullable=True, sa_type=postgresql.TSVECTOR)
    query: Any = Field(default=None, nullable=True, sa_type=postgresql.TSQUERY)
    path: Any = Field(default=None, nullable=True, sa_type=postgresql.JSONPATH)
    span: Any = Field(default=None, nullable=True, sa_type=postgresql.INT4RANGE)
    long_span: Any = Field(default=None, nullable=True, sa_type=postgresql.INT8RANGE)
    amounts: Any = Field(default=None, nullable=True, sa_type=postgresql.NUMRANGE)
    days: Any = Field(default=None, nullable=True, sa_type=postgresql.DATERANGE)
    moments: Any = Field(default=None, nullable=True, sa_type=postgresql.TSRANGE)
    zoned: Any = Field(default=None, nullable=True, sa_type=postgresql.TSTZRANGE)
    spans: Any = Field(default=None, nullable=True, sa_type=postgresql.INT4MULTIRANGE)


# What the columns are given in the first row; the second one has a name only.
FULL: dict[str, Any] = {
    "name": "Full",
    "big": 2**53 + 1,
    "small": -7,
    "plain": 4,
    "bigint": -(2**62),
    "smallint": 3,
    "is_good": True,
    "is_bad": False,
    "ratio": 0.1,
    "wide": 1e300,
    "real": 1.5,
    "precise": -2.25,
    "amount": Decimal("19.90"),
    "exact": Decimal("123456.12345678"),
    "number": Decimal("-0.125"),
    "cents": Decimal("3.14"),
    "day": MOMENT.date(),
    "at": MOMENT,
    "at_utc": MOMENT.replace(tzinfo=UTC),
    "stamp": MOMENT,
    "clock": time(23, 59, 59),
    "lasts": timedelta(days=2, seconds=90, microseconds=5),
    "text": "two\nlines",
    "letters": "Łódź",
    "prose": "“Quoted” and\ttabbed",
    "code": "abc",
    "shade": Shade.LIGHT,
    "level": "high",
    "serial": KEY,
    "uuid": KEY,
    "data": b"\x00\xffbytes",
    "facts": {"b": [1, None, 2.5], "a": {"deep": True}},
    "pickled": {"any": ["thing"]},
}
ON_SQLITE: dict[str, Any] = {
    "name": "Full",
    "blob": b"\x89PNG\r\n\x1a\n",
    "at": MOMENT,
    "clob": "long",
    "letters": "Łódź",
    "short": MOMENT.replace(microsecond=0),
    "facts": ["a", 1],
}
# In the order of the columns, and as PostgreSQL writes them.
ON_POSTGRESQL = r"""
    'Full', '{a,"b c",NULL}', '{1,2,3}', '\x00ff', '{"b": 1, "a": [2]}', '3 days 04:30:00',
    '2026-11-29 12:30:15.25+00', '12:30:15+02', 'sad', '0101', '192.0.2.1/24', '192.0.2.0/24',
    '08:00:2b:01:02:03', '08:00:2b:01:02:03:04:05', '12.50', '4711', 'pg_class',
    '''fat'':2 ''rat'':3', '''fat'' & ''rat''', '$."a"', '[1,5)', '[1,)', '[1.5,2.5]',
    '[2026-11-29,2026-12-01)', '["2026-11-29 00:00:00",)', '["2026-11-29 00:00:00+00",)',
    '{[1,5),[8,9)}'
"""


def owner_of(_: Request) -> Person:
    return Person("Ada", Role.OWNER)


async def migrated_house(folder: Path, server: PostgresServer | None = None) -> Shop:
    """Make the application in a folder or on a server, with the tables of the library."""
    url = f"sqlite+aiosqlite:///{folder}/{NAME}.db"
    if server is not None:
        await server.drop_database(NAME)
        await server.create_database(NAME)
        url = server.url(NAME)
    house = await house_of_every_type(url)
    done = await asyncio.to_thread(CliRunner().invoke, commands, ["migrate"], obj=house.admin)
    assert done.exit_code == 0, done.output
    return house


async def house_of_every_type(url: str) -> Shop:
    """Create the tables and their rows in an empty database, and the application on it."""
    engine = create_async_engine(url)
    is_server = engine.dialect.name == "postgresql"
    own = PostgreSQLSample if is_server else SQLiteSample
    metadata = sa.MetaData()
    for table in (*Base.metadata.sorted_tables, *own.metadata.sorted_tables):
        table.to_metadata(metadata)
    async with engine.begin() as connection:
        await connection.run_sync(metadata.create_all)
        await connection.execute(sa.insert(Sample), FULL)
        await connection.execute(sa.insert(Sample), {"name": "Bare"})
        await connection.execute(
            sa.insert(Tag), [{"id": KEY, "name": "red"}, {"id": UUID(int=1), "name": "blue"}]
        )
        await connection.execute(sa.insert(SampleTag), [{"sample_id": 1, "tag_id": UUID(int=1)}])
        await connection.execute(sa.insert(Note), [{"sample_id": 1, "body": "A note\n"}])
        if is_server:
            columns = [
                column.name
                for column in own.metadata.sorted_tables[0].columns
                if column.name != "id"
            ]
            names = ", ".join(f'"{name}"' for name in columns)
            into = f"INSERT INTO {own.__tablename__} ({names}) VALUES ({ON_POSTGRESQL})"
            await connection.exec_driver_sql(into)
        else:
            await connection.execute(sa.insert(own), ON_SQLITE)
        await connection.execute(sa.insert(own), {"name": "Bare"})
    resources = [Resource(Sample, children=(Child(Note.sample_id),)), Resource(Tag), Resource(Note)]
    admin = Admin([*resources, Resource(own)], database=engine, authenticate=owner_of)
    app = FastAPI()
    app.mount("/admin", admin)
    return Shop(url, app, admin, engine, metadata)
