"""Deleting one record: what it does to others is said beforehand, and can be chosen."""

import asyncio
from collections.abc import Awaitable, Sequence

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from hero_admin.audit_log.changes import Change
from hero_admin.testing import BASE_URL, Client, Page, htmx_headers
from tests.cases import each
from tests.factories import a_hero, a_team, committed, some_heroes
from tests.gadgets import Gadget, Maker, Slot
from tests.replay import replayed, tables
from tests.stored import Stored
from webapp.heroes import Hero, heroes
from webapp.teams import Team, teams

DIALOG = htmx_headers("div#confirm")


def paragraphs_of(page: Page) -> list[str]:
    """What the question says before its last sentence, which is always the same."""
    *others, last = [tag.visible_text for tag in page.by_id("confirm").find_all("p")]
    assert last == "You can undo this afterwards."
    return others


# A record that nobody points at.


async def test_deleting_asks_first_and_changes_nothing(
    client: Client, session: AsyncSession, stored: Stored
) -> None:
    hero = await a_hero(session, "Nova")
    page = await client.get(f"/heroes/{hero.id}/delete")
    assert (page.status_code, page.heading) == (200, "Delete Nova?")
    assert page.title == "Delete Nova · Hero Admin"
    assert paragraphs_of(page) == []
    assert await stored.count(Hero) == 1


async def test_a_deleted_hero_is_gone_and_the_list_says_so(
    client: Client, session: AsyncSession, stored: Stored
) -> None:
    hero = await a_hero(session, "Nova")
    page = await client.get(f"/heroes/{hero.id}/delete")
    deleted = await client.submit(page.form(press="Delete hero"))
    assert (deleted.status_code, deleted.headers["location"]) == (303, "/heroes")
    assert (await client.follow(deleted)).flash == "Deleted Nova"
    assert await stored.count(Hero) == 0


async def test_deleting_leads_back_to_the_view_it_was_asked_for_in(
    client: Client, session: AsyncSession
) -> None:
    await a_hero(session, "Nova")
    await a_hero(session, "Nova Prime")
    listed = await client.get("/heroes?q=nova&sort=-name")
    asked = await client.get(listed.row("Nova").link("Delete Nova"))
    assert asked.link("Cancel") == "/heroes?q=nova&sort=-name"
    page = await client.follow(await client.submit(asked.form()))
    assert str(page.url).endswith("/heroes?q=nova&sort=-name")
    assert page.column("Name") == ["Nova Prime"]


@each("back", ["//evil.example", "https://evil.example", "/\\evil.example"])
async def test_the_way_back_never_leads_off_the_site(
    client: Client, session: AsyncSession, back: str
) -> None:
    hero = await a_hero(session)
    page = await client.get(f"/heroes/{hero.id}/delete", params={"back": back})
    assert page.link("Cancel") == f"/heroes/{hero.id}"
    assert (await client.submit(page.form())).headers["location"] == "/heroes"


async def test_a_hero_that_is_gone_already_is_not_found(
    client: Client, session: AsyncSession
) -> None:
    hero = await a_hero(session)
    path = f"/heroes/{hero.id}/delete"
    assert (await client.post(path)).status_code == 303
    for page in (await client.post(path), await client.get(path)):
        assert (page.status_code, page.heading) == (404, "Deadpond")
        assert "deleted this hero" in page.by_id("main").visible_text
    assert (await client.delete(f"/heroes/{hero.id}")).status_code == 404


# A team with heroes.


@pytest.mark.parametrize(
    ("count", "sentence"),
    [
        (1, "1 hero will have no team."),
        (217, "217 heroes will have no team."),
    ],
)
async def test_the_consequences_for_others_are_spelled_out_with_a_link_to_them(
    client: Client, session: AsyncSession, count: int, sentence: str
) -> None:
    team = await a_team(session)
    await some_heroes(session, count, team)
    page = await client.get(f"/teams/{team.id}/delete")
    (said,) = paragraphs_of(page)
    assert said.startswith(sentence)
    heroes = await client.get(page.link(sentence[: sentence.index(" will")]))
    assert len(heroes.rows) == min(count, 25)


async def test_heroes_of_a_deleted_team_stay_without_one(
    client: Client, session: AsyncSession, stored: Stored
) -> None:
    team = await a_team(session)
    await some_heroes(session, 3, team)
    page = await client.get(f"/teams/{team.id}/delete")
    deleted = await client.submit(page.form(press="Delete team"))
    assert (await client.follow(deleted)).flash == "Deleted Preventers"
    assert await stored.count(Team) == 0
    assert [hero.team_id for hero in await stored.all(Hero)] == [None, None, None]


