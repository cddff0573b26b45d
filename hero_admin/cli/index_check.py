"""The doctor: compares the indexes that the resources ask for with those of the database.

They follow from `columns`, `search` and `filters` of each resource, so they are no migrations:
whoever changes a resource changes them.
"""

from collections.abc import Iterable, Sequence
from types import ModuleType

from sqlalchemy import Connection, Table, inspect
from sqlalchemy.exc import DBAPIError

from hero_admin.cli import postgresql_indexes, sqlite_indexes
from hero_admin.cli.findings import NOT_FINISHED, ExistingIndex, Finding
from hero_admin.cli.sqlite_indexes import A_NAME, AN_INDEX
from hero_admin.database.engines import Database
from hero_admin.database.errors import driver_error
from hero_admin.database.identifiers import qualified, quoted, shortened
from hero_admin.listing import sort_indexes as indexes
from hero_admin.listing.sort_indexes import SortIndex, sort_indexes
from hero_admin.migrations import run_alone, take_turn
from hero_admin.model.resource import Resource
from hero_admin.model.site import Site

NOT_SUPPORTED = "0A000"


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
                beside = AN_INDEX.sub(r"\g<0> CONCURRENTLY", statement)
                try:
                    await connection.exec_driver_sql(beside)
                except DBAPIError as error:
                    # An index of a partitioned table is made while its writers wait, or not at all.
                    if driver_error(error).sqlstate != NOT_SUPPORTED:
                        raise
                    await connection.exec_driver_sql(statement)
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
        ours = [resource.table for resource in resources if not resource.read_only]
        tables = _existing(connection, ours)
        remedies += [f"ANALYZE {qualified(table)}" for table in tables]
    return remedies


def _existing(connection: Connection, tables: Iterable[Table]) -> list[Table]:
    """Return the tables that have been made: others are for a migration to come, or are views."""
    inspector, asked = inspect(connection), list(dict.fromkeys(tables))
    known = {None, *inspector.get_schema_names()} & {table.schema for table in asked}
    existing = {(schema, name) for schema in known for name in inspector.get_table_names(schema)}
    return [table for table in asked if (table.schema, table.name) in existing]


def _examine(connection: Connection, site: Site) -> list[Finding]:
    ours = [resource for resource in site.resources if not resource.read_only]
    tables = set(_existing(connection, [resource.table for resource in ours]))
    resources = [resource for resource in ours if resource.table in tables]
    known = postgresql_indexes if connection.dialect.name == "postgresql" else sqlite_indexes
    return [*_examine_order(connection, site, known), *known.examine_search(connection, resources)]


def _examine_order(connection: Connection, site: Site, known: ModuleType) -> Iterable[Finding]:
    wanted = sort_indexes(site)
    for table in _existing(connection, [index.table for index in wanted]):
        existing = known.read_indexes(connection, table)
        asked = {index.name: index for index in wanted if index.table is table}
        for each in existing:
            drop = f"DROP INDEX {qualified(table, each.name)}"
            if not each.name.startswith(indexes.PREFIX):
                continue
            parts = known.parts_of(asked[each.name]) if each.name in asked else None
            is_asked_for = parts is not None and list(each.parts) == parts[: len(each.parts)]
            if not each.is_finished:
                yield Finding(NOT_FINISHED.format(each.name), (drop,))
            elif not is_asked_for and _is_made_here(each, table):
                yield Finding(f"Unused index: {each.name}.", (drop,))
        for index in asked.values():
            parts = known.parts_of(index)
            if not any(_serves(each, index, parts) for each in existing):
                listed = ", ".join(parts)
                yield Finding(
                    f"No index for sorting {table.name} by {index.column.name}.",
                    (f"CREATE INDEX {quoted(index.name)} ON {qualified(table)} ({listed})",),
                )


def _is_made_here(index: ExistingIndex, table: Table) -> bool:
    """Whether an index is one that `sort_indexes` may have asked for at some time."""
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
    if not existing.is_finished:
        return False
    held = list(existing.parts)
    return held == wanted if len(wanted) == 1 else held[: len(wanted)] == wanted
