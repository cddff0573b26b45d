"""A database that is busy, full, read-only or away: 503 in time, and all is well at once after."""

import asyncio
import os
import re
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, closing, contextmanager
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest
from sqlalchemy import event, text
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.applications import Starlette

from hero_admin.audit_log.changes import Change
from hero_admin.database.engines import Database
from hero_admin.database.pool import FairPool, share_name
from hero_admin.listing.search.connect import connect
from hero_admin.person import Role
from hero_admin.settings import Settings
from hero_admin.testing import Client, Page, Value, htmx_headers
from tests.cases import each
from tests.postgres import PostgresServer
from tests.server import running_server
from tests.serving import serving
from tests.stored import Stored
from tests.waiting import until
from webapp.app import admin
from webapp.heroes import Hero

# A request ends after 4.5 s, and a busy machine adds to that; a wait without an end lasts longer.
ANSWER_SECONDS = 60.0
NOVA = {"name": "Nova", "secret_name": "Sam Alexander"}
SAME_SITE = {"Sec-Fetch-Site": "same-origin"}
INSIDE = re.compile(r"Traceback|sqlalchemy|sqlite|asyncpg|postgres|SELECT|INSERT|BEGIN", re.ASCII)
OWN_SESSIONS = "FROM pg_stat_activity WHERE application_name = 'hero-admin'"
BLOCKED = f"{OWN_SESSIONS} AND wait_event_type = 'Lock'"


@pytest.fixture
def settings(database_url: str) -> Settings:
    """The limits as operators have them; other tests wait for as long as a slow machine takes."""
    return Settings(database_url=database_url)


async def refused(request: Awaitable[Page]) -> Page:
    """The answer: it comes in time, asks to try again, and tells nothing of the inside."""
    async with asyncio.timeout(ANSWER_SECONDS):
        answer = await request
    assert answer.status_code == 503
    assert 1 <= int(answer.headers["Retry-After"]) <= 10
    assert INSIDE.findall(answer.text) == []
    return answer


def listing(client: Client) -> Awaitable[Page]:
    return client.get("/heroes")


def saving(client: Client) -> Awaitable[Page]:
    return client.post("/api/heroes/", json=NOVA, headers=SAME_SITE)


async def expect_health(client: Client) -> None:
    """The very next requests work, reading and writing."""
    assert (await listing(client)).status_code == 200
    assert (await saving(client)).status_code == 201


async def test_a_lock_held_for_three_seconds_delays_a_save_and_does_not_refuse_it(
    app: Starlette, settings: Settings
) -> None:
    database: Database = app.state.database
    assert settings.request_timeout_seconds == 4.5
    async with database.opened(), database.session(is_read_only=False) as session:
        dialect = session.get_bind().dialect.name
        asked = "PRAGMA busy_timeout" if dialect == "sqlite" else "SHOW lock_timeout"
        waited = str((await session.execute(text(asked))).scalar()).removesuffix("ms")
    pools = (database.reading.pool, database.writing.pool)
    limits = {int(waited) / 1000, *(pool.timeout() for pool in pools if isinstance(pool, FairPool))}
    assert limits == {3.75}


async def answer_to(request: Awaitable[Page]) -> Page:
    return await request


async def until_blocked(postgres: PostgresServer, *, sessions: int) -> None:
    """Wait until so many of the app's sessions wait for a lock."""
    # Within a transaction the server would show the same picture again and again.
    async with postgres.connected() as looking:

        async def are_blocked() -> bool:
            return bool(await looking.fetchval(f"SELECT count(*) >= {sessions} {BLOCKED}"))

        await until(are_blocked)


def file_of(url: str) -> Path:
    return Path(url.removeprefix("sqlite+aiosqlite:///"))


@pytest.fixture
async def on_sqlite(sqlite_url: str) -> AsyncIterator[Client]:
    async with serving(
        admin.application(Settings(database_url=sqlite_url)), role=Role.OWNER
    ) as client:
        yield client


