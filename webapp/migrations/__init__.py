"""Migrations: the schema of the database, step by step, applied by Alembic."""

from argparse import Namespace
from collections.abc import Callable, Iterable
from contextlib import nullcontext
from pathlib import Path
from typing import Any, TypeVar

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.operations import MigrationScript
from alembic.script import Script, ScriptDirectory
from sqlalchemy import Connection, inspect, text
from sqlalchemy.ext.asyncio import AsyncEngine

from webapp import sqlite
from webapp.database import Database

HERE = Path(__file__).parent
# Any number that no other application of the same database takes for its own lock.
MIGRATION_LOCK = 5_214_001

Answer = TypeVar("Answer")


class SchemaError(Exception):
    """The database is not as this version needs it: one sentence that says what to do."""


async def migrate(database: Database) -> list[str]:
    """Bring the schema to the newest revision and return the revisions applied.

    Two processes that migrate at once take turns, and the second finds nothing left to do.
    """
    return await run_alone(database, _upgrade)


async def run_alone(database: Database, change: Callable[[Connection], Answer]) -> Answer:
    """Change the schema in a transaction that takes its time and that no other one changes."""

    def alone(connection: Connection) -> Answer:
        if connection.dialect.name == "postgresql":
            # Making an index takes longer than a request may.
            connection.execute(text("SET LOCAL statement_timeout = 0"))
            connection.execute(text("SET LOCAL lock_timeout = 0"))
            connection.execute(text(f"SELECT pg_advisory_xact_lock({MIGRATION_LOCK})"))
        return change(connection)

    return await _run(database.writing, alone)


async def check_schema(database: Database) -> None:
    """Raise SchemaError unless the schema is the one that this version was made for."""
    current = await _run(database.reading, _current)
    script = ScriptDirectory.from_config(_config())
    if current == script.get_current_head():
        return
    known = {revision.revision for revision in script.walk_revisions()}
    if current is not None and current not in known:
        raise SchemaError(
            f"The database is at revision {current}, which this version does not know:"
            " start the version that migrated it, or a newer one."
        )
    raise SchemaError("The database is not up to date: run `python -m webapp migrate` first.")


async def check_tables(database: Database, names: Iterable[str]) -> None:
    """Raise SchemaError if one of these tables is in no migration yet."""
    existing = await _run(
        database.reading, lambda connection: inspect(connection).get_table_names()
    )
    for name in names:
        if name not in existing:
            raise SchemaError(
                f"There is no table “{name}” in the database:"
                f' run `python -m webapp revision "add {name}"` first.'
            )


async def make_revision(database: Database, message: str) -> Path | None:
    """Write a migration for what the models have and the database has not.

    Return its file, or None when there is nothing to migrate.
    """

    def generate(connection: Connection) -> Path | None:
        config = _config(connection)
        number = len(list(ScriptDirectory.from_config(config).walk_revisions())) + 1
        made = command.revision(
            config,
            message,
            autogenerate=True,
            rev_id=f"{number:04}",
            process_revision_directives=_drop_if_empty,
        )
        return Path(made.path) if isinstance(made, Script) else None

    return await _run(database.writing, generate)


async def _run(engine: AsyncEngine, act: Callable[[Connection], Answer]) -> Answer:
    async with engine.connect() as connection:
        driver = (await connection.get_raw_connection()).driver_connection
        patience = driver.rebuilding() if isinstance(driver, sqlite.Connection) else nullcontext()
        async with patience, connection.begin():
            return await connection.run_sync(act)


def _upgrade(connection: Connection) -> list[str]:
    config = _config(connection)
    script = ScriptDirectory.from_config(config)
    current = _current(connection)
    known = {revision.revision for revision in script.walk_revisions()}
    if current is not None and current not in known:
        # `check_schema` says it in its own words.
        return []
    pending = [
        revision.revision
        for revision in script.iterate_revisions("head", current or "base")
        if revision.revision != current
    ]
    command.upgrade(config, "head")
    # Reading every reference takes long in a large database.
    if pending and connection.dialect.name == "sqlite":
        _check_references(connection)
    return pending[::-1]


def _check_references(connection: Connection) -> None:
    """Raise SchemaError if a row refers to one that is gone; nothing enforced it meanwhile."""
    lost = connection.execute(text("PRAGMA foreign_key_check")).first()
    if lost is not None:
        raise SchemaError(
            f"The migration was undone: it left “{lost.table}” with references to “{lost.parent}”"
            " that lead nowhere."
        )


def _drop_if_empty(
    _context: MigrationContext,
    _revision: str | Iterable[str | None] | Iterable[str],
    directives: list[MigrationScript],
) -> None:
    operations = directives[0].upgrade_ops
    if operations is None or operations.is_empty():
        directives.clear()


def _current(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def _config(connection: Connection | None = None) -> Config:
    # Any: Alembic's attributes hold whatever env.py asks for.
    attributes: dict[str, Any] = {"connection": connection}
    config = Config(attributes=attributes, cmd_opts=Namespace(quiet=True))
    config.set_main_option("script_location", str(HERE).replace("%", "%%"))
    return config
