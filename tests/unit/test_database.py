"""The database: a session for each request, one transaction in it, and an end to all waiting."""

import asyncio
import os
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, IntegrityError, InvalidRequestError
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Scope

from hero_admin.database.engines import Database
from hero_admin.database.errors import RefusedAtCommit, is_unavailable
from hero_admin.database.statement_count import count_statements
from hero_admin.listing.search.connect import connect
from hero_admin.settings import Settings
from hero_admin.testing import BASE_URL
from hero_admin.web.request_session import SessionMiddleware

TIMEOUT_SECONDS = 10.0
SHORT_SECONDS = 0.5
INSERT = "INSERT INTO team (name) VALUES ('Preventers')"
COUNT = "SELECT count(*) FROM team"
# Busy for hours on either database.
SLOW = (
    "WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 9e9)"
    " SELECT count(*) FROM numbers"
)

Handler = Callable[[Request], Awaitable[Response]]


def session_of(request: Request) -> AsyncSession:
    session: AsyncSession = request.state.session
    return session


def client_of(
    database: Database,
    handler: Handler,
    *,
    around: Middleware | None = None,
    timeout_seconds: float = TIMEOUT_SECONDS,
) -> httpx.AsyncClient:
    """A client of an application that is nothing but the handler and the session."""
    session = Middleware(SessionMiddleware, database=database, timeout_seconds=timeout_seconds)
    app = Starlette(
        routes=[Route("/", handler, methods=["GET", "POST"])],
        middleware=[around, session] if around else [session],
        # Starlette replaces an error met while sending if it has a handler for it.
        exception_handlers={IntegrityError: refuse},
    )
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=BASE_URL)


async def refuse(_: Request, __: Exception) -> Response:
    return PlainTextResponse("refused", 422)


async def teams_in(database: Database) -> int:
    async with database.session(is_read_only=True) as session:
        count: int = (await session.execute(text(COUNT))).scalar_one()
        return count


async def insert(request: Request) -> Response:
    await session_of(request).execute(text(INSERT))
    return PlainTextResponse("saved", int(request.query_params.get("status", "200")))


async def slow(request: Request) -> Response:
    await session_of(request).execute(text(SLOW))
    return PlainTextResponse("never")


# Commit and rollback.


@pytest.mark.parametrize("status", [200, 201, 204, 303])
async def test_a_change_that_is_acknowledged_is_kept(database: Database, status: int) -> None:
    answer = await client_of(database, insert).post(f"/?status={status}")
    assert answer.status_code == status
    assert await teams_in(database) == 1


@pytest.mark.parametrize("status", [400, 404, 422, 500])
async def test_a_change_that_is_refused_is_undone(database: Database, status: int) -> None:
    answer = await client_of(database, insert).post(f"/?status={status}")
    assert answer.status_code == status
    assert await teams_in(database) == 0


async def test_a_change_that_ends_in_an_error_is_undone(database: Database) -> None:
    async def fail(request: Request) -> Response:
        await session_of(request).execute(text(INSERT))
        raise RuntimeError("after the change")

    with pytest.raises(RuntimeError, match="after the change"):
        await client_of(database, fail).post("/")
    assert await teams_in(database) == 0


async def test_a_change_is_stored_before_the_response_starts(database: Database) -> None:
    seen: list[int] = []

    class Watch:
        def __init__(self, app: ASGIApp) -> None:
            self.app = app

        async def __call__(self, scope: Scope, receive: object, send: object) -> None:
            async def look_and_send(message: Message) -> None:
                seen.append(await teams_in(database))
                await send(message)  # type: ignore[operator]

            await self.app(scope, receive, look_and_send)  # type: ignore[arg-type]

    await client_of(database, insert, around=Middleware(Watch)).post("/")
    assert seen == [1, 1]


