"""Deferred work of a revert: what waits until all other changes are reverted."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from hero_admin.database.errors import REFUSALS
from hero_admin.history.revert_batches import Batch
from hero_admin.model.primary_keys import Key, key_text
from hero_admin.model.resource import Record, Resource
from hero_admin.web.errors import Invalid
from hero_admin.web.texts import ngettext
from hero_admin.writes.bulk import fetch_states, rewritten_labels
from hero_admin.writes.cascade import count_references_to
from hero_admin.writes.catalog import Catalog
from hero_admin.writes.deletion import delete_cascade, refused
from hero_admin.writes.hooks import call_later, has_hooks, run_before
from hero_admin.writes.referencing_rows import RowsToDelete, TableRow, portions
from hero_admin.writes.renamed import key_after
from hero_admin.writes.table_rows import RawRow, find_without_target
from hero_admin.writes.tables import ForeignKey, RowId, StoredTable, TableName
from hero_admin.writes.transaction import Transaction


@dataclass
class RevertContext:
    """What a revert works with, and what is left to do when all other changes are reverted.

    coming: the tables whose rows are restored.
    referencing: the references to set then: a foreign key, the key of a row, and its values.
    to_delete: the rows to delete; asked: the same by table, with their name in a sentence.
    direct: those of them that are no consequence.
    rewritten: the columns that triggers have rewritten, as “age of heroes”.
    written: the keys of records that pass hooks, and the records before, by the texts of the keys.
    """

    transaction: Transaction
    to_delete: RowsToDelete
    coming: Collection[TableName]
    referencing: list[tuple[ForeignKey, RawRow, RawRow]] = field(default_factory=list)
    asked: list[tuple[StoredTable, list[RowId], str]] = field(default_factory=list)
    direct: set[TableRow] = field(default_factory=set)
    rewritten: dict[str, None] = field(default_factory=dict)
    written: dict[Resource, dict[str, tuple[Key, Record | None]]] = field(default_factory=dict)

    @property
    def session(self) -> AsyncSession:
        return self.transaction.session

    @property
    def catalog(self) -> Catalog:
        return self.to_delete.catalog

    async def run_before(self, batch: Batch, states: Mapping[str, Record]) -> None:
        """Call the hook of a resource for the records of a batch, `states` before they change."""
        resource = batch.resource
        if not has_hooks(resource):
            return
        for text in batch.changes:
            before, earlier = states.get(text), batch.earlier[text]
            after = {**(before or {}), **earlier}
            await run_before(
                self.transaction, resource, before, after, is_restored=True, is_named=True
            )
            key = key_after(resource, batch.keys[text], earlier)
            self.written.setdefault(resource, {})[key_text(resource, key)] = key, before

    async def call_later(self) -> None:
        """Call the hooks for all records, as they are now, once the transaction is committed."""
        for resource, written in self.written.items():
            for some in portions([*written.values()]):
                keys = [key for key, _ in some]
                found = await fetch_states(self.session, resource, keys)
                pairs = [(written[text][1], record) for text, record in found.items()]
                call_later(self.transaction, resource, pairs, is_restored=True)

    def note_rewritten(self, batch: Batch, after: Mapping[str, Mapping[str, Any]]) -> None:
        """Note the columns that triggers have rewritten in the records of a batch, by key."""
        for key, state in after.items():
            if key not in batch.whole_rows:
                labels = rewritten_labels(batch.resource, state, batch.earlier[key])
                self.rewritten |= dict.fromkeys(labels)

    def note_rewritten_rows(
        self,
        stored: StoredTable,
        columns: Sequence[str],
        before: Sequence[RawRow],
        now: Sequence[RawRow],
    ) -> None:
        """Note the columns that triggers have rewritten in rows that are not administered."""
        for position, name in enumerate(columns):
            if any(old[position] != new[position] for old, new in zip(before, now, strict=True)):
                self.rewritten[f"{name} of {stored.label}"] = None

    def delete_later(
        self, stored: StoredTable, rows: Mapping[RowId, TableRow | None], what: str
    ) -> None:
        """Defer the deletion of rows, which a sentence calls `what`."""
        self.asked.append((stored, self.to_delete.add(stored.name, rows), what))


async def delete_deferred(context: RevertContext) -> None:
    """Delete the deferred rows together, as they may refer to each other.

    Raises Invalid if other rows refer to them by now.
    """
    session, to_delete = context.session, context.to_delete
    for stored, ids, what in context.asked:
        count = await count_references_to(session, to_delete, stored, ids)
        if count:
            sentence = ngettext(
                "Another record points at {what} now.",
                "{count:,} other records point at {what} now.",
                count,
            )
            raise Invalid({"": sentence.format(count=count, what=what)})
    try:
        async with session.begin_nested():
            await delete_cascade(context.transaction, to_delete, context.direct)
    except REFUSALS as error:
        raise refused(error, "Other records need one of them now.") from None


async def defer_references(
    context: RevertContext, stored: StoredTable, columns: Sequence[str], rows: list[RawRow]
) -> set[int]:
    """Return the positions of rows whose target no longer exists and is not restored with them.

    Clears references to rows that are restored later, where that is possible, and defers them.
    """
    found: set[int] = set()
    for key in context.catalog.references_of(stored):
        if not key.is_declared or not {*key.columns} <= {*columns}:
            continue
        given = values_in(columns, key.columns, rows)
        without = await find_without_target(context.session, context.catalog, key, given)
        if key.target == stored.name and {*key.target_columns} <= {*columns}:
            coming = values_in(columns, key.target_columns, rows)
            without = {position for position in without if given[position] not in coming}
        if key.target not in context.coming:
            found |= without
        elif stored.key and all(
            stored.column(name).is_nullable and name not in stored.key for name in key.columns
        ):
            own = values_in(columns, stored.key, rows)
            for position in without:
                context.referencing.append((key, own[position], given[position]))
                for name in key.columns:
                    rows[position][list(columns).index(name)] = None
    return found


def values_in(
    columns: Sequence[str], wanted: Sequence[str], rows: Sequence[RawRow]
) -> list[RawRow]:
    """Return the values of the wanted columns of each row."""
    positions = [list(columns).index(name) for name in wanted]
    return [[row[position] for position in positions] for row in rows]
