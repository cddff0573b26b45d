"""Undo: whatever was done is taken back with one click, if nobody has gone on from there."""

import asyncio
from collections import Counter

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from hero_admin.audit_log.changes import Change
from hero_admin.model.resource import Resource
from hero_admin.testing import Client, Page, htmx_headers
from tests.app.history.test_restore import reason_of
from tests.cases import each
from tests.factories import a_hero, a_team, committed, some_heroes
from tests.gadgets import Gadget, Maker, Slot
from tests.replay import replayed, tables
from tests.statements import Statements
from tests.stored import Stored
from webapp.heroes import Hero, heroes
from webapp.teams import Team, teams

NOVA = {"name": "Nova", "secret_name": "Cleo", "age": "17"}


async def undone(client: Client, answer: Page) -> Page:
    """Press Undo in the toast of the page that an answer leads to."""
    return await client.submit((await client.follow(answer)).undo)


# What is done to one record.


async def test_a_creation_is_undone(client: Client, stored: Stored) -> None:
    answer = await undone(client, await client.post("/heroes?back=/heroes/1", data=NOVA))
    # Its own page is gone.
    assert (answer.status_code, answer.headers["location"]) == (303, "/heroes")
    assert (await client.follow(answer)).flash == "Deleted Nova"
    assert await stored.count(Hero) == 0


async def test_an_edit_is_undone_where_it_was_made(
    client: Client, session: AsyncSession, stored: Stored
) -> None:
    team = await a_team(session)
    hero = await a_hero(session, "Nova", "Cleo", 17, team)
    before = hero.model_dump()
    path = f"/heroes/{hero.id}?back=/heroes%3Fsort%3D-age"
    saved = await client.post(path, data={"name": "Z", "age": "", "secret_name": "Sam"})
    page = await client.follow(await undone(client, saved))
    assert str(page.url).endswith("/heroes?sort=-age")
    assert page.marked_rows == ["Nova"]
    assert [found.model_dump() for found in await stored.all(Hero)] == [before]


async def test_a_deletion_is_undone_and_the_record_keeps_its_number(
    client: Client, session: AsyncSession, stored: Stored
) -> None:
    hero = await a_hero(session, "Nova", "Cleo", 17, await a_team(session))
    before = hero.model_dump()
    page = await client.follow(await undone(client, await client.post("/heroes/1/delete")))
    assert (page.flash, page.marked_rows) == ("Restored Nova", ["Nova"])
    assert [found.model_dump() for found in await stored.all(Hero)] == [before]


async def test_a_row_deleted_on_the_spot_is_undone_from_its_toast(
    client: Client, session: AsyncSession, stored: Stored
) -> None:
    await a_hero(session, "Nova")
    answer = await client.delete("/heroes/1", headers=htmx_headers("div#confirm"))
    assert (await client.submit(answer.undo)).status_code == 303
    assert await stored.count(Hero) == 1


async def test_the_deletion_of_a_team_is_undone_with_its_heroes(
    client: Client, session: AsyncSession, stored: Stored
) -> None:
    team, other = await a_team(session), await a_team(session, "Z-Force")
    await some_heroes(session, 3, team)
    for data in ({}, {"heroes": str(other.id)}):
        answer = await client.post(f"/teams/{team.id}/delete", data=data)
        page = await client.follow(await undone(client, answer))
        assert page.flash == "Restored Preventers"
        assert [hero.team_id for hero in await stored.all(Hero)] == [team.id] * 3
        assert await stored.count(Team) == 2


async def test_heroes_that_changed_since_are_left_alone_and_reported(
    client: Client, session: AsyncSession, stored: Stored
) -> None:
    team, other = await a_team(session), await a_team(session, "Z-Force")
    await some_heroes(session, 3, team)
    deleted = await client.follow(await client.post(f"/teams/{team.id}/delete"))
    await client.post("/heroes/1", data={"team_id": str(other.id)})
    await client.post("/heroes/2/delete")
    page = await client.follow(await client.submit(deleted.undo))
    left = "2 related records were changed since, and kept as is."
    assert page.flash == f"Restored Preventers {left}"
    assert [hero.team_id for hero in await stored.all(Hero)] == [other.id, team.id]


# What is done to many.


