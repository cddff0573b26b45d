"""The doctor: compares the indexes that the resources ask for with those of the database.

They follow from `columns`, `search` and `filters` of each resource, so they are no migrations:
whoever changes a resource changes them.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, Table, inspect, text
from sqlalchemy.exc import DBAPIError

from hero_admin.database.engines import Database
from hero_admin.database.errors import driver_error
from hero_admin.database.identifiers import qualified, quoted, shortened
from hero_admin.listing import sort_indexes as indexes
from hero_admin.listing.collation import MAX_KEY_CHARACTERS, sort_key_sql
from hero_admin.listing.search import trigram_index
from hero_admin.listing.search.sqlite import EVENTS, OPTIONS, SqliteIndex, is_of_index
from hero_admin.listing.sort_indexes import SortIndex, sort_indexes
from hero_admin.migrations import run_alone, take_turn
from hero_admin.model.resource import Resource
from hero_admin.model.site import Site

NO_EXTENSION = (
    "The extension pg_trgm is missing, and this role may not create it: searching {name} looks at"
    " a part of a large table only. Let a superuser run `CREATE EXTENSION pg_trgm`."
)
NOT_FINISHED = "The index {} is incomplete."
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
    WHERE i.indrelid = to_regclass(:table) AND m.amname = 'btree' AND i.indpred IS NULL
"""
NOT_SUPPORTED = "0A000"
# More changes than that make a search slow.
MOST_WAITING = 10_000
A_NAME = re.compile('"((?:[^"]|"")+)"')
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
    found = [*_examine_order(connection, site)]
    if connection.dialect.name == "postgresql":
        return found + _examine_postgresql(connection, resources)
    return found + _examine_sqlite(connection, resources)


def _examine_order(connection: Connection, site: Site) -> Iterable[Finding]:
    read = _read_postgresql if connection.dialect.name == "postgresql" else _read_sqlite
    wanted = sort_indexes(site)
    for table in _existing(connection, [index.table for index in wanted]):
        existing = read(connection, table)
        asked = {index.name: index for index in wanted if index.table is table}
        for each in existing:
            drop = f"DROP INDEX {qualified(table, each.name)}"
            if not each.name.startswith(indexes.PREFIX):
                continue
            parts = _parts(asked[each.name], connection) if each.name in asked else None
            is_asked_for = parts is not None and list(each.parts) == parts[: len(each.parts)]
            if not each.is_finished:
                yield Finding(NOT_FINISHED.format(each.name), (drop,))
            elif not is_asked_for and _is_made_here(each, table):
                yield Finding(f"Unused index: {each.name}.", (drop,))
        for index in asked.values():
            if not any(_serves(each, index, connection) for each in existing):
                listed = ", ".join(_parts(index, connection))
                yield Finding(
                    f"No index for sorting {table.name} by {index.column.name}.",
                    (f"CREATE INDEX {quoted(index.name)} ON {qualified(table)} ({listed})",),
                )


@dataclass(frozen=True)
class _Existing:
    """An index of all rows of a table, and what it holds of each, as the doctor would write it."""

    name: str
    parts: tuple[str, ...]
    is_unique: bool
    is_finished: bool = True


def _is_made_here(index: _Existing, table: Table) -> bool:
    """Whether an index is one that `sort_indexes` may have asked for at some time."""
    named = A_NAME.search(index.parts[0])
    if named is None:
        return False
    column = named[1].replace('""', '"')
    key = [quoted(part.name) for part in table.primary_key if part.name != column]
    is_named_so = index.name == shortened(f"{indexes.PREFIX}{table.name}_{column}")
    return is_named_so and [*index.parts[1:]] in ([], key)


def _parts(index: SortIndex, connection: Connection) -> list[str]:
    """Return what an index holds of each row."""
    column, is_sqlite = quoted(index.column.name), connection.dialect.name == "sqlite"
    if index.is_collated:
        column = sort_key_sql(column, connection.dialect.name)
    # SQLite adds the number of the row to every index by itself.
    key = () if is_sqlite and _has_row_number(index) else index.key
    return [column, *(quoted(part.name) for part in key)]


def _serves(existing: _Existing, index: SortIndex, connection: Connection) -> bool:
    wanted = _parts(index, connection)
    if existing.is_unique and not index.column.nullable and existing.parts == (wanted[0],):
        return True
    if not existing.is_finished:
        return False
    held = list(existing.parts)
    return held == wanted if len(wanted) == 1 else held[: len(wanted)] == wanted


def _read_sqlite(connection: Connection, table: Table) -> list[_Existing]:
    """Return the indexes of a table; a part of an expression is none that the doctor writes."""
    found = []
    listed = text("SELECT name, [unique] FROM pragma_index_list(:table) WHERE NOT partial")
    for name, is_unique in connection.execute(listed, {"table": table.name}).all():
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
    name = quoted(column)
    return name if collation == "BINARY" else f"{name} COLLATE {collation.upper()}"


def _read_postgresql(connection: Connection, table: Table) -> list[_Existing]:
    """Return the same of PostgreSQL, which writes expressions in words of its own."""
    rows = connection.execute(text(POSTGRESQL_INDEXES), {"table": qualified(table)})
    return [
        _Existing(name, tuple(map(_postgresql_part, parts)), is_unique, is_valid)
        for name, is_unique, is_valid, parts in rows
    ]


def _postgresql_part(written: str) -> str:
    found = FOLDED_PART.fullmatch(written)
    if found is None:
        return written
    name = found[1] or found[2]
    return sort_key_sql(name if name.startswith('"') else quoted(name), "postgresql")


