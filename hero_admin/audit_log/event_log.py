"""The event log of a process: it writes events to their table, or where there is none, to a log.

Events of requests that end at the same time are written together, by one transaction, as all who
append wait for each other.
"""

import asyncio
import json
import logging
from collections.abc import Sequence
from contextvars import Context
from dataclasses import dataclass, field

from sqlalchemy.ext.asyncio import AsyncSession

from hero_admin.audit_log.event_chain import ChainKey, append
from hero_admin.audit_log.events import Event
from hero_admin.database.engines import Database
from hero_admin.database.errors import Trouble, trouble_of

logger = logging.getLogger("hero_admin.audit")

# Events, and what is set when they are written.
Waiting = tuple[Sequence[Event], asyncio.Future[None]]


@dataclass
class EventLog:
    """Writes events.

    key: that of the chain, None where the library has no tables.
    """

    database: Database
    key: ChainKey | None
    _waiting: list[Waiting] = field(default_factory=list)
    _writer: asyncio.Task[None] | None = None
    # Events that nobody waits for.
    _soon: set[asyncio.Task[None]] = field(default_factory=set)

    async def add(self, session: AsyncSession, events: Sequence[Event]) -> None:
        """Write events in a transaction that its caller commits at once."""
        if self.key is None:
            log(events)
        else:
            await append(session, self.key, events)

    async def save(self, events: Sequence[Event]) -> None:
        """Write events in a transaction of their own, and return once it is committed.

        Where the database cannot write, events that may do without it go to the log instead.
        """
        if self.key is None:
            log(events)
            return
        try:
            await self._save_with_others(events)
        except Exception as error:
            if not _may_do_without(events, error):
                raise
            logger.warning("Events are not in the table: %s", type(error).__name__)
            log(events, logging.WARNING)

    def save_soon(self, events: Sequence[Event]) -> None:
        """Write events behind the response that they tell of."""
        # In a context of its own, as the request may be over.
        task = asyncio.create_task(self._save_behind(events), context=Context())
        self._soon.add(task)
        task.add_done_callback(self._soon.discard)

    async def close(self) -> None:
        """Wait for what is being written, before the database is closed."""
        await asyncio.gather(*self._soon, return_exceptions=True)
        if self._writer is not None:
            await asyncio.gather(self._writer, return_exceptions=True)

    async def _save_behind(self, events: Sequence[Event]) -> None:
        try:
            await self.save(events)
        except Exception as error:  # noqa: BLE001 - there is nobody to tell but the log
            logger.warning("Events are not in the table: %s", type(error).__name__)
            log(events, logging.WARNING)

    async def _save_with_others(self, events: Sequence[Event]) -> None:
        saved = asyncio.get_running_loop().create_future()
        self._waiting.append((events, saved))
        if self._writer is None or self._writer.done():
            # It outlives a request that is cancelled.
            self._writer = asyncio.create_task(self._write(), context=Context())
        await saved

    async def _write(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting, []
            error = await self._written(batch)
            if error is not None:
                # Whoever has come meanwhile would wait for as long, and be refused, too.
                batch, self._waiting = [*batch, *self._waiting], []
            for _, saved in batch:
                if saved.done():
                    continue
                if error is None:
                    saved.set_result(None)
                else:
                    saved.set_exception(error)

    async def _written(self, batch: Sequence[Waiting]) -> Exception | None:
        assert self.key is not None
        try:
            async with self.database.session(is_read_only=False) as session:
                await append(session, self.key, [event for events, _ in batch for event in events])
                # What nobody waits for any more has been refused.
                if not all(saved.cancelled() for _, saved in batch):
                    await session.commit()
        except Exception as error:  # noqa: BLE001 - whoever waits raises it
            return error
        return None


def log(events: Sequence[Event], level: int = logging.INFO) -> None:
    """Log events, each as one line of JSON."""
    for event in events:
        values = {**event.values(), "at": event.at.isoformat(), "details": event.details}
        del values["details_json"]
        logger.log(level, "%s", json.dumps(values, default=str))


def _may_do_without(events: Sequence[Event], error: Exception) -> bool:
    """Whether what events tell of may happen although the database does not take them.

    Whoever may read goes on reading where nothing can be written, but no masked values.
    """
    trouble = trouble_of(error)
    if trouble is None or any(event.has_masked for event in events):
        return False
    return trouble is not Trouble.BUSY or not any(event.is_needed for event in events)
