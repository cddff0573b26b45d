"""Many at once: whatever eight writers and eight readers do, the history tells all of it."""

import asyncio
import json
import random
from base64 import urlsafe_b64decode
from collections import Counter
from collections.abc import Awaitable, Callable

import pytest
from starlette.applications import Starlette

from hero_admin.audit_log.changes import Change, Kind
from hero_admin.person import Role
from hero_admin.settings import Settings
from hero_admin.testing import Client, Form, Page, Value
from tests.replay import replayed, tables
from tests.serving import client_of
from tests.signing_in import sign_in
from tests.stored import Stored
from webapp.heroes import Hero, heroes
from webapp.teams import Team, teams

WRITERS = READERS = 8
STEPS = 30
TEAMS, HEROES = 4, 12
# What a form may be answered with: done, gone, changed meanwhile, not possible.
ANSWERS = {200, 201, 204, 303, 400, 404, 409, 412, 422}


@pytest.fixture
def settings(database_url: str) -> Settings:
    return Settings(database_url=database_url, request_timeout_seconds=60, pool_size=20)


class Writer:
    """Somebody who does something at random to a few heroes and teams, by pages and by the API."""

    def __init__(self, client: Client, seed: int, done: list[str]) -> None:
        self.client = client
        self.dice = random.Random(seed)
        # The operations of all writers, to be undone by any of them.
        self.done = done
        self.answers: Counter[tuple[str, int]] = Counter()

    async def work(self, steps: int) -> None:
        deeds: list[Callable[[], Awaitable[Page]]] = [
            self.create_hero,
            self.create_hero,
            self.create_team,
            self.edit,
            self.edit,
            self.edit_stale,
            self.delete_hero,
            self.delete_team,
            self.change_many,
            self.delete_many,
            self.undo,
            self.undo,
            self.restore,
            self.api_create,
            self.api_change,
            self.api_delete,
            self.reveal,
        ]
        for _ in range(steps):
            deed = self.dice.choice(deeds)
            answer = await deed()
            self.answers[deed.__name__, answer.status_code] += 1
            self.done += operations_in(answer)

    def hero(self) -> int:
        return self.dice.randint(1, HEROES * 2)

    def team(self) -> str:
        return str(self.dice.randint(1, TEAMS * 2))

    def values(self) -> dict[str, Value]:
        name = f"Hero {self.dice.randint(1, 99)}"
        age, team_id = str(self.dice.randint(0, 99)), self.dice.choice(["", self.team()])
        given = {"name": name, "age": age, "team_id": team_id}
        return dict(self.dice.sample(sorted(given.items()), self.dice.randint(1, 3)))

    async def create_hero(self) -> Page:
        data = {"name": "New", "secret_name": "Nobody", **self.values()}
        return await self.client.post("/heroes", data=data)

    async def create_team(self) -> Page:
        name = f"Team {self.dice.randint(1, TEAMS * 3)}"
        return await self.client.post("/teams", data={"name": name})

    async def edit(self) -> Page:
        form = await self.form(f"/heroes/{self.hero()}/edit")
        return form if isinstance(form, Page) else await self.filled_in(form)

    async def edit_stale(self) -> Page:
        """Open a form, do something else, and save the form then."""
        form = await self.form(f"/heroes/{self.hero()}/edit")
        self.done += operations_in(await self.edit())
        if isinstance(form, Page):
            return form
        answer = await self.filled_in(form)
        if answer.status_code == 409 and self.dice.random() < 0.5:
            # Settled, or brought back, by pressing the last button.
            presses = [tag.visible_text for tag in answer.find_all("button")]
            restore = "Restore with these values"
            again = answer.form(press=restore if restore in presses else "Save changes")
            answer = await self.client.submit(again)
        return answer

    async def delete_hero(self) -> Page:
        return await self.confirmed(f"/heroes/{self.hero()}/delete", {})

    async def delete_team(self) -> Page:
        replacement = self.dice.choice([{}, {"heroes": self.team()}])
        return await self.client.post(f"/teams/{self.team()}/delete", data=replacement)

    async def change_many(self) -> Page:
        ids = [str(self.hero()) for _ in range(5)]
        values = self.values()
        ticks = {f"form.set.{name}": "1" for name in values}
        return await self.client.post("/heroes/change", data={"id": ids, **ticks, **values})

    async def delete_many(self) -> Page:
        ids = [str(self.hero()) for _ in range(2)]
        return await self.client.post("/heroes/delete", data={"id": ids})

    async def undo(self) -> Page:
        operation = self.dice.choice(self.done[-12:]) if self.done else "none"
        return await self.client.post(f"/undo/{operation}")

    async def restore(self) -> Page:
        noun, key = self.dice.choice([("heroes", str(self.hero())), ("teams", self.team())])
        page = await self.client.get(f"/{noun}/{key}/history")
        forms = page.find_all("form", action=f"/{noun}/{key}/restore")
        if not forms:
            return page
        return await self.client.submit(self.dice.choice(forms).form())

    async def api_create(self) -> Page:
        body = {"name": "Made", "secret_name": "Nobody", "age": self.dice.randint(0, 9)}
        return await self.client.post("/api/heroes/", json=body)

    async def api_change(self) -> Page:
        path = f"/api/heroes/{self.hero()}"
        etag = (await self.client.get(path)).headers.get("etag", "*")
        headers = self.dice.choice([{}, {"If-Match": etag}])
        body = {"age": self.dice.randint(0, 9), "team_id": self.dice.choice([None, 1, 2, 3])}
        return await self.client.patch(path, json=body, headers=headers)

    async def api_delete(self) -> Page:
        noun, key = self.dice.choice([("heroes", str(self.hero())), ("teams", self.team())])
        return await self.client.delete(f"/api/{noun}/{key}")

    async def reveal(self) -> Page:
        return await self.client.post(f"/heroes/{self.hero()}/reveal/secret_name")

    async def form(self, path: str) -> Form | Page:
        page = await self.client.get(path)
        return page.form() if page.status_code == 200 else page

    async def confirmed(self, path: str, changes: dict[str, Value]) -> Page:
        form = await self.form(path)
        return form if isinstance(form, Page) else await self.client.submit(form, changes)

    async def filled_in(self, form: Form) -> Page:
        """Save a form with what it does not offer any more, as somebody may have chosen it."""
        values = {name: [str(value)] for name, value in self.values().items()}
        form.data.update(values)
        return await self.client.submit(form)