async def test_heroes_of_a_deleted_team_can_be_moved_to_another_one(
    client: Client, session: AsyncSession, stored: Stored
) -> None:
    deleted_team, other = await a_team(session), await a_team(session, "Z-Force")
    await some_heroes(session, 3, deleted_team)
    free = await a_hero(session, "Free")
    page = await client.get(f"/teams/{deleted_team.id}/delete")
    choice = page.field("Move heroes to")
    assert choice.options == {"No team": "", "Z-Force": str(other.id)}
    await client.submit(page.form(), {choice.name: str(other.id)})
    assert [team.name for team in await stored.all(Team)] == ["Z-Force"]
    teams = {hero.name: hero.team_id for hero in await stored.all(Hero)}
    assert teams == dict.fromkeys(("Hero 001", "Hero 002", "Hero 003"), other.id) | {
        free.name: None
    }


@pytest.fixture
async def team(session: AsyncSession) -> Team:
    """A team with two heroes."""
    team = await a_team(session)
    await some_heroes(session, 2, team)
    return team


@each("replacement", ["deleted_team", "999", "-1", "abc", str(2**63), "9" * 99, "\0"])
async def test_heroes_cannot_be_moved_to_a_team_that_will_not_be_there(
    client: Client, team: Team, stored: Stored, replacement: str
) -> None:
    replacement = str(team.id) if replacement == "deleted_team" else replacement
    page = await client.post(f"/teams/{team.id}/delete", data={"heroes": replacement})
    assert (page.status_code, page.heading) == (409, "Delete Preventers?")
    assert page.alert.startswith("Choose a")
    assert await stored.count(Team) == 1
    assert [hero.team_id for hero in await stored.all(Hero)] == [team.id, team.id]


async def test_a_choice_for_heroes_that_are_not_there_does_no_harm(
    client: Client, session: AsyncSession, stored: Stored
) -> None:
    hero = await a_hero(session)
    assert (await client.post(f"/heroes/{hero.id}/delete", data={"heroes": "1"})).status_code == 303
    assert await stored.count(Hero) == 0


async def test_cancelling_leads_back_and_changes_nothing(
    client: Client, session: AsyncSession, stored: Stored
) -> None:
    team = await a_team(session)
    await some_heroes(session, 2, team)
    page = await client.get(f"/teams/{team.id}/delete?back=/teams%3Fsort%3D-name")
    assert (await client.get(page.link("Cancel"))).status_code == 200
    assert [hero.team_id for hero in await stored.all(Hero)] == [team.id, team.id]
    assert await stored.count(Change) == 0


@pytest.mark.parametrize("replacement", ["", "2"], ids=["left without", "moved"])
async def test_heroes_assigned_while_their_team_is_deleted_never_point_nowhere(
    client: Client, stored: Stored, replacement: str
) -> None:
    for name in ("RowsToDelete", "Other"):
        await client.post("/teams", data={"name": name})
    for number in range(12):
        team_id = "1" if number < 4 else ""
        data = {"name": f"Hero {number}", "secret_name": "Nobody", "team_id": team_id}
        await client.post("/heroes", data=data)

    def assigning(number: int) -> Awaitable[Page]:
        match number % 4:
            case 0:
                return client.post(f"/heroes/{number}", data={"team_id": "1"})
            case 1:
                return client.patch(f"/api/heroes/{number}", json={"team_id": 1})
            case 2:
                data = {"name": "New", "secret_name": "Nobody", "team_id": "1"}
                return client.post("/heroes", data=data)
        ids = [str(number), str(number + 1)]
        ticked = {"id": ids, "form.set.team_id": "1", "team_id": "1"}
        return client.post("/heroes/change", data=ticked)

    deleting = client.post("/teams/1/delete", data={"heroes": replacement})
    before, after = (range(1, 6), range(6, 12))
    answers = await asyncio.gather(
        *map(assigning, before), deleting, *map(assigning, after), return_exceptions=False
    )
    deleted = answers.pop(len(before))
    assert deleted.status_code == 303
    assert {answer.status_code for answer in answers} <= {200, 303, 422}
    assert [team.name for team in await stored.all(Team)] == ["Other"]
    there = {None} if replacement == "" else {None, 2}
    assert {hero.team_id for hero in await stored.all(Hero)} <= there
    assert await replayed(stored, heroes, teams) == await tables(stored, heroes, teams)
    # Whoever came too late is told so beside the field.
    late = await client.post("/heroes/12", data={"team_id": "1"})
    assert late.error("Team") == "This team no longer exists. Choose another one."


