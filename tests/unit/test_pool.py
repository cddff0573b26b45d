"""The pool: first come, first served, and a part of it for each page."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import text
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from hero_admin.database.pool import FairPool, share_name

SIZE = 5


@pytest.fixture
async def engine() -> AsyncIterator[AsyncEngine]:
    engine = create_async_engine(
        "sqlite+aiosqlite://", poolclass=FairPool, pool_size=SIZE, max_overflow=0, pool_timeout=60
    )
    yield engine
    await engine.dispose()


class Turns:
    """Requests that take a connection, and keep it until they are told to give it back."""

    def __init__(self, engine: AsyncEngine) -> None:
        self.engine = engine
        self.served: list[str] = []
        self.tasks: dict[str, asyncio.Task[None]] = {}
        self.ends: dict[str, asyncio.Event] = {}

    async def ask(self, *names: str, share: str = "") -> None:
        for name in names:
            self.ends[name] = asyncio.Event()
            self.tasks[name] = asyncio.create_task(self._serve(name, share))
        await self.settle()

    async def end(self, *names: str) -> None:
        for name in names:
            self.ends[name].set()
            await self.tasks[name]
        await self.settle()

    async def end_all(self) -> None:
        for end in self.ends.values():
            end.set()
        await asyncio.gather(*self.tasks.values(), return_exceptions=True)

    async def settle(self) -> None:
        """Let whoever gets a connection get it: some trips to SQLite's threads and back."""
        for _ in range(10):
            async with asyncio.timeout(60):
                await asyncio.to_thread(int)
                await asyncio.sleep(0.01)

    async def _serve(self, name: str, share: str) -> None:
        share_name.set(share)
        async with self.engine.connect() as connection:
            await connection.execute(text("SELECT 1"))
            self.served.append(name)
            await self.ends[name].wait()


@pytest.fixture
async def turns(engine: AsyncEngine) -> AsyncIterator[Turns]:
    turns = Turns(engine)
    yield turns
    await turns.end_all()


async def test_who_waits_is_served_in_order(turns: Turns) -> None:
    await turns.ask("a", "b", "c", "d", "e")
    await turns.ask("first")
    await turns.ask("second")
    assert set(turns.served) == {"a", "b", "c", "d", "e"}
    await turns.end("c")
    await turns.ask("newcomer")
    await turns.end("a")
    assert turns.served[SIZE:] == ["first", "second"]


async def test_one_name_leaves_a_part_for_the_others(turns: Turns) -> None:
    await turns.ask(*"abcdefgh", share="heroes")
    # Those whose turn it is at once come as their connections open.
    assert sorted(turns.served) == ["a", "b"]
    await turns.ask("team", share="teams")
    assert turns.served[2:] == ["team"]
    await turns.end("b")
    assert turns.served[2:] == ["team", "c"]


async def test_who_gives_up_waiting_takes_no_place(turns: Turns) -> None:
    await turns.ask("a", "b", "c", "d", "e")
    await turns.ask("gone", "next")
    turns.tasks["gone"].cancel()
    await turns.settle()
    await turns.end("a")
    assert turns.served[SIZE:] == ["next"]


async def test_who_is_cancelled_in_the_moment_of_its_turn_passes_it_on(turns: Turns) -> None:
    await turns.ask("a", "b", "c", "d", "e")
    await turns.ask("gone", "next")
    turns.ends["a"].set()
    await turns.tasks["a"]
    turns.tasks["gone"].cancel()
    await turns.settle()
    assert "next" in turns.served


async def test_waiting_has_an_end() -> None:
    engine = create_async_engine(
        "sqlite+aiosqlite://", poolclass=FairPool, pool_size=1, max_overflow=0, pool_timeout=0.1
    )
    async with engine.connect():
        with pytest.raises(PoolTimeoutError, match="in use"):
            await engine.connect().start()
    async with engine.connect():
        pass
    await engine.dispose()
