"""The audit log, for owners: its page, and its events as files."""

import json
from collections.abc import Callable, Sequence

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from hero_admin.audit_log.events import StoredEvent
from hero_admin.history.event_query import parse_events
from hero_admin.history.events import fetch_events, fetch_options, label_of, stream_events
from hero_admin.listing.csv_text import csv_text, defused
from hero_admin.listing.exports import MEDIA_TYPES
from hero_admin.pages.downloads import FileOfRows, send
from hero_admin.pages.empty_state import empty_events
from hero_admin.pages.export_events import ExportEvent
from hero_admin.pages.requests import site_of
from hero_admin.web.mount import path_to
from hero_admin.web.requests import session_of
from hero_admin.web.responses import fragment_of, render

# The name of the log where an event tells of its export, and of its files.
NAME = "audit-log"
FRAGMENTS = ("events",)
COLUMNS = (
    *("id", "at", "kind", "by_name", "by_id", "token", "address", "user_agent"),
    *("resource", "key", "title", "count", "details", "key_check", "hash"),
)

Written = Callable[[Sequence[StoredEvent]], str]


async def audit_page(request: Request) -> Response:
    """GET /audit-log?kind=exported&by=Ann: the events, newest first."""
    session, site, query = session_of(request), site_of(request), parse_events(request.query_params)
    context = {
        "events": await fetch_events(session, site, query),
        "people": await fetch_options(session, "by"),
        "kinds": {kind: label_of(kind) for kind in await fetch_options(session, "kind")},
        "resources": await fetch_options(session, "resource"),
        "query": query,
        "fragment": fragment_of(request, FRAGMENTS),
        "empty": empty_events(path_to(NAME), is_narrowed=bool(query.narrowing)),
    }
    status = 400 if query.problems else 200
    return render(request, "admin/audit_log.html", context, status, fragments=FRAGMENTS)


async def audit_csv(request: Request) -> Response:
    """GET /audit-log.csv?kind=exported: all these events, oldest first, as CSV."""

    def lines(events: Sequence[StoredEvent]) -> str:
        return csv_text([[_cell(event, name) for name in COLUMNS] for event in events], ",")

    return await _download(request, "csv", csv_text([COLUMNS], ","), lines)


async def audit_json_lines(request: Request) -> Response:
    """GET /audit-log.jsonl?kind=exported: the same as JSON Lines."""

    def lines(events: Sequence[StoredEvent]) -> str:
        return "".join(f"{json.dumps(_values(event), ensure_ascii=False)}\n" for event in events)

    return await _download(request, "jsonl", "", lines)


async def _download(request: Request, extension: str, head: str, written: Written) -> Response:
    query = parse_events(request.query_params)
    if query.problems:
        raise HTTPException(400, " ".join(query.problems))
    file = FileOfRows(
        f"{NAME}.{extension}",
        MEDIA_TYPES[extension],
        lambda session: stream_events(session, query),
        lambda events, _: written(events),
        head,
    )
    event = ExportEvent(request, NAME, {"format": extension, "query": query.narrowing})
    return await send(request, file, event)


def _values(event: StoredEvent) -> dict[str, object]:
    values = {name: getattr(event, name) for name in COLUMNS}
    return {**values, "at": event.moment.isoformat(timespec="microseconds")}


def _cell(event: StoredEvent, name: str) -> str:
    if name == "details":
        return defused(event.details_json)
    value = _values(event)[name]
    return "" if value is None else defused(str(value))
