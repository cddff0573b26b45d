"""Refusals: which field the database has refused and why, read from what its driver says."""

import re
import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import CheckConstraint, cast, literal, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from hero_admin.database.errors import REFUSALS, driver_error, is_refusal, raised_sentence
from hero_admin.model.fields import Field
from hero_admin.model.labels import article_of
from hero_admin.model.resource import Resource
from hero_admin.model.sql_names import names_in
from hero_admin.web.errors import Invalid
from hero_admin.writes.catalog import fetch_unique_fields, fields_named

# https://www.postgresql.org/docs/current/errcodes-appendix.html
UNIQUE_VIOLATION = "23505"
NOT_NULL_VIOLATION = "23502"
FOREIGN_KEY_VIOLATION = "23503"
# Values of these cannot be read, so that the field is found by trying.
UNREADABLE = ("22", "42804", "42846", "54")
SQLITE_NAMED = re.compile(
    r"(?:(?:NOT NULL|CHECK) constraint failed: |cannot store \w+ value in \w+ column )(.+)",
    re.DOTALL,
)
SQLITE_UNIQUE = (
    sqlite3.SQLITE_CONSTRAINT_UNIQUE,
    sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY,
    sqlite3.SQLITE_CONSTRAINT_ROWID,
)
SQLITE_INDEX = re.compile(r"UNIQUE constraint failed: index '(.+)'", re.DOTALL)
SQLITE_COLUMNS = "UNIQUE constraint failed: "

POSTGRESQL_RULE = text(
    """
    SELECT pg_get_constraintdef(c.oid)
    FROM pg_constraint c
    JOIN pg_class t ON t.oid = c.conrelid
    JOIN pg_namespace s ON s.oid = t.relnamespace
    WHERE c.conname = :name AND t.relname = :table AND s.nspname = :schema
    """
)


async def fetch_refusal(
    session: AsyncSession,
    resource: Resource,
    values: Mapping[str, Any],
    error: Exception,
    noun: str,
) -> Invalid:
    """Return what to say of values that the database has refused; raises what is no refusal.

    The statement that failed has to be taken back before.
    """
    if not is_refusal(error):
        raise error
    if not isinstance(error, DBAPIError):
        return await _fetch_by_trying(session, resource, values, noun)
    same = await fetch_refused_fields(session, resource, error)
    if same:
        return Invalid({same[-1].name: same_sentence(resource, same)})
    driver = driver_error(error)
    state = str(getattr(driver, "sqlstate", None) or "")
    code = getattr(driver, "sqlite_errorcode", None)
    fields = await _fetch_named_fields(session, resource, driver)
    raised = raised_sentence(error)
    if raised:
        name = fields[0].name if len(fields) == 1 else ""
        return Invalid({name: raised})
    if state.startswith(UNREADABLE) or (
        code is not None and code & 0xFF != sqlite3.SQLITE_CONSTRAINT
    ):
        return await _fetch_by_trying(session, resource, values, noun)
    if len(fields) > 1:
        listed = _listed([resource.labels[field.name] for field in fields])
        return Invalid({"": f"The database doesn't accept this combination of {listed}."})
    if not fields:
        # The rule may be one of a type, which knows no column.
        return await _fetch_by_trying(session, resource, values, noun)
    label = resource.labels[fields[0].name]
    is_missing = state == NOT_NULL_VIOLATION or code == sqlite3.SQLITE_CONSTRAINT_NOTNULL
    sentence = f"The database doesn't accept this {label}."
    if state == FOREIGN_KEY_VIOLATION:
        sentence = f"This {label} no longer exists. Choose another one."
    elif is_missing:
        sentence = f"Enter {article_of(label)} {label}."
    return Invalid({fields[0].name: sentence})


async def _fetch_by_trying(
    session: AsyncSession, resource: Resource, values: Mapping[str, Any], noun: str
) -> Invalid:
    """Find the values that the database cannot even read as those of their columns."""
    found = {}
    for name, value in values.items():
        field = resource.by_name[name]
        if value is None or field.is_bytes:
            # Bytes are always taken.
            continue
        given = literal(value, field.exact_type)
        try:
            async with session.begin_nested():
                await session.execute(select(cast(given, field.column.type).label("value")))
        except REFUSALS as error:
            if not is_refusal(error):
                raise
            found[name] = f"The database doesn't accept this {resource.labels[name]}."
    return Invalid(found or {"": f"The database doesn't accept this {noun}."})


async def _fetch_named_fields(
    session: AsyncSession, resource: Resource, driver: Any
) -> tuple[Field, ...]:
    """Return the fields of the column, or of the rule, that the driver names."""
    found = SQLITE_NAMED.match(str(driver))
    constraint = getattr(driver, "constraint_name", None)
    if found is not None:
        constraint = found[1].removeprefix(f"{resource.table.name}.")
    column = getattr(driver, "column_name", None)
    if column:
        return fields_named(resource, {column})
    if not constraint:
        return ()
    for each in resource.table.constraints:
        if each.name == constraint and isinstance(each, CheckConstraint):
            return fields_named(resource, names_in([str(each.sqltext)]))
    if found is not None:
        return fields_named(resource, names_in([constraint]))
    if getattr(driver, "table_name", None) == resource.table.name:
        given = {"name": constraint, "table": driver.table_name, "schema": driver.schema_name}
        rules = await session.scalars(POSTGRESQL_RULE, given)
        # What is pointed at has columns of its own.
        return fields_named(
            resource, names_in(str(rule).split(" REFERENCES ")[0] for rule in rules)
        )
    return ()


def _listed(labels: Sequence[str]) -> str:
    return " and ".join(filter(None, (", ".join(labels[:-1]), labels[-1])))


async def fetch_refused_fields(
    session: AsyncSession, resource: Resource, error: DBAPIError
) -> tuple[Field, ...]:
    """Return the fields of which another record has the same; none if something else is wrong.

    The statement that failed has to be taken back before.
    """
    driver = driver_error(error)
    if getattr(driver, "sqlstate", None) == UNIQUE_VIOLATION:
        if driver.table_name != resource.table.name:
            return ()
        return await fetch_unique_fields(session, resource, driver.constraint_name)
    if getattr(driver, "sqlite_errorcode", None) not in SQLITE_UNIQUE:
        return ()
    found = SQLITE_INDEX.match(str(driver))
    if found:
        return await fetch_unique_fields(session, resource, found[1])
    columns = str(driver).removeprefix(SQLITE_COLUMNS).split(", ")
    own = [each.removeprefix(f"{resource.table.name}.") for each in columns]
    return fields_named(resource, set(own) - set(columns))


def same_sentence(resource: Resource, fields: Sequence[Field]) -> str:
    """Return what to say where the database compares values by rules of its own."""
    labels = [resource.labels[field.name] for field in fields]
    listed = _listed(labels)
    verb = "counts" if len(fields) == 1 else "count"
    return f"Another {resource.label} has {article_of(listed)} {listed} that {verb} as the same."
