"""Transactions: the session, the site and the operation of a write."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncSession

from hero_admin.audit_log import changes
from hero_admin.audit_log.changes import Entry, Operation
from hero_admin.model.site import Site


@dataclass(frozen=True)
class Transaction:
    """What all writes of one request or command share."""

    session: AsyncSession
    site: Site
    operation: Operation

    async def record(self, entries: Sequence[Entry]) -> None:
        await changes.record(self.session, self.operation, entries)
