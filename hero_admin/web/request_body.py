"""The body of a request: limits of its size and time, and the form to be sent again."""

import asyncio

from python_multipart.multipart import parse_options_header
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import Message, Receive, Scope

from hero_admin.web.texts import size_text

# What has arrived extends the time of a body, so that a slow line can bring 5 MB.
MIN_BYTES_PER_SECOND = 32 * 2**10
FORM_TYPES = ("application/x-www-form-urlencoded", "multipart/form-data")
# How much of a form that is too large is read, to offer its first fields again.
BEGINNING_BYTES = 64 * 2**10
BEGINNING_SECONDS = 10.0
TOO_BIG = "This request is too large."
TOO_SLOW = "The upload took too long. Nothing was saved. Reload this page to send it again."


class RequestBody:
    """Receives a body: 413 if it is too large, 408 if it takes too long.

    A form is held until the request has its answer, which may be to send it again.
    """

    def __init__(self, scope: Scope, receive: Receive, max_bytes: int, seconds: float) -> None:
        self._declared = declared_bytes(scope)
        self._receive = receive
        self._max_bytes = max_bytes
        self._refusal = too_big(max_bytes)
        self._deadline = asyncio.get_running_loop().time() + seconds
        self._received = 0
        self._is_complete = False
        self.is_form = Headers(scope=scope).get("content-type", "").startswith(FORM_TYPES)
        self._held: list[Message] = []
        self._replayed = 0

    def limit(self, max_bytes: int, refusal: str) -> None:
        """Lower the limit; 413 with `refusal` if the body declares that it is larger."""
        self._max_bytes, self._refusal = min(max_bytes, self._max_bytes), refusal
        if self._declared > self._max_bytes:
            raise HTTPException(413, refusal)

    async def receive(self) -> Message:
        # What comes afterwards says that the client has gone, whenever that is.
        if self._is_complete:
            return await self._receive()
        deadline = self._deadline + self._received / MIN_BYTES_PER_SECOND
        try:
            async with asyncio.timeout_at(deadline):
                message = await self._receive()
        except TimeoutError:
            raise HTTPException(408, TOO_SLOW, {"Connection": "close"}) from None
        self._received += len(message.get("body", b""))
        self._is_complete = not message.get("more_body", False)
        if self._received > self._max_bytes:
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


class FormBeginning:
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


def too_big(max_bytes: int) -> str:
    """Return the sentence about a body that is larger than that."""
    return f"{TOO_BIG} The limit is {size_text(max_bytes)}; nothing was saved."


def declared_bytes(scope: Scope) -> int:
    """Return the Content-Length of a request, 0 if there is none."""
    length = Headers(scope=scope).get("content-length", "")
    return int(length[:20]) if length.isdecimal() else 0