async def test_a_commit_that_fails_is_not_acknowledged(database: Database) -> None:
    async with database.writing.begin() as connection:
        await connection.execute(text("CREATE TABLE parent (id INTEGER PRIMARY KEY)"))
        reference = "REFERENCES parent DEFERRABLE INITIALLY DEFERRED"
        await connection.execute(text(f"CREATE TABLE child (id INTEGER {reference})"))
    handled: list[str] = []

    async def orphan(request: Request) -> Response:
        await session_of(request).execute(text(INSERT))
        await session_of(request).execute(text("INSERT INTO child VALUES (1)"))
        handled.append("all")
        return PlainTextResponse("saved")

    with pytest.raises(RefusedAtCommit):
        await client_of(database, orphan).post("/")
    assert handled == ["all"]
    assert await teams_in(database) == 0
    assert (await client_of(database, insert).post("/")).status_code == 200
    assert await teams_in(database) == 1


@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_reading_cannot_write(database: Database, method: str) -> None:
    with pytest.raises(DBAPIError, match=r"read-?only"):
        await client_of(database, insert).request(method, "/")
    assert await teams_in(database) == 0


async def test_a_request_sees_one_state_of_the_data(database: Database) -> None:
    async with database.session(is_read_only=True) as session:
        assert (await session.execute(text(COUNT))).scalar_one() == 0
        await client_of(database, insert).post("/")
        assert (await session.execute(text(COUNT))).scalar_one() == 0
    assert await teams_in(database) == 1


async def test_a_savepoint_is_undone_alone(database: Database) -> None:
    async with database.session(is_read_only=False) as session:
        await session.execute(text(INSERT))
        nested = await session.begin_nested()
        await session.execute(text("UPDATE team SET name = 'Z-Force'"))
        await nested.rollback()
        await session.commit()
    async with database.session(is_read_only=True) as session:
        assert (await session.execute(text("SELECT name FROM team"))).scalar_one() == "Preventers"


async def test_what_no_database_is_needed_for_opens_no_connection(settings: Settings) -> None:
    database = connect(settings)

    async def greet(_: Request) -> Response:
        return PlainTextResponse("hello")

    async with client_of(database, greet) as client:
        await client.get("/")
        await client.post("/")
    assert database.reading.pool.checkedin() == database.writing.pool.checkedin() == 0  # type: ignore[attr-defined]


async def test_many_write_and_read_at_once(database: Database) -> None:
    async def either(request: Request) -> Response:
        name = request.query_params.get("name")
        if name:
            query = text("INSERT INTO team (name) VALUES (:name)")
            await session_of(request).execute(query, {"name": name})
        return PlainTextResponse(str((await session_of(request).execute(text(COUNT))).scalar_one()))

    async with client_of(database, either) as client:
        writes = [client.post(f"/?name=Team+{number}") for number in range(20)]
        reads = [client.get("/") for _ in range(20)]
        answers = await asyncio.gather(*writes, *reads)
    assert {answer.status_code for answer in answers} == {200}
    assert await teams_in(database) == 20


# The session's end.


async def test_a_session_cannot_be_used_after_its_response(database: Database) -> None:
    refused: list[str] = []

    async def late(request: Request) -> Response:
        async def use() -> None:
            with pytest.raises(InvalidRequestError, match="closed"):
                await session_of(request).execute(text(COUNT))
            refused.append("late")

        await session_of(request).execute(text(COUNT))
        return PlainTextResponse("done", background=BackgroundTask(use))

    await client_of(database, late).get("/")
    assert refused == ["late"]
    assert database.reading.pool.checkedout() == 0  # type: ignore[attr-defined]


async def test_a_stream_takes_a_session_of_its_own_and_all_the_time_it_needs(
    database: Database,
) -> None:
    async def stream(request: Request) -> Response:
        async def lines() -> AsyncIterator[str]:
            async with request.state.database.session(is_read_only=True) as session:
                yield str((await session.execute(text(COUNT))).scalar_one())
                await asyncio.sleep(2 * SHORT_SECONDS)
                yield str((await session.execute(text(COUNT))).scalar_one())

        return StreamingResponse(lines())

    assert (await client_of(database, stream, timeout_seconds=SHORT_SECONDS).get("/")).text == "00"


