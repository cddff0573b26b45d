"""Export: all rows of a list, sent as CSV or JSON, or written to a file by a job."""

from dataclasses import replace
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from hero_admin.jobs.queue import NewJob
from hero_admin.jobs.table import JobKind
from hero_admin.listing.exports import (
    SEPARATORS,
    Format,
    csv_format,
    fetch_batches,
    json_format,
    json_lines_format,
)
from hero_admin.listing.matching import count_matching
from hero_admin.listing.query import ListQuery
from hero_admin.listing.urls import ListParameters
from hero_admin.model.resource import Resource
from hero_admin.pages.downloads import FileOfRows, send
from hero_admin.pages.export_events import ExportEvent
from hero_admin.pages.jobs import start_job
from hero_admin.pages.requests import operation_of, query_of, site_of
from hero_admin.web.mount import path_to
from hero_admin.web.requests import form_of, session_of


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
    label, text = f"Export {resource.counted(total)}", ListParameters(query).exported
    new = NewJob(JobKind.EXPORT, label, resource.name, total, operation_of(request), text)
    details = {"format": payload["format"], "query": ListParameters(query).narrowing, "job": new.id}
    event = ExportEvent(request, resource.name, details)
    response = await start_job(request, replace(new, payload={**payload, "event": event.for_job()}))
    event.note(None)
    return response


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
    query, site = exported_query(resource, request), site_of(request)
    details = {"format": form.extension, "query": ListParameters(query).narrowing}
    file = FileOfRows(
        f"{resource.name}.{form.extension}",
        form.media_type,
        lambda session: fetch_batches(session, site, query, form.complete),
        form.written,
        form.head,
        form.tail,
    )
    event = ExportEvent(request, resource.name, details, has_masked=has_masked)
    return await send(request, file, event)
