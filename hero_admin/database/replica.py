"""The replica: a copy of the database that answers reads as long as it keeps up."""

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncEngine

from hero_admin.database.errors import is_unavailable

LOOK_SECONDS = 1.0
ANSWER_SECONDS = 0.5
# How old the data of a replica may be.
MAX_LAG_SECONDS = 5.0
# A position that no replica reaches.
NEVER = 2**64 - 1

# Positions in the write-ahead log, as numbers.
WRITTEN = text("SELECT (pg_current_wal_insert_lsn() - '0/0')::text")
# Replicas receive only what the primary has flushed.
FLUSHED = text("SELECT (pg_current_wal_flush_lsn() - '0/0')::text")
# A replica that was promoted has everything.
REPLAYED = text(
    "SELECT (CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn()"
    " ELSE pg_current_wal_insert_lsn() END - '0/0')::text"
)

logger = logging.getLogger("hero_admin.database.replica")


class Replica:
    """The state of a replica: whether it answers, and how far it lags behind the primary."""

    def __init__(self, engine: AsyncEngine, primary: AsyncEngine) -> None:
        self.engine = engine
        self._primary = primary
        # Whether the primary did not answer the last time.
        self.is_alone = False
        self._is_usable = False
        self._replayed = 0
        # The positions of the primary, with their times.
        self._flushed: deque[tuple[float, int]] = deque(maxlen=100)

    def has(self, position: int) -> bool:
        """Whether it may answer somebody who has to see what was written up to a position."""
        return self._is_usable and position <= self._replayed

    def give_up(self) -> None:
        """Use the primary until the next check finds the replica usable."""
        if self._is_usable:
            logger.warning("The replica is away or behind: the primary answers for it")
        self._is_usable = False

    async def fetch_written(self) -> int:
        """Fetch the position of the last change; `NEVER` if the primary does not tell in time."""
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                return await _fetch_position(self._primary, WRITTEN)
        # The change is saved all the same.
        except Exception as error:
            if not is_unavailable(error):
                raise
            return NEVER

    @asynccontextmanager
    async def watched(self) -> AsyncIterator[None]:
        """Check it every second inside."""
        watching = asyncio.create_task(self._watch())
        try:
            yield
        finally:
            watching.cancel()
            with suppress(asyncio.CancelledError):
                await watching

    async def _watch(self) -> None:
        while True:
            try:
                async with asyncio.timeout(LOOK_SECONDS):
                    await self._look()
            except Exception as error:  # noqa: BLE001 - whatever it is, the primary answers
                logger.debug("The replica does not answer: %s", type(error).__name__)
                self.give_up()
            await asyncio.sleep(LOOK_SECONDS)

    async def _look(self) -> None:
        now = asyncio.get_running_loop().time()
        flushed = None
        with suppress(Exception):
            async with asyncio.timeout(ANSWER_SECONDS):
                flushed = await _fetch_position(self._primary, FLUSHED)
        self.is_alone = flushed is None
        # While the primary is away nothing is written that the replica could miss.
        if flushed is not None:
            self._flushed.append((now, flushed))
        self._replayed = await _fetch_position(self.engine, REPLAYED)
        # The first is the last position that the replica has reached.
        while len(self._flushed) > 1 and self._flushed[1][1] <= self._replayed:
            self._flushed.popleft()
        is_behind = bool(self._flushed) and self._flushed[-1][1] > self._replayed
        if is_behind and now - self._flushed[0][0] > MAX_LAG_SECONDS:
            self.give_up()
            return
        if not self._is_usable:
            logger.info("The replica answers")
        self._is_usable = True


async def _fetch_position(engine: AsyncEngine, statement: TextClause) -> int:
    async with engine.connect() as connection:
        return int((await connection.execute(statement)).scalar_one())