@pytest.fixture
async def stored_on_sqlite(sqlite_url: str) -> AsyncIterator[Stored]:
    database = connect(Settings(database_url=sqlite_url))
    yield Stored(database)
    await database.close()


class Opened(list[asyncpg.Connection]):
    """The connections that an app has opened to its server."""

    async def until_closed(self) -> None:
        """Wait until the server's goodbye has reached the process, for all of them."""
        await until(lambda: all(connection.is_closed() for connection in self))


@pytest.fixture
def opened() -> Opened:
    return Opened()


@pytest.fixture
def patience_seconds(postgres_url: str) -> float:
    """How long a request may take; as operators have it, where a test does not say more."""
    return Settings(database_url=postgres_url).request_timeout_seconds


# A queue that a slow machine makes long is no refusal by the database.
patient = pytest.mark.parametrize("patience_seconds", [ANSWER_SECONDS / 2], ids=["patient"])


@pytest.fixture
async def on_postgres(
    postgres_url: str, opened: Opened, patience_seconds: float
) -> AsyncIterator[Client]:
    """A client of an app whose connections have all been used before."""
    settings = Settings(
        database_url=postgres_url, pool_size=3, request_timeout_seconds=patience_seconds
    )
    app = admin.application(settings)

    # Any: the connection is SQLAlchemy's, around that of the driver.
    def note(connection: Any, _: object) -> None:
        opened.append(connection.driver_connection)

    event.listen(app.state.database.writing.sync_engine, "connect", note)
    async with serving(app, role=Role.OWNER) as client:
        await asyncio.gather(*(client.get("/readyz") for _ in range(3)))
        yield client


@asynccontextmanager
async def using(database: Database, *, connections: int) -> AsyncIterator[None]:
    """So many connections of each way in are in use."""
    # An earlier request of this task has left its name here.
    share_name.set("")
    ways = [True, False] * connections
    sessions = [database.session(is_read_only=is_read_only) for is_read_only in ways]
    for session in sessions:
        await session.execute(text("SELECT 1"))
    yield
    for session in sessions:
        await session.close()


# What is said, and how.


@pytest.fixture
async def away(tmp_path: Path) -> AsyncIterator[Client]:
    """A client of an app whose database is away: a folder is none."""
    # Nobody could be signed in without it.
    settings = Settings(database_url=f"sqlite:///{tmp_path}", auth="off")
    async with serving(admin.application(settings)) as client:
        yield client


async def test_a_page_says_so_in_the_look_of_the_site(away: Client) -> None:
    page = await refused(away.get("/heroes"))
    assert page.heading == "The database is busy"
    assert "try again" in page.visible_text.lower()


async def test_a_fragment_holds_only_the_words(away: Client) -> None:
    fragment = await refused(away.get("/heroes?q=x", headers=htmx_headers("section#list")))
    assert "try again" in fragment.text.lower()
    assert "<html" not in fragment.text


@each("path", ["/api/heroes/", "/api/heroes/1", "/api/heroes/1/with-team"])
async def test_a_program_gets_json(away: Client, path: str) -> None:
    answer = await refused(away.get(path))
    assert list(answer.json()) == ["detail"]
    assert "try again" in answer.json()["detail"].lower()


@each(
    "path",
    ["/", "/heroes", "/heroes/1", "/heroes/1/edit", "/heroes/options/team_id?q=x", "/readyz"],
)
async def test_every_page_that_needs_the_database_says_so(away: Client, path: str) -> None:
    await refused(away.get(path))


async def test_what_needs_no_database_still_works(away: Client) -> None:
    assert (await away.get("/healthz")).status_code == 200
    assert (await away.get("/api/docs")).status_code == 200
    assert (await away.get("/api/openapi.json")).status_code == 200


# Busy.


