"""Revisions: what `revision` writes for a model of somebody's own runs, and drops nothing."""

import enum
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.engine import Dialect
from sqlalchemy.exc import IntegrityError
from sqlmodel import SQLModel
from sqlmodel.sql.sqltypes import AutoString, UTCDateTime

from hero_admin.database.engines import Database
from hero_admin.migrations import make_revision, migrate
from hero_admin.migrations.revision_operations import NOT_DROPPED
from tests.unit.test_migrations import execute, look
from webapp.app import admin


class Mood(enum.Enum):
    CALM = "calm"
    CROSS = "cross"


class Lower(sa.TypeDecorator[str]):
    """A text that is stored in small letters."""

    impl = sa.String
    cache_ok = True


class Guid(sa.TypeDecorator[UUID]):
    """Another type on each database."""

    impl = sa.CHAR
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> sa.types.TypeEngine[Any]:
        if dialect.name == "postgresql":
            return dialect.type_descriptor(postgresql.UUID())
        return dialect.type_descriptor(sa.CHAR(32))


class Moods(sa.TypeDecorator[Mood]):
    """A type around another one that is no plain one either."""

    impl = Lower(40)
    cache_ok = True


class Point(sa.types.UserDefinedType[str]):
    """A type that SQLAlchemy knows nothing of."""

    cache_ok = True

    def __init__(self, digits: int = 8) -> None:
        self.digits = digits

    def get_col_spec(self, **_: object) -> str:
        return f"VARCHAR({self.digits})"


TYPES: list[sa.types.TypeEngine[Any]] = [
    *(AutoString(), AutoString(length=30), UTCDateTime(), sa.DateTime(), sa.Date(), sa.Time()),
    *(sa.DateTime(timezone=True), sa.Interval(), sa.Numeric(10, 4), sa.Float(), sa.Double()),
    *(sa.Boolean(), sa.LargeBinary(), sa.Uuid(), sa.JSON(), sa.Text(), sa.Unicode(20)),
    *(sa.BigInteger(), sa.SmallInteger(), sa.PickleType(), sa.NCHAR(20)),
    *(sa.Enum(Mood), sa.Enum("new", "old", name="age"), sa.Enum(Mood, native_enum=False)),
    sa.JSON().with_variant(postgresql.JSONB(), "postgresql"),
    sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
    sa.String(20).with_variant(sa.String(20, collation="C"), "postgresql"),
    *(Lower(50), Lower(50).with_variant(sa.Text(), "postgresql"), Guid(), Moods(), Point(9)),
]
POSTGRESQL_TYPES: list[sa.types.TypeEngine[Any]] = [
    *(postgresql.JSONB(), postgresql.INET(), postgresql.CIDR(), postgresql.MACADDR()),
    *(postgresql.ARRAY(sa.Integer()), postgresql.ARRAY(AutoString(length=9)), sa.ARRAY(Guid())),
    *(
        postgresql.ARRAY(sa.Enum("a", "b", name="letter")),
        postgresql.ARRAY(sa.Text(), dimensions=2),
    ),
    *(postgresql.INT4RANGE(), postgresql.TSTZRANGE(), postgresql.DATEMULTIRANGE()),
    *(postgresql.TSVECTOR(), postgresql.BIT(3), postgresql.MONEY(), postgresql.OID()),
    *(postgresql.TIMESTAMP(precision=3), postgresql.TIME(timezone=True, precision=0)),
    *(postgresql.INTERVAL(fields="DAY"), postgresql.BYTEA(), postgresql.REAL()),
    postgresql.ENUM("up", "down", name="direction"),
    postgresql.DOMAIN("positive", sa.Integer(), check="VALUE > 0"),
]