async def test_deleting_records_the_consequence_for_each_hero(
    client: Client, session: AsyncSession, stored: Stored
) -> None:
    deleted_team, other = await a_team(session), await a_team(session, "Z-Force")
    await some_heroes(session, 2, deleted_team)
    await client.post(f"/teams/{deleted_team.id}/delete", data={"heroes": str(other.id)})
    written = await stored.all(Change)
    assert len({change.operation for change in written}) == 1
    moved = {"team_id": (str(deleted_team.id), str(other.id))}
    assert [(change.title, change.kind, change.is_consequence) for change in written] == [
        ("Hero 001", "changed", True),
        ("Hero 002", "changed", True),
        ("Preventers", "deleted", False),
    ]
    assert [change.values for change in written[:2]] == [moved, moved]


async def test_two_teams_deleted_at_once_for_each_other_leave_no_hero_behind(
    client: Client, stored: Stored
) -> None:
    for name in ("Left", "Right"):
        await client.post("/teams", data={"name": name})
    for number in range(6):
        data = {"name": "Nova", "secret_name": "Cleo", "team_id": str(number % 2 + 1)}
        await client.post("/heroes", data=data)
    answers = await asyncio.gather(
        client.post("/teams/1/delete", data={"heroes": "2"}),
        client.post("/teams/2/delete", data={"heroes": "1"}),
    )
    assert sorted(answer.status_code for answer in answers) == [303, 409]
    (left,) = await stored.all(Team)
    assert {hero.team_id for hero in await stored.all(Hero)} == {left.id}
    assert await replayed(stored, heroes, teams) == await tables(stored, heroes, teams)


# htmx.


async def test_the_dialog_gets_only_the_question(client: Client, session: AsyncSession) -> None:
    team = await a_team(session)
    await some_heroes(session, 2, team)
    answer = await client.get(f"/teams/{team.id}/delete?in=list", headers=DIALOG)
    assert tops_of(answer) == [("div", "confirm")]
    assert answer.heading == "Delete Preventers?"
    assert len(paragraphs_of(answer)) == 1


async def test_a_row_is_deleted_on_the_spot_with_a_toast_and_the_list_is_shown_anew(
    client: Client, session: AsyncSession, stored: Stored
) -> None:
    hero = await a_hero(session, "Nova")
    listed = await client.get("/heroes")
    dialog = await client.get(listed.row("Nova").link("Delete Nova"), headers=DIALOG)
    assert dialog.form().attribute("hx-delete") == f"/heroes/{hero.id}"
    answer = await client.delete(f"/heroes/{hero.id}", headers=DIALOG)
    assert (answer.status_code, answer.headers["hx-trigger"]) == (200, "listchanged")
    (partial,) = answer.find_all("hx-partial")
    assert partial.attribute("hx-target") == "#toasts"
    assert partial.visible_text.startswith("Deleted Nova")
    assert partial.undo.url.startswith(f"{BASE_URL}undo/")
    assert "location" not in answer.headers
    assert "hx-redirect" not in answer.headers
    assert await stored.count(Hero) == 0


async def test_the_list_listens_for_what_a_deletion_triggers(client: Client) -> None:
    listing = (await client.get("/heroes?sort=-age")).by_id("list")
    assert listing.attribute("hx-trigger") == "listchanged from:body"
    assert listing.attribute("hx-get") == "/heroes?sort=-age"


async def test_a_row_is_deleted_on_the_spot_with_its_heroes_moved(
    client: Client, session: AsyncSession, stored: Stored
) -> None:
    deleted_team, other = await a_team(session), await a_team(session, "Z-Force")
    await some_heroes(session, 2, deleted_team)
    url = f"/teams/{deleted_team.id}?heroes={other.id}"
    assert (await client.delete(url, headers=DIALOG)).status_code == 200
    assert [hero.team_id for hero in await stored.all(Hero)] == [other.id, other.id]


