"""Turns: readers that all want to begin at once leave the rounds of the event loop to others."""

import asyncio

import pytest

from hero_admin.web import turns as turns_module
from hero_admin.web.turns import Turns


async def test_in_each_round_one_begins_in_the_order_in_which_they_came() -> None:
    turns, begun = Turns(), list[tuple[int, int]]()
    rounds = 0

    async def read(number: int) -> None:
        await turns.take()
        begun.append((number, rounds))

    reading = [asyncio.create_task(read(number)) for number in range(5)]
    while not all(task.done() for task in reading):
        await asyncio.sleep(0)
        rounds += 1
    assert [number for number, _ in begun] == [0, 1, 2, 3, 4]
    assert len({when for _, when in begun}) == 5


@pytest.mark.parametrize("is_writing", [True, False])
async def test_while_somebody_writes_there_are_pauses_between_readers(
    monkeypatch: pytest.MonkeyPatch, *, is_writing: bool
) -> None:
    # Longer than any test.
    monkeypatch.setattr(turns_module, "PAUSE_SECONDS", 600)
    turns = Turns()
    turns.held_by_writers = [{}, {"a": "connection"} if is_writing else {}]
    reading = [asyncio.create_task(turns.take()) for _ in range(2)]
    for _ in range(10):
        await asyncio.sleep(0)
    assert [task.done() for task in reading] == [True, not is_writing]
    reading[1].cancel()


async def test_one_that_goes_away_holds_nobody_up() -> None:
    turns = Turns()
    first, gone, last = (asyncio.create_task(turns.take()) for _ in range(3))
    await asyncio.sleep(0)
    gone.cancel()
    await asyncio.gather(first, gone, last, return_exceptions=True)
    assert gone.cancelled()
    await turns.take()
