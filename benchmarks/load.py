"""Load: asks a server over a number of connections, as fast as it answers, and notes how long.

A protocol on the bare transport: it takes some 15 µs of CPU a request, an HTTP library a
millisecond, which is more than some of the servers under test take.
"""

import asyncio
import gc
import re
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

HEAD_END = b"\r\n\r\n"
LAST_CHUNK = b"0\r\n\r\n"
LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
CHUNKED = re.compile(rb"\r\ntransfer-encoding: *chunked", re.IGNORECASE)
CLOSING = re.compile(rb"\r\nconnection: *close", re.IGNORECASE)
WATCH_SECONDS = 0.05
OK = 200


@dataclass
class Load:
    """What a run gave: seconds for each answer, how often which status, and the bytes of bodies."""

    latencies: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    body_bytes: int = 0
    elapsed_seconds: float = 0.0
    client_cpu_seconds: float = 0.0
    timeouts: int = 0
    broken: int = 0


async def ask(
    address: tuple[str, int],
    requests: Iterator[bytes],
    connections: int,
    seconds: float,
    timeout_seconds: float,
) -> Load:
    """Send requests for so many seconds, or until there are no more of them.

    A request that takes longer than the timeout, or a connection that breaks, ends the run.
    """
    load = Load()
    run = _Run(address, requests, load, seconds, timeout_seconds)
    gc.disable()
    try:
        start, cpu = time.perf_counter(), time.process_time()
        await asyncio.gather(*(run.follow() for _ in range(connections)))
        load.elapsed_seconds = time.perf_counter() - start
        load.client_cpu_seconds = time.process_time() - cpu
    finally:
        gc.enable()
    return load


async def ask_beside(
    address: tuple[str, int],
    requests: Iterator[bytes],
    others: Iterator[bytes],
    connections: int,
    timeout_seconds: float,
) -> Load:
    """Send requests one after the other while others go out over so many connections."""
    load, around = Load(), Load()
    run = _Run(address, requests, load, float("inf"), timeout_seconds)
    beside = _Run(address, others, around, float("inf"), timeout_seconds)
    following = [asyncio.create_task(beside.follow()) for _ in range(connections)]
    start, cpu = time.perf_counter(), time.process_time()
    await run.follow()
    load.elapsed_seconds = time.perf_counter() - start
    load.client_cpu_seconds = time.process_time() - cpu
    # What went wrong beside it went wrong.
    load.broken += around.broken
    load.timeouts += around.timeouts
    load.statuses += Counter({key: n for key, n in around.statuses.items() if key != OK})
    beside.is_over = True
    await asyncio.gather(*following)
    return load


class _Run:
    """What the connections of one run share."""

    def __init__(
        self,
        address: tuple[str, int],
        requests: Iterator[bytes],
        load: Load,
        seconds: float,
        timeout_seconds: float,
    ) -> None:
        self.address = address
        self.requests = requests
        self.load = load
        self.timeout_seconds = timeout_seconds
        self.deadline = time.perf_counter() + seconds
        self.is_over = False

    def next_request(self) -> bytes | None:
        if self.is_over or time.perf_counter() >= self.deadline:
            return None
        return next(self.requests, None)

    async def follow(self) -> None:
        """Keep one connection busy; when the server closes it, open the next."""
        loop = asyncio.get_running_loop()
        pending = self.next_request()
        while pending is not None and not self.is_over:
            try:
                transport, connection = await loop.create_connection(
                    lambda: _Connection(self), *self.address
                )
            except OSError:
                self.fail()
                return
            pending = await connection.follow(transport, pending)

    def fail(self, *, is_timeout: bool = False) -> None:
        if not self.is_over:
            self.load.timeouts += is_timeout
            self.load.broken += not is_timeout
        self.is_over = True


class _Connection(asyncio.Protocol):
    """Sends a request, and the next when the answer is there."""

    transport: asyncio.Transport

    def __init__(self, run: _Run) -> None:
        self.run = run
        self.received = bytearray()
        self.body_start = 0
        # None: up to the last chunk.
        self.wanted: int | None = None
        self.is_closing = False
        self.sent_at = 0.0
        self.done = asyncio.get_running_loop().create_future()
        self.left_over: bytes | None = None

    async def follow(self, transport: asyncio.Transport, request: bytes) -> bytes | None:
        """Go on until the run is over (None), or return what another connection has to send."""
        self.transport = transport
        self._send(request)
        while not self.done.done():
            await asyncio.wait([self.done], timeout=WATCH_SECONDS)
            is_late = time.perf_counter() - self.sent_at > self.run.timeout_seconds
            if not self.done.done() and (is_late or self.run.is_over):
                self.run.fail(is_timeout=is_late)
                break
        self.transport.abort()
        return self.left_over

    def data_received(self, data: bytes) -> None:
        self.received += data
        if not self.body_start and not self._read_head():
            return
        if self.wanted is None:
            is_complete = self.received.endswith(LAST_CHUNK)
        else:
            is_complete = len(self.received) - self.body_start >= self.wanted
        if is_complete:
            self._note()

    def connection_lost(self, _: Exception | None) -> None:
        if not self.done.done():
            self.run.fail()
            self.done.set_result(None)

    def _send(self, request: bytes) -> None:
        self.received.clear()
        self.body_start = 0
        self.sent_at = time.perf_counter()
        self.transport.write(request)

    def _read_head(self) -> bool:
        end = self.received.find(HEAD_END)
        if end < 0:
            return False
        head = bytes(self.received[:end])
        self.body_start = end + len(HEAD_END)
        length = LENGTH.search(head)
        self.wanted = int(length[1]) if length else None if CHUNKED.search(head) else 0
        self.is_closing = CLOSING.search(head) is not None
        self.run.load.statuses[int(head[9:12])] += 1
        return True

    def _note(self) -> None:
        load = self.run.load
        load.latencies.append(time.perf_counter() - self.sent_at)
        load.body_bytes += len(self.received) - self.body_start
        request = self.run.next_request()
        if request is not None and not self.is_closing:
            self._send(request)
            return
        self.left_over = request
        self.done.set_result(None)