def operations_in(answer: Page) -> list[str]:
    """The id in the toast that an answer leaves for the next page."""
    flash = answer.cookies.get("flash")
    undo = json.loads(urlsafe_b64decode(flash.strip('"')))["undo"] if flash else ""
    return [undo] if undo else []


async def read(client: Client, seed: int, steps: int) -> Counter[tuple[str, int]]:
    dice = random.Random(seed)
    answers: Counter[tuple[str, int]] = Counter()
    for _ in range(steps):
        key = dice.randint(1, HEROES)
        path = dice.choice(
            [
                "/",
                "/heroes",
                "/heroes?sort=team_id&size=50",
                "/heroes?q=hero",
                "/heroes.csv",
                "/heroes.json",
                f"/heroes/{key}",
                f"/heroes/{key}/history",
                "/teams",
                f"/teams/{key % TEAMS}",
                "/history",
                "/api/heroes/",
                f"/api/teams/{key}/with-heroes",
            ]
        )
        answers[path, (await client.get(path)).status_code] += 1
    return answers


async def test_the_history_of_many_at_once_replayed_from_empty_gives_the_tables(
    app: Starlette, client: Client, settings: Settings, stored: Stored
) -> None:
    for number in range(1, TEAMS + 1):
        await client.post("/teams", data={"name": f"Team {number}"})
    for number in range(1, HEROES + 1):
        data = {"name": f"Hero {number}", "secret_name": "Nobody", "team_id": str(number % 3 + 1)}
        assert (await client.post("/heroes", data=data)).status_code == 303

    done: list[str] = []
    people = [client_of(app) for _ in range(WRITERS)]
    for person in people:
        await sign_in(person, settings, Role.EDITOR)
    writers = [Writer(person, seed, done) for seed, person in enumerate(people)]
    writing = [writer.work(STEPS) for writer in writers]
    reading = [read(person, seed, STEPS) for seed, person in enumerate(people, start=100)]
    seen, _ = await asyncio.gather(asyncio.gather(*reading), asyncio.gather(*writing))
    for person in people:
        await person.http.aclose()

    answers = sum((writer.answers for writer in writers), sum(seen, Counter()))
    assert not {key: count for key, count in answers.items() if key[1] not in ANSWERS}
    # It was no idle time, whatever their order.
    written = Counter(change.kind for change in await stored.all(Change))
    assert min(written[kind] for kind in (Kind.CREATED, Kind.CHANGED, Kind.DELETED)) > 10

    assert await replayed(stored, heroes, teams) == await tables(stored, heroes, teams)
    there = {team.id for team in await stored.all(Team)}
    assert {hero.team_id for hero in await stored.all(Hero)} <= {None, *there}
