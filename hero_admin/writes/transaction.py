"""Transactions: the session, the site and the operation of a write."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlalchemy.ext.asyncio import AsyncSession

from hero_admin.audit_log import changes
from hero_admin.audit_log.changes import Entry, Operation
from hero_admin.model.primary_keys import Key
from hero_admin.model.resource import Resource
from hero_admin.model.site import Site

# The keys of records by their texts, by resource and whether the sentence of its rule names them.
Unchecked = dict[tuple[Resource, bool], dict[str, Key]]


@dataclass(frozen=True)
class Transaction:
    """What all writes of one request or command share.

    is_summed_up: whether what it records is a consequence that another entry sums up.
    unchecked: the records whose rule is asked later; None where it is asked after each write.
    """

    session: AsyncSession
    site: Site
    operation: Operation
    is_summed_up: bool = False
    unchecked: Unchecked | None = None

    @property
    def has_history(self) -> bool:
        return self.site.has_history

    async def record(self, entries: Sequence[Entry]) -> None:
        """Record changes, if the Admin has a history."""
        if not self.has_history:
            return
        if self.is_summed_up:
            entries = [replace(entry, is_consequence=True) for entry in entries]
        await changes.record(self.session, self.operation, entries, is_summed_up=self.is_summed_up)
