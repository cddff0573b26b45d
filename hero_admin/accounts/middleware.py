"""Person middleware: authenticates each request, and refuses it where it must be."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextvars import Context
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import NamedTuple

from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from hero_admin.accounts.auth import Auth
from hero_admin.accounts.cookies import digest_in
from hero_admin.accounts.proof import ask_proof
from hero_admin.accounts.recheck import recheck_writes
from hero_admin.accounts.second_factor.requirement import ask_to_set_up, has_to_set_up
from hero_admin.accounts.sessions import (
    SEEN_EVERY,
    fetch_identity,
    lock_identity,
    mark_seen,
    token_digest,
)
from hero_admin.accounts.sign_in import is_for_programs, refuse, refuse_token, signed_out
from hero_admin.accounts.tokens import (
    PREFIX,
    fetch_expiry,
    fetch_token_identity,
    lock_token_identity,
    mark_used,
)
from hero_admin.audit_log.events import Event, EventKind
from hero_admin.audit_log.request_events import events_of, note_failure
from hero_admin.database.errors import is_away
from hero_admin.person import ANYONE, Person
from hero_admin.web.csrf import bearer_token_of
from hero_admin.web.errors import BLOCKED, answer_http_exception, error_response
from hero_admin.web.guards import is_still_allowed
from hero_admin.web.mount import local_path
from hero_admin.web.requests import SAFE_METHODS
from hero_admin.web.responses import is_partial

# The same for everybody, without authentication.
ANONYMOUS = ("/static/", "/healthz", "/readyz")
# Paths for people who are not signed in.
PUBLIC = (
    *("/sign-in", "/sign-in/passkey", "/sign-in/code", "/sign-in/code/passkey"),
    *("/sign-out", "/welcome", "/theme"),
)
PATIENCE_SECONDS = 3.0
# Headers that proxies add.
PROXY_HEADERS = ("via", "x-real-ip", "cdn-loop")
PROXY_PREFIXES = ("x-original", "cf-", "x-envoy", "x-amzn")
PROXY_SUFFIXES = ("client-ip", "clientip", "user-ip")
FORWARDED = (
    "Sign-in is off (WEBAPP_AUTH=off), so this server only answers requests from this machine,"
    " and none that came through a proxy."
)
# The limit of a sign-in with its pending form.
STRANGERS_BYTES = 64 * 2**10
STRANGERS_BODY = (
    "You're not signed in, so you can send at most 64 kB. Sign in in another tab, then reload this"
    " page to send it again."
)

logger = logging.getLogger("hero_admin.accounts")


class Found(NamedTuple):
    """An identity, when it was last marked as seen, and whether a second factor is there.

    A token needs none.
    """

    person: Person
    marked_at: datetime | None
    has_second_factor: bool = True


# What `Found` is made of.
Facts = tuple[Person, datetime | None] | tuple[Person, datetime | None, bool]


@dataclass(frozen=True)
class _Proof:
    """The credentials of a request, and how to check them; "" for none."""

    digest: str
    fetch: Callable[..., Awaitable[Facts | None]]
    lock: Callable[..., Person | None]
    # Returns whether a token is used for the first time.
    mark: Callable[[AsyncSession, str, datetime], Awaitable[bool | None]]
    is_token: bool = False


class IdentityMiddleware:
    """Sets `scope["state"]["identity"]` of each request; answers 401 where it is required.

    A long response calls `scope["state"]["may_still"]()` now and then.

    It runs inside the database session, which it uses for safe methods only: an unsafe request
    without an identity must not begin to write.
    """

    def __init__(self, app: ASGIApp, auth: Auth, *, is_open: bool) -> None:
        self.app = app
        self.auth = auth
        self.is_open = is_open

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        scope["state"] |= {"identity": ANYONE if self.is_open else None, "may_still": _may}
        request = Request(scope, receive)
        if self.is_open and _is_forwarded(request):
            response = error_response(request, 403, FORWARDED, title=BLOCKED)
            await response(scope, receive, send)
            return
        if self.is_open or local_path(scope).startswith(ANONYMOUS):
            await self.app(scope, receive, send)
            return
        now, proof = datetime.now(UTC), self._proof_in(request)
        facts = await self._fetch(request, proof, now) if proof.digest else None
        if facts is None:
            answer = await self._answer_to_stranger(request, proof)
            await answer(scope, receive, send)
            return
        found = Found(*facts)
        marked_at = found.marked_at
        scope["state"] |= {"identity": found.person, "ask_proof": ask_proof}
        if not found.has_second_factor and has_to_set_up(request, self.auth.second_factor):
            answer = await ask_to_set_up(request)
            await answer(scope, receive, send)
            return
        request.state.may_still = partial(self._may_still, request, proof)
        if request.method not in SAFE_METHODS:
            self._recheck(request, proof)
        await self.app(scope, receive, send)
        is_stale = marked_at is None or now - marked_at >= SEEN_EVERY
        if is_stale and proof.digest not in self.auth.marking:
            self._mark(request, proof, now)

    async def _answer_to_stranger(self, request: Request, proof: _Proof) -> ASGIApp:
        try:
            # The dialog that asks for the password leaves the form in its page.
            if not is_partial(request) or local_path(request.scope) in PUBLIC:
                request.state.body.limit(STRANGERS_BYTES, STRANGERS_BODY)
            if proof.is_token:
                return refuse_token(request, await self._expiry_of(request, proof))
            return self.app if local_path(request.scope) in PUBLIC else await refuse(request)
        except HTTPException as error:
            return await answer_http_exception(request, error)

    async def _expiry_of(self, request: Request, proof: _Proof) -> datetime | None:
        """Return when a token has expired, None for one that nobody made or that was revoked."""
        if not proof.digest:
            return None
        async with self.auth.database.session(is_read_only=True) as session:
            found = await fetch_expiry(session, proof.digest)
        now, told = datetime.now(UTC), self.auth.refused
        # That of somebody whose account is disabled has not.
        if found is None or found[1] > now:
            return None
        # A program that goes on with it writes no event each time.
        if proof.digest not in told or now - told[proof.digest] >= SEEN_EVERY:
            told[proof.digest] = now
            note_failure(request.state.session, EventKind.TOKEN_REFUSED, found[0])
        return found[1]

    def _proof_in(self, request: Request) -> _Proof:
        token = bearer_token_of(request.headers)
        if token is None:
            fetch = partial(fetch_identity, limits=self.auth.limits)
            lock = partial(lock_identity, limits=self.auth.limits)
            mark = partial(mark_seen, limits=self.auth.limits)
            return _Proof(digest_in(request), fetch, lock, mark)
        # With a token, cookies are ignored.
        is_one = is_for_programs(request) and token.startswith(PREFIX)
        digest = token_digest(token) if is_one else ""
        return _Proof(digest, fetch_token_identity, lock_token_identity, mark_used, is_token=True)

    def _recheck(self, request: Request, proof: _Proof) -> None:
        def lock(connection: Connection) -> Person | None:
            return proof.lock(connection, proof.digest, now=datetime.now(UTC))

        gone = signed_out(is_token=proof.is_token)
        recheck_writes(request.state.session, request.scope["state"], lock, gone)

    async def _may_still(self, request: Request, proof: _Proof) -> bool:
        async with self.auth.database.session(is_read_only=True) as session:
            found = await proof.fetch(session, proof.digest, now=datetime.now(UTC))
        return found is not None and is_still_allowed(request.scope["state"], found[0])

    async def _fetch(self, request: Request, proof: _Proof, now: datetime) -> Facts | None:
        database, primary = request.state.database, self.auth.database
        is_safe = request.method in SAFE_METHODS
        is_behind = database is not primary and not database.replica.is_alone
        if is_safe and not is_behind:
            return await proof.fetch(request.state.session, proof.digest, now=now)
        # A replica may lag behind a disabled account.
        try:
            async with primary.session(is_read_only=True) as session:
                return await proof.fetch(session, proof.digest, now=now)
        except Exception as error:
            if not (is_safe and is_behind and is_away(error)):
                raise
        return await proof.fetch(request.state.session, proof.digest, now=now)

    def _mark(self, request: Request, proof: _Proof, now: datetime) -> None:
        events = events_of(request.state.session)
        assert events is not None
        first_use = events.made(EventKind.TOKEN_FIRST_USED)
        # In a context of its own, as the request has been answered.
        task = asyncio.create_task(self._mark_seen(proof, now, first_use), context=Context())
        self.auth.marking[proof.digest] = task
        task.add_done_callback(lambda _: self.auth.marking.pop(proof.digest, None))

    async def _mark_seen(self, proof: _Proof, now: datetime, first_use: Event) -> None:
        try:
            async with (
                asyncio.timeout(PATIENCE_SECONDS),
                self.auth.database.session(is_read_only=False) as session,
            ):
                if await proof.mark(session, proof.digest, now):
                    await self.auth.events.add(session, [first_use])
                await session.commit()
        # Until then the session seems idle for a little longer.
        except Exception as error:  # noqa: BLE001 - the next request tries again
            logger.debug("Not marked as seen: %s", type(error).__name__)


def _is_forwarded(request: Request) -> bool:
    names = set(request.headers.keys())
    return not names.isdisjoint(PROXY_HEADERS) or any(
        "forwarded" in name or name.startswith(PROXY_PREFIXES) or name.endswith(PROXY_SUFFIXES)
        for name in names
    )


async def _may() -> bool:
    return True