async def test_a_client_that_goes_away_leaves_no_connection_behind(database: Database) -> None:
    begun = asyncio.Event()

    async def wait(request: Request) -> Response:
        await session_of(request).execute(text(INSERT))
        begun.set()
        await asyncio.sleep(60)
        return PlainTextResponse("never")

    request = asyncio.create_task(client_of(database, wait).post("/"))
    await begun.wait()
    request.cancel()
    with pytest.raises(asyncio.CancelledError):
        await request
    assert database.writing.pool.checkedout() == 0  # type: ignore[attr-defined]
    assert await teams_in(database) == 0


# The end of waiting.


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_slow_statement_is_given_up_and_the_next_one_works(
    database: Database, method: str
) -> None:
    with pytest.raises(TimeoutError) as late:
        await client_of(database, slow, timeout_seconds=SHORT_SECONDS).request(method, "/")
    assert is_unavailable(late.value)
    assert (await client_of(database, insert).post("/")).status_code == 200
    assert await teams_in(database) == 1


async def test_slow_statements_on_all_connections_are_given_up(settings: Settings) -> None:
    database = connect(settings.model_copy(update={"pool_size": 2}))
    client = client_of(database, slow, timeout_seconds=SHORT_SECONDS)
    answers = await asyncio.gather(*(client.get("/") for _ in range(4)), return_exceptions=True)
    assert [is_unavailable(answer) for answer in answers if isinstance(answer, Exception)] == (
        [True] * 4
    )
    assert await teams_in(database) == 0
    await database.close()


async def slow_upload(pieces: int) -> AsyncIterator[bytes]:
    for _ in range(pieces):
        await asyncio.sleep(SHORT_SECONDS / 2)
        yield b"piece "


async def test_a_slow_upload_is_waited_for(database: Database) -> None:
    async def upload(request: Request) -> Response:
        await request.body()
        return await insert(request)

    answer = await client_of(database, upload, timeout_seconds=SHORT_SECONDS).post(
        "/", content=slow_upload(4)
    )
    assert answer.status_code == 200


async def test_an_upload_that_never_ends_does_not_hold_a_connection(database: Database) -> None:
    async def upload(request: Request) -> Response:
        await session_of(request).execute(text(INSERT))
        await request.body()
        return PlainTextResponse("never")

    with pytest.raises(TimeoutError):
        await client_of(database, upload, timeout_seconds=SHORT_SECONDS).post(
            "/", content=slow_upload(100)
        )
    assert database.writing.pool.checkedout() == 0  # type: ignore[attr-defined]
    assert await teams_in(database) == 0


# Counting.


async def test_statements_are_counted_for_each_request_alone(database: Database) -> None:
    async def count(request: Request) -> Response:
        with count_statements() as counted:
            for _ in range(int(request.query_params["times"])):
                await session_of(request).execute(text(COUNT))
                await asyncio.sleep(0)
        return PlainTextResponse(str(counted.value))

    async with client_of(database, count) as client:
        with count_statements() as all_of_them:
            first, second = await client.get("/?times=2"), await client.get("/?times=3")
        together = await asyncio.gather(*(client.get(f"/?times={times}") for times in range(5)))
    assert (first.text, second.text, all_of_them.value) == ("2", "3", 5)
    assert [answer.text for answer in together] == ["0", "1", "2", "3", "4"]


# Longer answers than one trip to SQLite's thread brings.

NUMBERS = (
    "WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < :last)"
    " SELECT n FROM numbers"
)


@pytest.mark.parametrize("last", [1, 999, 1000, 1001, 2500])
async def test_all_rows_arrive_in_order(database: Database, last: int) -> None:
    async with database.session(is_read_only=True) as session:
        everything = (await session.scalars(text(NUMBERS), {"last": last})).all()
        assert everything == list(range(1, last + 1))
        stream = await session.stream_scalars(
            text(NUMBERS), {"last": last}, execution_options={"yield_per": 300}
        )
        assert [number async for number in stream] == everything


