"""Downloads: rows that are fetched while they are sent, told in the audit log."""

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from time import monotonic
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from hero_admin.database.engines import Database
from hero_admin.database.errors import is_unavailable
from hero_admin.database.row_scopes import share_scopes
from hero_admin.pages.export_events import ExportEvent
from hero_admin.web.requests import session_of
from hero_admin.web.responses import attachment
from hero_admin.web.streaming import Stream

RETRY_AFTER_SECONDS = 10
PATIENCE_SECONDS = 30.0
TOO_MANY = "Other exports are still running. Try again in a moment."

logger = logging.getLogger("hero_admin.export")

# Any: rows of any columns.
Rows = Sequence[Any]


@dataclass(frozen=True)
class FileOfRows:
    """A file of rows.

    fetch: yields the rows in batches from a session. written: returns the text of a batch, and
    knows whether it is the first one. head, tail: what stands before and after the rows.
    """

    name: str
    media_type: str
    fetch: Callable[[AsyncSession], AsyncGenerator[Rows]]
    written: Callable[[Any, bool], str]
    head: str = ""
    tail: str = ""


async def send(request: Request, file: FileOfRows, event: ExportEvent) -> Response:
    """Return a file, and tell of it; 503 while too many are sent."""
    exports: asyncio.Semaphore = request.app.state.exports
    if exports.locked():
        raise HTTPException(503, TOO_MANY, {"Retry-After": str(RETRY_AFTER_SECONDS)})
    batches = _batches(request, file)
    # Before the response starts, so that an unavailable database is answered with 503.
    first, second = await _next_of(batches), await _next_of(batches)
    try:
        await event.begin(None if second else len(first))
    except BaseException:
        await batches.aclose()
        raise

    async def body() -> AsyncGenerator[str]:
        reader = _Reader(request.state.may_still)
        with event.ending() as count:
            async with aclosing(batches):
                count(len(first))
                yield file.head + file.written(first, True)
                async for rows in _following(second, batches):
                    await reader.check()
                    count(len(rows))
                    yield file.written(rows, False)
            yield file.tail

    headers = {"Content-Disposition": attachment(file.name)}
    return Stream(body(), headers=headers, media_type=file.media_type)


class _Reader:
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


async def _batches(request: Request, file: FileOfRows) -> AsyncGenerator[Rows]:
    # A session of its own: that of the request ends before its response starts.
    # A slow client holds its connection for long; some are reserved for pages.
    database: Database = request.state.database
    exports: asyncio.Semaphore = request.app.state.exports
    async with exports, database.session(is_read_only=True) as session:
        share_scopes(session_of(request), session)
        async with aclosing(file.fetch(session)) as batches:
            async for rows in batches:
                yield rows


async def _next_of(batches: AsyncIterator[Rows]) -> Rows:
    """Return the next batch, or an empty one."""
    async for rows in batches:
        return rows
    return ()


async def _following(first: Rows, others: AsyncIterator[Rows]) -> AsyncIterator[Rows]:
    """Yield a batch, if it has rows, and all others."""
    if first:
        yield first
        async for rows in others:
            yield rows
