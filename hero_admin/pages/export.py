"""Export: all rows of a list, streamed as CSV or JSON, or written to a file by a job."""

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from contextlib import aclosing
from time import monotonic
from typing import Any, TypeVar

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from hero_admin.database.engines import Database
from hero_admin.database.errors import is_unavailable
from hero_admin.database.row_scopes import share_scopes
from hero_admin.jobs.table import JobKind
from hero_admin.listing.exports import (
    SEPARATORS,
    Complete,
    Format,
    Rows,
    csv_format,
    fetch_batches,
    json_format,
    json_lines_format,
)
from hero_admin.listing.matching import count_matching
from hero_admin.listing.query import ListQuery
from hero_admin.listing.urls import ListParameters
from hero_admin.model.resource import Resource
from hero_admin.model.site import Site
from hero_admin.pages.export_events import ExportEvent
from hero_admin.pages.jobs import start_job
from hero_admin.pages.requests import operation_of, query_of, site_of
from hero_admin.web.mount import path_to
from hero_admin.web.requests import form_of, session_of
from hero_admin.web.responses import attachment
from hero_admin.web.streaming import Stream

RETRY_AFTER_SECONDS = 10
PATIENCE_SECONDS = 30.0
TOO_MANY = "Other exports are still running. Try again in a moment."

logger = logging.getLogger("hero_admin.export")

# Any: rows of any columns.
Batch = TypeVar("Batch", bound=Sequence[Any])


async def csv_file(resource: Resource, request: Request) -> Response:
    """GET /heroes.csv?q=…&separator=;&bom=1: the list as CSV; relations and links are last."""
    separator = _separator_in(request)
    has_mark = request.query_params.get("bom") == "1"
    return await download(resource, request, csv_format(resource, separator, has_mark=has_mark))


async def json_file(resource: Resource, request: Request) -> Response:
    """GET /heroes.json?q=…: the rows of the list as a JSON array of what the API shows of each."""
    return await download(resource, request, json_format(resource))


async def json_lines(resource: Resource, request: Request) -> Response:
    """GET /heroes.jsonl?q=…: the same as JSON Lines, for programs that parse a stream."""
    return await download(resource, request, json_lines_format(resource))


async def csv_job(resource: Resource, request: Request) -> Response:
    """POST /heroes.csv?q=…: writes the same to a file in the background → the page of the job."""
    await form_of(request)
    separator = _separator_in(request)
    has_mark = request.query_params.get("bom") == "1"
    payload = {"format": "csv", "separator": separator, "has_mark": has_mark}
    return await _in_background(resource, request, payload)


async def json_lines_job(resource: Resource, request: Request) -> Response:
    """POST /heroes.jsonl?q=…: writes the same to a file → the page of the job."""
    await form_of(request)
    return await _in_background(resource, request, {"format": "jsonl"})


# Any: JSON.
async def _in_background(resource: Resource, request: Request, payload: dict[str, Any]) -> Response:
    query = exported_query(resource, request)
    total = await count_matching(session_of(request), query)
    text = ListParameters(query).exported
    label = f"Export {resource.counted(total)}"
    details = {"format": payload["format"], "query": ListParameters(query).narrowing}
    await ExportEvent(request, resource.name, details).begin(total)
    return await start_job(
        request,
        JobKind.EXPORT,
        label,
        resource.name,
        text,
        payload,
        total=total,
        operation=operation_of(request),
    )


def _separator_in(request: Request) -> str:
    separator = SEPARATORS.get(request.query_params.get("separator", ","))
    if separator is None:
        raise HTTPException(400, "Choose a comma, a semicolon or a tab as the separator.")
    return separator


def exported_query(resource: Resource, request: Request) -> ListQuery:
    """Return the list to be exported; raises 400."""
    query = query_of(request, resource, path_to(resource.name))
    if query.problems:
        raise HTTPException(400, " ".join(problem.sentence for problem in query.problems))
    return query


async def download(
    resource: Resource, request: Request, form: Format, *, has_masked: bool = False
) -> Response:
    """Return the list that a request asks for as a file, and tell of it.

    has_masked: whether the file has masked values.
    """
    query = exported_query(resource, request)
    exports: asyncio.Semaphore = request.app.state.exports
    if exports.locked():
        raise HTTPException(503, TOO_MANY, {"Retry-After": str(RETRY_AFTER_SECONDS)})
    batches = _batches(request, site_of(request), query, exports, form.complete)
    # Before the response starts, so that an unavailable database is answered with 503.
    first = await first_of(batches, ())
    second = await first_of(batches, ())
    details = {"format": form.extension, "query": ListParameters(query).narrowing}
    event = ExportEvent(request, resource.name, details, has_masked=has_masked)
    try:
        await event.begin(None if second else len(first))
    except BaseException:
        await batches.aclose()
        raise

    async def body() -> AsyncGenerator[str]:
        reader = Reader(request.state.may_still)
        with event.ending() as count:
            async with aclosing(batches):
                count(len(first))
                yield form.head + form.written(first, True)
                async for rows in following(second, batches):
                    await reader.check()
                    count(len(rows))
                    yield form.written(rows, False)
            yield form.tail

    headers = {"Content-Disposition": attachment(f"{resource.name}.{form.extension}")}
    return Stream(body(), headers=headers, media_type=form.media_type)


class Reader:
    """The reader of a download, who may lose access before its end."""

    def __init__(self, may_still: Callable[[], Awaitable[bool]]) -> None:
        self._may_still = may_still
        self._seen_at = monotonic()

    async def check(self) -> None:
        """Abort the download, visibly to the client, if its reader has lost access."""
        try:
            is_in = await self._may_still()
        except Exception as error:
            # A long download survives a busy moment.
            if not is_unavailable(error) or monotonic() - self._seen_at > PATIENCE_SECONDS:
                raise
            return
        if not is_in:
            logger.info("An export was ended, as its reader was shut out")
            raise ClientDisconnect
        self._seen_at = monotonic()


async def _batches(
    request: Request,
    site: Site,
    query: ListQuery,
    exports: asyncio.Semaphore,
    complete: Complete,
) -> AsyncGenerator[Rows]:
    # A session of its own: that of the request ends before its response starts.
    # A slow client holds its connection for long; some are reserved for pages.
    database: Database = request.state.database
    async with exports, database.session(is_read_only=True) as session:
        share_scopes(session_of(request), session)
        async with aclosing(fetch_batches(session, site, query, complete)) as batches:
            async for rows in batches:
                yield rows


async def following(first: Batch, others: AsyncIterator[Batch]) -> AsyncIterator[Batch]:
    """Yield a batch, if it has rows, and all others."""
    if first:
        yield first
        async for rows in others:
            yield rows


async def first_of(batches: AsyncIterator[Batch], empty: Batch) -> Batch:
    """Return the next batch, or an empty one."""
    async for rows in batches:
        return rows
    return empty