async def test_a_stream_left_early_leaves_its_connection_usable(database: Database) -> None:
    async with database.session(is_read_only=True) as session:
        stream = await session.stream_scalars(text(NUMBERS), {"last": 5000})
        assert await anext(aiter(stream)) == 1
        await stream.close()
        assert (await session.scalars(text(NUMBERS), {"last": 2})).all() == [1, 2]


# SQLite.


async def test_sqlite_is_durable_checked_and_in_wal_mode(sqlite_url: str) -> None:
    database = connect(Settings(database_url=sqlite_url))
    pragmas = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 3750}
    async with database.session(is_read_only=False) as session:
        for name, value in pragmas.items():
            assert (await session.execute(text(f"PRAGMA {name}"))).scalar_one() == value
    await database.close()


async def test_sqlite_makes_the_folder_of_its_file(tmp_path: Path) -> None:
    path = tmp_path / "not yet" / "there" / "100% #1.db"
    database = connect(Settings(database_url=f"sqlite:///{path}"))
    async with database.session(is_read_only=False) as session:
        await session.execute(text("CREATE TABLE t (id INTEGER)"))
        await session.commit()
    await database.close()
    with sqlite3.connect(path) as connection:
        assert connection.execute("SELECT name FROM sqlite_master").fetchall() == [("t",)]
    connection.close()


async def test_what_follows_an_automatic_rollback_is_not_stored_alone(sqlite_url: str) -> None:
    database = connect(Settings(database_url=sqlite_url))
    async with database.session(is_read_only=False) as session:
        await session.execute(text(INSERT))
        # A transaction that SQLite itself ends, as it may when the disk is full.
        with pytest.raises(IntegrityError):
            await session.execute(text(INSERT.replace("INSERT", "INSERT OR ROLLBACK")))
        with pytest.raises(DBAPIError, match="rolled back"):
            await session.execute(text(INSERT.replace("Preventers", "Z-Force")))
        with pytest.raises(DBAPIError, match="rolled back"):
            await session.commit()
    assert await teams_in(database) == 0
    async with database.session(is_read_only=False) as session:
        await session.execute(text(INSERT))
        await session.commit()
    assert await teams_in(database) == 1
    await database.close()


async def test_reading_does_not_wait_for_a_writer(sqlite_url: str) -> None:
    database = connect(Settings(database_url=sqlite_url))
    async with database.session(is_read_only=False) as session:
        await session.execute(text(INSERT))
        # Whoever waits for a lock is refused in the end.
        assert await teams_in(database) == 0
        await session.commit()
    await database.close()


# PostgreSQL.


async def test_postgresql_ends_what_takes_too_long(postgres_url: str) -> None:
    database = connect(Settings(database_url=postgres_url))
    limits = {
        "statement_timeout": "4s",
        "lock_timeout": "3750ms",
        "idle_in_transaction_session_timeout": "1min",
        "application_name": "hero-admin",
    }
    for is_read_only in (True, False):
        async with database.session(is_read_only=is_read_only) as session:
            for name, value in limits.items():
                assert (await session.execute(text(f"SHOW {name}"))).scalar_one() == value
            mode = (await session.execute(text("SHOW transaction_read_only"))).scalar_one()
            assert mode == ("on" if is_read_only else "off")
    await database.close()


def modes_in(folder: Path) -> dict[str, int]:
    return {each.name: each.stat().st_mode & 0o777 for each in folder.iterdir()}


async def test_nobody_else_on_the_machine_reads_a_file_that_we_make(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        database = connect(Settings(database_url=f"sqlite+aiosqlite:///{tmp_path}/new/heroes.db"))
        async with database.session(is_read_only=False) as session:
            await session.execute(text("CREATE TABLE a (b)"))
            await session.commit()
            modes = modes_in(tmp_path / "new")
        await database.close()
    finally:
        os.umask(before)
    assert modes == dict.fromkeys(("heroes.db", "heroes.db-wal", "heroes.db-shm"), 0o600)
