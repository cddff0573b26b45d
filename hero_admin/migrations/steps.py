"""Steps: what is done with Alembic, in a transaction that somebody else begins."""

import warnings
from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.script import Script, ScriptDirectory
from sqlalchemy import Connection, inspect, text

from hero_admin import migrations
from hero_admin.migrations import Chain, SchemaError, current_revision


def upgrade(connection: Connection, chain: Chain) -> list[str]:
    """Bring the schema to the newest revision and return the revisions applied."""
    config = _config(connection, chain)
    script = ScriptDirectory.from_config(config)
    current = current_revision(connection)
    if current is not None and current not in chain.revisions():
        # `check_schema` says it in its own words.
        return []
    if current is None:
        _check_names(connection, chain)
    pending = [
        revision.revision
        for revision in script.iterate_revisions("head", current or "base")
        if revision.revision != current
    ]
    with _without_warnings():
        command.upgrade(config, "head")
    # Reading every reference takes long in a large database.
    if pending and connection.dialect.name == "sqlite":
        _check_references(connection)
    return pending[::-1]


def revise(connection: Connection, chain: Chain, message: str) -> Path | None:
    """Write a migration for what the models have and the database has not; return its file."""
    config = _config(connection, chain)
    with _without_warnings():
        made = command.revision(
            config,
            message,
            autogenerate=True,
            rev_id=f"{len(chain.revisions()) + 1:04}",
        )
    return Path(made.path) if isinstance(made, Script) else None


@contextmanager
def _without_warnings() -> Iterator[None]:
    """Say nothing of indexes on expressions that SQLite does not tell of: they are seen to."""
    with warnings.catch_warnings():
        for begin in ("autogenerate skipping", "Skipped unsupported reflection of"):
            warnings.filterwarnings("ignore", f"{begin}.* expression-based index")
        yield


def _check_names(connection: Connection, chain: Chain) -> None:
    """Raise SchemaError if there are tables already that the first migrations would create."""
    existing = inspect(connection).get_table_names()
    taken = sorted(name for _, name in chain.created_tables() if name in existing)
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


def _config(connection: Connection, chain: Chain) -> Config:
    # Any: Alembic's attributes hold whatever env.py asks for.
    attributes: dict[str, Any] = {"connection": connection, "chain": chain}
    config = Config(attributes=attributes, cmd_opts=Namespace(quiet=True))
    config.set_main_option("script_location", str(migrations.HERE).replace("%", "%%"))
    config.set_main_option("version_locations", str(chain.versions).replace("%", "%%"))
    # The default splits them at spaces, too.
    config.set_main_option("path_separator", "newline")
    return config
