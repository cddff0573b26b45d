"""Retention of events: old ones are removed, and the chain begins at the last of them."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from hero_admin.audit_log.event_chain import EVENTS, ChainKey, append, lock_head, store_head
from hero_admin.audit_log.events import Event, EventKind
from hero_admin.person import COMMAND_LINE

# As many are removed in one transaction, for which others who append wait.
ROWS_PER_BATCH = 10_000


async def prune(session: AsyncSession, keys: Sequence[ChainKey], before: datetime) -> int:
    """Remove the events before a moment; return how many. Commits every batch.

    The head names the last one that was removed, so that the chain can be verified from there, and
    an event tells of it. Events that were put down late stay with those around them.

    keys: the present one, and then those that may have signed the head before.
    """
    first_kept = await session.scalar(select(func.min(EVENTS.c.id)).where(EVENTS.c.at >= before))
    last_id = await session.scalar(select(func.max(EVENTS.c.id)))
    if last_id is None:
        return 0
    until_id = last_id if first_kept is None else first_kept - 1
    count = 0
    while True:
        signed = await lock_head(session)
        # It was changed since the log was verified: a new signature would hide that.
        if not any(map(signed.is_signed_by, keys)):
            break
        start_id = signed.head.pruned_id
        end_id = min(start_id + ROWS_PER_BATCH, until_id)
        if end_id <= start_id:
            break
        found = select(EVENTS.c.hash).where(EVENTS.c.id == end_id)
        pruned_hash = (await session.execute(found)).scalar()
        # It was removed since the log was verified.
        if pruned_hash is None:
            break
        await session.execute(delete(EVENTS).where(EVENTS.c.id <= end_id))
        head = replace(signed.head, pruned_id=end_id, pruned_hash=pruned_hash)
        await store_head(session, keys[0], head)
        count += end_id - start_id
        if end_id == until_id:
            await append(session, keys[0], [_told(before, count, end_id, pruned_hash)])
        await session.commit()
    await session.rollback()
    return count


def _told(before: datetime, count: int, last_id: int, last_hash: str) -> Event:
    details = {"before": f"{before:%Y-%m-%d}", "last_id": last_id, "last_hash": last_hash}
    return Event(EventKind.PRUNED, COMMAND_LINE.name, count=count, details=details)
