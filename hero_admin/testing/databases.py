"""The databases of tests: made once for all tests, and clean at the start of each."""

import asyncio
import os
import shutil
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import asyncpg
from sqlalchemy.engine import make_url

from hero_admin.settings import parse_database_url

# What a database of tests has as its comment, so that no other one is ever dropped.
COMMENT = "Made by hero_admin.testing: tests empty and drop it."
# A row that was deleted, or never committed, still takes its place.
WRITTEN_TABLES = (
    "SELECT string_agg(oid::regclass::text, ', ') FROM pg_class WHERE relkind = 'r'"
    " AND relnamespace::regnamespace::text NOT IN ('pg_catalog', 'information_schema')"
    " AND relname NOT LIKE '%alembic_version' AND relname <> 'hero_admin_version'"
    " AND pg_relation_size(oid) > 0"
)
RESTART_SEQUENCES = "SELECT setval(seqrelid::regclass, seqstart, false) FROM pg_sequence"
# The tables and views, and their columns.
SCHEMA = (
    "SELECT c.oid::regclass::text AS name, c.relkind::text AS kind, a.attname AS column,"
    " a.atttypid AS type FROM pg_class c LEFT JOIN pg_attribute a"
    " ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped"
    " WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f')"
    " AND c.relnamespace::regnamespace::text NOT IN ('pg_catalog', 'information_schema')"
    " ORDER BY 1, a.attnum"
)
VERSION_TABLES = ("alembic_version", "hero_admin_version")

# What is no address: a SQLite file.
SQLITE = "sqlite"
TEMPLATE = "_template"
# What pytest-xdist calls a worker.
WORKER = "PYTEST_XDIST_WORKER"

Schema = list[tuple[object, ...]]
MakeTables = Callable[[str], Awaitable[None] | None]


class UnsafeDatabaseError(Exception):
    """A database that tests may not touch: one sentence."""


@dataclass(frozen=True)
class SQLiteTemplate:
    """A SQLite file with tables, of which each test gets a copy."""

    path: Path

    def copy(self, folder: Path) -> str:
        """Return the address of a copy in a folder."""
        path = shutil.copy(self.path, folder / self.path.name)
        return f"sqlite+aiosqlite:///{path}"


@dataclass(frozen=True)
class PostgresTemplate:
    """A database with tables on a server, beside the one that tests write to."""

    url: str
    name: str
    schema: Schema
    # Rows that migrations made would be lost if tables were emptied.
    is_empty: bool

    @property
    def copy_name(self) -> str:
        return self.name.removesuffix(TEMPLATE)

    async def copy(self) -> str:
        """Return the address of the clean database for one test.

        Emptying takes less than a copy does, and least where only those tables are emptied that
        something was written to. After a test that changed its tables, it is copied anew.
        """
        address = at(self.url, self.copy_name)
        if not (self.is_empty and await self._emptied(address)):
            await drop_database(self.url, self.copy_name)
            await create_database(self.url, self.copy_name, template=self.name)
        return address

    async def _emptied(self, address: str) -> bool:
        try:
            connection = await _connect(address)
        except asyncpg.InvalidCatalogNameError:
            return False
        try:
            if await _schema(connection) != self.schema:
                return False
            names = await connection.fetchval(WRITTEN_TABLES)
            # A connection that an earlier test left in a transaction shall not hang this one.
            statements = ["SET lock_timeout = '5s'", RESTART_SEQUENCES]
            statements += [f"TRUNCATE {names} CASCADE"] if names else []
            await connection.execute("; ".join(statements))
        finally:
            await connection.close()
        return True


