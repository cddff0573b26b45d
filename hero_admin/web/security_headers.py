"""Protection: what holds for every request and answer, whatever they are about."""

import asyncio
from collections.abc import Iterator, Sequence

from python_multipart.multipart import parse_options_header
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hero_admin.web.allowed_hosts import UNKNOWN_HOST, is_known_host
from hero_admin.web.csrf import bearer_token_of, is_cross_site
from hero_admin.web.errors import BLOCKED, FetchPending, error_response
from hero_admin.web.texts import size_text

Header = tuple[bytes, bytes]

# What pages are never to do, whatever gets into one.
UNUSED_FEATURES = (
    "accelerometer autoplay browsing-topics camera clipboard-read display-capture"
    " encrypted-media fullscreen gamepad geolocation gyroscope hid identity-credentials-get"
    " idle-detection local-fonts magnetometer microphone midi otp-credentials payment"
    " picture-in-picture publickey-credentials-create publickey-credentials-get screen-wake-lock"
    " serial storage-access sync-xhr usb window-management xr-spatial-tracking"
)
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self';"
    " connect-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none';"
    " object-src 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    # Not “no-referrer”: with it browsers would not even tell us that a form of ours is ours.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": ", ".join(f"{feature}=()" for feature in UNUSED_FEATURES.split()),
}
# As ASGI has them.
ENCODED = tuple((name.lower().encode(), value.encode()) for name, value in HEADERS.items())
HSTS = b"max-age=31536000"
# Nothing that was shown is left behind, unless a static file says otherwise: after signing out,
# Back asks again.
NO_STORE = b"no-store"
# What the API tells a program it may keep, to be compared by its ETag; a browser, which sends a
# cookie, would show it to whoever goes back after somebody else has signed out.
REVALIDATE = b"private, no-cache"
MAX_HEADER_BYTES = 64 * 2**10
MAX_COOKIE_BYTES = 8 * 2**10
# Room for the keys of all rows of a page.
MAX_TARGET_BYTES = 48 * 2**10
# The longest are cursors, which hold a text of a record.
MAX_PARAMETER_BYTES = 20_000
MAX_PARAMETERS = 2_000
# A slow line brings 5 MB within the time that a body has and so many seconds more.
SLOWEST_BYTES_PER_SECOND = 32 * 2**10
FORM_TYPES = ("application/x-www-form-urlencoded", "multipart/form-data")
# Of a form that is too large so much is read, to offer its first fields again.
BEGINNING_BYTES = 64 * 2**10
BEGINNING_SECONDS = 10.0
TOO_BIG = "This request is too large."
LONG_QUERY = "The query in this address is too long."
TOO_SLOW = "The upload took too long. Nothing was saved. Reload this page to send it again."
CROSS_SITE = "This request didn't come from this site. Open the page here and try again."


class ProtectionMiddleware:
    """Refuses what is too big, unknown hosts and writes from other sites; sets the headers."""

    def __init__(
        self,
        app: ASGIApp,
        max_body_bytes: int,
        body_seconds: float,
        hosts: tuple[str, ...],
        fetch_pending: FetchPending,
    ) -> None:
        self.app = app
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
                    header for header in _headers_for(scope, headers) if header[0] not in given
                ]
            await send(message)

        refusal, pending = self._refusal(scope), None
        if refusal is None and _declared_bytes(scope) > self.max_body_bytes:
            refusal = 413, too_big(self.max_body_bytes)
            scope["state"] = {**scope.get("state", {}), "body": Beginning(scope, receive)}
            pending = await self.fetch_pending(scope)
        if refusal:
            # Without the headers: they may be the reason.
            request = Request({**scope, "headers": []})
            response = error_response(
                request, *refusal, title=BLOCKED * (refusal[0] == 403), pending=pending
            )
            await response(scope, receive, send_protected)
            return
        body = Body(scope, receive, self.max_body_bytes, self.body_seconds)
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
        if not _is_sensible(scope["query_string"]):
            return 400, LONG_QUERY
        if not is_known_host(scope, self.hosts):
            return 400, UNKNOWN_HOST
        if is_cross_site(scope):
            return 403, CROSS_SITE
        return None


