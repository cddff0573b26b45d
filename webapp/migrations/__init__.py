"""Migrations: the schema of the database, step by step, applied by Alembic."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

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
    return await _run(database, _upgrade)


async def check_schema(database: Database) -> None:
    """Raise SchemaError unless the schema is the one that this version was made for."""
    current = await _run(database, _current)
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


async def make_revision(database: Database, message: str) -> list[Path]:
    """Write a migration for what the models have and the database has not; return its file."""

    def generate(connection: Connection) -> list[Path]:
        made = command.revision(_config(connection), message, autogenerate=True)
        revisions = made if isinstance(made, list) else [made]
        return [Path(revision.path) for revision in revisions if revision is not None]

    return await _run(database, generate)


async def _run(database: Database, act: Callable[[Connection], Answer]) -> Answer:
    async with database.writing.connect() as connection:
        answer = await connection.run_sync(act)
        await connection.commit()
        return answer


def _upgrade(connection: Connection) -> list[str]:
    if connection.dialect.name == "postgresql":
        # Making an index takes longer than a request may.
        connection.execute(text("SET LOCAL statement_timeout = 0"))
        connection.execute(text("SET LOCAL lock_timeout = 0"))
        connection.execute(text(f"SELECT pg_advisory_xact_lock({MIGRATION_LOCK})"))
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
    return pending[::-1]


def _current(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def _config(connection: Connection | None = None) -> Config:
    # Any: Alembic's attributes hold whatever env.py asks for.
    attributes: dict[str, Any] = {"connection": connection}
    config = Config(attributes=attributes)
    config.set_main_option("script_location", str(HERE).replace("%", "%%"))
    return config
