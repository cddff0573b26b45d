"""Deleting several selected records: all of them or none."""

import asyncio
from collections import Counter

from sqlalchemy.ext.asyncio import AsyncSession

from hero_admin.testing import Client, Form, Page, htmx_headers
from tests.factories import a_team, committed, some_heroes, some_teams
from tests.gadgets import Gadget, Maker, Slot
from tests.stored import Stored
from webapp.heroes import Hero
from webapp.teams import Team

DIALOG = htmx_headers("div#confirm")


async def asked(client: Client, path: str, *ids: object) -> Page:
    return await client.get(f"{path}/delete", params={"id": [str(id) for id in ids]})


def names_in(page: Page) -> list[str]:
    return [tag.visible_text for tag in page.by_id("confirm").find_all("li")]


async def test_selected_rows_are_deleted_after_a_question_that_names_them(
    client: Client, session: AsyncSession, stored: Stored
) -> None:
    heroes = await some_heroes(session, 4)
    listed = await client.get("/heroes")
    form = listed.form(name="selection", press="Delete…")
    question = await client.submit(ticked(form, heroes[0].id, heroes[2].id))
    assert question.heading == "Delete 2 heroes?"
    assert question.title == "Delete 2 heroes · Hero Admin"
    assert names_in(question) == ["Hero 001", "Hero 003"]
    assert await stored.count(Hero) == 4
    page = await client.follow(await client.submit(question.form(press="Delete 2 heroes")))
    assert page.flash == "Deleted 2 heroes"
    assert page.column("Name") == ["Hero 002", "Hero 004"]


async def test_deleting_selected_rows_leads_back_to_the_same_view(
    client: Client, session: AsyncSession
) -> None:
    heroes = await some_heroes(session, 3)
    listed = await client.get("/heroes?q=hero&sort=-age")
    question = await client.submit(
        ticked(listed.form(name="selection", press="Delete…"), heroes[2].id)
    )
    assert question.link("Cancel") == "/heroes?q=hero&sort=-age"
    page = await client.follow(await client.submit(question.form()))
    assert str(page.url).endswith("/heroes?q=hero&sort=-age")
    assert page.column("Name") == ["Hero 002", "Hero 001"]


async def test_one_selected_row_is_called_by_its_name(
    client: Client, session: AsyncSession
) -> None:
    heroes = await some_heroes(session, 2)
    question = await asked(client, "/heroes", heroes[0].id)
    assert question.heading == "Delete Hero 001?"
    page = await client.follow(await client.submit(question.form()))
    assert page.flash == "Deleted Hero 001"


async def test_of_many_selected_rows_the_first_are_named_and_the_others_counted(
    client: Client, session: AsyncSession, stored: Stored
) -> None:
    heroes = await some_heroes(session, 100)
    question = await asked(client, "/heroes", *(hero.id for hero in heroes))
    assert question.heading == "Delete 100 heroes?"
    assert names_in(question) == [hero.name for hero in heroes[:20]] + ["and 80 more"]
    assert (await client.submit(question.form())).status_code == 303
    assert await stored.count(Hero) == 0


async def test_a_row_selected_twice_counts_once(
    client: Client, session: AsyncSession, stored: Stored
) -> None:
    heroes = await some_heroes(session, 2)
    ids = [str(heroes[0].id)] * 2
    assert (await client.post("/heroes/delete", data={"id": ids})).status_code == 303
    assert [hero.name for hero in await stored.all(Hero)] == ["Hero 002"]


async def test_should_one_be_gone_meanwhile_nothing_is_deleted(
    client: Client, session: AsyncSession, stored: Stored
) -> None:
    heroes = await some_heroes(session, 4)
    question = await asked(client, "/heroes", *(hero.id for hero in heroes[:3]))
    await client.post(f"/heroes/{heroes[1].id}/delete")
    refused = await client.submit(question.form())
    assert refused.status_code == 409
    assert refused.alert == "1 of these heroes no longer exists; nothing was done."
    assert [hero.name for hero in await stored.all(Hero)] == ["Hero 001", "Hero 003", "Hero 004"]
    # The question is asked again about those that are left.
    assert names_in(refused) == ["Hero 001", "Hero 003"]
    assert (await client.submit(refused.form())).status_code == 303
    assert [hero.name for hero in await stored.all(Hero)] == ["Hero 004"]


async def test_selected_rows_that_are_all_gone_are_not_found(
    client: Client, session: AsyncSession
) -> None:
    heroes = await some_heroes(session, 2)
    question = await asked(client, "/heroes", *(hero.id for hero in heroes))
    assert (await client.submit(question.form())).status_code == 303
    assert (await client.submit(question.form())).status_code == 404


async def test_of_two_people_who_delete_overlapping_rows_at_once_one_succeeds(
    client: Client, session: AsyncSession, stored: Stored
) -> None:
    heroes = await some_heroes(session, 5)
    left = [str(hero.id) for hero in heroes[:3]]
    right = [str(hero.id) for hero in reversed(heroes[2:])]
    answers = await asyncio.gather(
        *(client.post("/heroes/delete", data={"id": ids}) for ids in (left, right))
    )
    assert Counter(answer.status_code for answer in answers) == {303: 1, 409: 1}
    assert await stored.count(Hero) == 2