@pytest.mark.parametrize("action", ["delete", "change"])
async def test_what_was_done_to_many_is_undone_at_once(
    client: Client, session: AsyncSession, stored: Stored, action: str
) -> None:
    found = await some_heroes(session, 5, await a_team(session))
    before = await tables(stored, heroes)
    data = {"id": [str(hero.id) for hero in found], "form.set.age": "1", "age": "3"}
    answer = await client.post(f"/heroes/{action}?back=/heroes%3Fsize%3D50", data=data)
    assert await tables(stored, heroes) != before
    page = await client.follow(await undone(client, answer))
    # One of them was three years old already.
    assert page.flash == f"Restored {5 if action == 'delete' else 4} heroes"
    assert str(page.url).endswith("/heroes?size=50")
    assert await tables(stored, heroes) == before


async def test_changes_of_many_that_had_different_values_are_undone_for_each(
    client: Client, session: AsyncSession, stored: Stored
) -> None:
    team = await a_team(session)
    await some_heroes(session, 4)
    await a_hero(session, "Nova", age=7, team=team)
    before = await tables(stored, heroes)
    data = {
        "id": ["1", "2", "3", "5"],
        "form.set.age": "1",
        "age": "7",
        "form.set.team_id": "1",
        "team_id": "",
    }
    await undone(client, await client.post("/heroes/change", data=data))
    assert await tables(stored, heroes) == before


async def test_a_thousand_deleted_rows_come_back_in_a_few_statements(
    client: Client, session: AsyncSession, stored: Stored, statements: Statements
) -> None:
    found = await some_heroes(session, 1_000, await a_team(session))
    before = await tables(stored, heroes)
    answer = await client.post("/heroes/delete", data={"id": [str(hero.id) for hero in found]})
    page = await client.follow(answer)
    with statements() as executed:
        assert (await client.submit(page.undo)).status_code == 303
    assert await tables(stored, heroes) == before
    assert len(executed) < 30


async def test_a_team_with_more_heroes_than_fit_into_one_step_comes_back_whole(
    client: Client, session: AsyncSession, stored: Stored
) -> None:
    team = await a_team(session)
    await some_heroes(session, 2_100, team)
    answer = await client.post(f"/teams/{team.id}/delete")
    await undone(client, answer)
    assert {hero.team_id for hero in await stored.all(Hero)} == {team.id}
    assert await stored.count(Change) == 2 * 2_101


# Refusing.


async def test_a_record_that_somebody_has_changed_since_is_left_alone(
    client: Client, editor: Client, session: AsyncSession, stored: Stored
) -> None:
    hero = await a_hero(session, "Nova", age=17)
    path = f"/heroes/{hero.id}"
    pages = [await client.follow(await client.post(path, data={"age": "18"}))]
    await editor.post(path, data={"name": "Nova Prime"})
    for page in pages:
        refused = await client.submit(page.undo)
        assert (refused.status_code, refused.heading) == (409, "Nothing was undone")
        assert reason_of(refused) == "Edward Editor changed “Nova Prime” since then."
        assert refused.link("Go back") == "/heroes"
    (found,) = await stored.all(Hero)
    assert (found.name, found.age) == ("Nova Prime", 18)


async def test_a_creation_that_others_have_gone_on_from_is_left_alone(
    client: Client, session: AsyncSession, stored: Stored
) -> None:
    created = await client.follow(await client.post("/teams", data={"name": "Preventers"}))
    (team,) = await stored.all(Team)
    await some_heroes(session, 2, team)
    refused = await client.submit(created.undo)
    assert refused.status_code == 409
    assert reason_of(refused) == "2 other records point at “Preventers” now."
    assert await stored.count(Team) == 1
    for id_ in ("1", "2"):
        await client.post(f"/heroes/{id_}/delete")
    await client.post("/teams/1", data={"headquarters": "Tower"})
    refused = await client.submit(created.undo)
    assert reason_of(refused) == "Olive Owner changed “Preventers” since then."


async def test_should_one_of_many_have_changed_since_none_is_undone(
    client: Client, editor: Client, session: AsyncSession, stored: Stored
) -> None:
    await some_heroes(session, 3)
    data = {"id": ["1", "2", "3"], "form.set.age": "1", "age": "50"}
    page = await client.follow(await client.post("/heroes/change", data=data))
    await editor.post("/heroes/2", data={"age": "60"})
    refused = await client.submit(page.undo)
    assert refused.status_code == 409
    assert reason_of(refused) == "Edward Editor changed “Hero 002” since then."
    assert [hero.age for hero in await stored.all(Hero)] == [50, 60, 50]


