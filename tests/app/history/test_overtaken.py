"""What was done to a record before one's own turn: nothing comes of it unasked."""

import asyncio

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from hero_admin.audit_log.changes import Change, Kind
from hero_admin.forms.hidden_fields import SEEN, SET
from hero_admin.testing import Client, Page
from tests.app.writes.test_concurrent_edits import opened
from tests.cases import each
from tests.factories import a_hero, a_team
from tests.replay import replayed
from tests.stored import Stored
from webapp.heroes import Hero, heroes
from webapp.teams import Team, teams

RESTORE = "Restore with these values"


# Deleted meanwhile.


async def deleted_meanwhile(client: Client, editor: Client, hero: Hero, **typed: str) -> Page:
    mine = await opened(client, f"/heroes/{hero.id}")
    await editor.submit(await opened(editor, f"/heroes/{hero.id}"), name="Nova Prime")
    await editor.post(f"/heroes/{hero.id}/delete")
    return await client.submit(mine, typed)


async def test_saving_what_was_deleted_meanwhile_says_so_and_brings_nothing_back(
    client: Client, editor: Client, session: AsyncSession, stored: Stored
) -> None:
    hero = await a_hero(session, "Nova", "Cleo", 17)
    page = await deleted_meanwhile(client, editor, hero, age="18")
    assert page.status_code == 409
    assert "Edward Editor deleted this hero while you were editing." in page.alert
    assert page.field("Age").value == "18"
    assert "Cleo" not in page.text
    assert (await client.get(page.link("Cancel"))).status_code == 200
    assert await stored.count(Hero) == 0


async def test_it_is_brought_back_with_my_values_when_i_ask_for_it(
    client: Client, editor: Client, session: AsyncSession, stored: Stored
) -> None:
    team = await a_team(session)
    hero = await a_hero(session, "Nova", "Cleo", 17, team)
    page = await deleted_meanwhile(client, editor, hero, age="18")
    # What the other one had changed before stands in the form as well.
    assert page.field("Name").value == "Nova Prime"
    restored = await client.submit(page.form(press=RESTORE))
    assert restored.status_code == 303
    assert (await client.follow(restored)).flash == "Restored Nova Prime"
    (found,) = await stored.all(Hero)
    assert found.model_dump() == {
        "id": hero.id,
        "name": "Nova Prime",
        "secret_name": "Cleo",
        "age": 18,
        "team_id": team.id,
        "retired_on": None,
        "retirement_note": None,
    }
    latest = (await stored.all(Change))[-1]
    assert (latest.kind, latest.via, latest.by_name) == (Kind.RESTORED, "restore", "Olive Owner")


async def test_enter_asks_once_more_and_what_is_invalid_is_said_before_it_is_brought_back(
    client: Client, editor: Client, session: AsyncSession, stored: Stored
) -> None:
    hero = await a_hero(session, "Nova", "Cleo", 17)
    page = await deleted_meanwhile(client, editor, hero, age="old")
    page = await client.submit(page.form())
    assert (page.status_code, page.field("Age").value) == (409, "old")
    refused = await client.submit(page.form(press=RESTORE))
    assert (refused.status_code, refused.error("Age")) == (422, "Enter a whole number.")
    assert await stored.count(Hero) == 0
    assert (await client.submit(refused.form(press=RESTORE), age="18")).status_code == 303
    assert [found.age for found in await stored.all(Hero)] == [18]


