"""A server process that is killed or meets a full disk: what it acknowledged is there."""

import asyncio
import resource
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
from sqlmodel import select

from hero_admin.testing import Client
from tests.server import running_server
from tests.stored import Stored
from webapp.heroes import Hero

ROUNDS = 3
SAVED = 40
SAME_SITE = {"Sec-Fetch-Site": "same-origin"}


def hero(name: str) -> dict[str, str]:
    return {"name": name, "secret_name": "Ada Lagg"}


class Writers:
    """People and programs that save heroes; the names of those that the server acknowledged."""

    def __init__(self) -> None:
        self.acknowledged: list[str] = []
        self.is_enough = asyncio.Event()
        self._number = 0

    @asynccontextmanager
    async def writing_to(self, url: str) -> AsyncIterator[None]:
        """Leaving waits until all of them have met an answer that did not come."""
        self.is_enough.clear()
        wanted = len(self.acknowledged) + SAVED
        async with (
            Client(httpx.AsyncClient(base_url=url, headers=SAME_SITE, timeout=60)) as client,
            asyncio.TaskGroup() as group,
        ):
            for write in (self._submit, self._post) * 3:
                group.create_task(self._until_killed(write, client, wanted))
            yield

    async def _until_killed(
        self,
        write: Callable[[Client, str], Awaitable[int]],
        client: Client,
        wanted: int,
    ) -> None:
        while True:
            self._number += 1
            name = f"Hero {self._number}"
            try:
                status = await write(client, name)
            except httpx.TransportError:
                return
            assert status in {201, 303}
            self.acknowledged.append(name)
            if len(self.acknowledged) >= wanted:
                self.is_enough.set()

    async def _submit(self, client: Client, name: str) -> int:
        form = (await client.get("/heroes/new")).form()
        return (await client.submit(form, hero(name))).status_code

    async def _post(self, client: Client, name: str) -> int:
        return (await client.post("/api/heroes/", json=hero(name))).status_code


async def test_everything_acknowledged_outlives_kill_9(
    database_url: str, tmp_path: Path, stored: Stored
) -> None:
    writers = Writers()
    environment = {"WEBAPP_DATABASE_URL": database_url, "WEBAPP_AUTH": "off"}
    for _ in range(ROUNDS):
        with running_server(tmp_path / "log", environment) as server:
            async with writers.writing_to(server.url):
                await writers.is_enough.wait()
                server.process.kill()
    names = set(await stored.select(select(Hero.name)))
    assert set(writers.acknowledged) <= names
    assert len(writers.acknowledged) >= ROUNDS * SAVED


async def test_a_server_whose_disk_is_full_says_so_and_goes_on_reading(
    sqlite_url: str, tmp_path: Path
) -> None:
    environment = {"WEBAPP_DATABASE_URL": sqlite_url, "WEBAPP_AUTH": "off"}
    with running_server(tmp_path / "log", environment) as server:
        async with Client(httpx.AsyncClient(base_url=server.url, headers=SAME_SITE)) as client:
            form = (await client.get("/heroes/new")).form()
            _, hard = resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE)
            resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (50_000, hard))
            answers = [await client.submit(form, hero("Nova")) for _ in range(30)]
            full = answers[-1]
            assert (full.status_code, full.heading) == (503, "Can't save right now")
            assert "The disk of the database is full." in full.text
            assert (await client.get("/heroes")).status_code == 200
            resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (hard, hard))
            assert (await client.submit(form, hero("Nova"))).status_code == 303