async def test_a_change_past_the_history_is_not_overwritten(
    client: Client, session: AsyncSession, stored: Stored
) -> None:
    hero = await a_hero(session, "Nova", age=17)
    page = await client.follow(await client.post(f"/heroes/{hero.id}", data={"age": "18"}))
    hero.age = 19
    session.add(hero)
    await session.commit()
    refused = await client.submit(page.undo)
    assert reason_of(refused) == "The age of “Nova” has changed since."
    assert [found.age for found in await stored.all(Hero)] == [19]


async def test_a_second_press_is_refused_politely(
    client: Client, session: AsyncSession, stored: Stored
) -> None:
    await a_hero(session, "Nova", age=17)
    deleted = await client.follow(await client.post("/heroes/1/delete"))
    created = await client.follow(await client.post("/heroes", data={**NOVA, "name": "Rusty"}))
    for page, sentence in (
        (deleted, "“Nova” already exists."),
        (created, "“Rusty” no longer exists."),
    ):
        assert (await client.submit(page.undo)).status_code == 303
        refused = await client.submit(page.undo)
        assert (refused.status_code, reason_of(refused)) == (409, sentence)
    assert [hero.name for hero in await stored.all(Hero)] == ["Nova"]


async def test_an_undo_is_undone_and_that_again(
    client: Client, session: AsyncSession, stored: Stored
) -> None:
    team = await a_team(session)
    await some_heroes(session, 2, team)
    before = await tables(stored, heroes, teams)
    answer = await client.post(f"/teams/{team.id}/delete")
    after = await tables(stored, heroes, teams)
    for wanted in (before, after, before, after):
        answer = await undone(client, answer)
        assert answer.status_code == 303
        assert await tables(stored, heroes, teams) == wanted


async def test_a_creation_is_undone_and_that_too_and_both_once_more(
    client: Client, stored: Stored
) -> None:
    answer = await client.post("/heroes", data=NOVA)
    for count in (0, 1, 0, 1):
        answer = await undone(client, answer)
        assert await stored.count(Hero) == count
    assert await replayed(stored, heroes) == await tables(stored, heroes)


@each("operation", ["x", "0" * 32, "f" * 33, "%00", "%F0%9F%A6%B8", "x" * 5_000])
async def test_what_was_never_done_cannot_be_undone(client: Client, operation: str) -> None:
    assert (await client.post(f"/undo/{operation}")).status_code == 404


async def test_undoing_is_no_link(client: Client, stored: Stored) -> None:
    await client.post("/heroes", data=NOVA)
    (change,) = await stored.all(Change)
    for method in ("GET", "HEAD", "PUT", "DELETE"):
        answer = await client.request(method, f"/undo/{change.operation}")
        assert (answer.status_code, answer.headers["allow"]) == (405, "POST")
    assert await stored.count(Hero) == 1


async def test_nothing_is_offered_where_nothing_was_done(
    client: Client, session: AsyncSession
) -> None:
    await a_hero(session, "Nova", age=17)
    page = await client.follow(await client.post("/heroes/1", data={"age": "17"}))
    assert page.flash == "Saved Nova"
    assert "/undo/" not in page.text


@each("back", ["https://evil.example", "//evil.example", "/\\evil.example", ""])
async def test_undoing_leads_to_no_other_site(
    client: Client, session: AsyncSession, stored: Stored, back: str
) -> None:
    hero = await a_hero(session, "Nova")
    await client.post(f"/heroes/{hero.id}", data={"age": "18"})
    *_, change = await stored.all(Change)
    answer = await client.post(f"/undo/{change.operation}", data={"back": back})
    assert (answer.status_code, answer.headers["location"]) == (303, "/heroes")


async def test_of_several_people_who_undo_the_same_at_once_one_succeeds(
    client: Client, session: AsyncSession, stored: Stored
) -> None:
    await some_heroes(session, 10)
    ids = [str(number) for number in range(1, 11)]
    page = await client.follow(await client.post("/heroes/delete", data={"id": ids}))
    form = page.undo
    answers = await asyncio.gather(*(client.submit(form) for _ in range(5)))
    assert Counter(answer.status_code for answer in answers) == {303: 1, 409: 4}
    assert await stored.count(Hero) == 10


