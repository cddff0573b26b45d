"""Several processes, a primary and its replica: real servers, which stop, fall behind and fail."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from hero_admin.accounts.cookies import SESSION
from hero_admin.listing.search.connect import connect
from hero_admin.person import Role
from hero_admin.settings import Settings
from hero_admin.testing import Client
from tests.postgres import PostgresServer, postgres_server
from tests.server import Server, run_command, running_server
from tests.signing_in import sign_in_by
from tests.waiting import until

DATABASE = "hero_admin"
REPLAYED = "SELECT pg_last_wal_replay_lsn() >= $1::text::pg_lsn"


@dataclass
class Cluster:
    primary: PostgresServer
    replica: PostgresServer

    @property
    def environment(self) -> dict[str, str]:
        hosts = "&".join(f"host=127.0.0.1:{server.port}" for server in (self.primary, self.replica))
        return {
            "WEBAPP_DATABASE_URL": f"postgresql://postgres@/{DATABASE}?{hosts}",
            "WEBAPP_DATABASE_READ_URL": self.replica.url(DATABASE),
        }


@contextmanager
def running_cluster() -> Iterator[Cluster]:
    with postgres_server() as primary:
        asyncio.run(primary.create_database(DATABASE))
        run_command({"WEBAPP_DATABASE_URL": primary.url(DATABASE)}, "migrate")
        with postgres_server(primary) as replica:
            yield Cluster(primary, replica)


@contextmanager
def two_processes(cluster: Cluster, folder: Path) -> Iterator[list[Server]]:
    """As behind a load balancer."""
    environment = cluster.environment | {"WEBAPP_AUTH": "off"}
    with ExitStack() as stack:
        yield [
            stack.enter_context(running_server(folder / name, environment))
            for name in ("first", "second")
        ]


@pytest.fixture(scope="module")
def lasting() -> Iterator[Cluster]:
    """A cluster that every test leaves as it was, but for its teams."""
    with running_cluster() as cluster:
        yield cluster


@pytest.fixture(scope="module")
def processes(lasting: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Server]]:
    with two_processes(lasting, tmp_path_factory.mktemp("processes")) as processes:
        yield processes


@pytest.fixture
def replica(lasting: Cluster) -> PostgresServer:
    return lasting.replica


@pytest.fixture
async def no_teams(lasting: Cluster) -> None:
    await execute(lasting.primary, "DELETE FROM team")
    await until_received(lasting.primary, lasting.replica)


@pytest.fixture
def failing_cluster() -> Iterator[Cluster]:
    """A cluster whose primary is going to be lost."""
    with running_cluster() as cluster:
        yield cluster


@asynccontextmanager
async def browser() -> AsyncIterator[Client]:
    """A client that keeps its cookies, whichever process answers."""
    async with Client(
        httpx.AsyncClient(headers={"Sec-Fetch-Site": "same-origin"}, timeout=30)
    ) as client:
        yield client


async def save(client: Client, server: Server, name: str) -> int:
    answer = await client.post(f"{server.url}/api/teams/", json={"name": name})
    return answer.status_code


async def names(client: Client, server: Server) -> list[str]:
    answer = await client.get(f"{server.url}/api/teams/")
    assert answer.status_code == 200, answer.text
    return [team["name"] for team in answer.json()]


async def until_found(processes: list[Server]) -> None:
    """Wait until every process reads from the replica."""

    async def is_found() -> bool:
        logs = [server.log.read_text() for server in processes]
        return all(log.rfind("The replica answers") > log.rfind("for it") for log in logs)

    await until(is_found)


async def until_received(primary: PostgresServer, replica: PostgresServer) -> None:
    """Wait until the replica has all that is written by now."""
    async with primary.connected() as connection:
        place = await connection.fetchval("SELECT pg_current_wal_insert_lsn()::text")
    async with replica.connected() as connection:

        async def is_received() -> bool:
            return bool(await connection.fetchval(REPLAYED, place))

        await until(is_received)


async def execute(server: PostgresServer, statement: str) -> None:
    async with server.connected(DATABASE) as connection:
        await connection.execute(statement)


@pytest.mark.usefixtures("no_teams")
async def test_who_saves_sees_it_at_once_and_others_when_the_replica_has_it(
    processes: list[Server], replica: PostgresServer
) -> None:
    first, second = processes
    async with browser() as ann, browser() as bob:
        await until_found(processes)
        await execute(replica, "SELECT pg_wal_replay_pause()")
        assert await save(ann, first, "Avengers") == 201
        assert await names(ann, second) == ["Avengers"]
        # Which is how one sees that he reads from the replica.
        assert await names(bob, second) == []
        await execute(replica, "SELECT pg_wal_replay_resume()")

        async def sees() -> bool:
            return await names(bob, first) == await names(bob, second) == ["Avengers"]

        await until(sees)


@pytest.mark.usefixtures("no_teams")
async def test_a_replica_that_falls_behind_is_not_asked(
    processes: list[Server], replica: PostgresServer
) -> None:
    first, second = processes
    async with browser() as ann, browser() as bob:
        await until_found(processes)
        await execute(replica, "SELECT pg_wal_replay_pause()")
        assert await save(ann, first, "Avengers") == 201

        async def sees() -> bool:
            return await names(bob, first) == await names(bob, second) == ["Avengers"]

        await until(sees)
        await execute(replica, "SELECT pg_wal_replay_resume()")
        await until_found(processes)


async def test_who_is_disabled_is_out_at_once_whatever_the_replica_knows(
    failing_cluster: Cluster, tmp_path: Path
) -> None:
    primary, replica = failing_cluster.primary, failing_cluster.replica
    accounts = connect(Settings(database_url=primary.url(DATABASE)))
    with running_server(tmp_path / "only", failing_cluster.environment) as server:
        async with browser() as vera:
            await sign_in_by(accounts, vera, Role.VIEWER)
            (token,) = vera.cookies.values()
            vera.headers["Cookie"] = f"{SESSION}={token}"
            await until_found([server])
            await until_received(primary, replica)
            assert await names(vera, server) == []
            await execute(replica, "SELECT pg_wal_replay_pause()")
            await execute(primary, "UPDATE hero_admin_user SET is_disabled = true")
            assert (await vera.get(f"{server.url}/api/teams/")).status_code == 401
            primary.stop(is_crash=True)

            async def knows_no_better() -> bool:
                return (await vera.get(f"{server.url}/api/teams/")).status_code == 200

            # All that is left says so. It will have caught up before it is promoted.
            await until(knows_no_better)
    await accounts.close()


async def test_the_replica_is_not_believed_while_the_primary_is_being_asked(
    postgres_url: str,
) -> None:
    # A server that stands for both, as after a promotion.
    database = connect(Settings(database_url=postgres_url, database_read_url=postgres_url))
    assert database.replica is not None
    async with database.opened():
        while not database.replica.has(0):
            assert not database.replica.is_alone
            await asyncio.sleep(0)


@pytest.mark.usefixtures("no_teams")
async def test_a_replica_that_stops_costs_no_request(
    processes: list[Server], replica: PostgresServer
) -> None:
    async with browser() as ann:
        await until_found(processes)
        for server in processes:
            assert await names(ann, server) == []
        replica.stop()
        for server in processes * 10:
            assert await names(ann, server) == []
        replica.start()
        await until_found(processes)


async def test_a_replica_takes_over_when_the_primary_is_lost(
    failing_cluster: Cluster, tmp_path: Path
) -> None:
    primary, replica = failing_cluster.primary, failing_cluster.replica
    with two_processes(failing_cluster, tmp_path) as processes:
        first, second = processes
        async with browser() as ann, browser() as bob:
            await until_found(processes)
            assert await save(ann, first, "Avengers") == 201
            await until_received(primary, replica)
            primary.stop(is_crash=True)
            for server in processes:
                assert await names(bob, server) == ["Avengers"]
                assert await save(bob, server, "Too early") == 503
            replica.promote()
            for server, name in ((first, "Defenders"), (second, "Champions")):
                assert await save(ann, server, name) == 201
            for server in processes:
                assert await names(ann, server) == ["Avengers", "Defenders", "Champions"]
