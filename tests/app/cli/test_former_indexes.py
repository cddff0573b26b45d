"""Indexes of an earlier version, which had no prefix: they are renamed, and nothing else is."""

from importlib import import_module

import pytest
from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import Column, Connection, String, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import Field, SQLModel

from hero_admin.admin import Admin
from hero_admin.cli.index_check import check_indexes, fix_indexes
from hero_admin.database.engines import Database
from hero_admin.model.resource import Resource
from hero_admin.testing import Client
from tests.factories import a_hero, committed
from tests.gadgets import Gadget, Maker, Slot
from webapp.app import admin

MIGRATION = import_module("hero_admin.migrations.versions.0003_prefixed_indexes")


class LongNamed(SQLModel, table=True):
    """A table whose name leaves no room for those of its columns, which are odd."""

    __tablename__ = "a_table_whose_name_is_as_long_as_a_server_lets_it_be_no_longer"

    code: str = Field(primary_key=True, max_length=40)
    title: str = Field(sa_column=Column('what "it" is: 5%', String(80), nullable=False))
    search_hero: str = Field(default="", max_length=80)


# Their keys are a number, a UUID, a text, and two columns.
MODELS = Gadget, Maker, Slot, LongNamed
EVERYTHING = Admin([*admin.resources, *(Resource(each) for each in MODELS)])


def go_back(connection: Connection) -> None:
    """Call everything as the version before did."""
    with Operations.context(MigrationContext.configure(connection)):
        MIGRATION.downgrade()


def come_again(connection: Connection) -> None:
    with Operations.context(MigrationContext.configure(connection)):
        MIGRATION.upgrade()


def made_by_the_doctor(connection: Connection) -> set[str]:
    """What indexes are called that no model declares, and on SQLite the tables for searching."""
    names = (
        "SELECT name FROM sqlite_master WHERE type <> 'trigger' AND sql IS NOT NULL"
        " AND (name LIKE '%list!_%' ESCAPE '!' OR name LIKE '%search%')"
    )
    if connection.dialect.name == "postgresql":
        names = "SELECT relname FROM pg_class WHERE relkind = 'i' AND relname ~ 'list_|search_'"
    return {str(name) for name in connection.scalars(text(names))}


async def test_they_are_all_renamed_and_not_read_again(
    client: Client, database: Database, session: AsyncSession
) -> None:
    async with database.writing.begin() as connection:
        tables = [SQLModel.metadata.tables[str(each.__tablename__)] for each in MODELS]
        await connection.run_sync(lambda sync: SQLModel.metadata.create_all(sync, tables))
    await a_hero(session, "Zoë Nova")
    await committed(session, LongNamed(code="A", title="Zoë", search_hero="Nova"))
    await committed(session, Maker(code="acme", motto="Nova"))
    await fix_indexes(database, EVERYTHING.resources)
    async with database.writing.begin() as connection:
        current = await connection.run_sync(made_by_the_doctor)
        await connection.run_sync(go_back)
        former = await connection.run_sync(made_by_the_doctor)
    assert len(former) == len(current) > 20
    assert not any(name.startswith("hero_admin_") for name in former)
    assert not any(EVERYTHING.include_name(name, "table", {}) for name in former | current)
    # Other programs write as before.
    async with database.writing.begin() as connection:
        for statement in (
            "INSERT INTO hero (name, secret_name) VALUES ('Novak', 'x')",
            "UPDATE hero SET name = 'Renova' WHERE name LIKE 'Zo%'",
            "UPDATE maker SET motto = 'Renova'",
            f"DELETE FROM {LongNamed.__tablename__}",
        ):
            await connection.execute(text(statement))
        await connection.run_sync(come_again)
    assert await check_indexes(database, EVERYTHING.resources) == []
    async with database.writing.begin() as connection:
        assert await connection.run_sync(made_by_the_doctor) == current
    assert (await client.get("/heroes?q=nova")).column("Name") == ["Novak", "Renova"]
    await client.patch("/api/heroes/1", json={"name": "Supernova"})
    assert (await client.get("/heroes?q=nova")).column("Name") == ["Novak", "Supernova"]
    await fix_indexes(database, admin.resources)
    assert await check_indexes(database, admin.resources) == []


async def test_what_others_call_so_stays_as_it_is(database: Database) -> None:
    theirs = [
        ("INDEX", "list_hero_name", "ON hero (name, age)"),
        ("INDEX", "list_of_heroes", 'ON "hero" ("age")'),
        ("TABLE", "searched_team", "(id INTEGER)"),
        ("TABLE", "unsearched_team", "(id INTEGER)"),
    ]
    if database.writing.dialect.name == "sqlite":
        theirs.append(("TABLE", "search_team", "USING fts5(name)"))
    else:
        theirs.append(("INDEX", "search_team", "ON team USING gin (to_tsvector('simple', name))"))
    async with database.writing.begin() as connection:
        for kind, name, rest in theirs:
            virtual = "VIRTUAL " if "USING fts5" in rest else ""
            await connection.execute(text(f"CREATE {virtual}{kind} {name} {rest}"))
        before = await connection.run_sync(made_by_the_doctor)
        await connection.run_sync(come_again)
        assert await connection.run_sync(made_by_the_doctor) == before
        for kind, name, _ in theirs:
            await connection.execute(text(f"DROP {kind} {name}"))


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_broken_view_of_others_is_no_obstacle(database: Database) -> None:
    async with database.writing.begin() as connection:
        await connection.execute(text("CREATE VIEW broken AS SELECT * FROM nowhere"))
        await connection.run_sync(go_back)
        await connection.run_sync(come_again)
    assert await check_indexes(database, admin.resources) == []


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_those_in_a_schema_where_a_role_may_create_nothing_are_no_obstacle(
    database: Database,
) -> None:
    async with database.writing.connect() as connection:
        await connection.run_sync(go_back)
        former = await connection.run_sync(made_by_the_doctor)
        for statement in (
            "CREATE ROLE clerk",
            "ALTER TABLE hero OWNER TO clerk",
            "ALTER TABLE team OWNER TO clerk",
            "REVOKE CREATE ON SCHEMA public FROM PUBLIC",
            "SET LOCAL ROLE clerk",
        ):
            await connection.execute(text(statement))
        await connection.run_sync(come_again)
        assert await connection.run_sync(made_by_the_doctor) == former
        # And where it may, they are renamed.
        await connection.execute(text("RESET ROLE"))
        await connection.execute(text("GRANT CREATE ON SCHEMA public TO clerk"))
        await connection.execute(text("SET LOCAL ROLE clerk"))
        await connection.run_sync(come_again)
        renamed = await connection.run_sync(made_by_the_doctor)
        assert {f"hero_admin_{name}" for name in former} == renamed
        await connection.rollback()
