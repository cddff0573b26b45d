"""Waiting for requests: a connection that brings none in time is closed, and no other one."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from functools import partial

import pytest
import uvicorn
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send
from uvicorn.server import ServerState

from hero_admin.cli import protocol

ASKED = b"GET / HTTP/1.1\r\nHost: localhost\r\n"
POSTED = b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n"


class Slow:
    """An application that answers when it is told to, and reads no body."""

    def __init__(self) -> None:
        self.asked, self.may_answer = asyncio.Event(), asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.asked.set()
        await self.may_answer.wait()
        await PlainTextResponse("answered")(scope, receive, send)


@asynccontextmanager
async def connected(app: Slow) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    config = uvicorn.Config(app, log_config=None, timeout_keep_alive=3600)
    config.load()
    make = partial(protocol.Protocol, config, ServerState(), {})
    listening = await asyncio.get_running_loop().create_server(make, "127.0.0.1", 0)
    async with listening:
        reader, writer = await asyncio.open_connection(*listening.sockets[0].getsockname())
        yield reader, writer
        writer.close()


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "HEADERS_SECONDS", 0.3)
    monkeypatch.setattr(protocol, "UNREAD_SECONDS", 0.3)


async def trickle(writer: asyncio.StreamWriter) -> None:
    """Send a header after the other, for ever, each in time by itself."""
    try:
        while True:
            writer.write(b"X-More: x\r\n")
            await writer.drain()
            await asyncio.sleep(0.02)
    except ConnectionError:
        pass


@pytest.mark.parametrize("sent", [b"", ASKED, POSTED], ids=["nothing", "headers", "unread body"])
async def test_a_connection_that_brings_no_request_is_closed(sent: bytes) -> None:
    app = Slow()
    app.may_answer.set()
    async with connected(app) as (reader, writer):
        writer.write(sent)
        trickling = asyncio.create_task(trickle(writer)) if sent else None
        answer = b""
        # What has come is not lost where the connection is cut in the middle of a header.
        with suppress(ConnectionError):
            while some := await reader.read(1000):
                answer += some
        if trickling:
            trickling.cancel()
    assert (b"answered" in answer) is (sent == POSTED)


async def test_whoever_waits_for_an_answer_gets_it(monkeypatch: pytest.MonkeyPatch) -> None:
    app = Slow()
    async with connected(app) as (reader, writer):
        # The next request has begun, too.
        writer.write(ASKED + b"\r\n" + ASKED)
        await app.asked.wait()
        given_up = asyncio.Event()
        give_up = protocol.Protocol.give_up

        def note(protocol: protocol.Protocol, seconds: float) -> None:
            give_up(protocol, seconds)
            given_up.set()

        monkeypatch.setattr(protocol.Protocol, "give_up", note)
        writer.write(b"X-More: x\r\n")
        await given_up.wait()
        app.may_answer.set()
        assert b"answered" in await reader.readuntil(b"answered")
