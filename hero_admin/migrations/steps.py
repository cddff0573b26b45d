"""Steps: what is done with Alembic, in a transaction that somebody else begins."""

from argparse import Namespace
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.script import Script, ScriptDirectory
from sqlalchemy import Connection, inspect, text

from hero_admin import migrations
from hero_admin.migrations import SchemaError, created_tables, current_revision, known_revisions


def upgrade(connection: Connection) -> list[str]:
    """Bring the schema to the newest revision and return the revisions applied."""
    config = _config(connection)
    script = ScriptDirectory.from_config(config)
    current = current_revision(connection)
    if current is not None and current not in known_revisions():
        # `check_schema` says it in its own words.
        return []
    if current is None:
        _check_names(connection)
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


def revise(connection: Connection, message: str) -> Path | None:
    """Write a migration for what the models have and the database has not; return its file."""
    config = _config(connection)
    made = command.revision(
        config,
        message,
        autogenerate=True,
        rev_id=f"{len(known_revisions()) + 1:04}",
    )
    return Path(made.path) if isinstance(made, Script) else None


def _check_names(connection: Connection) -> None:
    """Raise SchemaError if there are tables already that the first migrations would create."""
    existing = inspect(connection).get_table_names()
    taken = sorted(name for _, name in created_tables() if name in existing)
    if taken:
        raise SchemaError(
            f"The database has a table “{taken[0]}” of another program, where this one would create"
            " its own: choose another WEBAPP_DATABASE_URL."
        )


def _check_references(connection: Connection) -> None:
    """Raise SchemaError if a row refers to one that is gone; nothing enforced it meanwhile."""
    lost = connection.execute(text("PRAGMA foreign_key_check")).first()
    if lost is not None:
        raise SchemaError(
            f"The migration was undone: it left “{lost.table}” with references to “{lost.parent}”"
            " that lead nowhere."
        )


def _config(connection: Connection) -> Config:
    # Any: Alembic's attributes hold whatever env.py asks for.
    attributes: dict[str, Any] = {"connection": connection}
    config = Config(attributes=attributes, cmd_opts=Namespace(quiet=True))
    config.set_main_option("script_location", str(migrations.HERE).replace("%", "%%"))
    return config
