"""A transaction: in what, on which site and in whose name records are written."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncSession

from hero_admin.audit_log import changes
from hero_admin.audit_log.changes import Entry, Operation
from hero_admin.model.site import Site


@dataclass(frozen=True)
class Transaction:
    """What everything that one request or command writes has in common."""

    session: AsyncSession
    site: Site
    operation: Operation

    async def record(self, entries: Sequence[Entry]) -> None:
        """Write down in the audit log what was done."""
        await changes.record(self.session, self.operation, entries)