# Any model.


async def test_whatever_was_typed_into_fields_of_any_type_is_undone(
    gadgets: Client, session: AsyncSession, stored: Stored
) -> None:
    await committed(session, Maker(code="acme"))
    form = (await gadgets.get("/gadgets/new")).form()
    typed = {
        "title": "Robot",
        "note": "one\r\n\r\ntwo",
        "price": "1.5",
        "weight": "1e-320",
        "lasts": "3 days 04:30:00.5",
        "seen_at": "2026-11-23T14:30:00.123",
        "opens_at": "23:59:59.999",
        "data": '{"a": [1, 1.0, true, null, "\\u2028"]}',
        "extra": "[]",
        "maker_code": "acme",
    }
    created = await gadgets.follow(await gadgets.submit(form, typed))
    before = await tables(stored, Resource(Gadget))
    ((_, key),) = before
    changed = {
        "note": "",
        "price": "2",
        "weight": "",
        "lasts": "-1 day 00:00:01",
        "seen_at": "2026-11-24T00:00:00",
        "data": "{}",
        "extra": "",
        "maker_code": "",
        "serial": "123e4567-e89b-12d3-a456-426614174000",
    }
    saved = await gadgets.post(f"/gadgets/{key}", data=changed)
    assert saved.status_code == 303
    assert (await undone(gadgets, saved)).status_code == 303
    assert await tables(stored, Resource(Gadget)) == before
    deleted = await gadgets.post(f"/gadgets/{key}/delete")
    assert (await undone(gadgets, deleted)).status_code == 303
    assert await tables(stored, Resource(Gadget)) == before
    assert (await gadgets.submit(created.undo)).status_code == 409


async def test_what_went_along_with_its_maker_comes_back_and_goes_again(
    gadgets: Client, session: AsyncSession, stored: Stored
) -> None:
    await committed(session, Maker(code="acme"))
    for title in ("Robot", "Rocket"):
        await committed(session, Gadget(title=title, maker_code="acme"))
    page = await gadgets.follow(await gadgets.post("/makers/acme/delete"))
    for count, verb in ((2, "Restored"), (0, "Deleted"), (2, "Restored")):
        page = await gadgets.follow(await gadgets.submit(page.undo))
        assert page.flash == f"{verb} acme"
        assert await stored.count(Gadget) == count


async def test_what_was_changed_since_it_came_back_does_not_go_again(
    gadgets: Client, session: AsyncSession, stored: Stored
) -> None:
    await committed(session, Maker(code="acme"))
    robot = await committed(session, Gadget(title="Robot", maker_code="acme"))
    answer = await undone(gadgets, await gadgets.post("/makers/acme/delete"))
    page = await gadgets.follow(answer)
    await gadgets.post(f"/gadgets/{robot.id}", data={"title": "Rocket"})
    refused = await gadgets.submit(page.undo)
    assert refused.status_code == 409
    assert reason_of(refused) == "Olive Owner changed “Rocket” since then."
    assert (await stored.count(Maker), await stored.count(Gadget)) == (1, 1)


async def test_a_gadget_in_a_slot_by_now_stays(
    gadgets: Client, session: AsyncSession, stored: Stored
) -> None:
    page = await gadgets.follow(await gadgets.post("/gadgets", data={"title": "Robot"}))
    (robot,) = await stored.all(Gadget)
    await committed(session, Slot(shelf="A", number=1, gadget_id=robot.id))
    refused = await gadgets.submit(page.undo)
    assert reason_of(refused) == "Another record points at “Robot” now."
    assert await stored.count(Gadget) == 1


async def test_an_undo_is_shown_in_the_history(
    client: Client, editor: Client, stored: Stored
) -> None:
    created = await client.follow(await client.post("/heroes", data=NOVA))
    await editor.submit(created.undo)
    first, second = await stored.all(Change)
    assert (first.kind, first.via, first.by_name) == ("created", "page", "Olive Owner")
    assert (second.kind, second.via, second.by_name) == ("deleted", "undo", "Edward Editor")
    assert (await client.get("/heroes")).rows == []
    assert "undo" in (await client.get("/history")).tag.get_text()
