"""The client of a request: its messages in both directions, and whether it is still connected."""

import asyncio
from collections import deque

from starlette.types import Message, Receive, Send

from hero_admin.web.deadline import Deadline

# Most requests are answered by then, so detecting disconnects costs them nothing.
LISTEN_SECONDS = 0.25
# How long a statement has to end as its server ends it, before its connection is cut.
GRACE_SECONDS = 0.5
# A longer request is not buffered.
MAX_REPEATED_BYTES = 2**20


class Client:
    """Wraps `receive` and `send` of a request.

    The deadline is paused while the client is waited for, and expires when a client that is
    listened for disconnects.
    """

    def __init__(self, receive: Receive, send: Send, deadline: Deadline) -> None:
        self.is_gone = False
        self.has_response = False
        self._receive = receive
        self._send = send
        self._deadline = deadline
        self._loop = asyncio.get_running_loop()
        # What was received before the handler asked for it.
        self._ahead: deque[asyncio.Task[Message]] = deque()
        # What the handler has received, and is yet to receive once more.
        self._received: list[Message] = []
        self._received_bytes = 0
        self._again: deque[Message] = deque()
        self._is_answered = False
        self._is_listening = False
        self._timer: asyncio.TimerHandle | None = None

    async def receive(self) -> Message:
        if self._again:
            return self._again.popleft()
        self._deadline.pause()
        try:
            message = await (self._ahead.popleft() if self._ahead else self._receive())
        finally:
            self._deadline.resume()
        self._remember(message)
        # A stream asks for it, and ends itself.
        if message["type"] == "http.disconnect" and self.has_response and not self._is_answered:
            self.is_gone = True
        return message

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.has_response = True
            self._stop_listening()
        elif message["type"] == "http.response.body" and not message.get("more_body", False):
            self._is_answered = True
        await self._send(message)

    def rewind(self) -> bool:
        """Let the next handler receive the request from its start; False if it was too long."""
        self._again = deque(self._received)
        return self._received_bytes <= MAX_REPEATED_BYTES

    def _remember(self, message: Message) -> None:
        self._received_bytes += len(message.get("body", b""))
        if self._received_bytes <= MAX_REPEATED_BYTES:
            self._received.append(message)
        else:
            self._received.clear()

    def listen_soon(self) -> None:
        """Notice a disconnection while the handler is busy, until the response starts."""
        self._is_listening = True
        self._timer = self._loop.call_later(LISTEN_SECONDS, self._listen)

    def close(self) -> None:
        self._stop_listening()
        for task in self._ahead:
            task.cancel()

    def _stop_listening(self) -> None:
        self._is_listening = False
        if self._timer is not None:
            self._timer.cancel()

    def _listen(self) -> None:
        if self._deadline.is_paused:
            # The handler itself is waiting for the client.
            self._timer = self._loop.call_later(LISTEN_SECONDS, self._listen)
            return
        task = asyncio.ensure_future(self._receive())
        task.add_done_callback(self._hear)
        self._ahead.append(task)

    def _hear(self, task: asyncio.Task[Message]) -> None:
        if not self._is_listening or task.cancelled() or task.exception() is not None:
            return
        message = task.result()
        if message["type"] == "http.disconnect":
            self.is_gone = True
            # PostgreSQL's driver asks its server to end the statement when the wait for it is
            # cancelled, which needs the connection a little longer. SQLite's does nothing.
            self._deadline.expire(GRACE_SECONDS)
        # A client that still sends is connected, and the handler may not need all of it.
        elif not message.get("more_body", False):
            self._listen()
