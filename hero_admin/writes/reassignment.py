"""Reassignment: lets rows that stay refer to something else than the rows to delete."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ColumnElement,
    and_,
    bindparam,
    exists,
    null,
    or_,
    select,
    tuple_,
    update,
)
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from hero_admin.audit_log.changes import Entry, Kind
from hero_admin.model.fields import Field
from hero_admin.model.primary_keys import key_text
from hero_admin.model.serialization import recorded
from hero_admin.web.errors import Invalid
from hero_admin.writes.catalog import Catalog
from hero_admin.writes.causes import CAUSE, cause_text, fetch_causes
from hero_admin.writes.column_defaults import default_of
from hero_admin.writes.gate import check_seen, permit_consequence
from hero_admin.writes.reassigned_records import ReassignedRecords
from hero_admin.writes.referencing_rows import (
    RowsToDelete,
    TableRow,
    causes_of,
    fetch_columns,
    fetch_referencing,
    is_any,
    refers_to,
)
from hero_admin.writes.replacements import Replacement
from hero_admin.writes.row_changes import RowsChange
from hero_admin.writes.table_rows import Raw, fetch_raw_value, fetch_rows
from hero_admin.writes.tables import ForeignKey, RowId, StoredTable, identity_of
from hero_admin.writes.transaction import Transaction


@dataclass(frozen=True)
class _New:
    """The new value of a column: as an expression, as the value of a field, and as recorded."""

    expression: Any
    value: Any
    raw: Raw


async def reassign(
    transaction: Transaction,
    to_delete: RowsToDelete,
    key: ForeignKey,
    ids: Sequence[RowId],
    replacement: Replacement | None = None,
) -> None:
    """Let the rows that stay and refer to these refer to their replacement, or to none.

    Raises Invalid if the database refuses the replacement.
    """
    session, catalog = transaction.session, to_delete.catalog
    stored = catalog.tables[key.table]
    if not stored.is_usable:
        return
    columns = key.columns if replacement else key.cleared
    new = {name: await _fetch_new(session, catalog, key, name, replacement) for name in columns}
    fields = [catalog.field_of(key.table, name) for name in columns]
    known = [each for each in fields if each is not None]
    resource = catalog.resources.get(key.table)
    going = to_delete.of(key.table)
    async for pairs in fetch_referencing(session, catalog, key, ids, is_locked=True):
        found = causes_of(to_delete, key, pairs)
        causes = {row: cause for row, cause in found.items() if row not in going}
        if not causes:
            continue
        permit_consequence(transaction, resource, "change", [field.name for field in known])
        await check_seen(session, catalog, key.table, list(causes))
        records = None
        if resource and len(known) == len(fields):
            values = {field.name: new[field.column.name].value for field in known}
            records = await ReassignedRecords.fetch(
                transaction, stored, resource, values, list(causes)
            )
            entries = await _changes(catalog, key, records, known, causes)
        else:
            entries = await _rows_changes(session, catalog, stored, causes, new)
        own = stored.clause()
        changed = update(own).where(is_any(stored, own, list(causes)))  # type: ignore[arg-type]
        changed = changed.values({own.c[name]: each.expression for name, each in new.items()})
        try:
            async with session.begin_nested():
                await session.execute(changed)
        except IntegrityError:
            if replacement is None:
                raise
            label = resource.label_plural if resource else f"rows of {stored.label}"
            sentence = f"The database doesn't accept this choice for the {label}. Choose another."
            raise Invalid({"": sentence}) from None
        if records is not None:
            await records.finish()
        await transaction.record(entries)


async def _fetch_new(
    session: AsyncSession,
    catalog: Catalog,
    key: ForeignKey,
    name: str,
    replacement: Replacement | None,
) -> _New:
    stored = catalog.tables[key.table]
    if replacement is not None:
        given = replacement.field.exact
        raw = await fetch_raw_value(session, select(given).where(given == replacement.value))
        own_field = catalog.field_of(key.table, name) or replacement.field
        expression = bindparam(None, replacement.value, own_field.exact_type)
        return _New(expression, replacement.value, raw)
    field = catalog.field_of(key.table, name)
    default = default_of(stored, name, field)
    if key.action != "SET DEFAULT" or default is None:
        return _New(null(), None, None)
    value = None if field is None else (await session.execute(select(default))).scalar()
    return _New(default, value, await fetch_raw_value(session, select(default)))


async def _changes(
    catalog: Catalog,
    key: ForeignKey,
    records: ReassignedRecords,
    fields: Sequence[Field],
    causes: Mapping[RowId, TableRow | None],
) -> list[Entry]:
    """Return the entries for records, each under the key that it has afterwards."""
    session, resource, stored = (
        records.transaction.session,
        records.resource,
        catalog.tables[key.table],
    )
    shown = [*resource.key, *resource.titles.fields, *fields]
    columns = [field.exact for field in shown]
    found = await fetch_columns(session, stored, resource, columns, list(causes))
    is_plain = catalog.is_relation(key)
    names = {} if is_plain else await fetch_causes(session, catalog, causes.values())
    after = {field: records.new[field.name] for field in fields}
    entries = []
    for row, shown_values in found.items():
        values = dict(zip(shown, shown_values, strict=True))
        differences: dict[str, tuple[Any, Any]] = {
            field.name: (recorded(field, values[field]), recorded(field, after[field]))
            for field in fields
        }
        for name, value in records.altered.get(row, {}).items():
            pair = records.before[row][name], value
            old, own_new = (recorded(resource.by_name[name], each) for each in pair)
            differences[name] = (old, own_new)
        if not is_plain:
            cause = names.get(causes[row])
            differences[CAUSE] = (cause_text(cause), None)
        whole = {**values, **after}
        own = key_text(resource, tuple(whole[field] for field in resource.key))
        title = resource.titles.of({field.name: value for field, value in whole.items()})
        entries.append(Entry(resource.name, own, title, Kind.CHANGED, differences, True))
    return entries


async def _rows_changes(
    session: AsyncSession,
    catalog: Catalog,
    stored: StoredTable,
    causes: Mapping[RowId, TableRow | None],
    new: Mapping[str, _New],
) -> list[Entry]:
    """Return the entry for rows that are not administered."""
    names = dict.fromkeys(stored.key or (each.name for each in stored.writable))
    columns = tuple(names | dict.fromkeys(new))
    before = await fetch_rows(session, stored, columns, list(causes))
    after = [
        [new[name].raw if name in new else value for name, value in zip(columns, row, strict=True)]
        for row in before.values()
    ]
    known = await fetch_causes(session, catalog, causes.values())
    own = [known.get(causes[row]) for row in before]
    change = RowsChange(stored.name, columns, list(before.values()), after, own)
    return [change.entry(stored)]


async def fetch_duplicate_links(
    session: AsyncSession,
    catalog: Catalog,
    key: ForeignKey,
    ids: Sequence[RowId],
    replacement: Replacement,
) -> list[RowId]:
    """Fetch the links that the replacement of these rows has already, and so are not needed.

    A link is a row of which a unique set consists of foreign keys alone.
    """
    referencing, target = catalog.tables[key.table], catalog.tables[key.target]
    linked = {name for each in catalog.references_of(referencing) for name in each.columns}
    (column,) = key.columns
    own, other = referencing.clause("referencing"), referencing.clause("other")
    theirs, others = target.clause("target"), target.clause("others")
    found: dict[RowId, None] = {}
    for names in referencing.unique_sets:
        if column not in names or not set(names) <= linked:
            continue
        value = bindparam(None, replacement.value, replacement.field.exact_type)
        # Of two links that become equal the first one stays.
        earlier: ColumnElement[bool] = tuple_(*identity_of(referencing, other)) < tuple_(
            *identity_of(referencing, own)
        )
        also_moved = exists(
            select(*identity_of(target, others)).where(
                refers_to(key, other, others), is_any(target, others, ids)
            )
        )
        same = [other.c[name] == own.c[name] for name in names if name != column]
        taken = select(*identity_of(referencing, other)).where(
            *same, or_(other.c[column] == value, and_(earlier, also_moved))
        )
        rows = (
            select(*identity_of(referencing, own))
            .select_from(theirs.join(own, refers_to(key, own, theirs)))
            .where(is_any(target, theirs, ids), exists(taken))
        )
        found |= dict.fromkeys(tuple(row) for row in await session.execute(rows))
    return list(found)