async def test_a_row_that_cannot_be_deleted_says_why_in_the_dialog(
    client: Client, session: AsyncSession, stored: Stored
) -> None:
    team = await a_team(session)
    await some_heroes(session, 2, team)
    answer = await client.delete(f"/teams/{team.id}?heroes=999", headers=DIALOG)
    assert answer.status_code == 409
    assert tops_of(answer) == [("div", "confirm")]
    assert answer.alert == "Choose another team for the heroes."
    assert await stored.count(Team) == 1


async def test_a_plain_program_that_deletes_is_sent_to_the_list(
    client: Client, session: AsyncSession, stored: Stored
) -> None:
    hero = await a_hero(session)
    answer = await client.delete(f"/heroes/{hero.id}")
    assert (answer.status_code, answer.headers["location"]) == (303, "/heroes")
    assert await stored.count(Hero) == 0


def tops_of(answer: Page) -> list[tuple[str, str]]:
    return [(part.tag.name, part.attribute("id")) for part in answer.children]


# Any model.


async def robots(session: AsyncSession, *titles: str, maker: str | None = None) -> Sequence[Gadget]:
    return [await committed(session, Gadget(title=title, maker_code=maker)) for title in titles]


async def test_records_that_go_along_are_counted_and_deleted(
    gadgets: Client, session: AsyncSession, stored: Stored
) -> None:
    await committed(session, Maker(code="acme"))
    await robots(session, "Robot", "Rocket", maker="acme")
    await robots(session, "Teapot")
    page = await gadgets.get("/makers/acme/delete")
    assert paragraphs_of(page) == ["2 gadgets will be deleted too."]
    assert len((await gadgets.get(page.link("2 gadgets"))).rows) == 2
    assert (await gadgets.submit(page.form())).status_code == 303
    assert [gadget.title for gadget in await stored.all(Gadget)] == ["Teapot"]


async def test_records_that_cannot_be_without_it_keep_a_record_from_being_deleted(
    gadgets: Client, session: AsyncSession, stored: Stored
) -> None:
    robot, rocket = await robots(session, "Robot", "Rocket")
    await committed(session, Slot(shelf="A", number=1, gadget_id=robot.id))
    page = await gadgets.get(f"/gadgets/{robot.id}/delete")
    assert paragraphs_of(page) == ["1 slot needs another gadget."]
    choice = page.field("Move slots to")
    assert choice.options == {"Choose…": "", "Rocket": str(rocket.id)}
    refused = await gadgets.submit(page.form())
    assert refused.status_code == 409
    assert refused.alert == "Other records need it, so it wasn't deleted."
    assert await stored.count(Gadget) == 2


async def test_records_that_cannot_be_without_it_can_be_given_another_one(
    gadgets: Client, session: AsyncSession, stored: Stored
) -> None:
    robot, rocket = await robots(session, "Robot", "Rocket")
    await committed(session, Slot(shelf="A", number=1, gadget_id=robot.id))
    page = await gadgets.get(f"/gadgets/{robot.id}/delete")
    await gadgets.submit(page.form(), slots=str(rocket.id))
    assert [slot.gadget_id for slot in await stored.all(Slot)] == [rocket.id]
    assert [gadget.title for gadget in await stored.all(Gadget)] == ["Rocket"]


async def test_records_further_along_keep_everything_from_being_deleted(
    gadgets: Client, session: AsyncSession, stored: Stored
) -> None:
    await committed(session, Maker(code="acme"))
    (robot,) = await robots(session, "Robot", maker="acme")
    await committed(session, Slot(shelf="A", number=1, gadget_id=robot.id))
    refused = await gadgets.post("/makers/acme/delete")
    assert refused.status_code == 409
    assert refused.alert == "Other records need it, so it wasn't deleted."
    assert (await stored.count(Maker), await stored.count(Gadget)) == (1, 1)


async def test_a_record_with_a_key_of_two_columns_can_be_deleted(
    gadgets: Client, session: AsyncSession, stored: Stored
) -> None:
    (robot,) = await robots(session, "Robot")
    for number in (1, 2):
        await committed(session, Slot(shelf="A, left", number=number, gadget_id=robot.id))
    listed = await gadgets.get("/slots?sort=number")
    question = await gadgets.get(links_to_delete(listed)[0])
    assert (await gadgets.submit(question.form())).status_code == 303
    assert [slot.number for slot in await stored.all(Slot)] == [2]


def links_to_delete(page: Page) -> list[str]:
    return [one.href for one in page.links if one.text.startswith("Delete ")]
