"""The worker: takes one job after the other, and does it in batches beside the requests."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from contextvars import Context
from time import perf_counter
from uuid import uuid4

from hero_admin.audit_log.event_log import EventLog
from hero_admin.database.engines import Database
from hero_admin.database.errors import is_unavailable
from hero_admin.jobs import queue
from hero_admin.jobs.batches import run_batch
from hero_admin.jobs.exporting import run_export
from hero_admin.jobs.table import Job, JobKind, JobStatus
from hero_admin.jobs.undoing import undo_batch
from hero_admin.jobs.workplace import FetchPerson, TaskError, Workplace
from hero_admin.model.seen_sites import SeenSites

# Between two looks for a job that another process has added, or left behind.
IDLE_SECONDS = 10.0
# After a batch, others have half as much time as it took, and at least this.
PAUSE = 0.5
MIN_PAUSE_SECONDS = 0.005
# While the database is away.
RETRY_SECONDS = 1.0
MAX_RETRIES = 20
BROKEN = "Something failed on our side, and the error has been logged. What was done before stays."

# Goes on with a job; returns whether there is more to do.
Step = Callable[[Workplace, Job], Awaitable[bool]]
STEPS: Mapping[JobKind, Step] = {
    JobKind.ACTION: run_batch,
    JobKind.EDIT: run_batch,
    JobKind.DELETE: run_batch,
    JobKind.UNDO: undo_batch,
    JobKind.EXPORT: run_export,
}

logger = logging.getLogger("hero_admin.jobs")


class Worker:
    """Runs jobs of a database until it is stopped; there may be others, in any process.

    A job that is stopped, or whose process is killed, goes on where its last batch ended.
    """

    def __init__(
        self, database: Database, seen_sites: SeenSites, fetch_person: FetchPerson, log: EventLog
    ) -> None:
        self.place = Workplace(database, seen_sites, fetch_person, log, uuid4().hex)
        self._has_news = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to look for jobs, in a task of its own."""
        self._task = asyncio.get_running_loop().create_task(self.run_forever(), context=Context())

    async def stop(self) -> None:
        """End within a batch, and leave the job to whoever looks for one next."""
        if self._task is None:
            return
        self._task.cancel()
        with suppress(asyncio.CancelledError):
            await self._task
        self._task = None
        # The database may be away; then the lease expires.
        with suppress(Exception):
            async with self.place.database.session(is_read_only=False) as session:
                await queue.release(session, self.place.worker)
                await session.commit()

    def notify(self) -> None:
        """Look for a job now, as one has been added."""
        self._has_news.set()

    async def run_forever(self) -> None:
        while True:
            self._has_news.clear()
            try:
                while await self.run_next():
                    pass
            except Exception as error:
                if not is_unavailable(error):
                    logger.exception("Looking for a job failed")
            with suppress(TimeoutError):
                await asyncio.wait_for(self._has_news.wait(), IDLE_SECONDS)

    async def run_next(self) -> bool:
        """Do the oldest job that nobody works at, to its end; return whether there was one."""
        async with self.place.database.session(is_read_only=True) as session:
            if not await queue.has_work(session):
                return False
        async with self.place.database.session(is_read_only=False) as session:
            job = await queue.lease(session, self.place.worker)
            await queue.prune(session)
            await session.commit()
        if job is not None:
            await self._run(job.id)
        return job is not None

    async def _run(self, job_id: str) -> None:
        retries = 0
        while True:
            started = perf_counter()
            try:
                if not await self._step(job_id):
                    return
                retries = 0
            except TaskError as error:
                await self._fail(job_id, str(error))
                return
            except Exception as error:
                if is_unavailable(error) and retries < MAX_RETRIES:
                    retries += 1
                    await asyncio.sleep(RETRY_SECONDS)
                    continue
                logger.exception("A job failed")
                await self._fail(job_id, BROKEN)
                return
            await asyncio.sleep(max(MIN_PAUSE_SECONDS, PAUSE * (perf_counter() - started)))

    async def _step(self, job_id: str) -> bool:
        async with self.place.database.session(is_read_only=True) as session:
            job = await queue.fetch_job(session, job_id)
        if job is None or job.worker != self.place.worker or not job.is_unfinished:
            return False
        return await STEPS[JobKind(job.kind)](self.place, job)

    async def _fail(self, job_id: str, message: str) -> None:
        async with self.place.database.session(is_read_only=False) as session:
            held = await queue.hold(session, job_id, self.place.worker)
            if held is not None:
                await self.place.end(session, held, JobStatus.FAILED, message)
                await session.commit()
