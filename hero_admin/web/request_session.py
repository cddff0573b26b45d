"""The session of each request, and so its transaction, within its deadline."""

import asyncio
from contextlib import suppress
from typing import Protocol

from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hero_admin.database.after_commit import call_all, take_waiting
from hero_admin.database.engines import Database
from hero_admin.database.errors import (
    RefusedAtCommit,
    is_away,
    is_conflict,
    is_refusal,
    refusal_sentence,
)
from hero_admin.database.held_connections import HeldConnections, cut, held_connections
from hero_admin.database.pool import share_name
from hero_admin.web.client import GRACE_SECONDS, Client
from hero_admin.web.deadline import Deadline
from hero_admin.web.mount import local_path
from hero_admin.web.read_your_writes import add_position, required_position
from hero_admin.web.requests import SAFE_METHODS
from hero_admin.web.turns import Turns

# The response waits so long for what follows the commit, which then goes on behind it.
FOLLOWING_SECONDS = 5.0


# The key in the `info` of a session under which something is done at the end of its request.
AT_END = "at_end"


class AtEnd(Protocol):
    """What is done as a response starts: in its transaction, or after one that saves nothing."""

    async def before_commit(self, session: AsyncSession) -> None: ...
    async def after_end(self) -> None: ...


class SessionMiddleware:
    """Gives each request `scope["state"]["session"]`: one lazy session, and so one transaction.

    It is committed just before the response starts, if the method is unsafe and the status below
    400, and rolled back otherwise. What makes a commit fail leaves the middleware with nothing
    sent. So does TimeoutError when a response takes longer than `timeout_seconds` to start, not
    counting the time a client takes to send the body as long as no connection is held: a handler
    reads the body first. `scope["state"]["database"]` is for streams, which outlive the session.

    A safe request whose client disconnects is ended, its statement too. An unsafe one is not:
    someone who saves and closes the page at once wants it saved.
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
        held: HeldConnections = {}
        deadline = Deadline(self.timeout_seconds, held)
        client = Client(receive, send, deadline)
        is_read_only = scope["method"] in SAFE_METHODS
        share_name.set(_share_of(local_path(scope), is_read_only))
        token = held_connections.set(held)
        try:
            async with deadline:
                if is_read_only:
                    client.listen_soon()
                    await self._read(scope, client, deadline)
                else:
                    await self._write(scope, client, deadline, held)
        except ClientDisconnect:
            client.is_gone = True
        except Exception:
            # The client has disconnected.
            if not client.is_gone:
                raise
        finally:
            client.close()
            held_connections.reset(token)
            # A stream that was cancelled leaves its statement behind.
            if client.is_gone and held:
                asyncio.get_running_loop().call_later(GRACE_SECONDS, cut, held.values())

    async def _read(self, scope: Scope, client: Client, deadline: Deadline) -> None:
        """Answer a safe request, from the replica if that has what its client has saved."""
        replica = self.database.replica
        if replica is not None and replica.has(required_position(scope)):
            before = dict(scope)
            try:
                await self._answer(self.database.at_replica(replica), scope, client, deadline)
            except Exception as error:
                if client.has_response or deadline.is_over or not is_away(error):
                    raise
                replica.give_up()
            else:
                return
            # Reading twice does no harm.
            scope.clear()
            scope.update(before)
        await self._answer(self.database, scope, client, deadline)

    async def _write(
        self, scope: Scope, client: Client, deadline: Deadline, held: HeldConnections
    ) -> None:
        """Answer an unsafe request; a second time if a server rolls the first one back.

        It does so to one of two transactions that wait for each other's locks.
        """
        if self.database.has_one_writer:
            with self.turns.writing(held):
                await self._answer(self.database, scope, client, deadline)
            return
        before = dict(scope)
        try:
            await self._answer(self.database, scope, client, deadline)
        except DBAPIError as error:
            if client.has_response or not is_conflict(error) or not client.rewind():
                raise
            scope.clear()
            scope.update(before)
            await self._answer(self.database, scope, client, deadline)

    async def _answer(
        self, database: Database, scope: Scope, client: Client, deadline: Deadline
    ) -> None:
        transaction = _Transaction(database, scope, client, deadline)
        state = {"session": transaction.session, "database": database}
        scope["state"] = {**scope.get("state", {}), **state}
        if transaction.is_read_only:
            await self.turns.take()
        await transaction.run(self.app)


class _Transaction:
    """The transaction of one request, which ends just before its response starts."""

    def __init__(
        self, database: Database, scope: Scope, client: Client, deadline: Deadline
    ) -> None:
        self.is_read_only = scope["method"] in SAFE_METHODS
        self.session = database.session(is_read_only=self.is_read_only)
        self._replica = database.replica
        self._scope = scope
        self._client = client
        self._deadline = deadline
        self._failure: Exception | None = None
        self._is_closed = False
        self._following: asyncio.Task[None] | None = None

    async def run(self, app: ASGIApp) -> None:
        try:
            await app(self._scope, self._client.receive, self._send)
        except Exception:
            # Starlette replaces an error that it meets while it sends.
            if self._failure is None:
                raise
        finally:
            if not self._is_closed:
                await asyncio.shield(self._close())
            if self._following is not None:
                await self._following
        if self._failure is not None:
            raise self._failure

    async def _send(self, message: Message) -> None:
        if self._failure is not None:
            # The response reported a success; the failure gets its own.
            return
        if message["type"] == "http.response.start" and not self._is_closed:
            has_saved = not self.is_read_only and message["status"] < 400
            at_end: AtEnd | None = self.session.info.get(AT_END)
            try:
                if has_saved and at_end:
                    await at_end.before_commit(self.session)
                if has_saved:
                    await _commit(self.session)
                waiting = take_waiting(self.session) if has_saved else ()
                await self._close()
                if at_end and not has_saved:
                    await at_end.after_end()
            except Exception as error:
                self._failure = error
                raise
            self._deadline.stop()
            if waiting:
                self._following = asyncio.create_task(call_all(waiting))
                await asyncio.wait({self._following}, timeout=FOLLOWING_SECONDS)
            if has_saved and self._replica:
                await add_position(self._scope, message, self._replica)
        await self._client.send(message)

    async def _close(self) -> None:
        try:
            if self.session.in_transaction():
                await self.session.close()
            else:
                self.session.sync_session.close()
        except Exception:  # noqa: BLE001 - it has lost its connection, and the transaction with it
            with suppress(Exception):
                await self.session.invalidate()
        self._is_closed = True


async def _commit(session: AsyncSession) -> None:
    """Commit; deferred constraints are checked now."""
    try:
        await session.commit()
    except DBAPIError as error:
        if is_refusal(error):
            raise RefusedAtCommit(refusal_sentence(error)) from error
        raise


def _share_of(path: str, is_read_only: bool) -> str:
    """Return the name of a share of the pool: one for reads of each resource, one for writes."""
    noun = path.removeprefix("/api").strip("/").partition("/")[0]
    return f"{'reading' if is_read_only else 'writing'} {noun}"
