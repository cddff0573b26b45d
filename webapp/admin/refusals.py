"""Refusals: which fields the database has refused, read from what it says of a unique index."""

import re
import sqlite3
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from webapp.admin.fields import Field
from webapp.admin.labels import article_of
from webapp.admin.resource import Resource

# https://www.postgresql.org/docs/current/errcodes-appendix.html
UNIQUE_VIOLATION = "23505"
SQLITE_UNIQUE = (
    sqlite3.SQLITE_CONSTRAINT_UNIQUE,
    sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY,
    sqlite3.SQLITE_CONSTRAINT_ROWID,
)
SQLITE_INDEX = re.compile(r"UNIQUE constraint failed: index '(.+)'", re.DOTALL)
SQLITE_COLUMNS = "UNIQUE constraint failed: "

# What an index holds of each row. In words, where it is not a column.
POSTGRESQL_PARTS = text(
    """
    SELECT pg_get_indexdef(i.indexrelid, n, false)
    FROM pg_index i
    JOIN pg_class c ON c.oid = i.indexrelid
    JOIN pg_class t ON t.oid = i.indrelid
    JOIN pg_namespace s ON s.oid = t.relnamespace
    CROSS JOIN generate_series(1, i.indnkeyatts) AS n
    WHERE c.relname = :index AND t.relname = :table AND s.nspname = :schema
    """
)
SQLITE_INDEX_SQL = text("SELECT sql FROM sqlite_master WHERE type = 'index' AND name = :index")
QUOTED = r'"(?:[^"]|"")+"|\[[^\]]+\]|`[^`]+`'
SQLITE_PARTS = re.compile(
    rf"\sON\s+(?:{QUOTED}|\w+)\s*(\(.*\))(?:\s*WHERE\s.*)?", re.DOTALL | re.IGNORECASE
)
# A text, a quoted name, or a name that is not that of a function.
NAMES = re.compile(rf"'(?:[^']|'')*'|({QUOTED})|\b([^\W\d]\w*)\b(?!\s*\()")


async def fetch_refused_fields(
    session: AsyncSession, resource: Resource, error: DBAPIError
) -> tuple[Field, ...]:
    """Return the fields of which another record has the same; none if something else is wrong.

    The statement that failed has to be taken back before.
    """
    driver = _driver_error(error)
    if getattr(driver, "sqlstate", None) == UNIQUE_VIOLATION:
        given = {
            "index": driver.constraint_name,
            "table": driver.table_name,
            "schema": driver.schema_name,
        }
        if driver.table_name != resource.table.name:
            return ()
        parts = await session.scalars(POSTGRESQL_PARTS, given)
        return _fields_in(resource, _names_in(parts.all()))
    if getattr(driver, "sqlite_errorcode", None) in SQLITE_UNIQUE:
        return _fields_in(resource, await _sqlite_names(session, resource, str(driver)))
    return ()


# Any: errors of both drivers.
def _driver_error(error: DBAPIError) -> Any:
    """Return what the driver itself has raised: SQLAlchemy puts that of asyncpg into its own."""
    return error.orig.__cause__ if error.orig and error.orig.__cause__ else error.orig


async def _sqlite_names(session: AsyncSession, resource: Resource, message: str) -> set[str]:
    found = SQLITE_INDEX.match(message)
    if found is None:
        columns = message.removeprefix(SQLITE_COLUMNS).split(", ")
        table = f"{resource.table.name}."
        return {column.removeprefix(table) for column in columns if column.startswith(table)}
    written = (await session.scalars(SQLITE_INDEX_SQL, {"index": found[1]})).first()
    parts = SQLITE_PARTS.search(written or "")
    return _names_in([parts[1]]) if parts else set()


def _names_in(parts: Iterable[str]) -> set[str]:
    """Return the names in expressions of SQL: of columns, and others that no column has."""
    found = [match for part in parts for match in NAMES.finditer(part)]
    quoted = {match[1][1:-1].replace('""', '"') for match in found if match[1]}
    return quoted | {match[2] for match in found if match[2]}


def _fields_in(resource: Resource, names: set[str]) -> tuple[Field, ...]:
    lower = {name.lower() for name in names}
    exact = [field for field in resource.fields if field.column.name in names]
    return tuple(exact or [each for each in resource.fields if each.column.name.lower() in lower])


def same_sentence(resource: Resource, fields: Sequence[Field]) -> str:
    """Return what to say where the database compares values by rules of its own."""
    labels = [resource.labels[field.name] for field in fields]
    listed = " and ".join(filter(None, (", ".join(labels[:-1]), labels[-1])))
    verb = "counts" if len(fields) == 1 else "count"
    return f"Another {resource.label} has {article_of(listed)} {listed} that {verb} as the same."