async def test_what_was_brought_back_by_another_meanwhile_is_edited_as_ever(
    client: Client, editor: Client, session: AsyncSession, stored: Stored
) -> None:
    hero = await a_hero(session, "Nova", "Cleo", 17)
    form = (await deleted_meanwhile(client, editor, hero, age="18")).form(press=RESTORE)
    answers = [await client.submit(form) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [303, 303]
    assert [found.age for found in await stored.all(Hero)] == [18]


async def test_a_team_gone_meanwhile_is_said_beside_its_field_when_a_hero_is_brought_back(
    client: Client, editor: Client, session: AsyncSession, stored: Stored
) -> None:
    team = await a_team(session)
    hero = await a_hero(session, "Nova", age=17, team=team)
    page = await deleted_meanwhile(client, editor, hero, age="18")
    await editor.post(f"/teams/{team.id}/delete")
    refused = await client.submit(page.form(press=RESTORE))
    assert refused.status_code == 422
    assert refused.error("Team") == "This team no longer exists. Choose another one."
    assert (await client.submit(refused.form(press=RESTORE), team_id="")).status_code == 303
    assert [found.team_id for found in await stored.all(Hero)] == [None]


async def test_what_was_typed_about_a_hero_deleted_past_the_history_is_kept(
    client: Client, session: AsyncSession
) -> None:
    hero = await a_hero(session, "Nova")
    mine = await opened(client, f"/heroes/{hero.id}")
    await session.delete(hero)
    await session.commit()
    page = await client.submit(mine, age="18")
    assert (page.status_code, page.field("Age").value) == (422, "18")
    assert "This hero has been deleted meanwhile." in page.alert


# The API.


async def test_a_program_changes_only_what_it_has_read(
    client: Client, editor: Client, session: AsyncSession, stored: Stored
) -> None:
    hero = await a_hero(session, "Nova", age=17)
    path = f"/api/heroes/{hero.id}"
    etag = (await client.get(path)).headers["etag"]
    changed = await editor.patch(path, json={"age": 18}, headers={"If-Match": etag})
    assert changed.status_code == 200
    for method in ("PATCH", "DELETE"):
        refused = await client.request(method, path, json={"age": 19}, headers={"If-Match": etag})
        assert refused.status_code == 412
        assert refused.json()["detail"] == (
            "Someone else has changed this hero. Read it again first."
        )
    assert [found.age for found in await stored.all(Hero)] == [18]
    fresh = changed.headers["etag"]
    assert (await client.get(path)).headers["etag"] == fresh
    deleted = await client.delete(path, headers={"If-Match": f'"other", {fresh}'})
    assert deleted.status_code == 204


@each("header", ["*", 'W/"{}"', '"x", "{}"', '"{}"'])
async def test_a_program_may_name_the_version_in_every_way(
    client: Client, session: AsyncSession, header: str
) -> None:
    hero = await a_hero(session, age=17)
    path = f"/api/heroes/{hero.id}"
    etag = (await client.get(path)).headers["etag"].strip('"')
    named = header.format(etag)
    assert (await client.get(path, headers={"If-None-Match": named})).status_code == 304
    changed = await client.patch(path, json={"age": 18}, headers={"If-Match": named})
    assert changed.status_code == 200
    if header != "*":
        assert (await client.get(path, headers={"If-None-Match": named})).status_code == 200


@each("header", ["", "x", '"', "W/", ",", "\xff", '"' * 5_000])
async def test_a_broken_version_matches_nothing(
    client: Client, session: AsyncSession, header: str
) -> None:
    path = f"/api/heroes/{(await a_hero(session)).id}"
    headers = {b"If-Match": header.encode("latin-1")}
    assert (await client.patch(path, json={"age": 1}, headers=headers)).status_code == 412
    headers = {b"If-None-Match": header.encode("latin-1")}
    assert (await client.get(path, headers=headers)).status_code == 200


async def test_the_version_of_a_record_is_the_same_however_it_was_written(gadgets: Client) -> None:
    body = {"title": "Robot", "price": "1.5", "weight": 0.1, "data": {"a": 1.0}, "lasts": 90}
    made = await gadgets.post("/api/gadgets/", json=body)
    assert made.status_code == 201
    path = f"/api/gadgets/{made.json()['id']}"
    assert (await gadgets.get(path)).headers["etag"] == made.headers["etag"]
    changed = await gadgets.patch(path, json={"price": "2.0"})
    assert (await gadgets.get(path)).headers["etag"] == changed.headers["etag"]
    assert changed.headers["etag"] != made.headers["etag"]


async def test_a_page_and_a_program_do_not_overwrite_each_other(
    client: Client, session: AsyncSession, stored: Stored
) -> None:
    hero = await a_hero(session, "Nova", age=17)
    mine = await opened(client, f"/heroes/{hero.id}")
    await client.patch(f"/api/heroes/{hero.id}", json={"age": 18})
    assert (await client.submit(mine, age="19")).status_code == 409
    assert (await client.submit(mine, name="Nova Prime")).status_code == 303
    (found,) = await stored.all(Hero)
    assert (found.name, found.age) == ("Nova Prime", 18)


async def test_of_twenty_parallel_changes_by_the_api_none_is_lost(
    client: Client, stored: Stored
) -> None:
    made = await client.post("/api/heroes/", json={"name": "Nova", "secret_name": "Cleo"})
    path = f"/api/heroes/{made.json()['id']}"

    async def grow() -> None:
        """Add a year, reading again for as long as somebody else was quicker."""
        for _ in range(100):
            read = await client.get(path)
            age = (read.json()["age"] or 0) + 1
            headers = {"If-Match": read.headers["etag"]}
            answer = await client.patch(path, json={"age": age}, headers=headers)
            if answer.status_code == 200:
                return
            # Or too many waited: that is no promise, and asking again is right.
            assert answer.status_code in {412, 503}
        raise AssertionError("somebody else was always quicker")

    await asyncio.gather(*(grow() for _ in range(20)))
    assert [found.age for found in await stored.all(Hero)] == [20]
    ages = [change.values["age"][1] for change in await stored.all(Change)]
    assert ages == [None, *(str(age) for age in range(1, 21))]
    assert await replayed(stored, heroes, teams)


# Several records.

CHANGE: dict[str, str | bool] = {SET + "age": True, "age": "50"}
many = pytest.mark.parametrize(("action", "typed"), [("delete", {}), ("change", CHANGE)])


@many
async def test_what_is_done_to_many_is_asked_again_when_one_of_them_was_changed(
    client: Client,
    editor: Client,
    session: AsyncSession,
    stored: Stored,
    action: str,
    typed: dict[str, str | bool],
) -> None:
    heroes = [await a_hero(session, name, age=17) for name in ("Nova", "Rusty", "Deadpond")]
    ids = [str(hero.id) for hero in heroes[:2]]
    question = await client.get(f"/heroes/{action}", params={"id": ids})
    await editor.submit(await opened(editor, f"/heroes/{ids[0]}"), age="18")
    asked = await client.submit(question.form(), typed)
    assert asked.status_code == 409
    assert "Someone else has changed one of these records. Check again." in asked.alert
    assert sorted(found.age or 0 for found in await stored.all(Hero)) == [17, 17, 18]
    if action == "change":
        assert asked.form().values.items() >= {"age": "50", SET + "age": "1"}.items()
    assert (await client.submit(asked.form())).status_code == 303
    ages = sorted(found.age or 0 for found in await stored.all(Hero))
    assert ages == ([17, 50, 50] if action == "change" else [17])


@many
async def test_what_is_done_to_many_goes_on_with_those_that_are_left(
    client: Client,
    editor: Client,
    session: AsyncSession,
    stored: Stored,
    action: str,
    typed: dict[str, str | bool],
) -> None:
    heroes = [await a_hero(session, name) for name in ("Nova", "Rusty", "Deadpond")]
    ids = [str(hero.id) for hero in heroes]
    question = await client.get(f"/heroes/{action}", params={"id": ids})
    await editor.post(f"/heroes/{ids[0]}/delete")
    asked = await client.submit(question.form(), typed)
    assert asked.status_code == 409
    assert "1 of these heroes no longer exists; nothing was done." in asked.alert
    assert (await client.submit(asked.form())).status_code == 303
    ages = [found.age for found in await stored.all(Hero)]
    assert ages == ([50, 50] if action == "change" else [])


async def test_a_question_about_one_that_was_changed_is_asked_again(
    client: Client, editor: Client, session: AsyncSession, stored: Stored
) -> None:
    team = await a_team(session)
    question = await client.get(f"/teams/{team.id}/delete")
    await editor.post(f"/teams/{team.id}", data={"name": "Z-Force"})
    asked = await client.submit(question.form())
    assert (asked.status_code, asked.heading) == (409, "Delete Z-Force?")
    assert await stored.count(Team) == 1


@each("seen", ["x", "-1", "9" * 99, "\ud7ff", " "])
async def test_a_forged_count_asks_again_and_breaks_nothing(
    client: Client, session: AsyncSession, seen: str
) -> None:
    hero = await a_hero(session)
    page = await client.post(f"/heroes/{hero.id}/delete", data={SEEN: seen})
    assert page.status_code == 409
