"""The middleware that finds out who is asking, and lets nobody else any further."""

import asyncio
import logging
from contextvars import Context
from datetime import UTC, datetime

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from webapp.accounts.cookies import digest_in
from webapp.accounts.pages import refuse
from webapp.accounts.sessions import SEEN_EVERY, Limits, fetch_identity, mark_seen
from webapp.cross_site import bearer_token_of
from webapp.database import SAFE_METHODS, Database
from webapp.errors import answer_http_exception
from webapp.identity import ANYONE, Identity

# They are the same for everybody, and ask nobody.
ANONYMOUS = ("/static/", "/healthz", "/readyz")
# What there is to do for whoever is not signed in.
PUBLIC = ("/sign-in", "/sign-out", "/welcome", "/theme")
PATIENCE_SECONDS = 3.0

logger = logging.getLogger("webapp.accounts")


class IdentityMiddleware:
    """Gives each request `scope["state"]["identity"]`, and answers 401 where it has to be one.

    It stands inside the database session, which it uses for safe methods only: an unsafe request
    of somebody unknown must not begin to write.
    """

    def __init__(self, app: ASGIApp, database: Database, limits: Limits, *, is_open: bool) -> None:
        self.app = app
        self.database = database
        self.limits = limits
        self.is_open = is_open
        self.marking: dict[str, asyncio.Task[None]] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        scope["state"]["identity"] = ANYONE if self.is_open else None
        if self.is_open or scope["path"].startswith(ANONYMOUS):
            await self.app(scope, receive, send)
            return
        request = Request(scope, receive)
        # A token speaks for itself: whoever sends one is not also asked for a cookie.
        has_token = bearer_token_of(request.headers) is not None
        now, digest = datetime.now(UTC), "" if has_token else digest_in(request)
        found = await self._fetch(request, digest, now) if digest else None
        if found is None and scope["path"] not in PUBLIC:
            try:
                response = await refuse(request)
            except HTTPException as error:
                response = await answer_http_exception(request, error)
            await response(scope, receive, send)
            return
        if found is None:
            await self.app(scope, receive, send)
            return
        scope["state"]["identity"], seen_at = found
        await self.app(scope, receive, send)
        if now - seen_at >= SEEN_EVERY and digest not in self.marking:
            self._mark(digest, now)

    async def _fetch(
        self, request: Request, digest: str, now: datetime
    ) -> tuple[Identity, datetime] | None:
        if request.method in SAFE_METHODS:
            return await fetch_identity(request.state.session, digest, self.limits, now)
        async with self.database.session(is_read_only=True) as session:
            return await fetch_identity(session, digest, self.limits, now)

    def _mark(self, digest: str, now: datetime) -> None:
        # In a context of its own: it is no part of the request, which has been answered.
        task = asyncio.create_task(self._mark_seen(digest, now), context=Context())
        self.marking[digest] = task
        task.add_done_callback(lambda _: self.marking.pop(digest, None))

    async def _mark_seen(self, digest: str, now: datetime) -> None:
        try:
            async with (
                asyncio.timeout(PATIENCE_SECONDS),
                self.database.session(is_read_only=False) as session,
            ):
                await mark_seen(session, digest, now)
                await session.commit()
        # The next request tries again; until then the session looks idle for a little longer.
        except Exception as error:  # noqa: BLE001
            logger.debug("Not marked as seen: %s", type(error).__name__)
