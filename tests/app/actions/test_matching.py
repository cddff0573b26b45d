"""All that match a list, by its query and not by thousands of keys: edited, deleted, acted on."""

from sqlalchemy.ext.asyncio import AsyncSession

from hero_admin.audit_log.changes import Change
from hero_admin.testing import Client, htmx_headers
from tests.cases import on_one_database
from tests.factories import a_hero, some_heroes, some_teams
from tests.stored import Stored
from webapp.heroes import Hero

MATCHING = "q=hero&age_min=11"


async def test_a_list_of_several_pages_offers_all_that_match(
    client: Client, session: AsyncSession
) -> None:
    await some_heroes(session, 60)
    listed = await client.get(f"/heroes?{MATCHING}&size=25&count=1")
    form = listed.form(name="selection", press="Delete…")
    assert form.filled_in({"form.all": True})[-1] == ("form.all", MATCHING)
    assert listed.field("All 50 that match").name == "form.all"
    total = await client.get(f"/heroes?{MATCHING}&count=1", headers=htmx_headers("span#total"))
    assert total.find_all("hx-partial")[-1].visible_text == "50"
    assert "form.all" not in (await client.get("/heroes?age_min=50")).text


async def test_all_that_match_are_deleted_by_the_query(
    client: Client, session: AsyncSession, stored: Stored
) -> None:
    await some_heroes(session, 60)
    listed = await client.get(f"/heroes?{MATCHING}")
    form = listed.form(name="selection", press="Delete…")
    question = await client.submit(form, {"form.all": True})
    assert question.heading == "Delete 50 heroes?"
    assert "id" not in question.form()
    assert "form.id" not in question.form()
    # One more by now.
    await a_hero(session, "Hero 061", age=61)
    page = await client.follow(await client.submit(question.form()))
    assert page.flash == "Deleted 51 heroes 50 matched when you were asked."
    assert await stored.count(Hero) == 10
    await client.submit(page.form(press="Undo"))
    assert await stored.count(Hero) == 61


async def test_all_that_match_are_edited_by_the_query(
    client: Client, session: AsyncSession, stored: Stored
) -> None:
    await some_heroes(session, 60)
    listed = await client.get(f"/heroes?{MATCHING}")
    form = await client.submit(listed.form(press="Edit…"), {"form.all": True})
    assert form.heading == "Edit 50 heroes"
    answer = await client.submit(form.form(), {"form.set.age": True}, age="x")
    assert answer.error("Age") == "Enter a whole number."
    answer = await client.submit(answer.form(), age="7")
    page = await client.follow(answer)
    assert page.flash == "Changed 50 heroes"
    assert sum(hero.age == 7 for hero in await stored.all(Hero)) == 51
    assert len({change.operation for change in await stored.all(Change)}) == 1


async def test_an_action_is_done_to_all_that_match(
    client: Client, session: AsyncSession, stored: Stored
) -> None:
    await some_heroes(session, 60)
    (team,) = await some_teams(session, 1)
    listed = await client.get(f"/heroes?{MATCHING}")
    question = await client.submit(listed.form(press="Transfer…"), {"form.all": True})
    assert question.heading == "Transfer 50 heroes?"
    page = await client.follow(await client.submit(question.form(), team_id=str(team.id)))
    assert page.flash == "50 heroes transferred"
    assert sum(hero.team_id == team.id for hero in await stored.all(Hero)) == 50


async def test_the_heroes_of_a_team_are_all_that_match_its_list(
    client: Client, session: AsyncSession, stored: Stored
) -> None:
    first, second = await some_teams(session, 2)
    await some_heroes(session, 30, first)
    await some_heroes(session, 3, second)
    shown = await client.get(f"/teams/{first.id}")
    question = await client.submit(
        shown.form(name="selection", press="Delete…"), {"form.all": True}
    )
    await client.submit(question.form())
    assert {hero.team_id for hero in await stored.all(Hero)} == {second.id}


@on_one_database
async def test_a_query_that_is_none_is_refused(client: Client, session: AsyncSession) -> None:
    await some_heroes(session, 3)
    for query, status in (
        ("age_min%3Dold", 400),
        ("taem%3D3", 400),
        ("q%3D" + "x" * 10_001, 400),
        ("age_min%3D99", 404),
        ("", 200),
    ):
        for verb in ("change", "delete", "actions/transfer"):
            answer = await client.get(f"/heroes/{verb}?form.all={query}")
            assert answer.status_code == status, (verb, query)
