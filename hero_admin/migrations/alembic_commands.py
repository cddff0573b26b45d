"""Alembic commands: upgrades and new revisions, in a transaction that the caller begins."""

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

from hero_admin.migrations import Applied, SchemaError
from hero_admin.migrations.chain import HERE, LIBRARY, Chain, current_revision

NO_MIGRATIONS = (
    "This application migrates its tables by itself. For migrations written by `revision`, name"
    " their folder: Admin(migrations=…)."
)


def upgrade(connection: Connection, chain: Chain) -> Applied:
    """Upgrade the tables of an application and of the library; return the revisions applied.

    Raises SchemaError if tables of these names exist already or a row is left without its parent.
    """
    for each in chain.chains:
        if current_revision(connection, each) not in (None, *each.revisions()):
            # `check_schema` reports it.
            return Applied()
    application = _upgrade(connection, chain)
    # The application's may have brought tables over that it created itself once.
    library = _upgrade_library(connection) if LIBRARY in chain.chains else []
    # Reading every reference takes long in a large database. The library's refer to nothing else.
    if application and connection.dialect.name == "sqlite":
        _check_references(connection)
    return Applied(application, library)


def _upgrade_library(connection: Connection) -> list[str]:
    before, known = current_revision(connection, LIBRARY), LIBRARY.revisions()
    _upgrade(connection, LIBRARY)
    return known[known.index(before) + 1 :] if before else known


def _upgrade(connection: Connection, chain: Chain) -> list[str]:
    if chain.versions is None:
        return []
    config = _config(connection, chain.versions, chain)
    known = chain.revisions()
    if not known:
        # Reserves the version table for the migrations of the application, should it get any.
        command.ensure_version(config)
        return []
    current = current_revision(connection, chain)
    check_names(connection, chain)
    script = ScriptDirectory.from_config(config)
    pending = [
        revision.revision
        for revision in script.iterate_revisions("head", current or "base")
        if revision.revision != current
    ]
    with _without_warnings():
        command.upgrade(config, "head")
    return pending[::-1]


def revise(connection: Connection, chain: Chain, message: str) -> Path | None:
    """Write a migration for what the database lacks; return its file, None if it lacks nothing."""
    if chain.versions is None:
        raise SchemaError(NO_MIGRATIONS)
    chain.versions.mkdir(parents=True, exist_ok=True)
    config = _config(connection, chain.versions, chain)
    with _without_warnings():
        made = command.revision(
            config, message, autogenerate=True, rev_id=f"{len(chain.revisions()) + 1:04}"
        )
    return Path(made.path) if isinstance(made, Script) else None


@contextmanager
def _without_warnings() -> Iterator[None]:
    """Silence the warnings about indexes on expressions, which autogeneration handles itself."""
    with warnings.catch_warnings():
        for begin in ("autogenerate skipping", "Skipped unsupported reflection of"):
            warnings.filterwarnings("ignore", f"{begin}.* expression-based index")
        yield


def check_names(connection: Connection, chain: Chain) -> None:
    """Raise SchemaError if tables exist that the first migration would create."""
    existing = inspect(connection).get_table_names()
    taken = sorted(name for _, name in chain.created_tables() if name in existing)
    # Read afterwards, as another process may have migrated the database meanwhile.
    if taken and current_revision(connection, chain) is None:
        raise SchemaError(
            f"The database has a table “{taken[0]}” of another program, where this one would create"
            " its own: choose another WEBAPP_DATABASE_URL."
        )


def _check_references(connection: Connection) -> None:
    """Raise SchemaError if a row refers to a missing one: nothing enforced it meanwhile."""
    lost = connection.execute(text("PRAGMA foreign_key_check")).first()
    if lost is not None:
        raise SchemaError(
            f"The migration was undone: it left “{lost.table}” with references to “{lost.parent}”"
            " that lead nowhere."
        )


def _config(connection: Connection, versions: Path, chain: Chain) -> Config:
    # Any: attributes of any type, for env.py.
    attributes: dict[str, Any] = {"connection": connection, "chain": chain}
    config = Config(attributes=attributes, cmd_opts=Namespace(quiet=True))
    config.set_main_option("script_location", str(HERE).replace("%", "%%"))
    config.set_main_option("version_locations", str(versions).replace("%", "%%"))
    # The default separator splits at spaces, too.
    config.set_main_option("path_separator", "newline")
    return config