@asynccontextmanager
async def written_by_another(url: str) -> AsyncIterator[None]:
    """Another process is writing, and does not finish."""
    with closing(sqlite3.connect(file_of(url), isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield


async def test_a_save_waits_for_another_writer_but_not_for_ever(
    on_sqlite: Client, sqlite_url: str, stored_on_sqlite: Stored
) -> None:
    form = (await on_sqlite.get("/heroes/new")).form()
    async with written_by_another(sqlite_url):
        await refused(on_sqlite.submit(form, NOVA))
        assert (await listing(on_sqlite)).status_code == 200
    assert await stored_on_sqlite.count(Hero) == 0
    # The same form again, as a person would send it.
    assert (await on_sqlite.submit(form, NOVA)).status_code == 303
    assert await stored_on_sqlite.count(Hero) == 1


async def test_a_queue_of_saves_ends_in_time(on_sqlite: Client, sqlite_url: str) -> None:
    async with written_by_another(sqlite_url):
        await asyncio.gather(*(refused(saving(on_sqlite)) for _ in range(20)))
    await expect_health(on_sqlite)


async def test_a_table_locked_by_another_session_is_waited_for_but_not_for_ever(
    on_postgres: Client, postgres: PostgresServer
) -> None:
    async with postgres.connected("hero_admin") as other, other.transaction():
        await other.execute("LOCK hero IN ACCESS EXCLUSIVE MODE")
        await asyncio.gather(refused(listing(on_postgres)), refused(saving(on_postgres)))
    await expect_health(on_postgres)


UPDATE_WHEN_WAITED_FOR = """
DO $$ BEGIN
    WHILE NOT EXISTS (
        SELECT FROM pg_locks
        WHERE NOT granted AND pg_backend_pid() = ANY (pg_blocking_pids(pid))
    ) LOOP
        PERFORM pg_sleep(0.005);
    END LOOP;
    UPDATE hero SET age = 21 WHERE id = {hero};
END $$
"""


@patient
@each("asked", ["form", "api"])
async def test_a_save_that_meets_a_deadlock_is_tried_again(
    on_postgres: Client, postgres: PostgresServer, asked: str
) -> None:
    team = (await on_postgres.post("/api/teams/", json={"name": f"Preventers {asked}"})).json()
    hero = (await on_postgres.post("/api/heroes/", json=NOVA)).json()
    form = (await on_postgres.get(f"/heroes/{hero['id']}/edit")).form()
    changes: dict[str, Value] = {"team_id": str(team["id"])}
    async with postgres.connected("hero_admin") as other:
        # It never gives up itself.
        await other.execute("SET deadlock_timeout = '10min'")
        transaction = other.transaction()
        await transaction.start()
        await other.execute("SELECT 1 FROM team WHERE id = $1 FOR UPDATE", team["id"])
        if asked == "form":
            saving = asyncio.ensure_future(on_postgres.submit(form, changes))
        else:
            path = f"/api/heroes/{hero['id']}"
            saving = asyncio.ensure_future(on_postgres.patch(path, json={"team_id": team["id"]}))
        # Inside the server, so that a slow test cannot be too late: PostgreSQL looks for a
        # deadlock once, a second after a session has begun to wait.
        await other.execute(UPDATE_WHEN_WAITED_FOR.format(hero=hero["id"]))
        await transaction.commit()
    async with asyncio.timeout(ANSWER_SECONDS):
        answer = await saving
    assert answer.status_code in (200, 303)
    stored = (await on_postgres.get(f"/api/heroes/{hero['id']}")).json()
    assert (stored["age"], stored["team_id"]) == (21, team["id"])


async def test_connections_that_are_all_in_use_are_waited_for_but_not_for_ever(
    app: Starlette, client: Client, settings: Settings
) -> None:
    size = 1 if settings.is_embedded else settings.pool_size // 2
    async with using(app.state.database, connections=size):
        await refused(saving(client))
    await expect_health(client)


async def test_a_form_that_was_not_saved_is_sent_again_from_the_page_that_says_so(
    app: Starlette, client: Client, settings: Settings, stored: Stored
) -> None:
    size = 1 if settings.is_embedded else settings.pool_size // 2
    form = (await client.get("/heroes/new?back=/teams")).form()
    async with using(app.state.database, connections=size):
        page = await refused(client.submit(form, {**NOVA, "name": " “N” <b>&\r\n", "age": "17"}))
    assert "Your input is kept on this page." in page.visible_text
    # What is masked stands in no page, and is asked for again.
    assert NOVA["secret_name"] not in page.text
    again = page.form(press="Try again")
    saved = await client.submit(again, {"secret_name": NOVA["secret_name"]})
    assert (saved.status_code, saved.headers["location"]) == (303, "/teams")
    (hero,) = await stored.all(Hero)
    assert (hero.name, hero.secret_name, hero.age) == ("“N” <b>&", NOVA["secret_name"], 17)
    await client.submit(again, {"secret_name": NOVA["secret_name"]})
    assert await stored.count(Hero) == 1

    typed: list[tuple[str, dict[str, Value]]] = [
        ("/heroes/1/edit", {"age": "18"}),
        ("/heroes/change?id=1", {"form.set.age": True, "age": "19"}),
        ("/heroes/1/delete", {}),
    ]
    for path, changes in typed:
        form = (await client.get(path)).form()
        async with using(app.state.database, connections=size):
            page = await refused(client.submit(form, changes))
        assert (await client.submit(page.form(press="Try again"))).status_code == 303
    kinds = [change.kind for change in await stored.all(Change)]
    assert kinds == ["created", "changed", "changed", "deleted"]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_form_of_nothing_has_its_answer_when_something_fails_after_it_was_read(
    client: Client, session: AsyncSession
) -> None:
    await session.execute(text("ALTER TABLE hero RENAME TO champion"))
    await session.commit()
    assert (await client.post("/heroes/1/delete")).status_code == 503


async def test_a_form_with_a_password_is_not_written_into_a_page(
    on_sqlite: Client, sqlite_url: str
) -> None:
    async with written_by_another(sqlite_url):
        for path, field in (("/sign-in", "account.password"), ("/account/password", "current")):
            typed = {
                "account.name": "Olive Owner",
                "new": "violet anchors rarely sing",
                field: "hunter2hunter2",
            }
            page = await refused(on_sqlite.post(path, data=typed, headers=SAME_SITE))
            assert "hunter2" not in page.text
            assert "kept on this page" not in page.text


async def test_a_locked_table_does_not_hold_up_other_pages(
    postgres: PostgresServer, postgres_url: str
) -> None:
    settings = Settings(database_url=postgres_url, request_timeout_seconds=600)
    async with (
        serving(admin.application(settings), role=Role.OWNER) as client,
        asyncio.TaskGroup() as group,
        postgres.connected("hero_admin") as other,
    ):
        async with other.transaction():
            await other.execute("LOCK hero IN ACCESS EXCLUSIVE MODE")
            stuck = [group.create_task(answer_to(ask(client))) for ask in (listing, saving) * 20]
            await until_blocked(postgres, sessions=2)
            for _ in range(5):
                assert (await client.get("/teams/new")).status_code == 200
                assert (await client.get("/api/teams/")).status_code == 200
        # Those in front were only late; the others were asked to come again.
        answers = await asyncio.gather(*stuck)
    assert {answer.status_code for answer in answers} <= {200, 201, 503}
    assert {answer.status_code for answer in answers} >= {200, 201}


# Full and read-only.


def says_it_is_full(page: Page) -> None:
    assert page.heading == "Can't save right now"
    assert "The disk of the database is full." in page.visible_text


def says_it_is_read_only(page: Page) -> None:
    assert page.heading == "Can't save right now"
    assert "The database is read-only at the moment." in page.visible_text


async def limit_growth(database: Database, pages: int) -> None:
    async with database.session(is_read_only=False) as session:
        await session.execute(text(f"PRAGMA max_page_count = {pages}"))


async def test_a_full_disk_stores_nothing_until_there_is_room(
    sqlite_url: str, stored_on_sqlite: Stored
) -> None:
    app = admin.application(Settings(database_url=sqlite_url))
    async with serving(app, role=Role.OWNER) as client:
        await limit_growth(app.state.database, 1)
        heroes = [NOVA | {"name": f"Nova {number}"} for number in range(200)]
        statuses = set()
        for hero in heroes:
            answer = await client.post("/api/heroes/", json=hero, headers=SAME_SITE)
            statuses.add(answer.status_code)
        assert statuses == {201, 503}
        assert await stored_on_sqlite.count(Hero) < 200
        form = (await client.get("/heroes/new")).form()
        says_it_is_full(await refused(client.submit(form, NOVA)))
        assert (await listing(client)).status_code == 200
        await limit_growth(app.state.database, 1_000_000)
        assert (await client.submit(form, NOVA)).status_code == 303
        await expect_health(client)


async def test_a_full_disk_of_the_server_is_distinguished(
    on_postgres: Client, postgres: PostgresServer
) -> None:
    form = (await on_postgres.get("/heroes/new")).form()
    async with postgres.connected("hero_admin") as other:
        # What the server itself answers when it cannot extend a file.
        await other.execute(
            "CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS"
            " $$ BEGIN RAISE 'could not extend file' USING ERRCODE = 'disk_full'; END $$"
        )
        await other.execute(
            "CREATE TRIGGER full_disk BEFORE INSERT ON hero EXECUTE FUNCTION full_disk()"
        )
        try:
            says_it_is_full(await refused(on_postgres.submit(form, NOVA)))
            assert (await listing(on_postgres)).status_code == 200
        finally:
            await other.execute("DROP FUNCTION full_disk CASCADE")
    await expect_health(on_postgres)


async def test_a_file_that_may_not_be_written_can_still_be_read(sqlite_url: str) -> None:
    app = admin.application(Settings(database_url=sqlite_url))
    async with serving(app, role=Role.OWNER) as client:
        async with app.state.database.session(is_read_only=False) as session:
            # The tests may run as root, whom no permission keeps from writing.
            await session.execute(text("PRAGMA query_only = ON"))
        form = (await client.get("/heroes/new")).form()
        assert (await listing(client)).status_code == 200
        says_it_is_read_only(await refused(client.submit(form, NOVA)))
        await app.state.database.writing.dispose()
        await expect_health(client)


async def end_sessions(other: asyncpg.Connection, opened: Opened) -> None:
    """End the app's connections to the server, and let the app hear of it."""
    await other.execute(f"SELECT pg_terminate_backend(pid, 10000) {OWN_SESSIONS}")
    await opened.until_closed()


async def test_a_standby_server_can_still_be_read(
    on_postgres: Client, postgres: PostgresServer, opened: Opened
) -> None:
    async with postgres.connected("hero_admin") as other:
        await other.execute("ALTER DATABASE hero_admin SET default_transaction_read_only = on")
        try:
            # Sessions take the mode on when they begin.
            await end_sessions(other, opened)
            form = (await on_postgres.get("/heroes/new")).form()
            assert (await listing(on_postgres)).status_code == 200
            says_it_is_read_only(await refused(on_postgres.submit(form, NOVA)))
        finally:
            await other.execute("SET default_transaction_read_only = off")
            await other.execute("ALTER DATABASE hero_admin RESET default_transaction_read_only")
        await end_sessions(other, opened)
    await expect_health(on_postgres)


# Away.


async def test_a_file_that_is_away_is_not_replaced_by_an_empty_one(sqlite_url: str) -> None:
    file = file_of(sqlite_url)
    elsewhere = file.with_name("elsewhere.db")
    async with serving(
        admin.application(Settings(database_url=sqlite_url)), role=Role.OWNER
    ) as client:
        file.rename(elsewhere)
        await refused(listing(client))
        await refused(saving(client))
        assert not file.exists()
        elsewhere.rename(file)
        await expect_health(client)


async def test_a_damaged_file_is_unavailable(sqlite_url: str) -> None:
    async with serving(
        admin.application(Settings(database_url=sqlite_url)), role=Role.OWNER
    ) as client:
        file_of(sqlite_url).write_bytes(b"no database" * 1000)
        await refused(listing(client))
        await refused(saving(client))


async def test_a_stopped_server_is_found_again_by_the_first_request(
    on_postgres: Client, postgres: PostgresServer
) -> None:
    postgres.stop()
    try:
        await refused(listing(on_postgres))
        await refused(saving(on_postgres))
    finally:
        postgres.start()
    await expect_health(on_postgres)


@pytest.mark.parametrize("is_crash", [False, True], ids=["restart", "crash"])
async def test_a_restarted_server_costs_no_request(
    on_postgres: Client, postgres: PostgresServer, opened: Opened, is_crash: bool
) -> None:
    postgres.stop(is_crash=is_crash)
    postgres.start()
    await opened.until_closed()
    answers = await asyncio.gather(*(listing(on_postgres) for _ in range(6)))
    assert {answer.status_code for answer in answers} == {200}
    await expect_health(on_postgres)


async def test_a_session_ended_in_the_middle_is_unavailable_and_no_error(
    on_postgres: Client, postgres: PostgresServer
) -> None:
    async with postgres.connected("hero_admin") as other, other.transaction():
        await other.execute("LOCK hero IN ACCESS EXCLUSIVE MODE")
        waiting = asyncio.create_task(refused(listing(on_postgres)))
        await until_blocked(postgres, sessions=1)
        await other.execute(f"SELECT pg_terminate_backend(pid) {OWN_SESSIONS}")
        await waiting
    await expect_health(on_postgres)


async def test_a_server_that_answers_nothing_is_given_up(
    on_postgres: Client, postgres: PostgresServer
) -> None:
    postgres.freeze()
    try:
        requests = [*(listing(on_postgres) for _ in range(3)), saving(on_postgres)]
        await asyncio.gather(*(refused(request) for request in requests))
        # By now there are no connections left, and none can be made.
        await refused(listing(on_postgres))
    finally:
        postgres.thaw()
    await expect_health(on_postgres)


# Under load.

Answers = list[tuple[float, int]]


@asynccontextmanager
async def under_load(client: Client) -> AsyncIterator[Answers]:
    """Six clients list and save without a pause; when each answer was asked for, and its status."""
    answers: Answers = []
    is_over = False

    async def ask(request: Callable[[Client], Awaitable[Page]]) -> None:
        while not is_over:
            asked = time.monotonic()
            async with asyncio.timeout(ANSWER_SECONDS):
                answers.append((asked, (await request(client)).status_code))

    async with asyncio.TaskGroup() as group:
        for request in (listing, saving) * 3:
            group.create_task(ask(request))
        await some_more(answers)
        yield answers
        await some_more(answers)
        is_over = True


async def some_more(answers: Answers) -> None:
    wanted = len(answers) + 50
    await until(lambda: len(answers) >= wanted)


@patient
@pytest.mark.parametrize("is_crash", [False, True], ids=["restart", "crash"])
async def test_a_restart_under_load_costs_only_refusals_and_none_after_its_return(
    on_postgres: Client, postgres: PostgresServer, is_crash: bool
) -> None:
    async with under_load(on_postgres) as answers:
        await asyncio.to_thread(postgres.stop, is_crash=is_crash)
        await some_more(answers)
        postgres.launch()
        await asyncio.to_thread(postgres.wait_until_ready)
        returned = time.monotonic()
    assert {status for _, status in answers} == {200, 201, 503}
    assert {status for asked, status in answers if asked > returned} == {200, 201}


@patient
async def test_connections_ended_under_load_are_replaced(
    on_postgres: Client, postgres: PostgresServer
) -> None:
    async with under_load(on_postgres) as answers:
        async with postgres.connected() as other:
            for _ in range(5):
                await other.execute(f"SELECT pg_terminate_backend(pid, 10000) {OWN_SESSIONS}")
                await some_more(answers)
        ended = time.monotonic()
    assert {status for _, status in answers} <= {200, 201, 503}
    assert {status for asked, status in answers if asked > ended} == {200, 201}


@pytest.mark.parametrize(
    "address", ["nobody@{server}/hero_admin", "postgres@{server}/nowhere", "nobody@127.0.0.1:9/x"]
)
async def test_a_server_that_lets_nobody_in_is_unavailable(
    postgres: PostgresServer, address: str
) -> None:
    server = f"127.0.0.1:{postgres.port}"
    url = f"postgresql://{address.format(server=server)}"
    settings = Settings(database_url=url, auth="off")
    async with serving(admin.application(settings)) as client:
        await refused(listing(client))
        await refused(saving(client))


# Where nothing can be written.

DROP_FROM_BOUNDING_SET, MAY_PASS_OVER_MODES = 24, 1
# Even root then has to heed the modes; for anybody else it changes nothing.
START = (
    "import ctypes, os, sys;"
    f"ctypes.CDLL(None).prctl({DROP_FROM_BOUNDING_SET}, {MAY_PASS_OVER_MODES}, 0, 0, 0);"
    "os.execv(sys.executable, [sys.executable, '-m', 'webapp', 'serve', *sys.argv[1:]])"
)
HEEDING_MODES = [sys.executable, "-c", START]


@contextmanager
def that_can_only_be_read(file: Path, folder_mode: int) -> Iterator[dict[str, str]]:
    """Take the permission to write it; the environment of a server of that file."""
    file.chmod(0o444)
    file.parent.chmod(folder_mode)
    try:
        yield {"WEBAPP_DATABASE_URL": f"sqlite:///{file}", "WEBAPP_AUTH": "off"}
    finally:
        file.parent.chmod(0o755)
        file.chmod(0o644)


@pytest.mark.parametrize("folder_mode", [0o755, 0o555], ids=["file", "folder"])
def test_a_server_of_what_can_only_be_read_starts_reads_and_says_so(
    sqlite_url: str, tmp_path: Path, folder_mode: int
) -> None:
    folder = tmp_path / "fixed"
    folder.mkdir()
    file = Path(shutil.move(file_of(sqlite_url), folder / "heroes.db"))
    # An index that is missing is made where it can be.
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("DROP TABLE hero_admin_search_hero")
    log = tmp_path / "log"
    with (
        that_can_only_be_read(file, folder_mode) as environment,
        running_server(log, environment, program=HEEDING_MODES) as server,
    ):
        assert httpx.get(f"{server.url}/api/heroes/").json() == []
        assert httpx.get(f"{server.url}/heroes").status_code == 200
        headers = {"Sec-Fetch-Site": "same-origin"}
        refused = httpx.post(f"{server.url}/heroes", data=NOVA, headers=headers)
        assert refused.status_code == 503
        says_it_is_read_only(Page(refused))
    assert "The database is read-only: nothing can be saved." in log.read_text()


def test_a_file_that_is_too_old_and_can_only_be_read_is_said(tmp_path: Path) -> None:
    file = tmp_path / "old.db"
    with closing(sqlite3.connect(file)) as connection:
        connection.executescript(
            "CREATE TABLE submission (id); CREATE TABLE alembic_version (version_num);"
            "INSERT INTO alembic_version VALUES ('0001')"
        )
    with that_can_only_be_read(file, 0o755) as environment:
        done = subprocess.run(
            [*HEEDING_MODES, "--port=0"],
            check=False,
            env=os.environ | environment,
            capture_output=True,
            text=True,
        )
    assert done.returncode == 2
    assert done.stderr == (
        "The database is not up to date, and is read-only here:"
        " run `python -m webapp migrate` where it can be written.\n"
    )
