"""The transaction of each request, and the end of one that takes too long or has nobody waiting."""

import asyncio
from collections import deque
from contextlib import suppress

from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.pool import ConnectionPoolEntry
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect, cookie_parser
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hero_admin.database.engines import SAFE_METHODS, Database, DriverConnection, held_connections
from hero_admin.database.errors import RefusedAtCommit, is_away, is_refusal, refusal_sentence
from hero_admin.database.pool import share_name
from hero_admin.database.replica import NEVER, Replica
from hero_admin.web.turns import Turns

LATE_SECONDS = 0.1
# Most requests are answered by then, and cost nothing to listen for their clients.
LISTEN_SECONDS = 0.25
# Up to where the browser has saved; by the end of it every replica has that, or is not asked.
COOKIE = "written"
COOKIE_ATTRIBUTES = "Path=/; Max-Age=3600; HttpOnly; SameSite=Lax"
MAX_DIGITS = 20
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
        self.turns = Turns()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        replica = self.database.replica
        if replica is None or not replica.has(_place_to_see(scope)):
            await self._unit(scope, self.database, receive, send).run(self.app, scope)
            return
        before = dict(scope)
        unit = self._unit(scope, self.database.at_replica(replica), receive, send)
        try:
            await unit.run(self.app, scope)
        except Exception as error:
            if unit.has_started or unit.is_late or not is_away(error):
                raise
            replica.give_up()
        else:
            return
        # Reading twice does no harm. The second time has what the first one left of the time.
        scope.clear()
        scope.update(before)
        again = self._unit(scope, self.database, receive, send)
        again.deadline = unit.deadline
        await again.run(self.app, scope)

    def _unit(self, scope: Scope, database: Database, receive: Receive, send: Send) -> "_Unit":
        is_read_only = scope["method"] in SAFE_METHODS
        session = database.session(is_read_only=is_read_only)
        scope["state"] = {**scope.get("state", {}), "session": session, "database": database}
        unit = _Unit(session, is_read_only, self.timeout_seconds, self.turns, receive, send)
        unit.has_turn_to_write = database.has_one_writer and not is_read_only
        if database.replica and not is_read_only:
            unit.written = _Written(database.replica, is_secure=scope["scheme"] == "https")
        return unit


class _Written:
    """Lets the browser remember what it has saved, so that it reads where that can be seen."""

    def __init__(self, replica: Replica, *, is_secure: bool) -> None:
        self.replica = replica
        self.attributes = f"{COOKIE_ATTRIBUTES}; Secure" if is_secure else COOKIE_ATTRIBUTES

    async def note(self, message: Message) -> None:
        place = await self.replica.fetch_written()
        MutableHeaders(scope=message).append("Set-Cookie", f"{COOKIE}={place}; {self.attributes}")


class _Unit:
    """One request: its session, and the clock that ticks until its response starts."""

    def __init__(
        self,
        session: AsyncSession,
        is_read_only: bool,
        timeout_seconds: float,
        turns: Turns,
        receive: Receive,
        send: Send,
    ) -> None:
        self.session = session
        self.turns = turns
        self.is_read_only = is_read_only
        self.timeout_seconds = timeout_seconds
        self._receive = receive
        self._send = send
        self.held: dict[ConnectionPoolEntry, DriverConnection] = {}
        # What was asked of the server before the handler did.
        self.ahead: deque[asyncio.Task[Message]] = deque()
        self.written: _Written | None = None
        self.has_turn_to_write = False
        self.failure: Exception | None = None
        self.has_started = False
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
        if self.has_turn_to_write:
            self.turns.held_by_writers.append(self.held)
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
            if self.has_turn_to_write:
                # By identity: all that hold nothing are equal.
                held = self.turns.held_by_writers
                held[:] = [each for each in held if each is not self.held]
            held_connections.reset(token)
        if self.failure is not None and not self.is_abandoned:
            raise self.failure

    async def _run(self, app: ASGIApp, scope: Scope) -> None:
        async with self.timeout:
            self.clock = self.loop.call_later(min(LISTEN_SECONDS, self.timeout_seconds), self._tick)
            try:
                if self.is_read_only:
                    await self.turns.take()
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
                has_saved = not self.is_read_only and message["status"] < 400
                if has_saved:
                    await _commit(self.session)
                await self._close()
            except Exception as error:
                self.failure = error
                raise
            self._stop_clock()
            if has_saved and self.written:
                await self.written.note(message)
            self.has_started = True
        elif message["type"] == "http.response.body" and not message.get("more_body", False):
            self.is_answered = True
        await self._send(message)

    async def _close(self) -> None:
        try:
            if self.session.in_transaction():
                await self.session.close()
            else:
                self.session.sync_session.close()
        except Exception:  # noqa: BLE001 - it has lost its connection, and the transaction with it
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


async def _commit(session: AsyncSession) -> None:
    """Commit, where constraints are checked that a database was made to check last."""
    try:
        await session.commit()
    except DBAPIError as error:
        if is_refusal(error):
            raise RefusedAtCommit(refusal_sentence(error)) from error
        raise


def _share_of(path: str, is_read_only: bool) -> str:
    """What may be held up together: all that reads one noun, all that writes it."""
    noun = path.removeprefix("/api").strip("/").partition("/")[0]
    return f"{'reading' if is_read_only else 'writing'} {noun}"


def _place_to_see(scope: Scope) -> int:
    """What a reader has to see: all that its browser has saved, as far as that is known."""
    headers = Headers(scope=scope)
    # A program keeps no cookies.
    if scope["method"] not in SAFE_METHODS or "authorization" in headers:
        return NEVER
    saved = cookie_parser(headers.get("cookie", "")).get(COOKIE, "0")
    return int(saved) if saved.isdecimal() and len(saved) <= MAX_DIGITS else NEVER
