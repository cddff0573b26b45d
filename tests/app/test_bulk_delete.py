"""Deleting several selected records: all of them or none."""

import asyncio
from collections import Counter

import httpx
from sqlalchemy.ext.asyncio import AsyncSession

from tests.factories import a_team, committed, some_heroes, some_teams
from tests.gadgets import Gadget, Maker, Slot
from tests.html import (
    Form,
    alert_of,
    attribute,
    by_id,
    field_of,
    flash_of,
    follow,
    form_of,
    heading_of,
    htmx_headers,
    link,
    links_of,
    parsed,
    rows_of,
    submit,
    text_of,
    title_of,
)
from tests.stored import Stored
from webapp.heroes import Hero
from webapp.teams import Team

DIALOG = htmx_headers("div#confirm")


async def asked(client: httpx.AsyncClient, path: str, *ids: object) -> httpx.Response:
    return await client.get(f"{path}/delete", params={"id": [str(id) for id in ids]})


def names_in(page: httpx.Response) -> list[str]:
    return [text_of(tag) for tag in by_id(page, "confirm").find_all("li")]


async def test_selected_rows_are_deleted_after_a_question_that_names_them(
    client: httpx.AsyncClient, session: AsyncSession, stored: Stored
) -> None:
    heroes = await some_heroes(session, 4)
    listed = await client.get("/heroes")
    form = form_of(listed, name="selection", press="Delete…")
    question = await submit(client, ticked(form, heroes[0].id, heroes[2].id))
    assert heading_of(question) == "Delete 2 heroes?"
    assert title_of(question) == "Delete 2 heroes · Hero Admin"
    assert names_in(question) == ["Hero 001", "Hero 003"]
    assert await stored.count(Hero) == 4
    page = await follow(client, await submit(client, form_of(question, press="Delete 2 heroes")))
    assert flash_of(page) == "Deleted 2 heroes"
    assert [row["Name"] for row in rows_of(page)] == ["Hero 002", "Hero 004"]


async def test_deleting_selected_rows_leads_back_to_the_same_view(
    client: httpx.AsyncClient, session: AsyncSession
) -> None:
    heroes = await some_heroes(session, 3)
    listed = await client.get("/heroes?q=hero&sort=-age")
    question = await submit(
        client, ticked(form_of(listed, name="selection", press="Delete…"), heroes[2].id)
    )
    assert link(question, "Cancel") == "/heroes?q=hero&sort=-age"
    page = await follow(client, await submit(client, form_of(question)))
    assert str(page.url).endswith("/heroes?q=hero&sort=-age")
    assert [row["Name"] for row in rows_of(page)] == ["Hero 002", "Hero 001"]


async def test_one_selected_row_is_called_by_its_name(
    client: httpx.AsyncClient, session: AsyncSession
) -> None:
    heroes = await some_heroes(session, 2)
    question = await asked(client, "/heroes", heroes[0].id)
    assert heading_of(question) == "Delete Hero 001?"
    page = await follow(client, await submit(client, form_of(question)))
    assert flash_of(page) == "Deleted Hero 001"


async def test_of_many_selected_rows_the_first_are_named_and_the_others_counted(
    client: httpx.AsyncClient, session: AsyncSession, stored: Stored
) -> None:
    heroes = await some_heroes(session, 100)
    question = await asked(client, "/heroes", *(hero.id for hero in heroes))
    assert heading_of(question) == "Delete 100 heroes?"
    assert names_in(question) == [hero.name for hero in heroes[:20]] + ["and 80 more"]
    assert (await submit(client, form_of(question))).status_code == 303
    assert await stored.count(Hero) == 0


async def test_a_row_selected_twice_counts_once(
    client: httpx.AsyncClient, session: AsyncSession, stored: Stored
) -> None:
    heroes = await some_heroes(session, 2)
    ids = [str(heroes[0].id)] * 2
    assert (await client.post("/heroes/delete", data={"id": ids})).status_code == 303
    assert [hero.name for hero in await stored.all(Hero)] == ["Hero 002"]


