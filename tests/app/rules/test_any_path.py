"""Any path: whatever is done at random, each record meets its rule, and hooks tell all of it."""

import random
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from hero_admin import Change, Resource
from hero_admin.application import create_app
from hero_admin.audit_log.changes import Change as Entry
from hero_admin.person import Role
from hero_admin.settings import Settings
from hero_admin.testing import Client, Page
from tests.sailors import BERTHS, Sailor, Sea, Ship, fits
from tests.serving import serving
from tests.stored import Stored

STEPS = 80
SHIPS, SAILORS = 3, 9
# Done, gone, refused because of others, and refused by the rule.
ANSWERS = {200, 201, 204, 303, 404, 409, 422}


class Told:
    """The sailors, as what hooks were told after commits says."""

    def __init__(self) -> None:
        # Any: the values of a sailor.
        self.sailors: dict[int, dict[str, Any]] = {}

    def note(self, change: Change[Sailor]) -> None:
        before = change.before.model_dump() if change.before else None
        after = change.after.model_dump() if change.after else None
        record = change.after or change.before
        assert record is not None
        assert self.sailors.get(record.id or 0) == before, "it was told of all changes before"
        if after is None:
            del self.sailors[record.id or 0]
        else:
            self.sailors[record.id or 0] = after


def badge(change: Change[Sailor]) -> None:
    """A value that follows from another one, also where only a ship goes down."""
    if change.after is not None:
        change.after.badge = "afloat" if change.after.ship_id else "ashore"


class Bosun:
    """Does something at random to a few ships and sailors."""

    def __init__(self, client: Client, stored: Stored) -> None:
        self.client, self.stored = client, stored
        self.dice = random.Random(7)
        self.answers: Counter[tuple[str, int]] = Counter()

    def values(self) -> dict[str, str]:
        given = {
            "age": str(self.dice.choice([9, 17, 18, 40])),
            "ship_id": self.dice.choice(["", "1", "2", "3"]),
            "is_captain": self.dice.choice(["true", "false"]),
        }
        return dict(self.dice.sample(sorted(given.items()), self.dice.randint(1, 3)))

    def json(self) -> dict[str, object]:
        given: dict[str, object] = {}
        for name, text in self.values().items():
            number = int(text) if text.isdigit() else None
            given[name] = text == "true" if name == "is_captain" else number
        return given

    async def sailor(self) -> int:
        there = [each.id or 0 for each in await self.stored.all(Sailor)]
        return self.dice.choice([*there, 0])

    async def create(self) -> Page:
        return await self.client.post("/sailors", data={"name": "New", **self.values()})

    async def api_create(self) -> Page:
        return await self.client.post("/api/sailors/", json={"name": "New", **self.json()})

    async def edit(self) -> Page:
        return await self.client.post(f"/sailors/{await self.sailor()}", data=self.values())

    async def api_change(self) -> Page:
        return await self.client.patch(f"/api/sailors/{await self.sailor()}", json=self.json())

    async def change_many(self) -> Page:
        chosen = [str(await self.sailor()) for _ in range(3)]
        values = self.values()
        ticks = {f"form.set.{name}": "1" for name in values}
        data = {"form.id": chosen, **ticks, **values}
        return await self.client.post("/sailors/change", data=data)

    async def delete(self) -> Page:
        return await self.client.delete(f"/api/sailors/{await self.sailor()}")

    async def create_ship(self) -> Page:
        return await self.client.post("/ships", data={"name": "Argo"})

    async def sink(self) -> Page:
        """Delete a ship; its crew goes ashore, or to another one."""
        data = {"sailors": self.dice.choice(["", "1", "2", "3"])}
        return await self.client.post(f"/ships/{self.dice.randint(1, SHIPS)}/delete", data=data)

    async def undo(self) -> Page:
        operation = self.dice.choice([each.operation for each in await self.stored.all(Entry)])
        return await self.client.post(f"/undo/{operation}")

    async def restore(self) -> Page:
        entries = [each for each in await self.stored.all(Entry) if each.resource == "sailors"]
        entry = self.dice.choice(entries)
        verb = self.dice.choice(["restore", "undo"])
        data = {"change": str(entry.id), "before": self.dice.choice(["0", "1"])}
        return await self.client.post(f"/sailors/{entry.key}/{verb}", data=data)

    async def work(self) -> None:
        deeds: list[Callable[[], Awaitable[Page]]] = [
            *(self.create, self.api_create, self.edit, self.api_change, self.change_many),
            *(self.delete, self.create_ship, self.sink, self.undo, self.undo, self.restore),
        ]
        deed = self.dice.choice(deeds)
        answer = await deed()
        self.answers[deed.__name__, answer.status_code] += 1


async def test_no_path_leaves_a_record_that_the_rule_refuses_or_that_hooks_were_not_told_of(
    settings: Settings, session: AsyncSession, stored: Stored
) -> None:
    await (await session.connection()).run_sync(Sea.metadata.create_all)
    await session.commit()
    told = Told()
    sailors = Resource(Sailor, check=fits, before=badge, after_commit=told.note)
    app = create_app(settings, [Resource(Ship), sailors])
    async with serving(app, role=Role.OWNER) as client:
        bosun = Bosun(client, stored)
        for number in range(SHIPS):
            await client.post("/ships", data={"name": f"Ship {number}"})
        for number in range(SAILORS):
            await client.post("/sailors", data={"name": f"Sailor {number}", "age": "30"})
        for _ in range(STEPS):
            await bosun.work()
            there = await stored.all(Sailor)
            assert {each.id: each.model_dump() for each in there} == told.sailors
            crews = Counter(each.ship_id for each in there if each.ship_id is not None)
            assert max(crews.values(), default=0) <= BERTHS
            assert not [each for each in there if each.is_captain and not each.ship_id]
            assert not [each for each in there if each.ship_id and (each.age or 18) < 18]
    assert {status for _, status in bosun.answers} <= ANSWERS
    # Each deed was both done and refused, so that the test is about something.
    for deed in ("create", "edit", "api_change", "change_many", "sink", "undo", "restore"):
        done = [status for name, status in bosun.answers if name == deed]
        assert min(done) < 400 <= max(done), (deed, bosun.answers)
