"""Export: all rows of a list, as the list filters and sorts them, streamed as CSV or JSON."""

import asyncio
import json
import logging
from collections.abc import (
    AsyncGenerator,
    AsyncIterator,
    Awaitable,
    Callable,
    Iterator,
    Sequence,
)
from contextlib import aclosing
from time import monotonic
from typing import Any, TypeVar

from sqlalchemy.ext.asyncio import AsyncSession
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from hero_admin.database.engines import Database
from hero_admin.database.errors import is_unavailable
from hero_admin.database.row_scopes import share_scopes
from hero_admin.listing.columns import Selection, select_all_segments, selection_of
from hero_admin.listing.computed_values import fetch_row_values
from hero_admin.listing.link_cells import with_all_titles
from hero_admin.listing.link_keys import with_link_keys
from hero_admin.listing.predicates import predicate_parameters
from hero_admin.listing.query import ListQuery
from hero_admin.listing.search.backend import backend_of
from hero_admin.listing.search.plan import exact_predicates
from hero_admin.listing.urls import ListParameters
from hero_admin.model.resource import Resource
from hero_admin.model.schemas import dumped, dumped_values
from hero_admin.model.site import Site
from hero_admin.pages.csv_text import csv_cells, csv_text, defused
from hero_admin.pages.export_events import ExportEvent
from hero_admin.pages.requests import query_of, site_of
from hero_admin.web.mount import path_to
from hero_admin.web.requests import session_of
from hero_admin.web.responses import attachment
from hero_admin.web.streaming import Stream

ROWS_PER_BATCH = 500
MEDIA_TYPES = {"csv": "text/csv", "json": "application/json", "jsonl": "application/jsonl"}
SEPARATORS = {",": ",", ";": ";", "tab": "\t", "\t": "\t"}
BYTE_ORDER_MARK = "\ufeff"
RETRY_AFTER_SECONDS = 10
PATIENCE_SECONDS = 30.0
TOO_MANY = "Other exports are still running. Try again in a moment."

logger = logging.getLogger("hero_admin.export")

# Any: rows of any columns.
Rows = Sequence[Sequence[Any]]
Batch = TypeVar("Batch", bound=Sequence[Any])
# Returns rows in portions, with more columns at their end.
Complete = Callable[[AsyncSession, Selection, Rows], AsyncIterator[Rows]]


async def csv_file(resource: Resource, request: Request) -> Response:
    """GET /heroes.csv?q=…&separator=;&bom=1: the list as CSV; titles of relations and links last.

    Masked columns are left out: a placeholder would be read back as a value. Programs expect
    no byte-order mark; Excel misreads accents without one.
    """
    related = [field.name for field in resource.fields if field.relation]
    related += [link.name for link in resource.list_links]
    separator = SEPARATORS.get(request.query_params.get("separator", ","))
    if separator is None:
        raise HTTPException(400, "Choose a comma, a semicolon or a tab as the separator.")
    mark = BYTE_ORDER_MARK if request.query_params.get("bom") == "1" else ""

    def lines(rows: Rows, _: bool) -> str:
        return csv_text((_csv_row(resource, row) for row in rows), separator)

    names = [field.public_name for field in resource.fields if not field.is_masked]
    for each in related:
        name = each.removesuffix("_id")
        # Programs find columns by name.
        names.append(f"{name}_title" if name in names else name)
    names += [column.name for column in resource.computed]
    head = mark + csv_text([[defused(name) for name in names]], separator)
    return await _download(resource, request, "csv", head, lines, "", _with_titles)


async def json_file(resource: Resource, request: Request) -> Response:
    """GET /heroes.json?q=…: the rows of the list as a JSON array of what the API shows of each.

    Besides there are the keys of all linked records, `"tracks": [3, 7]`, as the API adds them.
    """

    def items(rows: Rows, is_first: bool) -> str:
        texts = _json_texts(resource, rows)
        return "".join(
            ("\n" if is_first and position == 0 else ",\n") + text
            for position, text in enumerate(texts)
        )

    return await _download(resource, request, "json", "[", items, "\n]\n", _with_computed)


