"""Protection: what holds for every request and answer, whatever they are about."""

from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from webapp.database import SAFE_METHODS
from webapp.errors import error_response

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self';"
    " connect-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none';"
    " frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    # What was shown is asked for again, unless a static file says otherwise.
    "Cache-Control": "private, no-cache",
}
# Browsers complain of it where the connection is not trustworthy.
HTTPS_HEADERS = {"Cross-Origin-Opener-Policy": "same-origin"}
MOST_HEADER_BYTES = 64 * 2**10
MOST_COOKIE_BYTES = 8 * 2**10
TOO_BIG = "This is larger than the server accepts."
CROSS_SITE = "This request was sent by another site. Open the page here and do it again."


class ProtectionMiddleware:
    """Refuses bodies that are too big and writes from other sites; sets the security headers."""

    def __init__(self, app: ASGIApp, max_body_bytes: int) -> None:
        self.app = app
        self.max_body_bytes = max_body_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        given = HEADERS | HTTPS_HEADERS if scope["scheme"] == "https" else HEADERS

        async def send_protected(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in given.items():
                    headers.setdefault(name, value)
            await send(message)

        refusal = self._refusal(scope)
        if refusal:
            # Without the headers: they may be the reason.
            response = error_response(Request({**scope, "headers": []}), *refusal)
            await response(scope, receive, send_protected)
            return
        received = 0

        async def receive_bounded() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > self.max_body_bytes:
                raise HTTPException(413, TOO_BIG)
            return message

        await self.app(scope, receive_bounded, send_protected)

    def _refusal(self, scope: Scope) -> tuple[int, str] | None:
        headers = Headers(scope=scope)
        length = headers.get("content-length", "")
        if length.isdecimal() and int(length[:20]) > self.max_body_bytes:
            return 413, TOO_BIG
        # Reading a long cookie takes time that grows with its square.
        size = sum(len(name) + len(value) for name, value in scope["headers"])
        if size > MOST_HEADER_BYTES or len(headers.get("cookie", "")) > MOST_COOKIE_BYTES:
            return 431, TOO_BIG
        if scope["method"] not in SAFE_METHODS and _is_cross_site(headers):
            return 403, CROSS_SITE
        return None


def _is_cross_site(headers: Headers) -> bool:
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site not in {"same-origin", "none"}
    # Browsers tell the site only to https and to loopback; programs send neither header.
    origin = headers.get("origin")
    if origin is None:
        return False
    try:
        return urlsplit(origin).netloc != headers.get("host")
    except ValueError:
        return True
