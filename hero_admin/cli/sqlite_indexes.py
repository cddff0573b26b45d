"""The indexes of SQLite, as they are and as they should be."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from sqlalchemy import Connection, Table, text

from hero_admin.cli.findings import ExistingIndex, Finding
from hero_admin.database.identifiers import quoted
from hero_admin.listing.search import trigram_index
from hero_admin.listing.search.sqlite import sort_key_sql
from hero_admin.listing.search.sqlite_index import (
    EVENTS,
    OPTIONS,
    PREFIXES,
    SqliteIndex,
    is_of_index,
)
from hero_admin.listing.sort_indexes import SortIndex
from hero_admin.model.resource import Resource

A_NAME = re.compile('"((?:[^"]|"")+)"')
AN_INDEX = re.compile("^(CREATE|DROP) INDEX")
# More changes that are not indexed yet make a search slow.
MAX_PENDING = 10_000


def read_indexes(connection: Connection, table: Table) -> list[ExistingIndex]:
    """Return the indexes of a table; the part of an expression is empty."""
    found = []
    listed = text("SELECT name, [unique] FROM pragma_index_list(:table) WHERE NOT partial")
    for name, is_unique in connection.execute(listed, {"table": table.name}).all():
        columns = text("SELECT name, [desc], coll FROM pragma_index_xinfo(:index) WHERE key")
        parts = [
            _sqlite_part(column, is_falling, collation)
            for column, is_falling, collation in connection.execute(columns, {"index": name})
        ]
        found.append(ExistingIndex(name, tuple(parts), bool(is_unique)))
    return found


def _sqlite_part(column: str | None, is_falling: int, collation: str) -> str:
    if column is None or is_falling:
        return ""
    name = quoted(column)
    return name if collation == "BINARY" else f"{name} COLLATE {collation.upper()}"


def parts_of(index: SortIndex) -> list[str]:
    """Return what an index holds of each row."""
    column = quoted(index.column.name)
    # The number of the row is added to every index anyway.
    has_row_number = len(index.key) == 1 and str(index.key[0].type) == "INTEGER"
    key = () if has_row_number else index.key
    first = sort_key_sql(column) if index.is_collated else column
    return [first, *(quoted(part.name) for part in key)]


def check_function(_: Connection, __: Sequence[Resource]) -> list[Finding]:
    """Return nothing: each connection brings the functions it needs."""
    return []


def check_search_indexes(connection: Connection, resources: Sequence[Resource]) -> list[Finding]:
    """Return what is wrong with the search indexes."""
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
            found += _check_search_index(connection, resource, index, existing)
    for name in sorted(unused):
        sentence = f"Unused search index: {name}."
        found.append(Finding(sentence, tuple(_drops(existing, name))))
    return found


def _check_search_index(
    connection: Connection,
    resource: Resource,
    index: SqliteIndex,
    existing: Mapping[str, tuple[str, str]],
) -> Iterator[Finding]:
    drops, triggers = [*_drops(existing, index.name)], index.triggers
    held = {name: sql for name, (_, sql) in existing.items()}
    whole = {**index.tables, **triggers}
    if all(held.get(name) == sql for name, sql in whole.items()):
        (pending,) = connection.exec_driver_sql(index.counting).one()
        if pending > MAX_PENDING:
            sentence = f"{pending:,} changed {resource.label_plural} are not indexed yet."
            yield Finding(sentence, tuple(index.refreshing()))
        return
    foreign = [name for name in index.tables if name in held and not is_of_index(name, held)]
    if foreign:
        yield Finding(
            f"The search of {resource.label_plural} has no index, as the table {foreign[0]} is in"
            " its place."
        )
        return
    *tables, changes = index.tables
    is_filled = all(held.get(name) == index.tables[name] for name in tables)
    if is_filled and changes not in held and all(name in held for name in triggers):
        # They call a function that other programs do not have.
        fixes = [*_drop_all(existing, triggers), index.tables[changes], *triggers.values()]
        sentence = f"Old triggers keep other programs from writing to {resource.label_plural}."
        yield Finding(sentence, tuple(fixes))
        return
    sentence = f"The search index of {resource.label_plural} is missing or outdated."
    yield Finding(sentence, (*drops, *index.tables.values(), *index.filling, *triggers.values()))


def _drops(existing: Mapping[str, tuple[str, str]], index: str) -> Iterator[str]:
    """Return the statements that drop a search index of SQLite and what belongs to it."""
    names = [f"{index}_{event}" for event in EVENTS]
    names += [index.replace(trigram_index.PREFIX, prefix, 1) for prefix in PREFIXES]
    return _drop_all(existing, names)


def _drop_all(existing: Mapping[str, tuple[str, str]], names: Iterable[str]) -> Iterator[str]:
    for name in names:
        if name in existing:
            yield f"DROP {existing[name][0].upper()} {quoted(name)}"
