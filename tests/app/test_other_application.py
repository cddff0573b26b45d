"""Another application: its models may be called like the library's, and its database stays its."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from click.testing import CliRunner
from sqlalchemy import Column, Connection, ForeignKey, Integer, MetaData, Table, Text, inspect, text
from sqlalchemy.orm import registry
from sqlmodel import Field, SQLModel

from hero_admin import Admin, Resource
from hero_admin.cli.database import connected, ready
from hero_admin.cli.main import commands
from hero_admin.database.engines import Database
from hero_admin.migrations import check_tables
from hero_admin.person import Role
from hero_admin.settings import Settings
from tests.postgres import PostgresServer
from tests.revisions import NEWEST
from tests.serving import serving

DATABASE = "other_application"


class Own(SQLModel, registry=registry()):
    """The base of an application that keeps its models apart from those of other tests."""


class User(Own, table=True):
    __tablename__ = "user_account"

    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(max_length=80)


class Change(Own, table=True):
    __tablename__ = "change"

    id: int | None = Field(default=None, primary_key=True)
    title: str = Field(max_length=80)
    user_id: int | None = Field(default=None, foreign_key="user_account.id")


# What another program has in the database, which migrates it with Alembic as well.
OTHERS = MetaData()
Table("submission", OTHERS, Column("id", Integer, primary_key=True), Column("body", Text))
Table("history_blob", OTHERS, Column("id", ForeignKey("submission.id"), primary_key=True))
VERSION = MetaData()
Table("alembic_version", VERSION, Column("version_num", Text, primary_key=True))
# The very number that the first migration of the application gets.
ROWS = [
    "INSERT INTO submission VALUES (1, 'Call for papers')",
    "INSERT INTO history_blob VALUES (1)",
    "INSERT INTO alembic_version VALUES ('0001')",
]


@dataclass(frozen=True)
class House:
    """An Admin, its database, and whether another program is there already."""

    admin: Admin
    settings: Settings
    is_shared: bool

    def run(self, *arguments: str) -> str:
        """Run a command; what it prints."""
        environment = {"WEBAPP_DATABASE_URL": self.settings.database_url}
        done = CliRunner().invoke(commands, arguments, obj=self.admin, env=environment)
        if done.exception is not None:
            raise done.exception
        return done.stdout


@pytest.fixture(params=["sqlite", "postgresql"])
async def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of a database with nothing in it."""
    if request.param == "sqlite":
        return f"sqlite+aiosqlite:///{tmp_path}/shop.db"
    server: PostgresServer = request.getfixturevalue("postgres")
    await server.drop_database(DATABASE)
    await server.create_database(DATABASE)
    return server.url(DATABASE)


