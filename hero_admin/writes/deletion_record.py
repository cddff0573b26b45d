"""Deletion records: the entries for rows that are about to be deleted."""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from sqlalchemy.engine import Dialect
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.types import NullType

from hero_admin.audit_log.changes import Entry, Kind, Recorded
from hero_admin.model.fields import Field
from hero_admin.model.primary_keys import key_text
from hero_admin.model.resource import Resource
from hero_admin.model.serialization import snapshot_of
from hero_admin.writes.catalog import Catalog
from hero_admin.writes.causes import CAUSE, cause_text, fetch_causes
from hero_admin.writes.files import record_stored_files
from hero_admin.writes.referencing_rows import (
    Cause,
    RowsToDelete,
    TableRow,
    fetch_whole,
    is_any,
    portions,
)
from hero_admin.writes.row_changes import WHOLE_ROW, RowsChange, whole_row_text
from hero_admin.writes.table_rows import fetch_rows
from hero_admin.writes.tables import RowId, StoredTable, TableColumn
from hero_admin.writes.transaction import Transaction

# Types of which one takes the values of the other, as each is known to SQLAlchemy or the server.
SAME_VALUES = {
    "varchar": "text",
    "character varying": "text",
    "char": "text",
    "character": "text",
    "citext": "text",
    "float": "double precision",
    "real": "double precision",
    "smallint": "integer",
    "bigint": "integer",
}


async def record_deletions(
    transaction: Transaction,
    to_delete: RowsToDelete,
    stored: StoredTable,
    direct: Collection[TableRow],
) -> None:
    """Record the rows of a table before they are deleted; those not `direct` are consequences."""
    if not transaction.has_history:
        return
    session, catalog, rows = transaction.session, to_delete.catalog, to_delete.rows[stored.name]
    resource = catalog.resources.get(stored.name)
    for some in portions(list(rows)[::-1]):
        # Most records refer to their cause, so their values name it.
        unnamed = to_delete.without_relation
        needs_cause = {each: resource is None or (stored.name, each) in unnamed for each in some}
        wanted = [rows[each] for each in some if needs_cause[each]]
        causes = await fetch_causes(session, catalog, wanted)
        own = {each: causes.get(rows[each]) if needs_cause[each] else None for each in some}
        own |= {each: to_delete.causes.get((stored.name, each), own[each]) for each in some}
        if resource is None:
            entries = await _rows(session, stored, [each.name for each in stored.writable], own)
        else:
            rest = await _whole_rows(session, catalog, stored, some)
            entries = await _records(transaction, stored, resource, own, rest, direct)
        await transaction.record(entries)


async def _rows(
    session: AsyncSession, stored: StoredTable, columns: Sequence[str], causes: dict[RowId, Cause]
) -> list[Entry]:
    found = await fetch_rows(session, stored, columns, list(causes))
    there = [each for each in causes if each in found]
    before = [found[each] for each in there]
    own = [causes[each] for each in there]
    change = RowsChange(stored.name, tuple(columns), before, None, own)
    return [change.entry(stored)]


async def _whole_rows(
    session: AsyncSession, catalog: Catalog, stored: StoredTable, ids: Sequence[RowId]
) -> dict[RowId, str]:
    """Return the rows of records as texts, if the model does not describe all their values."""
    names = [each.name for each in stored.writable]
    dialect = session.get_bind().dialect
    fields = (catalog.field_of(stored.name, name) for name in names)
    if all(map(partial(_has_values_of, dialect), fields, stored.writable)):
        return {}
    found = await fetch_rows(session, stored, names, ids)
    return {each: whole_row_text(names, row) for each, row in found.items()}


def _has_values_of(dialect: Dialect, field: Field | None, stored: TableColumn) -> bool:
    """Whether the values of a field are all that a column may hold."""
    if field is None or isinstance(field.column.type, NullType):
        return False
    # A column without a type has values of any type, and fields have these as they are.
    return not stored.type or (
        _plain_type(field.column.type.compile(dialect)) == _plain_type(stored.type)
    )


def _plain_type(name: str) -> str:
    """Return the name of a type of PostgreSQL, the same for those with the same values."""
    plain = re.sub(r" ?\([^)]*\)", "", name).replace('"', "").lower()
    return SAME_VALUES.get(plain, plain)


async def _records(
    transaction: Transaction,
    stored: StoredTable,
    resource: Resource,
    causes: dict[RowId, Cause],
    rest: Mapping[RowId, str],
    direct: Collection[TableRow],
) -> list[Entry]:
    ids = list(causes)
    await record_stored_files(transaction, resource.fields, is_any(stored, None, ids))
    records = await fetch_whole(transaction.session, stored, resource, ids)
    ordered = [(each, records[each]) for each in causes if each in records]
    return [
        _deletion(
            resource,
            values,
            causes[row],
            rest.get(row),
            is_consequence=(stored.name, row) not in direct,
        )
        for row, values in _referencing_first(resource, ordered)
    ]


Record = tuple[RowId, dict[str, Any]]


def _referencing_first(resource: Resource, records: Sequence[Record]) -> Iterator[Record]:
    """Yield each record before those that it refers to, as they are restored in reverse order."""
    relations = [
        (field.name, field.relation.target_column)
        for field in resource.fields
        if field.relation and field.relation.target is resource.model
    ]
    while records:
        pointed = {(each[name], column) for _, each in records for name, column in relations}
        first: list[Record] = []
        last: list[Record] = []
        for record_ in records:
            is_pointed = any((record_[1][column], column) in pointed for _, column in relations)
            (last if is_pointed else first).append(record_)
        if not first:
            # A cycle has no order.
            first, last = last, first
        yield from first
        records = last


def _deletion(
    resource: Resource,
    values: dict[str, Any],
    cause: Cause,
    whole_row: str | None,
    *,
    is_consequence: bool,
) -> Entry:
    key = tuple(values[field.name] for field in resource.key)
    differences: dict[str, tuple[Recorded, Recorded]] = {
        name: (text, None) for name, text in snapshot_of(resource, values).items()
    }
    if whole_row:
        differences[WHOLE_ROW] = (whole_row, None)
    if cause:
        differences[CAUSE] = (cause_text(cause), None)
    return Entry(
        resource.name,
        key_text(resource, key),
        resource.titles.of(values),
        Kind.DELETED,
        differences,
        is_consequence,
    )
