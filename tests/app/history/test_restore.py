"""Restoring: a deleted record comes back with what pointed at it, and so does any state."""

import asyncio
from collections import Counter

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from hero_admin.audit_log.changes import Change, Kind
from hero_admin.model.resource import Resource
from hero_admin.testing import Client, Page
from tests.factories import a_hero, a_team, committed, some_heroes
from tests.gadgets import Gadget, Maker, Slot
from tests.replay import replayed, tables
from tests.stored import Stored
from webapp.heroes import Hero, heroes
from webapp.teams import Team, teams

NOVA = {"name": "Nova", "secret_name": "Cleo", "age": "17"}


def reason_of(page: Page) -> str:
    """The sentence of a page that says that something was not done."""
    (heading,) = page.find_all("h1")
    sentence = heading.tag.find_next("p")
    assert sentence is not None
    return sentence.get_text(strip=True)


async def latest(stored: Stored, kind: Kind, resource: str = "heroes") -> Change:
    return [
        change
        for change in await stored.all(Change)
        if (change.kind, change.resource) == (kind, resource)
    ][-1]


async def restore(client: Client, change: Change) -> Page:
    path = f"/{change.resource}/{change.key}/restore"
    return await client.post(path, data={"change": str(change.id)})


async def test_a_deleted_hero_is_restored_from_its_history(
    client: Client, session: AsyncSession, stored: Stored
) -> None:
    hero = await a_hero(session, "Nova", "Cleo", 17, await a_team(session))
    before = hero.model_dump()
    await client.post(f"/heroes/{hero.id}/delete")
    page = await client.get(f"/heroes/{hero.id}/history")
    restored = await client.submit(page.form(press="Restore"))
    assert (restored.status_code, restored.headers["location"]) == (303, f"/heroes/{hero.id}")
    page = await client.follow(restored)
    assert (page.heading, page.flash) == ("Nova", "Restored Nova")
    assert [found.model_dump() for found in await stored.all(Hero)] == [before]
    assert (await latest(stored, Kind.RESTORED)).via == "restore"


async def test_a_deleted_team_is_restored_with_its_heroes(
    client: Client, session: AsyncSession, stored: Stored
) -> None:
    team, other = await a_team(session), await a_team(session, "Z-Force")
    await some_heroes(session, 3, team)
    free = await a_hero(session, "Free")
    await client.post(f"/teams/{team.id}/delete", data={"heroes": str(other.id)})
    # One has found another team meanwhile, and one was renamed.
    await client.post("/heroes/1", data={"team_id": ""})
    await client.post("/heroes/2", data={"name": "Renamed"})
    page = await client.follow(await restore(client, await latest(stored, Kind.DELETED, "teams")))
    assert page.flash == ("Restored Preventers 1 related record was changed since, and kept as is.")
    by_name = {hero.name: hero.team_id for hero in await stored.all(Hero)}
    assert by_name == {
        "Hero 001": None,
        "Renamed": team.id,
        "Hero 003": team.id,
        free.name: None,
    }
    assert sorted(found.name for found in await stored.all(Team)) == ["Preventers", "Z-Force"]


async def test_of_several_deleted_teams_one_comes_back_with_its_own_heroes_alone(
    client: Client, session: AsyncSession, stored: Stored
) -> None:
    left, right = await a_team(session, "Left"), await a_team(session, "Right")
    await a_hero(session, "L", team=left)
    await a_hero(session, "R", team=right)
    await client.post("/teams/delete", data={"id": [str(left.id), str(right.id)]})
    deletion = next(change for change in await stored.all(Change) if change.title == "Left")
    await restore(client, deletion)
    assert {hero.name: hero.team_id for hero in await stored.all(Hero)} == {
        "L": left.id,
        "R": None,
    }


async def test_a_deleted_record_is_restored_to_any_state_it_ever_had(
    client: Client, stored: Stored
) -> None:
    await client.post("/heroes", data=NOVA)
    created = await latest(stored, Kind.CREATED)
    for age in ("18", "19"):
        await client.post("/heroes/1", data={"age": age})
    await client.post("/heroes/1/delete")
    assert (await restore(client, created)).status_code == 303
    assert [hero.age for hero in await stored.all(Hero)] == [17]
    await client.post("/heroes/1/delete")
    changed = await latest(stored, Kind.CHANGED)
    deleted = await latest(stored, Kind.DELETED)
    assert (await restore(client, changed)).status_code == 303
    assert (await restore(client, deleted)).status_code == 303
    assert [hero.age for hero in await stored.all(Hero)] == [17]
    assert await replayed(stored, heroes, teams) == await tables(stored, heroes, teams)


