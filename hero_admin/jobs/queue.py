"""The queue of jobs: added by requests, leased by one worker each, cancelled by people."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, cast
from uuid import uuid4

from sqlalchemy import ColumnElement, CursorResult, delete, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from hero_admin.audit_log.changes import Operation
from hero_admin.jobs.people import packed
from hero_admin.jobs.table import UNFINISHED, Job, JobChunk, JobFailure, JobKind, JobStatus

# How long a job stays with a worker that says nothing. A batch takes a fraction of a second.
LEASE = timedelta(seconds=30)
# A job and its failures are kept for this long, and a file for less.
RETENTION = timedelta(days=30)
FILE_RETENTION = timedelta(days=7)
MAX_FAILURES = 1_000
MAX_LISTED = 100


@dataclass(frozen=True)
class NewJob:
    """A job that is to be added to the queue.

    label: what it is called, as “Retire 1,234 heroes”. resource: the name of that whose records it
    is about. total: how many. operation: of all its changes. query: that of the list, as in its
    URL. payload: JSON that says what to do.
    """

    kind: JobKind
    label: str
    resource: str
    total: int
    operation: Operation
    query: str = ""
    # Any: JSON.
    payload: Mapping[str, Any] = field(default_factory=dict)
    id: str = field(default_factory=lambda: uuid4().hex)


async def add_job(session: AsyncSession, new: NewJob) -> None:
    """Add a job to the queue. It begins once the transaction is committed.

    Raises UnknownPersonError for a person who cannot be stored.
    """
    by = new.operation.by
    values = {
        "id": new.id,
        "kind": new.kind.value,
        "label": new.label[:400],
        "resource": new.resource,
        "query": new.query,
        "payload_json": json.dumps(new.payload, ensure_ascii=False),
        "by_id": by.user_id,
        "by_name": by.name,
        "by_json": packed(by),
        "operation": new.operation.id,
        "action": new.operation.action,
        "total": new.total,
        "position_json": "null",
        "message": "",
        "created_at": datetime.now(UTC),
    }
    await session.execute(insert(Job).values(values))


async def fetch_job(session: AsyncSession, job_id: str) -> Job | None:
    found = await session.scalars(select(Job).where(col(Job.id) == job_id))
    return found.one_or_none()


async def fetch_jobs(session: AsyncSession, by_name: str | None) -> Sequence[Job]:
    """Fetch the latest jobs, those of one person or of all."""
    jobs = select(Job).order_by(col(Job.created_at).desc()).limit(MAX_LISTED)
    if by_name is not None:
        jobs = jobs.where(col(Job.by_name) == by_name)
    return (await session.scalars(jobs)).all()


async def fetch_failures(session: AsyncSession, job_id: str, limit: int) -> Sequence[JobFailure]:
    failures = select(JobFailure).where(col(JobFailure.job_id) == job_id)
    return (await session.scalars(failures.order_by(col(JobFailure.id)).limit(limit))).all()


async def fetch_job_of(session: AsyncSession, operation_id: str) -> Job | None:
    """Fetch the job that has made the changes of an operation, if one has."""
    found = await session.scalars(select(Job).where(col(Job.operation) == operation_id).limit(1))
    return found.one_or_none()


async def ask_to_cancel(session: AsyncSession, job_id: str) -> bool:
    """Let a job end at its next batch; one that waits ends at once, and then return True."""
    cancelled = {"status": JobStatus.CANCELLED.value, "ended_at": datetime.now(UTC)}
    waiting = (col(Job.id) == job_id, col(Job.status) == JobStatus.WAITING.value)
    ended = await session.execute(update(Job).where(*waiting).values(cancelled))
    running = col(Job.status) == JobStatus.RUNNING.value
    asked = update(Job).where(col(Job.id) == job_id, running).values(is_cancel_asked=True)
    await session.execute(asked)
    return cast(CursorResult[Any], ended).rowcount == 1


async def has_work(session: AsyncSession) -> bool:
    """Whether there is a job that nobody works at."""
    found = select(col(Job.id)).where(*_is_free()).limit(1)
    return (await session.execute(found)).first() is not None


async def lease(session: AsyncSession, worker: str) -> Job | None:
    """Take the oldest job that nobody works at; None without one.

    Two workers never take the same: one skips what the other has locked.
    """
    free = select(Job).where(*_is_free()).order_by(col(Job.created_at)).limit(1)
    job: Job | None = await session.scalar(free.with_for_update(skip_locked=True))
    if job is None:
        return None
    now = datetime.now(UTC)
    taken = {
        "status": JobStatus.RUNNING.value,
        "worker": worker,
        "leased_until": now + LEASE,
        "started_at": job.started_at or now,
    }
    await session.execute(update(Job).where(col(Job.id) == job.id).values(taken))
    return job


async def hold(session: AsyncSession, job_id: str, worker: str) -> Job | None:
    """Lock a job until the transaction ends; None if it is no longer this worker's."""
    own = select(Job).where(
        col(Job.id) == job_id,
        col(Job.worker) == worker,
        col(Job.status) == JobStatus.RUNNING.value,
    )
    found: Job | None = await session.scalar(own.with_for_update())
    return found


