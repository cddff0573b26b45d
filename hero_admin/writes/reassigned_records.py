"""Reassigned records: pass the hooks and the rule of their resource as any other change."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from hero_admin.model.primary_keys import key_of, key_text, key_values
from hero_admin.model.records import fetch_records
from hero_admin.model.resource import Record, Resource
from hero_admin.writes.draft import Draft, check
from hero_admin.writes.hooks import call_later, has_hooks, run_before
from hero_admin.writes.referencing_rows import fetch_whole
from hero_admin.writes.renamed import key_after
from hero_admin.writes.rows import update_records
from hero_admin.writes.rules import check_records
from hero_admin.writes.tables import RowId, StoredTable
from hero_admin.writes.transaction import Transaction


@dataclass(frozen=True)
class ReassignedRecords:
    """Records that are about to refer to something else, and what their hooks have set in them.

    new: the values that all of them will have, by the name of the field.
    """

    transaction: Transaction
    resource: Resource
    new: Mapping[str, Any]
    before: Mapping[RowId, Record] = field(default_factory=dict)
    altered: Mapping[RowId, dict[str, Any]] = field(default_factory=dict)

    @classmethod
    async def fetch(
        cls,
        transaction: Transaction,
        stored: StoredTable,
        resource: Resource,
        new: Mapping[str, Any],
        ids: Sequence[RowId],
    ) -> "ReassignedRecords":
        """Call the hooks for these rows; reads nothing where the resource has no function."""
        if resource.check is None and not has_hooks(resource):
            return cls(transaction, resource, new)
        before = await fetch_whole(transaction.session, stored, resource, ids)
        altered = {}
        for row, record in before.items():
            whole = {**record, **new}
            values = await run_before(transaction, resource, record, whole, is_named=True)
            if values:
                altered[row] = await check(transaction, Draft(resource, values, record))
        return cls(transaction, resource, new, before, altered)

    async def finish(self) -> None:
        """Store what the hooks have set, and ask the rule; raises Invalid."""
        session, resource = self.transaction.session, self.resource
        if not self.before:
            return
        keys = {
            row: key_after(resource, key_values(resource, record), self.new)
            for row, record in self.before.items()
        }
        changed = [(keys[row], values) for row, values in self.altered.items()]
        await update_records(session, resource, changed, is_exact=True)
        found = await fetch_records(session, resource, list(keys.values()))
        await check_records(self.transaction, resource, found, is_named=True)
        old = {key_text(resource, keys[row]): record for row, record in self.before.items()}
        pairs = [(old[key_of(resource, record)], record) for record in found]
        call_later(self.transaction, resource, pairs)