async def test_the_state_before_the_first_change_that_is_written_down_can_be_restored(
    client: Client, session: AsyncSession, stored: Stored
) -> None:
    hero = await a_hero(session, "Nova", "Cleo", 17)
    before = hero.model_dump()
    await client.post(f"/heroes/{hero.id}", data={"name": "Changed", "age": "18"})
    await client.post(f"/heroes/{hero.id}", data={"name": "Changed again"})
    page = await client.get(f"/heroes/{hero.id}/history")
    restored = await client.submit(page.form(press="Restore the version before this"))
    assert (await client.follow(restored)).flash == "Restored Nova"
    assert [found.model_dump() for found in await stored.all(Hero)] == [before]


async def test_restoring_the_present_state_changes_nothing_and_offers_no_undo(
    client: Client, stored: Stored
) -> None:
    await client.post("/heroes", data=NOVA)
    page = await client.follow(await restore(client, await latest(stored, Kind.CREATED)))
    assert page.flash == "Restored Nova"
    assert "/undo/" not in page.text
    assert await stored.count(Change) == 1


async def test_a_state_with_a_team_that_is_gone_is_refused_with_a_sentence(
    client: Client, stored: Stored
) -> None:
    await client.post("/teams", data={"name": "Preventers"})
    await client.post("/heroes", data={**NOVA, "team_id": "1"})
    created = await latest(stored, Kind.CREATED)
    await client.post("/teams/1/delete")
    refused = await restore(client, created)
    assert (refused.status_code, refused.heading) == (409, "Nothing was restored")
    assert "no longer exists" in reason_of(refused)
    assert [hero.team_id for hero in await stored.all(Hero)] == [None]
    await client.post("/heroes/1/delete")
    deleted = await latest(stored, Kind.DELETED)
    assert (await restore(client, deleted)).status_code == 303


async def test_a_name_that_was_taken_meanwhile_is_refused_with_a_sentence(
    client: Client, stored: Stored
) -> None:
    await client.post("/teams", data={"name": "Preventers"})
    await client.post("/teams/1/delete")
    await client.post("/teams", data={"name": "Preventers"})
    refused = await restore(client, await latest(stored, Kind.DELETED, "teams"))
    assert refused.status_code == 409
    assert reason_of(refused) == "Another team is called “Preventers”."
    assert await stored.count(Team) == 1


@pytest.mark.parametrize("change", ["", "x", "0", "-1", "2", "9" * 99, "1; --", "\0", "１"])
async def test_only_a_state_of_this_very_record_can_be_restored(
    client: Client, session: AsyncSession, stored: Stored, change: str
) -> None:
    for name in ("Nova", "Rusty"):
        await client.post("/heroes", data={**NOVA, "name": name})
    page = await client.post("/heroes/1/restore", data={"change": change})
    assert page.status_code == 404
    assert await stored.count(Change) == 2


async def test_what_was_only_looked_at_is_no_state(client: Client, stored: Stored) -> None:
    await client.post("/heroes", data=NOVA)
    await client.post("/heroes/1", data={"age": "18"})
    await client.post("/heroes/1/reveal/secret_name")
    page = await client.get("/heroes/1/history")
    actions = [tag.attribute("action") for tag in page.find_all("form")]
    assert actions.count("/heroes/1/restore") == 1
    await restore(client, await latest(stored, Kind.REVEALED))
    assert [hero.age for hero in await stored.all(Hero)] == [18]


async def test_of_several_people_who_restore_one_record_at_once_each_gets_an_answer(
    client: Client, stored: Stored
) -> None:
    await client.post("/heroes", data=NOVA)
    await client.post("/heroes/1/delete")
    deletion = await latest(stored, Kind.DELETED)
    answers = await asyncio.gather(*(restore(client, deletion) for _ in range(5)))
    counted = Counter(answer.status_code for answer in answers)
    assert counted[303] >= 1
    assert set(counted) <= {303, 409}
    assert await stored.count(Hero) == 1
    assert await replayed(stored, heroes, teams) == await tables(stored, heroes, teams)


# One change.


async def undo_change(client: Client, change: Change) -> Page:
    path = f"/{change.resource}/{change.key}/undo"
    return await client.post(path, data={"change": str(change.id)})


async def test_a_change_in_the_middle_is_undone_and_later_ones_stay(
    client: Client, stored: Stored
) -> None:
    await client.post("/heroes", data=NOVA)
    await client.post("/heroes/1", data={"age": "18", "name": "Wrong"})
    middle = await latest(stored, Kind.CHANGED)
    await client.post("/heroes/1", data={"secret_name": "Sam"})
    page = await client.get("/heroes/1/history")
    buttons = [tag.visible_text for tag in page.by_id("timeline").find_all("button")]
    assert buttons.count("Undo this change") == 2
    page = await client.follow(await undo_change(client, middle))
    assert (page.heading, page.flash) == ("Nova: history", "Restored Nova")
    (hero,) = await stored.all(Hero)
    assert (hero.name, hero.age, hero.secret_name) == ("Nova", 17, "Sam")
    # What it was before is one click away.
    await client.submit(page.undo)
    (hero,) = await stored.all(Hero)
    assert (hero.name, hero.age, hero.secret_name) == ("Wrong", 18, "Sam")
    assert await replayed(stored, heroes, teams) == await tables(stored, heroes, teams)