# Any: values of any columns.
async def advance(session: AsyncSession, job_id: str, worker: str, **values: Any) -> bool:
    """Write down how far a job is, and hold it for longer; return whether it was still held."""
    values["leased_until"] = datetime.now(UTC) + LEASE
    own = (col(Job.id) == job_id, col(Job.worker) == worker)
    done = await session.execute(update(Job).where(*own).values(values))
    return cast(CursorResult[Any], done).rowcount == 1


async def end(
    session: AsyncSession, job_id: str, worker: str, status: JobStatus, message: str | None = None
) -> None:
    """Write down that a job has ended."""
    values = {"status": status.value, "ended_at": datetime.now(UTC), "leased_until": None}
    if message is not None:
        values["message"] = message
    own = (col(Job.id) == job_id, col(Job.worker) == worker)
    await session.execute(update(Job).where(*own).values(values))


async def release(session: AsyncSession, worker: str) -> None:
    """Leave the jobs of a worker to others."""
    own = (col(Job.worker) == worker, col(Job.status) == JobStatus.RUNNING.value)
    await session.execute(update(Job).where(*own).values(leased_until=None))


async def record_failures(
    session: AsyncSession, job: Job, failures: Sequence[tuple[str, str, str]]
) -> None:
    """Record the key, the title and the sentence of records that a job could not be done to."""
    room = max(0, MAX_FAILURES - job.failed_count)
    rows = [
        {"job_id": job.id, "key": key, "title": title, "sentence": sentence}
        for key, title, sentence in failures[:room]
    ]
    if rows:
        await session.execute(insert(JobFailure.__table__), rows)  # type: ignore[attr-defined]


async def prune(session: AsyncSession) -> None:
    """Remove old jobs, and old files."""
    now = datetime.now(UTC)
    ended = col(Job.status).not_in([each.value for each in UNFINISHED])
    old = select(col(Job.id)).where(ended, col(Job.created_at) < now - RETENTION)
    unread = select(col(Job.id)).where(ended, col(Job.created_at) < now - FILE_RETENTION)
    await session.execute(delete(JobChunk).where(col(JobChunk.job_id).in_(unread)))
    await session.execute(delete(JobFailure).where(col(JobFailure.job_id).in_(old)))
    await session.execute(delete(Job).where(ended, col(Job.created_at) < now - RETENTION))


def _is_free() -> tuple[ColumnElement[bool], ...]:
    expired = or_(col(Job.leased_until).is_(None), col(Job.leased_until) < datetime.now(UTC))
    return col(Job.status).in_([each.value for each in UNFINISHED]), expired