@pytest.fixture
async def own(database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Database:
    """A database, and a copy of the migrations to which its own can be added."""
    copy = tmp_path / "migrations"
    assert admin.chain.versions is not None
    shutil.copytree(admin.chain.versions, copy, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(admin, "chain", replace(admin.chain, versions=copy))
    # Other tests have models of their own.
    metadata = sa.MetaData()
    for resource in admin.resources:
        resource.table.to_metadata(metadata)
    monkeypatch.setattr(SQLModel, "metadata", metadata)
    return database


@contextmanager
def model(
    *columns: sa.schema.SchemaItem, name: str = "villain", **options: Any
) -> Iterator[sa.Table]:
    """A table of a developer's model for as long as this lasts."""
    table = sa.Table(name, SQLModel.metadata, *columns, **options)
    try:
        yield table
    finally:
        SQLModel.metadata.remove(table)


def key() -> sa.Column[int]:
    return sa.Column("id", sa.Integer, primary_key=True)


async def revised(database: Database) -> str:
    """What `revision` writes, after it was migrated to; nothing if there is nothing."""
    path = await make_revision(database, admin.chain, "Villains")
    if path is None:
        return ""
    written = path.read_text()
    assert len((await migrate(database, admin.chain)).application) == 1, written
    again = await make_revision(database, admin.chain, "Nothing")
    assert again is None or NOT_DROPPED in written, again.read_text()
    return written


async def fetch(database: Database, statement: str) -> list[tuple[object, ...]]:
    async with database.reading.connect() as connection:
        return [tuple(row) for row in await connection.execute(sa.text(statement))]


async def columns_of(database: Database, table: str) -> dict[str, str]:
    def read(connection: sa.Connection) -> dict[str, str]:
        found = sa.inspect(connection).get_columns(table)
        return {each["name"]: each["type"].compile(dialect=connection.dialect) for each in found}

    return await look(database, read)


async def test_a_revision_holds_what_a_new_model_adds_and_nothing_else(own: Database) -> None:
    with model(key()):
        written = await revised(own)
    assert "create_table('villain'" in written
    assert "hero" not in written


async def test_columns_of_any_type_are_migrated_as_they_are(own: Database) -> None:
    is_postgresql = own.writing.dialect.name == "postgresql"
    types = TYPES + (POSTGRESQL_TYPES if is_postgresql else [])

    def columns() -> list[sa.Column[Any]]:
        return [sa.Column(f"c{number}", kind) for number, kind in enumerate(types)]

    with model(key(), *columns()):
        await revised(own)
    plain = sa.Table("plain", sa.MetaData(), key(), *columns())
    async with own.writing.begin() as connection:
        await connection.run_sync(plain.create)
    assert await columns_of(own, "villain") == await columns_of(own, "plain")


async def test_columns_added_to_a_model_are_added_with_what_they_point_at(own: Database) -> None:
    def check() -> sa.CheckConstraint:
        return sa.CheckConstraint("id > 0", name="villain_id_is_positive")

    with model(key(), check(), sqlite_autoincrement=True):
        await revised(own)
    await execute(
        own, "INSERT INTO villain (id) VALUES (7)", "INSERT INTO team VALUES ('T', 'x', 1)"
    )
    with model(
        key(),
        check(),
        sa.Column("team_id", sa.ForeignKey("team.id", ondelete="SET NULL"), index=True),
        sa.Column("mood", sa.Enum(Mood)),
        sa.Column("code", sa.String(9), unique=True),
        sa.Column("threat", sa.Integer, default=3, nullable=False),
        sa.Column("is_bad", sa.Boolean, default=True, nullable=False),
        sa.Column("first", sa.Enum(Mood), default=Mood.CROSS, nullable=False),
        sa.Column("lair", AutoString(length=20), default="L'air: 1::2", nullable=False),
        sa.Column("since", sa.Date, default=date(2026, 11, 28), nullable=False),
        sa.Column("at", UTCDateTime(), server_default=sa.func.now(), nullable=False),
        sqlite_autoincrement=True,
    ):
        written = await revised(own)
    assert "drop" not in written.partition("def downgrade")[0]
    # What now() is called on one database, the other one does not know.
    assert "server_default=sa.func.now()" in written
    await execute(
        own, "UPDATE villain SET team_id = 1, mood = 'CALM', code = 'x'", "DELETE FROM team"
    )
    assert await fetch(own, "SELECT id, team_id, mood, code FROM villain") == [
        (7, None, "CALM", "x")
    ]
    for broken in ("(-1, NULL)", "(8, 'x')"):
        with pytest.raises(IntegrityError):
            await execute(own, f"INSERT INTO villain (id, code) VALUES {broken}")
    if own.writing.dialect.name == "sqlite":
        await execute(own, "DELETE FROM villain", "INSERT INTO villain (code) VALUES ('y')")
        assert await fetch(own, "SELECT id FROM villain") == [(8,)]


async def test_what_is_no_longer_in_a_model_is_a_comment(own: Database) -> None:
    with model(key(), sa.Column("lair", sa.String(9), index=True), sa.Column("name", sa.String(9))):
        await revised(own)
    with model(key(), sa.Column("name", sa.String(20))):
        written = await revised(own)
    assert re.search(r"# .*batch_op.drop_column\('lair'\)", written)
    assert set(await columns_of(own, "villain")) == {"id", "lair", "name"}
    assert (await columns_of(own, "villain"))["name"] == "VARCHAR(20)"


async def test_a_table_that_others_made_only_gets_new_columns(own: Database) -> None:
    await execute(
        own,
        "CREATE TABLE villain (id INTEGER PRIMARY KEY, name VARCHAR(160) NOT NULL, lair TEXT)",
        "CREATE UNIQUE INDEX its_own ON villain (name)",
        "CREATE TABLE something_else (id INTEGER)",
    )
    with model(key(), sa.Column("name", sa.String(200), index=True), sa.Column("lair", sa.Date)):
        assert await revised(own) == ""
    with model(
        key(),
        sa.Column("name", sa.String(200)),
        sa.Column("code", sa.String(9), unique=True),
        sa.Column("team_id", sa.ForeignKey("team.id")),
    ):
        written = await revised(own)
    assert re.findall(r"op.\w+\('\w+'", written.partition("def downgrade")[0]) == [
        "op.add_column('villain'",
        "op.add_column('villain'",
        "op.create_index('uq_villain_code'",
    ]
    assert set(await columns_of(own, "villain")) == {"id", "name", "lair", "code", "team_id"}


async def test_a_model_of_a_view_is_none_to_migrate(own: Database) -> None:
    await execute(own, "CREATE VIEW villain AS SELECT id, name FROM team")
    with model(key(), sa.Column("name", sa.String(200), index=True)):
        assert await revised(own) == ""


async def test_two_tables_may_share_an_enum(own: Database) -> None:
    with (
        model(key(), sa.Column("mood", sa.Enum(Mood))),
        model(key(), sa.Column("mood", sa.Enum(Mood)), name="rival"),
    ):
        await revised(own)
    with model(key(), sa.Column("mood", sa.Enum(Mood)), name="stranger"):
        await revised(own)


async def test_a_choice_may_get_more_values(own: Database) -> None:
    with model(key(), sa.Column("mood", sa.Enum("calm", "it's: no", name="moods"))):
        await revised(own)
    with model(key(), sa.Column("mood", sa.Enum("calm", "it's: no", "it's: new", name="moods"))):
        await revised(own)
    await execute(own, "INSERT INTO villain (mood) VALUES ('it''s\\: new')")
    assert await fetch(own, "SELECT mood FROM villain") == [("it's: new",)]


async def test_an_index_on_an_expression_is_created_and_kept(own: Database) -> None:
    def columns(*more: sa.schema.SchemaItem) -> list[sa.schema.SchemaItem]:
        mail, name = sa.Column("mail", sa.String(40)), sa.Column("name", sa.String(40))
        named = name.is_not(None)
        return [
            key(),
            mail,
            name,
            *more,
            sa.Index("uq_lower_mail", sa.text("lower(mail)"), unique=True),
            sa.Index("ix_name", mail.desc(), mail + name),
            sa.Index(
                "uq_lower_name",
                sa.func.lower(name),
                unique=True,
                sqlite_where=named,
                postgresql_where=named,
            ),
        ]

    async def check() -> None:
        for values in ("'A@b', 'x'", "'c', 'Hero'"):
            with pytest.raises(IntegrityError):
                await execute(own, f"INSERT INTO villain (id, mail, name) VALUES (9, {values})")

    with model(*columns()):
        written = await revised(own)
    assert "create_index('ix_name'" in written
    await execute(own, "INSERT INTO villain (id, mail, name) VALUES (1, 'a@B', 'hero')")
    await check()
    # For this, SQLite makes the table anew.
    with model(*columns(sa.Column("at", sa.DateTime, server_default=sa.func.now()))):
        written = await revised(own)
    assert "drop_index" not in written
    await check()
    await execute(own, "DELETE FROM villain")
    added = sa.Index("uq_upper_mail", sa.text("upper(mail)"), unique=True)
    with model(*columns(sa.Column("at", sa.DateTime, server_default=sa.func.now())), added):
        assert "create_index('uq_upper_mail'" in await revised(own)


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_a_schema_is_created_with_its_first_table(own: Database) -> None:
    await execute(own, "CREATE SCHEMA elsewhere", "CREATE TABLE elsewhere.villain (id int)")
    with model(key(), sa.Column("mood", sa.Enum(Mood)), schema="law court"):
        await revised(own)
    with model(
        key(),
        sa.Column("mood", sa.Enum(Mood)),
        sa.Column("team_id", sa.ForeignKey("team.id"), index=True),
        schema="law court",
    ):
        written = await revised(own)
    assert "drop" not in written.partition("def downgrade")[0]
    assert await fetch(own, 'SELECT id, team_id FROM "law court".villain') == []
