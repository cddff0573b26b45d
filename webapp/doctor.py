"""The doctor: compares the indexes that the resources ask for with those of the database.

They follow from `columns`, `search` and `filters` of each resource, so they are no migrations:
whoever changes a resource changes them.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, inspect, text
from sqlalchemy.engine.interfaces import ReflectedIndex

from webapp.admin import indexes, trigrams
from webapp.admin.indexes import SortIndex, sort_indexes
from webapp.admin.resource import Resource
from webapp.admin.site import Site
from webapp.admin.sqlite_index import SqliteIndex
from webapp.database import Database
from webapp.migrations import run_alone, take_turn

NO_EXTENSION = (
    "The extension pg_trgm is missing, and this role may not create it: searching {name} looks at"
    " a part of a large table only. Let a superuser run `CREATE EXTENSION pg_trgm`."
)
NOT_FINISHED = "The index {} is not finished."
AN_INDEX = re.compile("^(CREATE|DROP) INDEX")


@dataclass(frozen=True)
class Finding:
    """What is amiss: a sentence, and the statements that mend it, if any can."""

    sentence: str
    remedies: tuple[str, ...] = ()


async def examine(database: Database, resources: Sequence[Resource]) -> list[Finding]:
    """Return what the database lacks, or has for no resource any more."""
    async with database.reading.connect() as connection:
        return await connection.run_sync(_examine, Site(resources))


async def mend(database: Database, resources: Sequence[Resource]) -> list[Finding]:
    """Make what is missing and drop what nothing asks for; return what was amiss.

    Reading a large table for an index takes minutes. On a server others write to it meanwhile,
    unless a pooler stands between, which leaves nothing between two transactions.
    """
    # Examined again where nobody else mends.
    if not await examine(database, resources):
        return []
    if database.writing.dialect.name == "postgresql" and not database.has_pooler:
        return await _mend_beside_writers(database, resources)

    def act(connection: Connection) -> list[Finding]:
        found = _examine(connection, Site(resources))
        for statement in _remedies(connection, found, resources):
            connection.exec_driver_sql(statement)
        return found

    return await run_alone(database, act)


async def _mend_beside_writers(database: Database, resources: Sequence[Resource]) -> list[Finding]:
    async with database.writing.connect() as connection:
        await connection.execution_options(isolation_level="AUTOCOMMIT")
        try:
            for setting in ("statement_timeout", "lock_timeout"):
                await connection.exec_driver_sql(f"SET {setting} = 0")
            await take_turn(connection, "pg_try_advisory_lock")
            found = await connection.run_sync(_examine, Site(resources))
            for statement in await connection.run_sync(_remedies, found, resources):
                await connection.exec_driver_sql(AN_INDEX.sub(r"\g<0> CONCURRENTLY", statement))
        finally:
            # Its settings and the lock are for nobody else.
            await connection.invalidate()
    return found


def _remedies(
    connection: Connection, found: Sequence[Finding], resources: Sequence[Resource]
) -> list[str]:
    remedies = [statement for finding in found for statement in finding.remedies]
    # So that the database knows how many rows there are, which plans and totals go by.
    if found:
        existing = _existing(connection, resources)
        remedies += [f'ANALYZE "{resource.table.name}"' for resource in existing]
    return remedies


def _existing(connection: Connection, resources: Sequence[Resource]) -> list[Resource]:
    """Return the resources whose tables have been made: others are for a migration to come."""
    tables = set(inspect(connection).get_table_names())
    return [resource for resource in resources if resource.table.name in tables]


def _examine(connection: Connection, site: Site) -> list[Finding]:
    resources = _existing(connection, site.resources)
    tables = set(inspect(connection).get_table_names())
    found = [*_examine_order(connection, site, tables)]
    if connection.dialect.name == "postgresql":
        return found + _examine_postgresql(connection, resources)
    return found + _examine_sqlite(connection, resources)


def _examine_order(connection: Connection, site: Site, tables: Iterable[str]) -> Iterable[Finding]:
    wanted = [index for index in sort_indexes(site) if index.table.name in tables]
    for table in dict.fromkeys(index.table for index in wanted):
        existing = inspect(connection).get_indexes(table.name)
        asked = {index.name: index for index in wanted if index.table is table}
        for each in existing:
            name = str(each["name"])
            if name.startswith(indexes.PREFIX) and not _is_finished(each):
                yield Finding(NOT_FINISHED.format(name), (f'DROP INDEX "{name}"',))
            elif name.startswith(indexes.PREFIX) and not _is_that(each, asked.get(name)):
                yield Finding(f"Nothing asks for the index {name}.", (f'DROP INDEX "{name}"',))
        finished = filter(_is_finished, existing)
        held = [columns for each in finished if (columns := _plain_columns(each))]
        held.append(inspect(connection).get_pk_constraint(table.name)["constrained_columns"])
        unique = [
            each["column_names"] for each in inspect(connection).get_unique_constraints(table.name)
        ]
        for index in asked.values():
            is_unique = [index.column.name] in unique and not index.column.nullable
            if not is_unique and not any(_serves(each, index, connection) for each in held):
                listed = ", ".join(f'"{name}"' for name in _columns(index, connection))
                yield Finding(
                    f"The list of {table.name} has no index to sort by {index.column.name}.",
                    (f'CREATE INDEX "{index.name}" ON "{table.name}" ({listed})',),
                )


def _is_finished(index: ReflectedIndex) -> bool:
    """Whether it is not one that somebody began to make beside writers."""
    return not index.get("dialect_options", {}).get("postgresql_invalid")


def _is_that(existing: ReflectedIndex, asked: SortIndex | None) -> bool:
    columns = _plain_columns(existing)
    return asked is not None and columns == list(asked.columns)[: len(columns)]


def _plain_columns(index: ReflectedIndex) -> list[str]:
    """Return the columns of an index of all rows; none for one of expressions or some rows."""
    is_partial = any(key.endswith("_where") for key in index.get("dialect_options", {}))
    columns = index["column_names"]
    return [] if is_partial else [str(name) for name in columns if None not in columns]


def _columns(index: SortIndex, connection: Connection) -> Sequence[str]:
    # SQLite adds the number of the row to every index by itself.
    is_numbered = connection.dialect.name == "sqlite" and _has_row_number(index)
    return index.columns[:1] if is_numbered else index.columns


def _serves(columns: Sequence[str], index: SortIndex, connection: Connection) -> bool:
    wanted = list(_columns(index, connection))
    if len(wanted) == 1:
        return list(columns) == wanted
    return list(columns)[: len(wanted)] == wanted


def _has_row_number(index: SortIndex) -> bool:
    return len(index.key) == 1 and str(index.key[0].type) == "INTEGER"


def _examine_postgresql(connection: Connection, resources: Sequence[Resource]) -> list[Finding]:
    found, wanted = [], [resource for resource in resources if resource.search_fields]
    names = {trigrams.index_name(resource): resource for resource in wanted}
    existing = connection.execute(
        text(
            "SELECT c.relname, pg_get_indexdef(c.oid), i.indisvalid FROM pg_class c"
            " JOIN pg_index i ON i.indexrelid = c.oid"
            " WHERE c.relname LIKE 'search\\_%' AND pg_table_is_visible(c.oid)"
        )
    )
    kept = set()
    for name, definition, is_valid in existing:
        resource = names.get(name)
        columns = [] if resource is None else [f.column.name for f in resource.search_fields]
        if resource is not None and not is_valid:
            found.append(Finding(NOT_FINISHED.format(name), (f'DROP INDEX "{name}"',)))
        elif columns and _is_over(definition, columns):
            kept.add(name)
        else:
            found.append(Finding(f"Nothing asks for the index {name}.", (f'DROP INDEX "{name}"',)))
    missing = [resource for name, resource in names.items() if name not in kept]
    if not missing:
        return found
    extension = _extension(connection)
    if extension is None:
        return found + [Finding(NO_EXTENSION.format(name=each.name)) for each in missing]
    for resource in missing:
        sentence = f"The search of {resource.label_plural} has no index."
        remedies = (*extension, trigrams.postgresql_statement(resource))
        found.append(Finding(sentence, remedies))
    return found


def _is_over(definition: str, columns: Sequence[str]) -> bool:
    """Whether PostgreSQL calls an index one over the folded columns and nothing else."""

    def has(column: str) -> bool:
        names = column, trigrams.quoted(column)
        return any(
            f"fold({name})" in definition or f"fold(({name})::text)" in definition for name in names
        )

    return all(map(has, columns)) and definition.count("fold(") == len(columns)


def _extension(connection: Connection) -> tuple[str, ...] | None:
    """Return the statements that bring pg_trgm, or None if this role may not have it."""
    if connection.scalar(text("SELECT 1 FROM pg_extension WHERE extname = 'pg_trgm'")):
        return ()
    may_create = connection.scalar(
        text(
            "SELECT EXISTS (SELECT FROM pg_available_extensions WHERE name = 'pg_trgm') AND"
            " (has_database_privilege(current_database(), 'CREATE')"
            " OR (SELECT rolsuper FROM pg_roles WHERE rolname = current_user))"
        )
    )
    return ("CREATE EXTENSION IF NOT EXISTS pg_trgm",) if may_create else None


def _examine_sqlite(connection: Connection, resources: Sequence[Resource]) -> list[Finding]:
    rows = connection.execute(
        text(
            "SELECT name, type, sql FROM sqlite_master WHERE name LIKE 'search\\_%' ESCAPE '\\'"
            " OR name LIKE 'searched\\_%' ESCAPE '\\'"
        )
    )
    existing = {name: (kind, sql) for name, kind, sql in rows}
    indexed = {name for name, (_, sql) in existing.items() if sql and "using fts5" in sql.lower()}
    found = []
    for resource in resources:
        if not resource.search_fields:
            continue
        wanted = SqliteIndex(resource)
        indexed.discard(wanted.name)
        objects = {**wanted.tables, **wanted.triggers}
        if objects == {name: sql for name, (_, sql) in existing.items() if name in objects}:
            continue
        sentence = f"The search of {resource.label_plural} has no index, or not the right one."
        remedies = *wanted.tables.values(), *wanted.filling, *wanted.triggers.values()
        found.append(
            Finding(sentence, (*_drops(existing, trigrams.index_name(resource)), *remedies))
        )
    for name in sorted(indexed):
        sentence = f"Nothing asks for the search index {name}."
        found.append(Finding(sentence, tuple(_drops(existing, name))))
    return found


def _drops(existing: Mapping[str, tuple[str, str]], index: str) -> Iterator[str]:
    """Return the statements that drop a search index of SQLite and what belongs to it."""
    parts = [f"{index}_{event}" for event in ("insert", "update", "delete")]
    parts += [index, index.replace(trigrams.PREFIX, trigrams.NUMBERS_PREFIX, 1)]
    for name in parts:
        if name in existing:
            yield f'DROP {existing[name][0].upper()} "{name}"'
