"""Turns: readers that all want to begin at once leave the rounds of the event loop to others."""

import asyncio

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


async def test_one_that_goes_away_holds_nobody_up() -> None:
    turns = Turns()
    first, gone, last = (asyncio.create_task(turns.take()) for _ in range(3))
    await asyncio.sleep(0)
    gone.cancel()
    await asyncio.gather(first, gone, last, return_exceptions=True)
    assert gone.cancelled()
    await turns.take()
