"""The database as a command needs it, and its errors as sentences."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError

from hero_admin.admin import Admin
from hero_admin.cli.index_check import fix_indexes
from hero_admin.database.engines import Database, is_postgresql
from hero_admin.database.errors import Trouble, is_unavailable, trouble_of
from hero_admin.listing.search.connect import connect
from hero_admin.migrations import SchemaError, check_ours, check_schema, migrate
from hero_admin.model.arguments import ResourceError
from hero_admin.model.site import Site
from hero_admin.settings import Settings

# The words of PgBouncer, and of SQLite.
POOLER_WORDS = "unsupported startup parameter"
CANNOT_OPEN = "unable to open database file"
POOLER_HINT = " Behind PgBouncer set WEBAPP_DATABASE_POOLER=transaction."
LOG_HINT = (
    " The latest changes are in {} next to it, which can only be read in a writable folder: start"
    " there once, and copy the file after the server has stopped."
)
NO_ANSWER = "The database {} reported an error: {}."
SENTENCES = {
    Trouble.FULL: "The disk of the database {} is full: free up space.",
    Trouble.READ_ONLY: "The database {} is read-only, and this command has to write to it.",
}
OUTDATED_AND_READ_ONLY = (
    "The database is not up to date, and is read-only here: run `{} migrate` where it can be"
    " written."
)


class DatabaseError(Exception):
    """The database cannot do what a command needs: one sentence."""


@asynccontextmanager
async def connected(admin: Admin, settings: Settings) -> AsyncIterator[Database]:
    """The database, whose errors leave as a sentence. Raises ResourceError before it connects."""
    _check_schemas(settings, Site(admin.resources))
    database = connect(settings, admin.resources)
    try:
        yield database
    except Exception as error:
        if not is_unavailable(error) and not isinstance(error, DBAPIError):
            raise
        address = make_url(settings.database_url).render_as_string()
        reason = _reason(error)
        hint = _hint(settings, reason)
        trouble = trouble_of(error) or Trouble.BUSY
        sentence = SENTENCES.get(trouble, NO_ANSWER).format(address, reason)
        raise DatabaseError(sentence + hint) from None
    finally:
        await database.close()


@asynccontextmanager
async def ready(admin: Admin, settings: Settings) -> AsyncIterator[Database]:
    """The database with the schema of this version.

    A file is upgraded if needed, unless another program created it or it is read-only.
    """
    async with connected(admin, settings) as database:
        try:
            await check_schema(database, admin.chain)
        except SchemaError:
            if not settings.is_embedded:
                raise
            # First, as opening the file for writing changes its journal mode.
            if not settings.is_default:
                await check_ours(database, admin.chain)
            if await is_read_only(database):
                raise SchemaError(OUTDATED_AND_READ_ONLY.format(admin.program)) from None
            await migrate(database, admin.chain)
            await check_schema(database, admin.chain)
        if admin.indexes and settings.is_embedded and not await is_read_only(database):
            await fix_indexes(database, admin.resources)
        yield database


async def is_read_only(database: Database) -> bool:
    """Whether the database itself says that it can only be read, for whatever reason.

    A file or its folder may not be written, or their disk is mounted so; a server is a standby.
    """
    try:
        async with database.session(is_read_only=False) as session:
            if is_postgresql(session):
                shown: str | None = await session.scalar(text("SHOW transaction_read_only"))
                return shown == "on"
            # Changes nothing, and is refused where nothing can be written.
            await session.execute(text("PRAGMA user_version = 0"))
    except DBAPIError as error:
        # Any other error is reported by the command that meets it.
        return trouble_of(error) is Trouble.READ_ONLY
    return False


def _check_schemas(settings: Settings, site: Site) -> None:
    """Raise ResourceError for a table in a schema, of which SQLite has none."""
    for resource in site.recorded if settings.is_embedded else ():
        if resource.table.schema:
            raise ResourceError(
                f"Resource({resource.model.__name__}): the table is in the schema"
                f" “{resource.table.schema}”, and SQLite has no schemas."
            )


def _hint(settings: Settings, reason: str) -> str:
    if reason.startswith(POOLER_WORDS):
        return POOLER_HINT
    log = Path(f"{make_url(settings.database_url).database}-wal")
    return LOG_HINT.format(log.name) if reason == CANNOT_OPEN and log.exists() else ""


def _reason(error: BaseException) -> str:
    """The first line of what the driver says, or what kind of error it is."""
    origin = error.orig if isinstance(error, DBAPIError) and error.orig else error
    text = str(origin).strip() or type(origin).__name__
    return text.splitlines()[0].rstrip(".")
