"""The doctor: compares the indexes that the resources ask for with those of the database.

They follow from `columns`, `search` and `filters` of each resource, so they are no migrations:
whoever changes a resource changes them.
"""

from collections.abc import Iterable, Sequence
from types import ModuleType

from sqlalchemy import ColumnElement, Connection, Table, inspect
from sqlalchemy.exc import DBAPIError
from sqlalchemy.schema import CreateIndex

from hero_admin.cli import postgresql_indexes, sqlite_indexes
from hero_admin.cli.findings import INCOMPLETE, ExistingIndex, Finding
from hero_admin.cli.sqlite_indexes import A_NAME, AN_INDEX
from hero_admin.database.engines import Database
from hero_admin.database.errors import driver_error
from hero_admin.database.identifiers import qualified, quoted, shortened
from hero_admin.listing import sort_indexes as indexes
from hero_admin.listing.sort_indexes import SortIndex, sort_indexes
from hero_admin.migrations import run_alone, take_turn
from hero_admin.model.indexed_expressions import index_of
from hero_admin.model.resource import Resource
from hero_admin.model.site import Site

NOT_SUPPORTED = "0A000"
NO_TABLE = "There is no table {}: create it as your application creates its tables."


async def check_indexes(database: Database, resources: Sequence[Resource]) -> list[Finding]:
    """Return which indexes are missing or unused."""
    async with database.reading.connect() as connection:
        return await connection.run_sync(_check, Site(resources))


async def check_tables(database: Database, resources: Sequence[Resource]) -> list[Finding]:
    """Return which tables are missing, of which no index can be."""
    asked = [resource.table for resource in resources if not resource.read_only]
    async with database.reading.connect() as connection:
        existing = await connection.run_sync(_existing, asked)
    lacking = [table for table in dict.fromkeys(asked) if table not in existing]
    return [Finding(NO_TABLE.format(table.fullname)) for table in lacking]


async def fix_indexes(database: Database, resources: Sequence[Resource]) -> list[Finding]:
    """Create missing indexes and drop unused ones; return what was wrong.

    Reading a large table for an index takes minutes. On a server others write to it meanwhile,
    unless a pooler of transactions is in between.
    """
    # Checked again under a lock.
    if not await check_indexes(database, resources):
        return []
    if database.writing.dialect.name == "postgresql" and not database.has_pooler:
        return await _fix_concurrently(database, resources)

    def act(connection: Connection) -> list[Finding]:
        found = _check(connection, Site(resources))
        for statement in _fixes(connection, found, resources):
            connection.exec_driver_sql(statement)
        return found

    return await run_alone(database, act)


async def _fix_concurrently(database: Database, resources: Sequence[Resource]) -> list[Finding]:
    async with database.writing.connect() as connection:
        await connection.execution_options(isolation_level="AUTOCOMMIT")
        try:
            for setting in ("statement_timeout", "lock_timeout"):
                await connection.exec_driver_sql(f"SET {setting} = 0")
            await take_turn(connection, "pg_try_advisory_lock")
            found = await connection.run_sync(_check, Site(resources))
            for statement in await connection.run_sync(_fixes, found, resources):
                concurrently = AN_INDEX.sub(r"\g<0> CONCURRENTLY", statement)
                try:
                    await connection.exec_driver_sql(concurrently)
                except DBAPIError as error:
                    # An index of a partitioned table cannot be created concurrently.
                    if driver_error(error).sqlstate != NOT_SUPPORTED:
                        raise
                    await connection.exec_driver_sql(statement)
        finally:
            # Its settings and its lock end with it.
            await connection.invalidate()
    return found


def _fixes(
    connection: Connection, found: Sequence[Finding], resources: Sequence[Resource]
) -> list[str]:
    fixes = [statement for finding in found for statement in finding.fixes]
    # Plans and totals depend on the number of rows, which this updates.
    if found:
        ours = [resource.table for resource in resources if not resource.read_only]
        tables = _existing(connection, ours)
        fixes += [f"ANALYZE {qualified(table)}" for table in tables]
    return fixes


