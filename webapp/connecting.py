"""Connecting: the database as a command needs it, and its errors as a sentence."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError

from webapp import sqlite
from webapp.admin.checks import ResourceError
from webapp.admin.site import Site
from webapp.admin.sqlite_index import Refresher
from webapp.database import Database, connect
from webapp.doctor import mend
from webapp.migrations import SchemaError, check_ours, check_schema, migrate
from webapp.resources import RESOURCES
from webapp.settings import Settings
from webapp.unavailable import is_unavailable

POOLER_HINT = " Behind PgBouncer set WEBAPP_DATABASE_POOLER=transaction."


class DatabaseError(Exception):
    """The database does not do what a command needs: one sentence."""


@asynccontextmanager
async def connected(settings: Settings) -> AsyncIterator[Database]:
    """The database, whose errors leave as a sentence. Raises ResourceError before it connects."""
    _check_schemas(settings, Site(RESOURCES))
    database = connect(settings, Refresher(RESOURCES))
    try:
        yield database
    except Exception as error:
        if not is_unavailable(error) and not isinstance(error, DBAPIError):
            raise
        address = make_url(settings.database_url).render_as_string()
        reason = _reason(error)
        # PgBouncer's words.
        hint = POOLER_HINT if reason.startswith("unsupported startup parameter") else ""
        raise DatabaseError(
            f"The database {address} does not answer as it should: {reason}.{hint}"
        ) from None
    finally:
        await database.close()


@asynccontextmanager
async def ready(settings: Settings) -> AsyncIterator[Database]:
    """The database with the schema of this version.

    A file is upgraded if needed, but for one that others have made.
    """
    async with connected(settings) as database:
        try:
            await check_schema(database)
        except SchemaError:
            if not settings.is_embedded:
                raise
            if not settings.is_default:
                await check_ours(database)
            await migrate(database)
            await check_schema(database)
        if settings.is_embedded and not is_unchangeable(settings):
            await mend(database, RESOURCES)
        yield database


def is_unchangeable(settings: Settings) -> bool:
    """Whether the database is a file in a place where nothing can be written."""
    path = make_url(settings.database_url).database
    return settings.is_embedded and sqlite.is_unchangeable(Path(path or "").absolute())


def _check_schemas(settings: Settings, site: Site) -> None:
    """Raise ResourceError for a table in a schema, of which SQLite has none."""
    for resource in site.resources if settings.is_embedded else ():
        if resource.table.schema:
            raise ResourceError(
                f"Resource({resource.model.__name__}): the table is in the schema"
                f" “{resource.table.schema}”, and SQLite has no schemas."
            )


def _reason(error: BaseException) -> str:
    """The first line of what the driver says, or what kind of error it is."""
    origin = error.orig if isinstance(error, DBAPIError) and error.orig else error
    text = str(origin).strip() or type(origin).__name__
    return text.splitlines()[0].rstrip(".")