@pytest.fixture(params=[False, True], ids=["empty", "shared"])
async def house(
    request: pytest.FixtureRequest,
    settings: Settings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> House:
    # Where other tests have their models.
    monkeypatch.setattr(SQLModel, "metadata", MetaData())
    admin = Admin([Resource(User), Resource(Change)], migrations=tmp_path / "own", program="shop")
    if request.param:
        async with connected(admin, settings) as database, database.writing.begin() as connection:
            await connection.run_sync(OTHERS.create_all)
            await connection.run_sync(VERSION.create_all)
            for statement in ROWS:
                await connection.execute(text(statement))
    return House(admin, settings, request.param)


@pytest.fixture
async def own_connections(house: House) -> AsyncIterator[Database]:
    async with connected(house.admin, house.settings) as database:
        yield database


async def contents(house: House, database: Database) -> list[list[tuple[object, ...]]]:
    """What the other program has; nothing where there is none."""
    async with database.reading.connect() as connection:
        return [
            [tuple(row) for row in await connection.execute(table.select())]
            for each in (OTHERS, VERSION)
            for table in each.sorted_tables
            if house.is_shared
        ]


async def test_an_application_without_migrations_gets_all_it_needs_and_takes_nothing_from_others(
    house: House, own_connections: Database
) -> None:
    before = await contents(house, own_connections)
    migrated = await asyncio.to_thread(house.run, "migrate")
    assert migrated.startswith("Tables created: hero_admin_blob, hero_admin_change, ")
    assert migrated.endswith(f"\nMigrated the tables of Hero Admin to revision {NEWEST}.\n")
    written = await asyncio.to_thread(house.run, "revision", "Users and changes")
    assert written.startswith("Written: ")
    assert house.admin.chain.versions is not None
    (path,) = house.admin.chain.versions.glob("0001_*.py")
    assert path.read_text().count("op.create_table(") == 2
    assert "op.drop" not in path.read_text().partition("def downgrade")[0]
    migrated = await asyncio.to_thread(house.run, "migrate")
    assert migrated.startswith("Tables created: change, user_account.\n")
    assert "\nMigrated the database to revision 0001.\n" in migrated
    up_to_date = await asyncio.to_thread(house.run, "migrate")
    assert up_to_date.startswith(
        "The database is up to date.\nIndexes that lists and searches lack: "
    )
    again = await asyncio.to_thread(house.run, "revision", "Nothing")
    assert again == "Nothing to migrate: the database matches the models.\n"

    async with ready(house.admin, house.settings) as database:
        await check_tables(database, house.admin.chain)
    app = house.admin.application(house.settings)
    async with serving(app, role=Role.OWNER) as client:
        form = (await client.get("/users/new")).form(press="Create user")
        await client.submit(form, name="Ümit")
        form = (await client.get("/users/1/edit")).form(press="Save changes")
        saved = await client.follow(await client.submit(form, name="Zoë"))
        (row,) = (await client.get("/users?q=zoe&sort=name")).rows
        assert row["Name"] == "Zoë"
        said = [entry.sentence for entry in (await client.get("/history")).entries]
        assert said == ["Olive Owner changed user Zoë", "Olive Owner created user Ümit"]
        undone = await client.follow(await client.submit(saved.undo))
        assert undone.flash == "Restored Zoë"
        assert (await client.get("/users")).link("Ümit")
        sent = {"title": "A", "user_id": 1}
        assert (await client.post("/api/changes/", json=sent)).status_code == 201
    assert await contents(house, own_connections) == before


async def test_an_index_is_created_only_for_whoever_asks_for_it(
    house: House, own_connections: Database, tmp_path: Path
) -> None:
    def made_for_us(connection: Connection) -> set[str]:
        inspector = inspect(connection)
        indexes = {str(each["name"]) for each in inspector.get_indexes("user_account")}
        names = indexes | set(inspector.get_table_names())
        return {
            name for name in names if name.startswith(("hero_admin_list_", "hero_admin_search_"))
        }

    async def made() -> set[str]:
        async with own_connections.reading.connect() as connection:
            return await connection.run_sync(made_for_us)

    await asyncio.to_thread(house.run, "migrate")
    await asyncio.to_thread(house.run, "revision", "Users and changes")
    await asyncio.to_thread(house.run, "migrate")
    async with ready(house.admin, house.settings):
        assert await made() == set()
    asking = Admin(house.admin.resources, migrations=tmp_path / "own", program="shop", indexes=True)
    migrated = await asyncio.to_thread(replace(house, admin=asking).run, "migrate")
    assert "No index for sorting user_account by name. Fixed.\n" in migrated
    assert {"hero_admin_list_user_account_name", "hero_admin_search_user_account"} <= await made()
    assert await asyncio.to_thread(house.run, "migrate") == "The database is up to date.\n"


async def test_an_alembic_of_the_application_leaves_the_tables_of_the_library_alone(
    house: House, own_connections: Database
) -> None:
    def compared(connection: Connection) -> list[object]:
        options = {"include_name": house.admin.include_name, "compare_type": True}
        context = MigrationContext.configure(connection, opts=options)
        # Any: Alembic takes several of them, and says so in words only.
        theirs: Any = [Own.metadata, *([OTHERS] if house.is_shared else [])]
        found: list[object] = compare_metadata(context, theirs)
        return found

    async with own_connections.writing.begin() as connection:
        await connection.run_sync(Own.metadata.create_all)
    await asyncio.to_thread(house.run, "migrate")
    async with own_connections.reading.connect() as connection:
        assert await connection.run_sync(compared) == []
        assert house.admin.include_name("column_of_theirs", "column", {"table_name": "change"})
