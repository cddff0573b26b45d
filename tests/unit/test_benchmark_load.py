"""The benchmarks' client, against servers that do each thing that a server may do."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from itertools import repeat

import pytest

from benchmarks.load import Load, ask

REQUEST = b"GET / HTTP/1.1\r\nHost: here\r\n\r\n"
# Far more than any of this takes.
LONG_SECONDS = 60.0

Answer = Callable[[asyncio.StreamWriter], Awaitable[None]]


@pytest.mark.parametrize(
    ("answer", "body_bytes"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", 5),
        (b"HTTP/1.1 303 See Other\r\ncontent-length: 0\r\n\r\n", 0),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n", 12),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi", 2),
    ],
)
async def test_every_request_is_answered_and_counted(answer: bytes, body_bytes: int) -> None:
    async def write(writer: asyncio.StreamWriter) -> None:
        # In two parts, as a slow network brings them.
        writer.write(answer[:20])
        await writer.drain()
        await asyncio.sleep(0)
        writer.write(answer[20:])

    load = await _asked(write, requests=12, connections=3)
    assert len(load.latencies) == 12
    assert load.statuses.total() == 12
    assert load.body_bytes == 12 * body_bytes
    assert (load.timeouts, load.broken) == (0, 0)


async def test_a_server_that_hangs_ends_the_run() -> None:
    async def hang(_: asyncio.StreamWriter) -> None:
        await asyncio.Event().wait()

    load = await _asked(hang, requests=5, connections=2, timeout_seconds=0.01)
    assert (load.timeouts, load.latencies) == (1, [])


async def test_a_server_that_breaks_off_ends_the_run() -> None:
    async def break_off(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nhi")
        writer.close()

    load = await _asked(break_off, requests=5, connections=2)
    assert load.broken == 1
    assert not load.latencies


async def test_a_server_that_is_not_there_ends_the_run() -> None:
    async with _serving(_nothing) as address:
        pass
    load = await ask(address, repeat(REQUEST), 2, LONG_SECONDS, LONG_SECONDS)
    assert load.broken == 1


async def _nothing(_: asyncio.StreamWriter) -> None:
    return


async def _asked(
    answer: Answer, *, requests: int, connections: int, timeout_seconds: float = LONG_SECONDS
) -> Load:
    async with _serving(answer) as address:
        return await ask(
            address, repeat(REQUEST, requests), connections, LONG_SECONDS, timeout_seconds
        )


@asynccontextmanager
async def _serving(answer: Answer) -> AsyncIterator[tuple[str, int]]:
    tasks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            while await reader.readuntil(b"\r\n\r\n"):
                await answer(writer)
        except (asyncio.IncompleteReadError, asyncio.CancelledError, ConnectionError):
            return
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[:2]
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