async def test_with_nothing_selected_the_list_says_what_to_do(client: Client) -> None:
    for act in ("delete", "change"):
        page = await client.get(f"/heroes/{act}?back=/heroes%3Fage_min%3D3")
        assert page.headers["Location"] == "/heroes?age_min=3"
        assert (await client.follow(page)).flash == "Select some heroes first."
        refused = await client.post(f"/heroes/{act}")
        assert refused.status_code == 400
        assert "Select some heroes first." in refused.visible_text


async def test_a_thousand_rows_can_be_deleted_at_once_and_more_cannot(
    client: Client, session: AsyncSession, stored: Stored
) -> None:
    heroes = await some_heroes(session, 1001)
    ids = [str(hero.id) for hero in heroes]
    refused = await client.post("/heroes/delete", data={"id": ids})
    assert refused.status_code == 400
    assert "Select at most 1,000 heroes at once." in refused.visible_text
    assert (await client.post("/heroes/delete", data={"id": ids[:1000]})).status_code == 303
    assert await stored.count(Hero) == 1


async def test_the_dialog_gets_only_the_question(client: Client, session: AsyncSession) -> None:
    heroes = await some_heroes(session, 2)
    params = {"id": [str(hero.id) for hero in heroes]}
    answer = await client.get("/heroes/delete", params=params, headers=DIALOG)
    (top,) = answer.children
    assert (top.attribute("id"), answer.heading) == ("confirm", "Delete 2 heroes?")
    # Sent by the browser itself: the next page is the list.
    assert answer.form().url.endswith("/heroes/delete")


# Teams with heroes.


async def test_the_consequences_are_summed_up_for_all_selected_teams(
    client: Client, session: AsyncSession, stored: Stored
) -> None:
    teams = await some_teams(session, 3)
    await some_heroes(session, 2, teams[0])
    await some_heroes(session, 3, teams[1])
    question = await asked(client, "/teams", teams[0].id, teams[1].id)
    said = question.by_id("confirm").visible_text
    assert "5 heroes will have no team" in said
    choice = question.field("Move heroes to")
    assert choice.options == {"No team": "", "Team 003": str(teams[2].id)}
    await client.submit(question.form(), {choice.name: str(teams[2].id)})
    assert {hero.team_id for hero in await stored.all(Hero)} == {teams[2].id}
    assert [team.name for team in await stored.all(Team)] == ["Team 003"]


async def test_heroes_cannot_be_moved_to_one_of_the_selected_teams(
    client: Client, session: AsyncSession, stored: Stored
) -> None:
    teams = await some_teams(session, 2)
    await some_heroes(session, 2, teams[0])
    data = {"id": [str(team.id) for team in teams], "heroes": str(teams[1].id)}
    refused = await client.post("/teams/delete", data=data)
    assert refused.status_code == 409
    assert refused.alert == "Choose another team for the heroes."
    assert await stored.count(Team) == 2


# Any model.


async def test_one_record_that_others_need_keeps_all_selected_ones(
    gadgets: Client, session: AsyncSession, stored: Stored
) -> None:
    robot = await committed(session, Gadget(title="Robot"))
    rocket = await committed(session, Gadget(title="Rocket"))
    await committed(session, Slot(shelf="A", number=1, gadget_id=robot.id))
    data = {"id": [str(robot.id), str(rocket.id)]}
    refused = await gadgets.post("/gadgets/delete", data=data)
    assert refused.status_code == 409
    assert refused.alert == "Other records need one of them, so nothing was deleted."
    assert await stored.count(Gadget) == 2


async def test_records_with_keys_of_any_kind_can_be_selected(
    gadgets: Client, session: AsyncSession, stored: Stored
) -> None:
    robot = await committed(session, Gadget(title="Robot"))
    for number in (1, 2, 3):
        await committed(session, Slot(shelf="A, left", number=number, gadget_id=robot.id))
        await committed(session, Maker(code=f"{number} & new"))
    for path, model in (("/slots", Slot), ("/makers", Maker)):
        page = await gadgets.get(path)
        form = page.form(name="selection", press="Delete…")
        question = await gadgets.submit(ticked(form, *boxes_in(page)[:2]))
        assert (await gadgets.submit(question.form())).status_code == 303
        assert await stored.count(model) == 1


async def test_selected_records_take_along_what_belongs_to_them(
    gadgets: Client, session: AsyncSession, stored: Stored
) -> None:
    for code in ("acme", "wayne"):
        await committed(session, Maker(code=code))
        await committed(session, Gadget(title=code, maker_code=code))
    question = await asked(gadgets, "/makers", "acme", "wayne")
    assert "2 gadgets will be deleted too." in question.by_id("confirm").visible_text
    # There is no one page that shows the gadgets of several makers.
    assert "2 gadgets" not in question.link_names
    assert (await gadgets.submit(question.form())).status_code == 303
    assert await stored.count(Gadget) == await stored.count(Maker) == 0


async def test_one_selected_team_is_spoken_of_as_one(client: Client, session: AsyncSession) -> None:
    team = await a_team(session)
    await some_heroes(session, 1, team)
    question = await asked(client, "/teams", team.id)
    assert question.heading == f"Delete {team.name}?"
    assert "1 hero will have no team." in question.by_id("confirm").visible_text


def ticked(form: Form, *ids: object) -> Form:
    """The form with the boxes of these rows ticked."""
    form.data["id"] = [str(id) for id in ids]
    return form


def boxes_in(page: Page) -> list[str]:
    return [
        tag.attribute("value") for tag in page.find_all("input", form="selection", type="checkbox")
    ]
