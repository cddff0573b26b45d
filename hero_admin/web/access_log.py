"""The access log: one line a request, with its duration and its number of SQL statements."""

import json
import logging
import re
import time

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hero_admin.database.statement_count import count_statements
from hero_admin.person import Person
from hero_admin.web.mount import local_path

QUIET_PATHS = ("/static/", "/healthz", "/readyz")
# As nginx logs a client that disconnected before its answer.
NOBODY_ASKS = 499
PLAIN = re.compile(r"[\w./~:,@-]+", re.ASCII)

logger = logging.getLogger("hero_admin.access")


class AccessLogMiddleware:
    """Logs a line for each request, with the signed-in person, if any, and the address.

    `method=GET path=/heroes status=200 duration_ms=3.1 statements=1 address=::1 user="Ann Smith"`.
    Static files and health checks are logged for debugging only.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        status = NOBODY_ASKS

        async def send_and_note(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        start = time.perf_counter()
        with count_statements() as count:
            try:
                await self.app(scope, receive, send_and_note)
            finally:
                path = scope["path"]
                identity: Person | None = scope.get("state", {}).get("identity")
                level = logging.DEBUG if local_path(scope).startswith(QUIET_PATHS) else logging.INFO
                logger.log(
                    level,
                    "method=%s path=%s status=%d duration_ms=%.1f statements=%d address=%s user=%s",
                    quoted(scope["method"]),
                    quoted(path),
                    status,
                    (time.perf_counter() - start) * 1000,
                    count.value,
                    quoted(scope["client"][0] if scope.get("client") else ""),
                    quoted(identity.name if identity else ""),
                )


def quoted(text: str) -> str:
    """Return a value of logfmt, quoted unless it is one word."""
    return text if PLAIN.fullmatch(text) else json.dumps(text)
