"""Clients that go away: what was asked for them ends, what was saved for them is kept."""

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import httpx
import pytest
import uvicorn
from sqlalchemy import text
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from hero_admin.settings import Settings
from hero_admin.web.client import Client
from tests.postgres import PostgresServer
from tests.stored import Stored
from tests.waiting import until
from webapp.teams import Team

# Minutes on either database, which nothing but the client's going ends here.
ENDLESS = (
    "WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 4e9)"
    " SELECT count(*) FROM numbers"
)
RUNNING = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'WITH RECURSIVE%'"


class Probe:
    """Handlers that do something slow, and what became of them."""

    def __init__(self) -> None:
        self.begun = asyncio.Event()
        self.may_end = asyncio.Event()
        self.is_listened_for = asyncio.Event()
        self.ended: list[str] = []

    async def read(self, request: Request) -> Response:
        self.begun.set()
        try:
            await request.state.session.execute(text(ENDLESS))
        finally:
            self.ended.append("read")
        return PlainTextResponse("never")

    async def stream(self, request: Request) -> Response:
        async def rows() -> AsyncIterator[str]:
            yield "first"
            async with request.state.database.session(is_read_only=True) as session:
                self.begun.set()
                await session.execute(text(ENDLESS))

        return StreamingResponse(rows())

    async def save(self, request: Request) -> Response:
        request.state.session.add(Team(name=(await request.body()).decode()))
        self.begun.set()
        await self.may_end.wait()
        return PlainTextResponse("saved")

    async def echo(self, request: Request) -> Response:
        # The middleware has asked for the body before.
        await self.is_listened_for.wait()
        return PlainTextResponse(await request.body())


@pytest.fixture
def settings(database_url: str) -> Settings:
    return Settings(database_url=database_url, auth="off", request_timeout_seconds=600)


@pytest.fixture
def probe(app: Starlette, monkeypatch: pytest.MonkeyPatch) -> Probe:
    probe = Probe()
    listen = Client._listen  # noqa: SLF001 - nothing else tells that it listens

    def listen_and_tell(client: Client) -> None:
        listen(client)
        probe.is_listened_for.set()

    monkeypatch.setattr(Client, "_listen", listen_and_tell)
    for handler in (probe.read, probe.stream, probe.save, probe.echo):
        route = Route(f"/{handler.__name__}", handler, methods=["GET", "POST"])
        app.router.routes.insert(0, route)
    return probe


@pytest.fixture
async def port(app: Starlette, probe: Probe) -> AsyncIterator[int]:
    """Where the application listens, behind the server that it has in earnest."""
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_config=None, lifespan="on"))
    task = asyncio.create_task(server.serve())
    await until(lambda: server.started)
    yield server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = True
    await task


@asynccontextmanager
async def asking(port: int, method: str, path: str, body: bytes = b"") -> AsyncIterator[None]:
    """A client that sends a request and, in the end, goes away."""
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    head = f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nSec-Fetch-Site: same-origin\r\n"
    writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
    yield
    writer.close()
    await writer.wait_closed()


@pytest.fixture
def is_idle(request: pytest.FixtureRequest, settings: Settings) -> Callable[[], Awaitable[bool]]:
    """Whether the database runs no endless query, as seen from outside of the application."""

    async def is_thread_free() -> bool:
        return not any("_connection_worker" in thread.name for thread in threading.enumerate())

    async def is_server_free() -> bool:
        server: PostgresServer = request.getfixturevalue("postgres")
        async with server.connected() as connection:
            return not await connection.fetchval(RUNNING)

    return is_thread_free if settings.is_embedded else is_server_free


async def test_slow_queries_keep_no_other_page_waiting(port: int, probe: Probe) -> None:
    async with contextlib.AsyncExitStack() as stack, httpx.AsyncClient(timeout=60) as client:
        for _ in range(20):
            await stack.enter_async_context(asking(port, "GET", "/read"))
        await probe.begun.wait()
        for page in ("/heroes", "/teams", "/api/heroes/"):
            assert (await client.get(f"http://127.0.0.1:{port}{page}")).status_code == 200
        assert len(probe.ended) < 20, "none was slow"


@pytest.mark.parametrize("path", ["/read", "/stream"])
async def test_the_query_of_a_client_that_went_away_ends(
    port: int,
    probe: Probe,
    is_idle: Callable[[], Awaitable[bool]],
    path: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("INFO")

    async def is_busy() -> bool:
        return not await is_idle()

    async with asking(port, "GET", path):
        await probe.begun.wait()
        await until(is_busy)
    await until(is_idle)
    await until(lambda: "path=" + path in caplog.text)
    assert [record for record in caplog.records if record.levelname != "INFO"] == []


async def test_a_save_goes_on_when_its_client_went_away(
    port: int, probe: Probe, stored: Stored
) -> None:
    async with asking(port, "POST", "/save", b"Z-Force"):
        await probe.begun.wait()
    probe.may_end.set()

    async def is_saved() -> bool:
        return await stored.count(Team) == 1

    await until(is_saved)


async def test_a_slow_page_finds_what_was_sent_with_it(port: int, probe: Probe) -> None:
    async with httpx.AsyncClient() as client:
        answer = await client.request("GET", f"http://127.0.0.1:{port}/echo", content=b"x" * 99_999)
    assert answer.content == b"x" * 99_999
