"""The doctor: compares the indexes that the resources ask for with those of the database.

They follow from `columns`, `search` and `filters` of each resource, so they are no migrations:
whoever changes a resource changes them.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, inspect, text

from webapp.admin import indexes, trigrams
from webapp.admin.collation import MAX_KEY_CHARACTERS, sort_key_sql
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
# What PostgreSQL calls the sort key of a column.
FOLDED_PART = re.compile(rf'"left"\(fold\((?:\((.+)\)::text|(.+))\), {MAX_KEY_CHARACTERS}\)')
# Those of all rows that hold them in order; a column, but for its own order, is called by its name.
POSTGRESQL_INDEXES = """
    SELECT c.relname, i.indisunique, i.indisvalid, array(
        SELECT CASE
            WHEN i.indoption[n] <> 0 OR i.indcollation[n] <> a.attcollation THEN ''
            WHEN a.attname IS NOT NULL THEN '"' || replace(a.attname, '"', '""') || '"'
            ELSE pg_get_indexdef(i.indexrelid, n + 1, false) END
        FROM generate_series(0, i.indnkeyatts - 1) AS n
        LEFT JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[n]
        ORDER BY n)
    FROM pg_index i
    JOIN pg_class c ON c.oid = i.indexrelid
    JOIN pg_am m ON m.oid = c.relam
    WHERE i.indrelid = to_regclass(quote_ident(:table)) AND m.amname = 'btree' AND i.indpred IS NULL
"""
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
    read = _read_postgresql if connection.dialect.name == "postgresql" else _read_sqlite
    wanted = [index for index in sort_indexes(site) if index.table.name in tables]
    for table in dict.fromkeys(index.table for index in wanted):
        existing = read(connection, table.name)
        asked = {index.name: index for index in wanted if index.table is table}
        for each in existing:
            if not each.name.startswith(indexes.PREFIX):
                continue
            parts = _parts(asked[each.name], connection) if each.name in asked else None
            if not each.is_finished:
                yield Finding(NOT_FINISHED.format(each.name), (f'DROP INDEX "{each.name}"',))
            elif parts is None or list(each.parts) != parts[: len(each.parts)]:
                remedy = f'DROP INDEX "{each.name}"'
                yield Finding(f"Nothing asks for the index {each.name}.", (remedy,))
        for index in asked.values():
            if not any(_serves(each, index, connection) for each in existing):
                listed = ", ".join(_parts(index, connection))
                yield Finding(
                    f"The list of {table.name} has no index to sort by {index.column.name}.",
                    (f'CREATE INDEX "{index.name}" ON "{table.name}" ({listed})',),
                )


@dataclass(frozen=True)
class _Existing:
    """An index of all rows of a table, and what it holds of each, as the doctor would write it."""

    name: str
    parts: tuple[str, ...]
    is_unique: bool
    is_finished: bool = True


def _parts(index: SortIndex, connection: Connection) -> list[str]:
    """Return what an index holds of each row."""
    column, is_sqlite = trigrams.quoted(index.column.name), connection.dialect.name == "sqlite"
    if index.is_collated:
        column = sort_key_sql(column, connection.dialect.name)
    # SQLite adds the number of the row to every index by itself.
    key = () if is_sqlite and _has_row_number(index) else index.key
    return [column, *(trigrams.quoted(part.name) for part in key)]


def _serves(existing: _Existing, index: SortIndex, connection: Connection) -> bool:
    wanted = _parts(index, connection)
    if existing.is_unique and not index.column.nullable and existing.parts == (wanted[0],):
        return True
    if not existing.is_finished:
        return False
    held = list(existing.parts)
    return held == wanted if len(wanted) == 1 else held[: len(wanted)] == wanted


def _read_sqlite(connection: Connection, table: str) -> list[_Existing]:
    """Return the indexes of a table; a part of an expression is none that the doctor writes."""
    found = []
    listed = text("SELECT name, [unique] FROM pragma_index_list(:table) WHERE NOT partial")
    for name, is_unique in connection.execute(listed, {"table": table}).all():
        columns = text("SELECT name, [desc], coll FROM pragma_index_xinfo(:index) WHERE key")
        parts = [
            _sqlite_part(column, is_falling, collation)
            for column, is_falling, collation in connection.execute(columns, {"index": name})
        ]
        found.append(_Existing(name, tuple(parts), bool(is_unique)))
    return found


def _sqlite_part(column: str | None, is_falling: int, collation: str) -> str:
    if column is None or is_falling:
        return ""
    quoted = trigrams.quoted(column)
    return quoted if collation == "BINARY" else f"{quoted} COLLATE {collation.upper()}"


def _read_postgresql(connection: Connection, table: str) -> list[_Existing]:
    """Return the same of PostgreSQL, which writes expressions in words of its own."""
    rows = connection.execute(text(POSTGRESQL_INDEXES), {"table": table})
    return [
        _Existing(name, tuple(map(_postgresql_part, parts)), is_unique, is_valid)
        for name, is_unique, is_valid, parts in rows
    ]


def _postgresql_part(written: str) -> str:
    found = FOLDED_PART.fullmatch(written)
    if found is None:
        return written
    name = found[1] or found[2]
    quoted = name if name.startswith('"') else trigrams.quoted(name)
    return sort_key_sql(quoted, "postgresql")


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