def _existing(connection: Connection, tables: Iterable[Table]) -> list[Table]:
    """Return the tables that exist; the others are views, or for a migration to create."""
    inspector, asked = inspect(connection), list(dict.fromkeys(tables))
    known = {None, *inspector.get_schema_names()} & {table.schema for table in asked}
    existing = {(schema, name) for schema in known for name in inspector.get_table_names(schema)}
    return [table for table in asked if (table.schema, table.name) in existing]


def _check(connection: Connection, site: Site) -> list[Finding]:
    ours = [resource for resource in site.resources if not resource.read_only]
    tables = set(_existing(connection, [resource.table for resource in ours]))
    resources = [resource for resource in ours if resource.table in tables]
    dialect = postgresql_indexes if connection.dialect.name == "postgresql" else sqlite_indexes
    return [
        *dialect.check_function(connection, resources),
        *_check_sort_indexes(connection, site, dialect),
        *_check_declared_indexes(connection, resources, dialect),
        *dialect.check_search_indexes(connection, resources),
    ]


def _check_sort_indexes(
    connection: Connection, site: Site, dialect: ModuleType
) -> Iterable[Finding]:
    wanted = sort_indexes(site)
    for table in _existing(connection, [index.table for index in wanted]):
        existing = dialect.read_indexes(connection, table)
        asked = {index.name: index for index in wanted if index.table is table}
        for each in existing:
            drop = f"DROP INDEX {qualified(table, each.name)}"
            if not each.name.startswith(indexes.PREFIX):
                continue
            parts = dialect.parts_of(asked[each.name]) if each.name in asked else None
            is_asked_for = parts is not None and list(each.parts) == parts[: len(each.parts)]
            if not each.is_complete:
                yield Finding(INCOMPLETE.format(each.name), (drop,))
            elif not is_asked_for and _is_ours(each, table):
                yield Finding(f"Unused index: {each.name}.", (drop,))
        for index in asked.values():
            parts = dialect.parts_of(index)
            if not any(_serves(each, index, parts) for each in existing):
                listed = ", ".join(parts)
                yield Finding(
                    f"No index for sorting {table.name} by {index.column.name}.",
                    (f"CREATE INDEX {quoted(index.name)} ON {qualified(table)} ({listed})",),
                )


def _check_declared_indexes(
    connection: Connection, resources: Sequence[Resource], dialect: ModuleType
) -> Iterable[Finding]:
    """Yield the indexes of computed columns that only the models have.

    A table that existed before its model declared one got none from `create_all`.
    """
    for resource in resources:
        wanted = {
            index_of(field.ordered, resource.table): field
            for field in resource.computed
            if isinstance(field.ordered, ColumnElement)
        }
        existing = dialect.read_indexes(connection, resource.table) if wanted else []
        names = {each.name for each in existing}
        for index, field in wanted.items():
            if index is not None and index.name not in names:
                create = str(CreateIndex(index).compile(connection))
                sentence = f"No index for sorting {resource.table.name} by {field.name}."
                yield Finding(sentence, (create,))


def _is_ours(index: ExistingIndex, table: Table) -> bool:
    """Whether `sort_indexes` may have asked for an index at some time."""
    named = A_NAME.search(index.parts[0])
    if named is None:
        return False
    column = named[1].replace('""', '"')
    key = [quoted(part.name) for part in table.primary_key if part.name != column]
    is_named_so = index.name == shortened(f"{indexes.PREFIX}{table.name}_{column}")
    return is_named_so and [*index.parts[1:]] in ([], key)


def _serves(existing: ExistingIndex, index: SortIndex, wanted: list[str]) -> bool:
    if existing.is_unique and not index.column.nullable and existing.parts == (wanted[0],):
        return True
    if not existing.is_complete:
        return False
    held = list(existing.parts)
    return held == wanted if len(wanted) == 1 else held[: len(wanted)] == wanted