def _has_row_number(index: SortIndex) -> bool:
    return len(index.key) == 1 and str(index.key[0].type) == "INTEGER"


def _examine_postgresql(connection: Connection, resources: Sequence[Resource]) -> list[Finding]:
    found, wanted = [], [resource for resource in resources if resource.search_fields]
    names = {(each.table.schema, trigram_index.index_name(each)): each for each in wanted}
    existing = connection.execute(
        text(
            "SELECT n.nspname, t.relname, c.relname, pg_get_indexdef(c.oid), i.indisvalid,"
            " pg_table_is_visible(c.oid) FROM pg_index i"
            " JOIN pg_class c ON i.indexrelid = c.oid JOIN pg_class t ON i.indrelid = t.oid"
            " JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relname LIKE 'search\\_%'"
        )
    )
    kept = set()
    for schema, table, name, definition, is_valid, is_visible in existing:
        place = (schema, name) if (schema, name) in names else (None, name)
        resource = names.get(place) if is_visible or place[0] else None
        drop = f"DROP INDEX {quoted(schema)}.{quoted(name)}"
        columns = [] if resource is None else [f.column.name for f in resource.search_fields]
        is_made_here = name.startswith(trigram_index.PREFIX + table[:20]) and "fold(" in definition
        if resource is not None and not is_valid:
            found.append(Finding(NOT_FINISHED.format(name), (drop,)))
        elif columns and _is_over(definition, columns):
            kept.add(place)
        elif resource is not None or (is_made_here and is_visible):
            found.append(Finding(f"Unused index: {name}.", (drop,)))
    missing = [resource for place, resource in names.items() if place not in kept]
    if not missing:
        return found
    extension = _extension(connection)
    if extension is None:
        return found + [Finding(NO_EXTENSION.format(name=each.name)) for each in missing]
    for resource in missing:
        sentence = f"The search index of {resource.label_plural} is missing."
        making = trigram_index.postgresql_statement(resource, _operators(connection))
        found.append(Finding(sentence, (*extension, making)))
    return found


def _operators(connection: Connection) -> str:
    """Return what pg_trgm calls its operators for GIN, wherever somebody has put it."""
    schema = connection.scalar(
        text(
            "SELECT nspname FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace"
            " WHERE extname = 'pg_trgm'"
        )
    )
    return f"{quoted(schema)}.gin_trgm_ops" if schema else "gin_trgm_ops"


def _is_over(definition: str, columns: Sequence[str]) -> bool:
    """Whether PostgreSQL calls an index one over the folded columns and nothing else."""

    def has(column: str) -> bool:
        names = column, quoted(column)
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
    existing = {
        name: (kind, sql)
        for name, kind, sql in connection.execute(
            text("SELECT name, type, sql FROM sqlite_master WHERE sql IS NOT NULL")
        )
    }
    unused = {
        name
        for name, (_, sql) in existing.items()
        if name.startswith(trigram_index.PREFIX) and sql.endswith(f"{OPTIONS})")
    }
    found: list[Finding] = []
    for resource in resources:
        if resource.search_fields:
            index = SqliteIndex(resource)
            unused.discard(index.name)
            found += _examine_search(connection, resource, index, existing)
    for name in sorted(unused):
        sentence = f"Unused search index: {name}."
        found.append(Finding(sentence, tuple(_drops(existing, name))))
    return found


def _examine_search(
    connection: Connection,
    resource: Resource,
    index: SqliteIndex,
    existing: Mapping[str, tuple[str, str]],
) -> Iterator[Finding]:
    drops, triggers = [*_drops(existing, index.name)], index.triggers
    held = {name: sql for name, (_, sql) in existing.items()}
    whole = {**index.tables, **triggers}
    if all(held.get(name) == sql for name, sql in whole.items()):
        (waiting,) = connection.exec_driver_sql(index.counting).one()
        if waiting > MOST_WAITING:
            sentence = f"{waiting:,} changed {resource.label_plural} are not indexed yet."
            yield Finding(sentence, tuple(index.refreshing()))
        return
    strange = [name for name in index.tables if name in held and not is_of_index(name, held)]
    if strange:
        yield Finding(
            f"The search of {resource.label_plural} has no index, as the table {strange[0]} is in"
            " its place."
        )
        return
    *tables, changes = index.tables
    is_filled = all(held.get(name) == index.tables[name] for name in tables)
    if is_filled and changes not in held and all(name in held for name in triggers):
        # They kept it up to date, by a function that other programs do not have.
        remedies = [*_drop_all(existing, triggers), index.tables[changes], *triggers.values()]
        sentence = f"Old triggers keep other programs from writing to {resource.label_plural}."
        yield Finding(sentence, tuple(remedies))
        return
    sentence = f"The search index of {resource.label_plural} is missing or outdated."
    yield Finding(sentence, (*drops, *index.tables.values(), *index.filling, *triggers.values()))


def _drops(existing: Mapping[str, tuple[str, str]], index: str) -> Iterator[str]:
    """Return the statements that drop a search index of SQLite and what belongs to it."""
    prefixes = (trigram_index.NUMBERS_PREFIX, trigram_index.CHANGES_PREFIX)
    names = [f"{index}_{event}" for event in EVENTS]
    names += [index, *(index.replace(trigram_index.PREFIX, prefix, 1) for prefix in prefixes)]
    return _drop_all(existing, names)


def _drop_all(existing: Mapping[str, tuple[str, str]], names: Iterable[str]) -> Iterator[str]:
    for name in names:
        if name in existing:
            yield f"DROP {existing[name][0].upper()} {quoted(name)}"