async def test_should_one_be_gone_meanwhile_nothing_is_deleted(
    client: httpx.AsyncClient, session: AsyncSession, stored: Stored
) -> None:
    heroes = await some_heroes(session, 4)
    question = await asked(client, "/heroes", *(hero.id for hero in heroes[:3]))
    await client.post(f"/heroes/{heroes[1].id}/delete")
    refused = await submit(client, form_of(question))
    assert refused.status_code == 409
    assert alert_of(refused) == "1 of these heroes no longer exists; nothing was done."
    assert [hero.name for hero in await stored.all(Hero)] == ["Hero 001", "Hero 003", "Hero 004"]
    # The question is asked again about those that are left.
    assert names_in(refused) == ["Hero 001", "Hero 003"]
    assert (await submit(client, form_of(refused))).status_code == 303
    assert [hero.name for hero in await stored.all(Hero)] == ["Hero 004"]


async def test_selected_rows_that_are_all_gone_are_not_found(
    client: httpx.AsyncClient, session: AsyncSession
) -> None:
    heroes = await some_heroes(session, 2)
    question = await asked(client, "/heroes", *(hero.id for hero in heroes))
    assert (await submit(client, form_of(question))).status_code == 303
    assert (await submit(client, form_of(question))).status_code == 404


async def test_of_two_people_who_delete_overlapping_rows_at_once_one_succeeds(
    client: httpx.AsyncClient, session: AsyncSession, stored: Stored
) -> None:
    heroes = await some_heroes(session, 5)
    left = [str(hero.id) for hero in heroes[:3]]
    right = [str(hero.id) for hero in reversed(heroes[2:])]
    answers = await asyncio.gather(
        *(client.post("/heroes/delete", data={"id": ids}) for ids in (left, right))
    )
    assert Counter(answer.status_code for answer in answers) == {303: 1, 409: 1}
    assert await stored.count(Hero) == 2


async def test_with_nothing_selected_the_list_says_what_to_do(client: httpx.AsyncClient) -> None:
    for act in ("delete", "change"):
        page = await client.get(f"/heroes/{act}?back=/heroes%3Fage_min%3D3")
        assert page.headers["Location"] == "/heroes?age_min=3"
        assert flash_of(await follow(client, page)) == "Select some heroes first."
        refused = await client.post(f"/heroes/{act}")
        assert refused.status_code == 400
        assert "Select some heroes first." in text_of(parsed(refused))


async def test_a_thousand_rows_can_be_deleted_at_once_and_more_cannot(
    client: httpx.AsyncClient, session: AsyncSession, stored: Stored
) -> None:
    heroes = await some_heroes(session, 1001)
    ids = [str(hero.id) for hero in heroes]
    refused = await client.post("/heroes/delete", data={"id": ids})
    assert refused.status_code == 400
    assert "Select at most 1,000 heroes at once." in text_of(parsed(refused))
    assert (await client.post("/heroes/delete", data={"id": ids[:1000]})).status_code == 303
    assert await stored.count(Hero) == 1


async def test_the_dialog_gets_only_the_question(
    client: httpx.AsyncClient, session: AsyncSession
) -> None:
    heroes = await some_heroes(session, 2)
    params = {"id": [str(hero.id) for hero in heroes]}
    answer = await client.get("/heroes/delete", params=params, headers=DIALOG)
    (top,) = parsed(answer).find_all(True, recursive=False)
    assert (attribute(top, "id"), heading_of(answer)) == ("confirm", "Delete 2 heroes?")
    # Sent by the browser itself: the next page is the list.
    assert form_of(answer).url.endswith("/heroes/delete")


# Teams with heroes.


