"""Transactions of batches: all of one operation, which is one line in the history."""

from collections.abc import Sequence
from dataclasses import dataclass

from hero_admin.audit_log.changes import Entry
from hero_admin.audit_log.further_changes import record_further
from hero_admin.writes.transaction import Transaction


@dataclass(frozen=True)
class BatchTransaction(Transaction):
    """One of many transactions that are one operation."""

    async def record(self, entries: Sequence[Entry]) -> None:
        """Record changes, and add them to the line of their operation."""
        await record_further(self.session, self.operation, entries, is_summed_up=self.is_summed_up)