class Body:
    """A body on its way: it may be no larger, and take no longer, than those of people are.

    That of a form is held until the request has its answer, which may be to send it again.
    """

    def __init__(self, scope: Scope, receive: Receive, most_bytes: int, seconds: float) -> None:
        self._declared = _declared_bytes(scope)
        self._receive = receive
        self._most_bytes = most_bytes
        self._refusal = too_big(most_bytes)
        self._latest = asyncio.get_running_loop().time() + seconds
        self._received = 0
        self._is_complete = False
        self.is_form = Headers(scope=scope).get("content-type", "").startswith(FORM_TYPES)
        self._held: list[Message] = []
        self._replayed = 0

    def limit(self, most_bytes: int, refusal: str) -> None:
        """Let it be no larger than this; raise 413 with `refusal` if it says that it is."""
        self._most_bytes, self._refusal = min(most_bytes, self._most_bytes), refusal
        if self._declared > self._most_bytes:
            raise HTTPException(413, refusal)

    async def receive(self) -> Message:
        # What comes afterwards says that the client has gone, whenever that is.
        if self._is_complete:
            return await self._receive()
        latest = self._latest + self._received / SLOWEST_BYTES_PER_SECOND
        try:
            async with asyncio.timeout_at(latest):
                message = await self._receive()
        except TimeoutError:
            raise HTTPException(408, TOO_SLOW, {"Connection": "close"}) from None
        self._received += len(message.get("body", b""))
        self._is_complete = not message.get("more_body", False)
        if self._received > self._most_bytes:
            raise HTTPException(413, self._refusal)
        if self.is_form:
            self._held.append(message)
        return message

    async def receive_again(self) -> Message:
        """Receive the body of a form once more from its beginning, and the rest as it comes."""
        message: Message
        if self._replayed < len(self._held):
            message = self._held[self._replayed]
        elif self._is_complete:
            # Nothing comes any more but that the client has gone, whenever that is.
            return {"type": "http.request", "body": b"", "more_body": False}
        else:
            message = await self.receive()
        self._replayed += 1
        return message


class Beginning:
    """The first fields of a form that is too large, to be sent again without the rest."""

    def __init__(self, scope: Scope, receive: Receive) -> None:
        self._content_type = Headers(scope=scope).get("content-type", "")
        self.is_form = self._content_type.startswith(FORM_TYPES)
        self._receive = receive

    async def receive_again(self) -> Message:
        """Receive as many whole fields as there are; a file that is cut off says that it was."""
        held, has_more = b"", True
        async with asyncio.timeout(BEGINNING_SECONDS):
            while has_more and len(held) < BEGINNING_BYTES:
                message = await self._receive()
                held += message.get("body", b"")
                has_more = message.get("more_body", False)
        return {"type": "http.request", "body": self._whole(held), "more_body": False}

    def _whole(self, held: bytes) -> bytes:
        boundary = parse_options_header(self._content_type)[1].get(b"boundary")
        if boundary is None:
            return held.rpartition(b"&")[0]
        mark = b"\r\n--" + boundary
        whole, _, last = held.rpartition(mark + b"\r\n")
        headers, blank, _ = last.partition(b"\r\n\r\n")
        is_file = bool(blank) and b"filename=" in headers
        return (held if is_file else whole) + mark + b"--\r\n"


def _is_sensible(query: bytes) -> bool:
    """Whether nothing in a query is longer, and there is no more of it, than anything reads."""
    if query.count(b"&") >= MAX_PARAMETERS:
        return False
    return len(query) <= MAX_PARAMETER_BYTES or all(
        len(part) <= MAX_PARAMETER_BYTES for part in query.split(b"&")
    )


def too_big(most_bytes: int) -> str:
    """Return what to say of a body that is larger than that."""
    return f"{TOO_BIG} The limit is {size_text(most_bytes)}; nothing was saved."


def _declared_bytes(scope: Scope) -> int:
    length = Headers(scope=scope).get("content-length", "")
    return int(length[:20]) if length.isdecimal() else 0


def _headers_for(scope: Scope, given: Sequence[Header]) -> Iterator[Header]:
    yield from ENCODED
    if scope["scheme"] == "https":
        yield b"strict-transport-security", HSTS
    is_api = scope["path"].startswith("/api/") and bearer_token_of(Headers(scope=scope)) is not None
    yield b"cache-control", REVALIDATE if is_api and _can_be_cached(given) else NO_STORE


def _can_be_cached(headers: Sequence[Header]) -> bool:
    return any(
        name == b"etag" or (name == b"content-type" and value.startswith(b"application/json"))
        for name, value in headers
    )
