"""The transaction of each request, and the end of one that takes too long or has nobody waiting."""

import asyncio
from collections import deque
from contextlib import suppress

from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.pool import ConnectionPoolEntry
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from webapp.database import SAFE_METHODS, Database, DriverConnection, held_connections
from webapp.pool import share_name

LATE_SECONDS = 0.1
# Most requests are answered by then, and cost nothing to listen for their clients.
LISTEN_SECONDS = 0.25
# How long a statement has to end as its server ends it, before its connection is cut.
ENDING_SECONDS = 0.5


class SessionMiddleware:
    """Gives each request `scope["state"]["session"]`: one lazy session, and so one transaction.

    It is committed just before the response starts, if the method is unsafe and the status below
    400, and rolled back otherwise. What makes a commit fail leaves the middleware with nothing
    sent. So does TimeoutError when a response takes longer than `timeout_seconds` to start, not
    counting the time a client takes to send the body as long as no connection is held: a handler
    reads the body first. `scope["state"]["database"]` is for streams, which outlive the session.

    A safe request whose client goes away is ended, its statement too. An unsafe one is not: who
    saves and closes the page at once wants it saved.
    """

    def __init__(self, app: ASGIApp, database: Database, timeout_seconds: float) -> None:
        self.app = app
        self.database = database
        self.timeout_seconds = timeout_seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        is_read_only = scope["method"] in SAFE_METHODS
        session = self.database.session(is_read_only=is_read_only)
        state = scope.setdefault("state", {})
        state["session"] = session
        state["database"] = self.database
        unit = _Unit(session, is_read_only, self.timeout_seconds, receive, send)
        await unit.run(self.app, scope)


class _Unit:
    """One request: its session, and the clock that ticks until its response starts."""

    def __init__(
        self,
        session: AsyncSession,
        is_read_only: bool,
        timeout_seconds: float,
        receive: Receive,
        send: Send,
    ) -> None:
        self.session = session
        self.is_read_only = is_read_only
        self.timeout_seconds = timeout_seconds
        self._receive = receive
        self._send = send
        self.held: dict[ConnectionPoolEntry, DriverConnection] = {}
        # What was asked of the server before the handler did.
        self.ahead: deque[asyncio.Task[Message]] = deque()
        self.failure: Exception | None = None
        self.is_closed = False
        self.is_answered = False
        self.is_receiving = False
        self.is_late = False
        self.is_abandoned = False
        self.loop = asyncio.get_running_loop()
        self.timeout = asyncio.timeout(None)
        self.deadline = self.loop.time() + timeout_seconds
        self.clock: asyncio.TimerHandle | None = None

    async def run(self, app: ASGIApp, scope: Scope) -> None:
        token = held_connections.set(self.held)
        share_name.set(_share_of(scope["path"], self.is_read_only))
        try:
            await self._run(app, scope)
        except ClientDisconnect:
            self.is_abandoned = True
        except Exception:
            # Nobody is there to be told.
            if not self.is_abandoned:
                raise
        finally:
            self._stop()
            held_connections.reset(token)
        if self.failure is not None and not self.is_abandoned:
            raise self.failure

    async def _run(self, app: ASGIApp, scope: Scope) -> None:
        async with self.timeout:
            self.clock = self.loop.call_later(min(LISTEN_SECONDS, self.timeout_seconds), self._tick)
            try:
                await app(scope, self.receive, self.send)
            except Exception:
                # Starlette replaces an error that it meets while it sends.
                if self.failure is None:
                    raise
            finally:
                if not self.is_closed:
                    await asyncio.shield(self._close())

    async def receive(self) -> Message:
        self.is_receiving = True
        try:
            message = await (self.ahead.popleft() if self.ahead else self._receive())
        finally:
            self.is_receiving = False
            if not self.held:
                self.deadline = self.loop.time() + self.timeout_seconds
        # A stream asks for it, and ends itself.
        if message["type"] == "http.disconnect" and self.is_closed and not self.is_answered:
            self.is_abandoned = True
        return message

    async def send(self, message: Message) -> None:
        if self.failure is not None:
            # The response was to tell of a success that is none; the failure gets its own.
            return
        if message["type"] == "http.response.start" and not self.is_closed:
            try:
                if not self.is_read_only and message["status"] < 400:
                    await self.session.commit()
                await self._close()
            except Exception as error:
                self.failure = error
                raise
            self._stop_clock()
        elif message["type"] == "http.response.body" and not message.get("more_body", False):
            self.is_answered = True
        await self._send(message)

    async def _close(self) -> None:
        try:
            if self.session.in_transaction():
                await self.session.close()
            else:
                self.session.sync_session.close()
        # A rollback that fails has lost its connection, and the transaction with it.
        except Exception:  # noqa: BLE001
            with suppress(Exception):
                await self.session.invalidate()
        self.is_closed = True

    def _tick(self) -> None:
        now = self.loop.time()
        if self.is_receiving and not self.held:
            self.deadline = now + self.timeout_seconds
        if now < self.deadline:
            if self.is_read_only and not self.is_receiving and not self.ahead:
                self._listen()
            self.clock = self.loop.call_at(self.deadline, self._tick)
            return
        # Closing politely would wait for the very answer that does not come.
        self._cut_connections()
        if not self.is_late:
            self.is_late = True
            self.timeout.reschedule(now)
        # asyncio.wait_for of Python 3.11 swallows a cancellation that meets its result, so what
        # the request goes on to do is ended as well.
        self.clock = self.loop.call_later(LATE_SECONDS, self._tick)

    def _listen(self) -> None:
        """Hear of a client that goes away while the handler is busy."""
        task = asyncio.ensure_future(self._receive())
        task.add_done_callback(self._hear)
        self.ahead.append(task)

    def _hear(self, task: asyncio.Task[Message]) -> None:
        if self.is_closed or task.cancelled() or task.exception() is not None:
            return
        message = task.result()
        if message["type"] == "http.disconnect":
            self._abandon()
        # Whoever is still sending is still there, and the handler may not want all of it.
        elif not message.get("more_body", False):
            self._listen()

    def _abandon(self) -> None:
        self.is_abandoned = self.is_late = True
        # PostgreSQL's driver asks its server to end the statement when the wait for it is
        # cancelled, which needs the connection a little longer. SQLite's does nothing.
        self.timeout.reschedule(self.loop.time())
        self._stop_clock()
        self.deadline = self.loop.time() + ENDING_SECONDS
        self.clock = self.loop.call_at(self.deadline, self._tick)

    def _cut_connections(self) -> None:
        for driver in list(self.held.values()):
            if not driver.is_closed():
                driver.terminate()

    def _stop(self) -> None:
        self._stop_clock()
        for task in self.ahead:
            task.cancel()
        # A stream that was cancelled leaves its statement behind.
        if self.is_abandoned and self.held:
            self.loop.call_later(ENDING_SECONDS, self._cut_connections)

    def _stop_clock(self) -> None:
        if self.clock is not None:
            self.clock.cancel()


def _share_of(path: str, is_read_only: bool) -> str:
    """What may be held up together: all that reads one noun, all that writes it."""
    noun = path.removeprefix("/api").strip("/").partition("/")[0]
    return f"{'reading' if is_read_only else 'writing'} {noun}"