async def test_a_change_whose_field_was_changed_again_is_not_undone_over_that(
    client: Client, editor: Client, stored: Stored
) -> None:
    await client.post("/heroes", data=NOVA)
    await client.post("/heroes/1", data={"age": "18", "name": "Wrong"})
    first = await latest(stored, Kind.CHANGED)
    await editor.post("/heroes/1", data={"age": "19"})
    refused = await undo_change(client, first)
    assert (refused.status_code, refused.heading) == (409, "Nothing was undone")
    assert reason_of(refused) == (
        "Edward Editor changed the age again later. Undo that change first, or restore a version."
    )
    assert [(hero.name, hero.age) for hero in await stored.all(Hero)] == [("Wrong", 19)]
    assert (await undo_change(client, await latest(stored, Kind.CHANGED))).status_code == 303
    assert (await undo_change(client, first)).status_code == 303
    assert [(hero.name, hero.age) for hero in await stored.all(Hero)] == [("Nova", 17)]
    again = await undo_change(client, first)
    assert reason_of(again) == "The hero is already as it was before this change."


async def test_a_change_back_to_a_team_that_is_gone_or_of_a_deleted_hero_is_refused(
    client: Client, stored: Stored
) -> None:
    await client.post("/teams", data={"name": "Preventers"})
    await client.post("/heroes", data={**NOVA, "team_id": "1"})
    await client.post("/heroes/1", data={"team_id": ""})
    change = await latest(stored, Kind.CHANGED)
    await client.post("/teams/1/delete")
    refused = await undo_change(client, change)
    assert (refused.status_code, "team" in reason_of(refused)) == (409, True)
    await client.post("/heroes/1/delete")
    refused = await undo_change(client, change)
    assert reason_of(refused) == "This hero is deleted. Restore it first."


async def test_only_a_change_of_this_very_record_can_be_undone(
    client: Client, viewer: Client, stored: Stored
) -> None:
    for _ in range(2):
        await client.post("/heroes", data=NOVA)
    await client.post("/heroes/1", data={"age": "18"})
    created, change = await latest(stored, Kind.CREATED), await latest(stored, Kind.CHANGED)
    assert (await undo_change(viewer, change)).status_code == 403
    assert (await undo_change(client, created)).status_code == 404
    for path, id_ in (("/heroes/2/undo", str(change.id)), ("/heroes/1/undo", "x")):
        assert (await client.post(path, data={"change": id_})).status_code == 404
    assert [hero.age for hero in await stored.all(Hero)] == [18, 17]


# Any model.


async def test_a_deleted_maker_is_restored_with_what_went_along(
    gadgets: Client, session: AsyncSession, stored: Stored
) -> None:
    resources = (Resource(Gadget), Resource(Maker), Resource(Slot))
    await committed(session, Maker(code="a,b/ü %"))
    for title in ("Robot", "Rocket"):
        await committed(session, Gadget(title=title, maker_code="a,b/ü %", extra=[1.0, None]))
    await committed(session, Gadget(title="Teapot"))
    before = await tables(stored, *resources)
    (key,) = [key for name, key in before if name == "makers"]
    assert (await gadgets.post(f"/makers/{key}/delete")).status_code == 303
    assert await stored.count(Gadget) == 1
    kinds = [(change.kind, change.is_consequence) for change in await stored.all(Change)]
    assert kinds == [("deleted", True), ("deleted", True), ("deleted", False)]
    restored = await restore(gadgets, await latest(stored, Kind.DELETED, "makers"))
    assert restored.status_code == 303
    assert await tables(stored, *resources) == before


async def test_one_of_those_that_went_along_can_be_restored_once_its_maker_is_back(
    gadgets: Client, session: AsyncSession, stored: Stored
) -> None:
    await committed(session, Maker(code="acme"))
    await committed(session, Gadget(title="Robot", maker_code="acme"))
    await gadgets.post("/makers/acme/delete")
    robot = await latest(stored, Kind.DELETED, "gadgets")
    refused = await restore(gadgets, robot)
    assert refused.status_code == 409
    assert reason_of(refused) == "The maker code that “Robot” had no longer exists."
    await gadgets.post("/makers", data={"code": "acme"})
    assert (await restore(gadgets, robot)).status_code == 303
    assert [gadget.title for gadget in await stored.all(Gadget)] == ["Robot"]


async def test_a_slot_with_a_key_of_two_columns_is_restored(
    gadgets: Client, session: AsyncSession, stored: Stored
) -> None:
    robot = await committed(session, Gadget(title="Robot"))
    await committed(session, Slot(shelf="A, left", number=-1, gadget_id=robot.id))
    before = await tables(stored, Resource(Slot))
    (key,) = [key for _, key in before]
    await gadgets.post(f"/slots/{key}/delete")
    assert (await restore(gadgets, await latest(stored, Kind.DELETED, "slots"))).status_code == 303
    assert await tables(stored, Resource(Slot)) == before