class MadeDatabases:
    """The databases of a test run, each made when a test first asks for it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._made: dict[tuple[str, object], SQLiteTemplate | PostgresTemplate] = {}

    def copy(self, address: str, admin: object, make_tables: MakeTables, folder: Path) -> str:
        """Return the address of a clean database; that of a SQLite file is in a folder.

        address: `sqlite`, or the address of a database on a server.
        """
        key = (address, admin)
        if key not in self._made:
            self._made[key] = self._template(address, make_tables)
        template = self._made[key]
        if isinstance(template, SQLiteTemplate):
            return template.copy(folder)
        return asyncio.run(template.copy())

    def drop(self) -> None:
        """Drop the databases on servers."""

        async def drop(template: PostgresTemplate) -> None:
            await drop_database(template.url, template.copy_name)
            await drop_database(template.url, template.name)

        for each in self._made.values():
            if isinstance(each, PostgresTemplate):
                asyncio.run(drop(each))

    def _template(self, address: str, make_tables: MakeTables) -> SQLiteTemplate | PostgresTemplate:
        number = len(self._made)
        if address != SQLITE:
            parts = ("test", make_url(address).database, os.environ.get(WORKER), number or None)
            name = "_".join(str(part) for part in parts if part)
            return make_template(address, f"{name}{TEMPLATE}", make_tables)
        path = self.folder / f"admin-{number}.db"
        run(make_tables, f"sqlite+aiosqlite:///{path}")
        return SQLiteTemplate(path)


def make_template(url: str, name: str, make_tables: MakeTables) -> PostgresTemplate:
    """Make a database called `name` on the server of an address, and its tables.

    It runs an event loop of its own.
    """

    async def create() -> None:
        await drop_database(url, name)
        await create_database(url, name)

    async def look() -> tuple[Schema, bool]:
        connection = await _connect(at(url, name))
        try:
            return await _schema(connection), not await connection.fetchval(WRITTEN_TABLES)
        finally:
            await connection.close()

    asyncio.run(create())
    run(make_tables, at(url, name))
    return PostgresTemplate(url, name, *asyncio.run(look()))


def run(make_tables: MakeTables, url: str) -> None:
    """Make tables in an empty database, by a function or by a coroutine function."""
    made = make_tables(url)
    if made is not None:
        asyncio.run(_finished(made))


def at(url: str, name: str) -> str:
    """Return the address of another database on the same server."""
    return make_url(url).set(database=name).render_as_string(hide_password=False)


async def create_database(url: str, name: str, *, template: str | None = None) -> None:
    """Create an empty database, or a copy of a template that nobody is connected to."""
    copied = f' TEMPLATE "{template}" STRATEGY FILE_COPY' if template else ""
    await _execute(url, f'CREATE DATABASE "{name}"{copied}')
    await _execute(url, f"COMMENT ON DATABASE \"{name}\" IS '{COMMENT}'")


async def drop_database(url: str, name: str) -> None:
    """Drop a database of tests, together with the connections that are still open to it.

    Raises UnsafeDatabaseError for one that tests have not made.
    """
    connection = await _connect(url)
    try:
        comment = await connection.fetchrow(
            "SELECT shobj_description(oid, 'pg_database') AS text FROM pg_database"
            " WHERE datname = $1",
            name,
        )
        if comment is not None and comment["text"] != COMMENT:
            raise UnsafeDatabaseError(
                f"The database “{name}” was not made by tests, so they leave it alone:"
                " drop it yourself, or give --admin-database another name."
            )
        await connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
    finally:
        await connection.close()


async def _finished(made: Awaitable[None]) -> None:
    await made


async def _execute(url: str, statement: str) -> None:
    connection = await _connect(url)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


async def _connect(url: str) -> asyncpg.Connection:
    parsed = parse_database_url(url)
    _, options = parsed.get_dialect()().create_connect_args(parsed)
    connection: asyncpg.Connection = await asyncpg.connect(**options)
    return connection


async def _schema(connection: asyncpg.Connection) -> Schema:
    """Return the tables and views with their columns, and the revisions that they are at."""
    found = [tuple(row) for row in await connection.fetch(SCHEMA)]
    names = {str(row[0]) for row in found if row[2] == "version_num"}
    for name in sorted(each for each in names if each.endswith(VERSION_TABLES)):
        found += [(name, *row) for row in await connection.fetch(f"SELECT * FROM {name}")]  # noqa: S608 - as the server writes it
    return found