async def json_lines(resource: Resource, request: Request) -> Response:
    """GET /heroes.jsonl?q=…: the same as JSON Lines, for programs that parse a stream."""

    def lines(rows: Rows, _: bool) -> str:
        return "".join(f"{text}\n" for text in _json_texts(resource, rows))

    return await _download(resource, request, "jsonl", "", lines, "", _with_computed)


async def _download(
    resource: Resource,
    request: Request,
    extension: str,
    head: str,
    written: Callable[[Rows, bool], str],
    tail: str,
    complete: Complete,
) -> Response:
    site = site_of(request)
    query = query_of(request, resource, path_to(resource.name))
    if query.problems:
        raise HTTPException(400, " ".join(problem.sentence for problem in query.problems))
    exports: asyncio.Semaphore = request.app.state.exports
    if exports.locked():
        raise HTTPException(503, TOO_MANY, {"Retry-After": str(RETRY_AFTER_SECONDS)})
    batches = _batches(request, site, query, exports, complete)
    # Before the response starts, so that an unavailable database is answered with 503.
    first = await first_of(batches, ())
    second = await first_of(batches, ())
    details = {"format": extension, "query": ListParameters(query).narrowing}
    event = ExportEvent(request, resource.name, details)
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
                yield head + written(first, True)
                async for rows in following(second, batches):
                    await reader.check()
                    count(len(rows))
                    yield written(rows, False)
            yield tail

    headers = {"Content-Disposition": attachment(f"{resource.name}.{extension}")}
    return Stream(body(), headers=headers, media_type=MEDIA_TYPES[extension])


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
        backend = backend_of(session)
        # A download has no time limit.
        await backend.prepare_streaming(session, is_narrowed=query.is_narrowed)
        predicates = await exact_predicates(session, query)
        fields = (*query.resource.fields, *query.predicate_fields)
        selection = selection_of(site, query, fields, is_lateral=backend.is_lateral)
        for statement in select_all_segments(selection, predicates):
            options = {"yield_per": ROWS_PER_BATCH}
            result = await session.stream(
                statement, predicate_parameters(query), execution_options=options
            )
            async for batch in result.partitions():
                async for rows in complete(session, selection, batch):
                    yield rows


async def _with_titles(
    session: AsyncSession, selection: Selection, rows: Rows
) -> AsyncIterator[Rows]:
    resource, count = selection.resource, len(selection.resource.fields)
    columns = resource.computed
    found = await with_all_titles(session, selection, rows)
    if columns:
        computed = await fetch_row_values(session, selection, columns, rows)
        # Computed columns that the list is sorted or filtered by are among those of the statement.
        own = ((*row[:count], *row[len(selection.fields) :]) for row in found)
        found = [(*row, *each) for row, each in zip(own, computed, strict=True)]
    yield found


async def _with_computed(
    session: AsyncSession, selection: Selection, rows: Rows
) -> AsyncIterator[Rows]:
    """Yield rows with the keys of linked records, then computed columns, at their end."""
    columns = selection.resource.computed
    async for portion in with_link_keys(session, selection, rows):
        if not columns:
            yield portion
            continue
        values = await fetch_row_values(session, selection, columns, portion)
        yield [(*row, *each) for row, each in zip(portion, values, strict=True)]


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


# Any: values of any columns.
def _csv_row(resource: Resource, row: Sequence[Any]) -> list[str]:
    """Return the texts of a row, which ends with its computed columns."""
    end = len(row) - len(resource.computed)
    return csv_cells(resource.fields, row[:end]) + csv_cells(resource.computed, row[end:])


def _json_texts(resource: Resource, rows: Rows) -> Iterator[str]:
    names, links = [field.name for field in resource.fields], resource.many_to_many
    computed = [column.name for column in resource.computed]
    for row in rows:
        values = dict(zip(names, row, strict=False))
        end = len(row) - len(computed)
        values |= dict(zip(computed, row[end:], strict=True))
        record = dumped(resource.schemas.read, values, resource.masked_names, resource.unseen)
        for link, keys in zip(links, row[end - len(links) : end], strict=True):
            record[link.name] = dumped_values(keys)
        yield json.dumps(record, ensure_ascii=False)
