"""Exporting to a file, which may take longer than a browser waits, in chunks in the database."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import aclosing
from time import perf_counter

from sqlalchemy import delete, insert, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col
from starlette.datastructures import QueryParams

from hero_admin.database.engines import Database
from hero_admin.jobs import queue
from hero_admin.jobs.table import Job, JobChunk, JobStatus
from hero_admin.jobs.workplace import TaskError, Workplace
from hero_admin.listing.exports import (
    Format,
    csv_format,
    fetch_batches,
    json_format,
    json_lines_format,
)
from hero_admin.listing.query_parser import parse_query
from hero_admin.model.resource import Resource
from hero_admin.person import Person

# Enough to be sent at once, and little to hold in memory.
CHUNK_CHARACTERS = 256 * 1024


async def run_export(place: Workplace, job: Job) -> bool:
    """Write the file of an export from its beginning to its end; return False.

    One that was interrupted begins anew. Raises TaskError if it cannot go on.
    """
    person = await place.fetch_by(job)
    resource, site = place.resource_of(job, person, "export"), place.seen_sites.of(person)
    query = parse_query(site, resource, "", QueryParams(job.query))
    form = format_of(job, resource)
    await _begin(place, job, person)
    texts, size, number, count, is_first = [form.head], len(form.head), 0, 0, True
    async with (
        place.session(person, is_read_only=True) as session,
        aclosing(fetch_batches(session, site, query, form.complete)) as batches,
    ):
        async for rows in batches:
            started = perf_counter()
            text = form.written(rows, is_first)
            texts.append(text)
            size, count, is_first = size + len(text), count + len(rows), False
            if size >= CHUNK_CHARACTERS:
                if not await _write(place, job, number, "".join(texts), count):
                    return False
                texts, size, number = [], 0, number + 1
            # Others have as much time.
            await asyncio.sleep(perf_counter() - started)
    await _write(place, job, number, "".join([*texts, form.tail]), count, is_last=True)
    return False


def format_of(job: Job, resource: Resource) -> Format:
    """Return how the file of a job is written."""
    payload = job.payload
    match payload["format"]:
        case "csv":
            return csv_format(resource, payload["separator"], has_mark=payload["has_mark"])
        case "json":
            return json_format(resource)
        case _:
            return json_lines_format(resource)


async def read_file(database: Database, job_id: str) -> AsyncIterator[bytes]:
    """Yield the chunks of a file, each read in a session of its own."""
    number = 0
    while True:
        chunk = select(col(JobChunk.data)).where(
            col(JobChunk.job_id) == job_id, col(JobChunk.number) == number
        )
        async with database.session(is_read_only=True) as session:
            data: bytes | None = await session.scalar(chunk)
        if data is None:
            return
        yield data
        number += 1


async def has_file(session: AsyncSession, job_id: str) -> bool:
    """Whether the file of a job is still there."""
    first = select(col(JobChunk.number)).where(col(JobChunk.job_id) == job_id).limit(1)
    return (await session.execute(first)).first() is not None


def is_view_of(job: Job, view: str) -> bool:
    """Whether the file of a job has what somebody may read; `view` is a digest of that."""
    return bool(json.loads(job.position_json) == view)


async def _begin(place: Workplace, job: Job, person: Person) -> None:
    """Begin a new file, and write down what its reader may see then."""
    async with place.database.session(is_read_only=False) as session:
        await session.execute(delete(JobChunk).where(col(JobChunk.job_id) == job.id))
        position = json.dumps(place.view_of(session, person))
        await queue.advance(
            session, job.id, place.worker, done_count=0, file_bytes=0, position_json=position
        )
        await session.commit()


async def _write(
    place: Workplace, job: Job, number: int, text: str, count: int, *, is_last: bool = False
) -> bool:
    """Write a chunk; return whether the job is still this worker's."""
    data = text.encode("utf-8", "surrogatepass")
    async with place.database.session(is_read_only=False) as session:
        held = await place.hold(session, job.id)
        if held is None:
            return False
        person = await place.check_person(session, held)
        place.resource_of(held, person, "export")
        if not is_view_of(held, place.view_of(session, person)):
            raise TaskError(f"The permissions of {held.by_name} have changed.")
        await session.execute(
            insert(JobChunk).values({"job_id": job.id, "number": number, "data": data})
        )
        size = (held.file_bytes or 0) + len(data)
        await queue.advance(session, job.id, place.worker, done_count=count, file_bytes=size)
        if is_last:
            await place.end(session, held, JobStatus.DONE, count=count)
        await session.commit()
    return True