async def test_the_consequences_are_summed_up_for_all_selected_teams(
    client: httpx.AsyncClient, session: AsyncSession, stored: Stored
) -> None:
    teams = await some_teams(session, 3)
    await some_heroes(session, 2, teams[0])
    await some_heroes(session, 3, teams[1])
    question = await asked(client, "/teams", teams[0].id, teams[1].id)
    said = text_of(by_id(question, "confirm"))
    assert "5 heroes belong to one of these teams and will have no team" in said
    choice = field_of(question, "Move heroes to")
    assert choice.options == {"No team": "", "Team 003": str(teams[2].id)}
    await submit(client, form_of(question), {choice.name: str(teams[2].id)})
    assert {hero.team_id for hero in await stored.all(Hero)} == {teams[2].id}
    assert [team.name for team in await stored.all(Team)] == ["Team 003"]


async def test_heroes_cannot_be_moved_to_one_of_the_selected_teams(
    client: httpx.AsyncClient, session: AsyncSession, stored: Stored
) -> None:
    teams = await some_teams(session, 2)
    await some_heroes(session, 2, teams[0])
    data = {"id": [str(team.id) for team in teams], "heroes": str(teams[1].id)}
    refused = await client.post("/teams/delete", data=data)
    assert refused.status_code == 409
    assert alert_of(refused) == "Choose another team for the heroes."
    assert await stored.count(Team) == 2


# Any model.


async def test_one_record_that_others_need_keeps_all_selected_ones(
    gadgets: httpx.AsyncClient, session: AsyncSession, stored: Stored
) -> None:
    robot = await committed(session, Gadget(title="Robot"))
    rocket = await committed(session, Gadget(title="Rocket"))
    await committed(session, Slot(shelf="A", number=1, gadget_id=robot.id))
    data = {"id": [str(robot.id), str(rocket.id)]}
    refused = await gadgets.post("/gadgets/delete", data=data)
    assert refused.status_code == 409
    assert alert_of(refused) == "Other records need one of them, so nothing was deleted."
    assert await stored.count(Gadget) == 2


async def test_records_with_keys_of_any_kind_can_be_selected(
    gadgets: httpx.AsyncClient, session: AsyncSession, stored: Stored
) -> None:
    robot = await committed(session, Gadget(title="Robot"))
    for number in (1, 2, 3):
        await committed(session, Slot(shelf="A, left", number=number, gadget_id=robot.id))
        await committed(session, Maker(code=f"{number} & new"))
    for path, model in (("/slots", Slot), ("/makers", Maker)):
        form = form_of(await gadgets.get(path), name="selection", press="Delete…")
        question = await submit(gadgets, ticked(form, *boxes_in(form)[:2]))
        assert (await submit(gadgets, form_of(question))).status_code == 303
        assert await stored.count(model) == 1


async def test_selected_records_take_along_what_belongs_to_them(
    gadgets: httpx.AsyncClient, session: AsyncSession, stored: Stored
) -> None:
    for code in ("acme", "wayne"):
        await committed(session, Maker(code=code))
        await committed(session, Gadget(title=code, maker_code=code))
    question = await asked(gadgets, "/makers", "acme", "wayne")
    assert "2 gadgets will be deleted too." in text_of(by_id(question, "confirm"))
    # There is no one page that shows the gadgets of several makers.
    assert "2 gadgets" not in [one.text for one in links_of(question)]
    assert (await submit(gadgets, form_of(question))).status_code == 303
    assert await stored.count(Gadget) == await stored.count(Maker) == 0


async def test_one_selected_team_is_spoken_of_as_one(
    client: httpx.AsyncClient, session: AsyncSession
) -> None:
    team = await a_team(session)
    await some_heroes(session, 1, team)
    question = await asked(client, "/teams", team.id)
    assert "1 hero belongs to this team" in text_of(by_id(question, "confirm"))


def ticked(form: Form, *ids: object) -> Form:
    """The form with the boxes of these rows ticked."""
    form.data["id"] = [str(id) for id in ids]
    return form


def boxes_in(form: Form) -> list[str]:
    page = list(form.tag.parents)[-1]
    return [
        attribute(tag, "value")
        for tag in page.find_all("input", attrs={"form": "selection", "type": "checkbox"})
    ]
