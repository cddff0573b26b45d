"""What a worker works with: the database, and the site as the person of a job sees it."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncSession

from hero_admin.audit_log.event_log import EventLog
from hero_admin.audit_log.events import export_ended
from hero_admin.database.engines import Database
from hero_admin.database.row_scopes import set_scopes
from hero_admin.jobs import queue
from hero_admin.jobs.people import UnknownPersonError
from hero_admin.jobs.table import Job, JobStatus
from hero_admin.model.resource import Resource
from hero_admin.model.resource_rights import may
from hero_admin.model.seen_sites import SeenSites
from hero_admin.model.site import Site
from hero_admin.person import Person

NOT_ALLOWED = "{} may no longer do this."
GONE = "There are no {} here any more."

# The same person as they are now, None if they have lost access.
FetchPerson = Callable[[AsyncSession, Person], Awaitable[Person | None]]


class TaskError(Exception):
    """Why a job cannot go on: a sentence."""


@dataclass(frozen=True)
class Workplace:
    """What a worker works with; `worker` is its name in leases."""

    database: Database
    seen_sites: SeenSites
    fetch_person: FetchPerson
    log: EventLog
    worker: str

    @property
    def site(self) -> Site:
        """The site with everything, for what is written and recorded."""
        return self.seen_sites.site

    async def fetch_by(self, job: Job) -> Person:
        """Fetch who has started a job, as they are now; raises TaskError without access."""
        async with self.database.session(is_read_only=True) as session:
            return await self.check_person(session, job)

    async def check_person(self, session: AsyncSession, job: Job) -> Person:
        """Return who has started a job, as they are now; raises TaskError without access."""
        try:
            person = await self.fetch_person(session, job.by)
        except UnknownPersonError as error:
            raise TaskError(str(error)) from None
        if person is None:
            raise TaskError(NOT_ALLOWED.format(job.by_name))
        return person

    def resource_of(self, job: Job, person: Person, verb: str) -> Resource:
        """Return the resource of a job as a person sees it; raises TaskError if they may not."""
        whole = self.site.named(job.resource)
        seen = self.seen_sites.of(person).named(job.resource)
        if whole is None or seen is None:
            raise TaskError(GONE.format(job.resource))
        if not may(whole, person, verb):
            raise TaskError(NOT_ALLOWED.format(job.by_name))
        return seen

    def view_of(self, session: AsyncSession, person: Person) -> str:
        """Return a digest of what a person may read now."""
        return self.seen_sites.view_of(person, session.get_bind().dialect)

    @asynccontextmanager
    async def session(self, person: Person, *, is_read_only: bool) -> AsyncIterator[AsyncSession]:
        """A session that is limited to the rows that a person may see."""
        async with self.database.session(is_read_only=is_read_only) as session:
            if self.seen_sites.has_rights:
                set_scopes(session, self.seen_sites.row_rights.of(person))
            yield session

    async def hold(self, session: AsyncSession, job_id: str) -> Job | None:
        """Lock a job; None if it is another's, or was to be cancelled, which it then is."""
        held = await queue.hold(session, job_id, self.worker)
        if held is not None and held.is_cancel_asked:
            await self.end(session, held, JobStatus.CANCELLED)
            await session.commit()
            return None
        return held

    async def end(
        self,
        session: AsyncSession,
        held: Job,
        status: JobStatus,
        message: str | None = None,
        count: int | None = None,
    ) -> None:
        """Write down that a job has ended, and tell how many rows an export had.

        count: of those, where not all of them have been written down.
        """
        await queue.end(session, held.id, self.worker, status, message)
        if held.begun is not None:
            rows = held.done_count if count is None else count
            event = export_ended(held.begun, rows, is_complete=status is JobStatus.DONE)
            await self.log.add(session, [event])
