"""Migrations: the schema of the database, applied by Alembic."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import nullcontext, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Literal, TypeVar

from sqlalchemy import Connection, Inspector, inspect, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from hero_admin.database import sqlite
from hero_admin.database.engines import Database
from hero_admin.migrations.chain import Chain, current_revision

# An arbitrary key for the advisory lock of this library.
MIGRATION_LOCK = 5_214_001
# The pause between attempts at the lock.
TURN_SECONDS = 0.1
ASKED_BEFORE_SAYING = 30

Answer = TypeVar("Answer")

logger = logging.getLogger("hero_admin.migrations")


class SchemaError(Exception):
    """The schema does not match this version: one sentence that says what to do."""


@dataclass(frozen=True)
class Applied:
    """The revisions that were applied, the oldest first: the application's and the library's."""

    application: list[str] = field(default_factory=list)
    library: list[str] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.application or self.library)


async def migrate(database: Database, chain: Chain) -> Applied:
    """Upgrade the tables of the application, then those of the library; return the revisions.

    Concurrent migrations take turns; the second finds nothing to do. Raises SchemaError.
    """
    # Alembic is a tenth of a start.
    from hero_admin.migrations.alembic_commands import check_names, upgrade  # noqa: PLC0415

    # Before opening the database for writing, which changes the journal mode of SQLite.
    for each in chain.chains:
        await _run(database.reading, partial(check_names, chain=each))
    return await run_alone(database, partial(upgrade, chain=chain))


async def run_alone(database: Database, change: Callable[[Connection], Answer]) -> Answer:
    """Change the schema in a transaction without time limits, alone."""

    async def take_time(connection: AsyncConnection) -> None:
        if connection.dialect.name == "postgresql":
            await take_turn(connection, "pg_try_advisory_xact_lock")
            # Creating an index takes longer than a request may.
            await connection.execute(text("SET LOCAL statement_timeout = 0"))
            await connection.execute(text("SET LOCAL lock_timeout = 0"))

    return await _run(database.writing, change, take_time)


async def take_turn(
    connection: AsyncConnection, lock: Literal["pg_try_advisory_lock", "pg_try_advisory_xact_lock"]
) -> None:
    """Wait for the advisory lock of schema changes on PostgreSQL.

    Polls outside of transactions: a waiting transaction would block `CREATE INDEX CONCURRENTLY`,
    which waits for all earlier transactions while it holds the lock.
    """
    trying = text(f"SELECT {lock}({MIGRATION_LOCK})")
    asked = 0
    while not (await connection.execute(trying)).scalar_one():
        await connection.rollback()
        asked += 1
        if asked == ASKED_BEFORE_SAYING:
            logger.warning("Waiting for another process that changes the schema.")
        await asyncio.sleep(TURN_SECONDS)


async def check_schema(database: Database, chain: Chain) -> None:
    """Raise SchemaError unless both chains are at their newest revisions."""
    for each in chain.chains:
        current = await _run(database.reading, partial(current_revision, chain=each))
        known = each.revisions()
        if current is not None and current not in known:
            what = "The database is" if each is chain else "The tables of Hero Admin are"
            raise SchemaError(
                f"{what} at revision {current}, which this version does not know:"
                " start the version that migrated it, or a newer one."
            )
        if known and current != known[-1]:
            raise SchemaError(
                f"The database is not up to date: run `{chain.program} migrate` first."
            )


async def check_ours(database: Database, chain: Chain) -> None:
    """Raise SchemaError if a database with tables of other programs was never migrated."""
    existing = await fetch_table_names(database)
    if not existing or any(each.version_table(existing) in existing for each in chain.chains):
        return
    lasting = {name for each in chain.chains for _, name in each.lasting_tables()}
    raise SchemaError(
        "The database holds the tables of another program:"
        f" `{chain.program} migrate` adds {', '.join(sorted(lasting - existing))} to it; run that"
        " first, or choose another WEBAPP_DATABASE_URL."
    )


async def fetch_table_names(database: Database) -> set[str]:
    """Return the names of the tables in the default schema."""
    return set(
        await _run(database.reading, lambda connection: inspect(connection).get_table_names())
    )


async def check_tables(database: Database, chain: Chain) -> None:
    """Raise SchemaError if a resource has no table or view in the database."""
    tables = {each.table: not each.read_only for each in chain.recorded}
    existing = await _run(
        database.reading,
        lambda connection: [
            table for table in tables if inspect(connection).has_table(table.name, table.schema)
        ],
    )
    for table, is_ours in tables.items():
        if table not in existing:
            raise SchemaError(
                f"There is no table “{table.fullname}” in the database:"
                f' run `{chain.program} revision "add {table.name}"` first.'
                if is_ours
                else f"There is no table or view “{table.fullname}” in the database, and its"
                " resource is read-only, so no migration creates one."
            )


async def make_revision(database: Database, chain: Chain, message: str) -> Path | None:
    """Write a migration for what the database lacks; return its file, None if it lacks nothing.

    message: the description in the name of the file.
    """
    from hero_admin.migrations.alembic_commands import revise  # noqa: PLC0415 - Alembic is a tenth of a start

    return await _run(database.writing, partial(revise, chain=chain, message=message))


def view_names(inspector: Inspector, schema: str | None) -> list[str]:
    """Return the names of the views in a schema, including materialized ones."""
    names = inspector.get_view_names(schema)
    # SQLite has no materialized views.
    with suppress(NotImplementedError):
        names += inspector.get_materialized_view_names(schema)
    return names


async def _run(
    engine: AsyncEngine,
    act: Callable[[Connection], Answer],
    prepare: Callable[[AsyncConnection], Awaitable[None]] | None = None,
) -> Answer:
    async with engine.connect() as connection:
        driver = (await connection.get_raw_connection()).driver_connection
        patience = driver.rebuilding() if isinstance(driver, sqlite.Connection) else nullcontext()
        async with patience:
            try:
                if prepare is not None:
                    await prepare(connection)
                answer = await connection.run_sync(act)
                await connection.commit()
            except BaseException:
                await connection.rollback()
                raise
    return answer
