"""The HTTP protocol: limits for headers, and answers to malformed requests."""

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from hero_admin.web.security_headers import HEADERS, NO_STORE

# Far more than the application accepts, and than one read of a socket returns.
MAX_BUFFERED_BYTES = 2**20
# How long the headers of a request may take, and the rest of a body that was refused, whose
# sender does not read the answer before.
HEADERS_SECONDS = 30.0
UNREAD_SECONDS = 300.0


class Protocol(HttpToolsProtocol):
    """HTTP; malformed requests are refused with the security headers of other answers.

    A connection that brings nothing in time is closed.

    buffered_bytes: how much came since there was anything to pass on; the parser keeps all of it.
    unanswered: how many requests have no whole answer yet.
    """

    buffered_bytes = 0
    unanswered = 0
    waiting: asyncio.TimerHandle | None = None

    # Any: the transport is asyncio's own.
    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._wait(HEADERS_SECONDS)

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_waiting()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self.buffered_bytes += len(data)
        if self.buffered_bytes > MAX_BUFFERED_BYTES:
            self.send_400_response("The headers of this request are too long.")
        else:
            super().data_received(data)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._wait(HEADERS_SECONDS)

    def on_headers_complete(self) -> None:
        self.buffered_bytes = 0
        self.unanswered += 1
        self._stop_waiting()
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self.buffered_bytes = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        self.buffered_bytes = 0
        self._stop_waiting()
        super().on_message_complete()

    def on_response_complete(self) -> None:
        self.unanswered -= 1
        super().on_response_complete()
        if self.cycle.more_body:
            self._wait(UNREAD_SECONDS)

    def _unsupported_upgrade_warning(self) -> None:
        """Log nothing: upgrades are not supported."""

    def send_400_response(self, msg: str) -> None:
        headers = {
            **HEADERS,
            "Cache-Control": NO_STORE.decode(),
            "Content-Type": "text/plain; charset=utf-8",
            "Content-Length": str(len(msg)),
            "Connection": "close",
        }
        lines = ["HTTP/1.1 400 Bad Request", *(f"{name}: {text}" for name, text in headers.items())]
        self.transport.write("\r\n".join([*lines, "", msg]).encode("ascii"))
        self.transport.close()

    def _wait(self, seconds: float) -> None:
        if self.waiting is None:
            self.waiting = self.loop.call_later(seconds, self.give_up, seconds)

    def give_up(self, seconds: float) -> None:
        """Close the connection, unless an answer is due."""
        self.waiting = None
        # A running request goes on, whatever its client sends next.
        if self.unanswered:
            self._wait(seconds)
        else:
            self.transport.close()

    def _stop_waiting(self) -> None:
        if self.waiting is not None:
            self.waiting.cancel()
            self.waiting = None
