"""Protection: refuses requests before they reach sessions, identity or handlers."""

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hero_admin.web.allowed_hosts import UNKNOWN_HOST, is_known_host
from hero_admin.web.csrf import is_cross_site
from hero_admin.web.errors import BLOCKED, FetchPending, error_response
from hero_admin.web.request_body import TOO_BIG, FormBeginning, RequestBody, declared_bytes, too_big
from hero_admin.web.security_headers import security_headers

MAX_HEADER_BYTES = 64 * 2**10
MAX_COOKIE_BYTES = 8 * 2**10
# Room for the keys of all rows of a page.
MAX_TARGET_BYTES = 48 * 2**10
# The longest are cursors, which hold a text of a record.
MAX_PARAMETER_BYTES = 20_000
MAX_PARAMETERS = 2_000
LONG_QUERY = "The query in this address is too long."
CROSS_SITE = "This request didn't come from this site. Open the page here and try again."


class ProtectionMiddleware:
    """Refuses oversized requests, unknown hosts and cross-site writes; adds security headers."""

    def __init__(
        self,
        app: ASGIApp,
        max_body_bytes: int,
        body_seconds: float,
        hosts: tuple[str, ...],
        fetch_pending: FetchPending,
        *,
        ignores_cookies: bool = True,
        is_mounted: bool = False,
    ) -> None:
        self.app = app
        self.ignores_cookies = ignores_cookies
        self.is_mounted = is_mounted
        self.fetch_pending = fetch_pending
        self.max_body_bytes = max_body_bytes
        self.body_seconds = body_seconds
        self.hosts = hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def send_protected(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = list(message.get("headers", ()))
                given = {name.lower() for name, _ in headers}
                message["headers"] = headers + [
                    header
                    for header in security_headers(scope, headers, is_mounted=self.is_mounted)
                    if header[0] not in given
                ]
            await send(message)

        refusal, pending = self._refusal(scope), None
        if refusal is None and declared_bytes(scope) > self.max_body_bytes:
            refusal = 413, too_big(self.max_body_bytes)
            scope["state"] = {**scope.get("state", {}), "body": FormBeginning(scope, receive)}
            pending = await self.fetch_pending(scope)
        if refusal:
            # Without the headers: they may be the reason.
            request = Request({**scope, "headers": []})
            response = error_response(
                request, *refusal, title=BLOCKED * (refusal[0] == 403), pending=pending
            )
            await response(scope, receive, send_protected)
            return
        body = RequestBody(scope, receive, self.max_body_bytes, self.body_seconds)
        scope["state"] = {**scope.get("state", {}), "body": body}
        await self.app(scope, body.receive, send_protected)

    def _refusal(self, scope: Scope) -> tuple[int, str] | None:
        headers = Headers(scope=scope)
        # Reading a long cookie takes time that grows with its square.
        size = sum(len(name) + len(value) for name, value in scope["headers"])
        if size > MAX_HEADER_BYTES or len(headers.get("cookie", "")) > MAX_COOKIE_BYTES:
            return 431, TOO_BIG
        if len(scope["path"]) + len(scope["query_string"]) > MAX_TARGET_BYTES:
            return 414, TOO_BIG
        if not _is_readable(scope["query_string"]):
            return 400, LONG_QUERY
        if not is_known_host(scope, self.hosts):
            return 400, UNKNOWN_HOST
        if is_cross_site(scope, ignores_cookies=self.ignores_cookies):
            return 403, CROSS_SITE
        return None


def _is_readable(query: bytes) -> bool:
    """Whether a query has no more and no longer parameters than any page reads."""
    if query.count(b"&") >= MAX_PARAMETERS:
        return False
    return len(query) <= MAX_PARAMETER_BYTES or all(
        len(part) <= MAX_PARAMETER_BYTES for part in query.split(b"&")
    )
