"""Transactions: a request is saved as a whole before its answer goes out, or not at all."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress

import pytest
from sqlalchemy import event, select, text
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.pool import QueuePool
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import Message, Scope

from hero_admin.database.after_commit import call_after_commit
from hero_admin.database.engines import Database
from hero_admin.person import Role
from hero_admin.settings import Settings
from hero_admin.testing import Client, Page, htmx_headers
from hero_admin.web.request_session import SessionMiddleware
from tests.factories import a_hero
from tests.serving import serving
from tests.statements import Statements
from tests.stored import Stored
from webapp.app import admin
from webapp.heroes import Hero
from webapp.teams import Team

Handler = Callable[[Request], Awaitable[Response]]

METHODS = ["GET", "POST"]
SECRET = "hunter2"


def session_of(request: Request) -> AsyncSession:
    session: AsyncSession = request.state.session
    return session


async def add_team(request: Request) -> None:
    session_of(request).add(Team(name="Z-Force"))
    await session_of(request).flush()


def added(app: Starlette, handler: Handler) -> Starlette:
    """The application with one more page, at /probe."""
    app.router.routes.insert(0, Route("/probe", handler, methods=METHODS))
    return app


def probing(database: Database, handler: Handler) -> Starlette:
    """A tiny application of nothing but the session and one handler, at /probe."""
    return Starlette(
        routes=[Route("/probe", handler, methods=METHODS)],
        middleware=[Middleware(SessionMiddleware, database=database, timeout_seconds=4.5)],
    )


# What is saved.


async def test_what_a_handler_writes_is_saved(database: Database, stored: Stored) -> None:
    async def write(request: Request) -> Response:
        await add_team(request)
        return PlainTextResponse("saved")

    async with serving(probing(database, write)) as client:
        assert (await client.post("/probe")).status_code == 200
    assert await stored.count(Team) == 1


async def test_it_is_saved_before_the_answer_starts(database: Database, stored: Stored) -> None:
    async def write(request: Request) -> Response:
        await add_team(request)
        return PlainTextResponse("saved")

    seen: list[int] = []

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            seen.append(await stored.count(Team))

    await probing(database, write)(scope_of("POST"), no_body, send)
    assert seen == [1]


async def test_no_connection_is_held_while_the_answer_is_sent(database: Database) -> None:
    async def write(request: Request) -> Response:
        await add_team(request)
        return PlainTextResponse("saved")

    held: list[int] = []

    async def send(_: Message) -> None:
        held.append(connections_held_by(database))

    await probing(database, write)(scope_of("POST"), no_body, send)
    assert held == [0, 0]


async def test_the_next_request_sees_what_was_saved(client: Client) -> None:
    for number in range(20):
        saved = await client.post("/api/teams/", json={"name": f"Team {number}"})
        assert (await client.get(f"/api/teams/{saved.json()['id']}")).status_code == 200


async def test_pages_and_api_share_the_session_of_the_request(
    client: Client, stored: Stored, statements: Statements
) -> None:
    await client.post("/api/teams/", json={"name": "Z-Force"})
    with statements() as executed:
        assert (await client.get("/teams/1")).status_code == 200
        assert (await client.get("/api/teams/1")).status_code == 200
    assert executed
    assert (await client.post("/teams/1", data={"name": "Preventers"})).status_code == 303
    assert (await client.get("/api/teams/1")).json()["name"] == "Preventers"
    assert [team.name for team in await stored.all(Team)] == ["Preventers"]


# What is not saved.


@pytest.mark.parametrize("status", [400, 404, 409, 422, 500, 503])
async def test_nothing_of_a_request_that_failed_is_kept(
    database: Database, stored: Stored, status: int
) -> None:
    async def write(request: Request) -> Response:
        await add_team(request)
        return PlainTextResponse("no", status)

    async with serving(probing(database, write)) as client:
        assert (await client.post("/probe")).status_code == status
    assert await stored.count(Team) == 0


@pytest.mark.parametrize(
    "error", [HTTPException(404), RuntimeError(SECRET)], ids=["expected", "unexpected"]
)
async def test_nothing_of_a_request_that_raised_is_kept(
    app: Starlette, stored: Stored, error: Exception
) -> None:
    async def write(request: Request) -> Response:
        await add_team(request)
        raise error

    async with serving(added(app, write), role=Role.OWNER) as client:
        assert (await client.post("/probe")).status_code in {404, 500}
    assert await stored.count(Team) == 0


async def test_a_handler_may_undo_a_part_and_keep_the_rest(
    database: Database, stored: Stored
) -> None:
    async def write(request: Request) -> Response:
        await add_team(request)
        with pytest.raises(IntegrityError):
            async with session_of(request).begin_nested():
                session_of(request).add(Team(name="Z-Force"))
        session_of(request).add(Team(name="Preventers"))
        return PlainTextResponse("saved")

    async with serving(probing(database, write)) as client:
        assert (await client.post("/probe")).status_code == 200
    assert [team.name for team in await stored.all(Team)] == ["Z-Force", "Preventers"]


async def test_what_follows_the_commit_follows_only_what_is_saved(
    database: Database, stored: Stored
) -> None:
    called: list[tuple[str, int, int]] = []

    def noting(name: str) -> Callable[[], Awaitable[None]]:
        async def note() -> None:
            held = connections_held_by(database)
            called.append((name, held, await stored.count(Team)))

        return note

    async def write(request: Request) -> Response:
        session = session_of(request)
        call_after_commit(session, noting("whole"))
        async with session.begin_nested():
            call_after_commit(session, noting("kept"))
            with suppress(ZeroDivisionError):
                async with session.begin_nested():
                    async with session.begin_nested():
                        call_after_commit(session, noting("lost with the one around it"))
                    call_after_commit(session, noting("lost"))
                    raise ZeroDivisionError
        await add_team(request)
        return PlainTextResponse("done", int(request.query_params["status"]))

    async with serving(probing(database, write)) as client:
        await client.post("/probe?status=422")
        assert called == []
        await client.post("/probe?status=200")
    assert called == [("whole", 0, 1), ("kept", 0, 1)]


@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_looking_at_a_page_cannot_write(
    database: Database, stored: Stored, method: str
) -> None:
    async def write(request: Request) -> Response:
        with pytest.raises(DBAPIError):
            await add_team(request)
        return PlainTextResponse("refused")

    async with serving(probing(database, write)) as client:
        assert (await client.request(method, "/probe")).status_code == 200
    assert await stored.count(Team) == 0


async def test_a_page_that_tries_to_write_fails_and_writes_nothing(
    app: Starlette, stored: Stored
) -> None:
    async def write(request: Request) -> Response:
        await add_team(request)
        return PlainTextResponse("saved")

    async with serving(added(app, write), role=Role.OWNER) as client:
        assert (await client.get("/probe")).status_code >= 500
    assert await stored.count(Team) == 0


async def test_no_page_leaves_a_trace_when_it_is_looked_at(
    client: Client, session: AsyncSession, statements: Statements
) -> None:
    await a_hero(session)
    pages = ("", "?q=d", "/new", "/1", "/1/edit", "/1/delete", "/delete?id=1", "/options/team_id")
    with statements() as executed:
        for page in pages:
            for method in ("GET", "HEAD"):
                assert (await client.request(method, f"/heroes{page}")).status_code == 200
    assert {words.split()[0] for words in executed} == {"SELECT"}


# When the commit itself fails.


async def test_a_commit_that_fails_is_an_error_and_no_success(
    app: Starlette, stored: Stored
) -> None:
    async def write(request: Request) -> Response:
        await add_team(request)

        @event.listens_for(session_of(request).sync_session, "before_commit")
        def fail(_: object) -> None:
            raise RuntimeError(SECRET)

        return Response(status_code=303, headers={"Location": "/teams", "Set-Cookie": "flash=x"})

    async with serving(added(app, write), role=Role.OWNER) as client:
        page = await client.post("/probe")
    assert (page.status_code, page.heading) == (500, "Something went wrong")
    assert not {"location", "set-cookie"} & set(page.headers)
    assert SECRET not in page.text
    assert await stored.count(Team) == 0


async def test_a_constraint_violated_at_commit_is_reported_instead_of_success(
    app: Starlette, stored: Stored
) -> None:
    async def write(request: Request) -> Response:
        await add_team(request)
        # Flushed by the commit, and not before.
        session_of(request).add(Team(name="Z-Force"))
        return PlainTextResponse("saved")

    async with serving(added(app, write), role=Role.OWNER) as client:
        page = await client.post("/probe")
        assert (page.status_code, page.heading) == (409, "Can't save this")
        assert (await client.post("/teams", data={"name": "Next"})).status_code == 303
    assert [team.name for team in await stored.all(Team)] == ["Next"]


# Connections.


async def test_a_request_that_asks_nothing_takes_no_connection(database: Database) -> None:
    async def idle(request: Request) -> Response:
        assert connections_held_by(database) == 0
        return PlainTextResponse("nothing")

    connections = connections_made_by(database)
    async with serving(probing(database, idle)) as client:
        for method in METHODS:
            assert (await client.request(method, "/probe")).status_code == 200
    assert connections == []


async def test_a_static_file_takes_no_connection(app: Starlette) -> None:
    connections = connections_made_by(app.state.database)
    async with serving(app) as client:
        for path in ("/static/site.css", "/healthz", "/static/nothing", "/nothing"):
            await client.get(path)
    assert connections == []


@pytest.mark.parametrize("method", METHODS)
async def test_a_client_that_goes_away_gives_its_connection_back(
    database: Database, stored: Stored, method: str
) -> None:
    is_waiting, never = asyncio.Event(), asyncio.Event()

    async def wait(request: Request) -> Response:
        await session_of(request).execute(select(Hero))
        is_waiting.set()
        await never.wait()
        return PlainTextResponse("never")

    async with serving(probing(database, wait)) as client:
        for _ in range(20):
            is_waiting.clear()
            request = asyncio.create_task(client.request(method, "/probe"))
            await is_waiting.wait()
            assert connections_held_by(database) == 1
            request.cancel()
            with pytest.raises(asyncio.CancelledError):
                await request
            assert connections_held_by(database) == 0
    assert await stored.count(Team) == 0


async def test_nothing_of_a_client_that_went_away_is_kept(
    database: Database, stored: Stored
) -> None:
    is_waiting, never = asyncio.Event(), asyncio.Event()

    async def wait(request: Request) -> Response:
        await add_team(request)
        is_waiting.set()
        await never.wait()
        return PlainTextResponse("never")

    async with serving(probing(database, wait)) as client:
        request = asyncio.create_task(client.post("/probe"))
        await is_waiting.wait()
        request.cancel()
        with pytest.raises(asyncio.CancelledError):
            await request
    assert await stored.count(Team) == 0


async def test_a_slow_reader_holds_no_connection_while_the_page_streams(database: Database) -> None:
    held: list[int] = []

    async def stream(request: Request) -> Response:
        await session_of(request).execute(select(Hero))

        async def chunks() -> AsyncIterator[bytes]:
            for _ in range(3):
                held.append(connections_held_by(database))
                yield b"chunk"

        return StreamingResponse(chunks())

    async with serving(probing(database, stream)) as client:
        assert (await client.get("/probe")).content == b"chunk" * 3
    assert held == [0, 0, 0]


async def test_many_readers_and_writers_at_once_all_succeed(client: Client, stored: Stored) -> None:
    async def write(number: int) -> int:
        data = {"name": f"Hero {number}", "secret_name": "Nobody"}
        return (await client.post("/heroes", data=data)).status_code

    async def read(number: int) -> int:
        return (await client.get(f"/api/heroes/?limit={number}")).status_code

    requests = [work(number) for number in range(20) for work in (write, read)]
    assert set(await asyncio.gather(*requests)) == {200, 303}
    assert await stored.count(Hero) == 20


# What people are told.


@pytest.fixture
def broken(app: Starlette) -> Starlette:
    """The application with a page and an address of the API that are broken."""

    async def fail(request: Request) -> Response:
        # What is read to its end and is no form has nothing more to say.
        await request.body()
        await session_of(request).execute(text(f"SELECT {SECRET} nowhere FROM FROM"))
        raise AssertionError

    app.router.routes.insert(0, Route("/api/probe", fail, methods=METHODS))
    return added(app, fail)


@pytest.mark.parametrize("method", METHODS)
async def test_an_unexpected_error_is_a_page_of_this_site_without_a_word_of_its_cause(
    broken: Starlette, method: str
) -> None:
    async with serving(broken, role=Role.OWNER) as client:
        page = await client.request(method, "/probe")
    assert (page.status_code, page.heading) == (500, "Something went wrong")
    assert "Nothing was saved" in page.visible_text
    assert_tells_nothing(page)


async def test_an_unexpected_error_is_json_for_a_program(broken: Starlette) -> None:
    async with serving(broken, role=Role.OWNER) as client:
        answer = await client.get("/api/probe")
    assert answer.status_code == 500
    assert list(answer.json()) == ["detail"]
    assert_tells_nothing(answer)


async def test_an_unexpected_error_is_no_whole_page_for_htmx(broken: Starlette) -> None:
    async with serving(broken, role=Role.OWNER) as client:
        answer = await client.get("/probe", headers=htmx_headers("section#list"))
        boosted = {**htmx_headers("section#list"), "HX-Request-Type": "full"}
        page = await client.get("/probe", headers=boosted)
    assert (answer.status_code, answer.heading) == (500, "Something went wrong")
    assert not answer.find_all("html")
    assert page.find_all("html")
    assert "HX-Request-Type" in answer.headers["vary"]
    assert_tells_nothing(answer)


async def test_a_server_without_its_database_says_so_to_everybody(
    settings: Settings, database_url: str
) -> None:
    lost = database_url + "-lost" if "sqlite" not in database_url else database_url + "/lost"
    app = admin.application(settings.model_copy(update={"database_url": lost, "auth": "off"}))
    async with serving(app) as client:
        page = await client.get("/heroes")
        partial = await client.get("/heroes", headers=htmx_headers("section#list"))
        saved = await client.post("/heroes", data={"name": "Nova", "secret_name": "Sam"})
        answer = await client.get("/api/heroes/")
        static = await client.get("/static/site.css")
    for each in (page, partial, saved, answer):
        assert (each.status_code, each.headers["retry-after"]) == (503, "2")
        assert_tells_nothing(each)
    assert page.heading == partial.heading == saved.heading == "The database is busy"
    assert not partial.find_all("html")
    assert "Try again in a moment" in answer.json()["detail"]
    assert static.status_code == 200


def assert_tells_nothing(answer: Page) -> None:
    for word in (SECRET, "Traceback", "SELECT ", "nowhere", "sqlalchemy", "asyncpg", ".py"):
        assert word not in answer.text, f"the answer tells of {word}"


def scope_of(method: str) -> Scope:
    return {
        "type": "http",
        "method": method,
        "path": "/probe",
        "query_string": b"",
        "headers": [],
        "root_path": "",
    }


async def no_body() -> Message:
    return {"type": "http.request", "body": b"", "more_body": False}


def connections_held_by(database: Database) -> int:
    return sum(pool.checkedout() for pool in pools_of(database))


def pools_of(database: Database) -> set[QueuePool]:
    """The pools of connections; reading and writing share one on PostgreSQL."""
    pools = {engine.sync_engine.pool for engine in (database.reading, database.writing)}
    return {pool for pool in pools if isinstance(pool, QueuePool)}


def connections_made_by(database: Database) -> list[object]:
    """The connections that are opened from now on."""
    made: list[object] = []
    for pool in pools_of(database):
        event.listen(pool, "connect", lambda connection, _: made.append(connection))
    return made
