"""Cloning: the form for a new record, filled in from another one."""

from sqlalchemy.ext.asyncio import AsyncSession
from starlette.applications import Starlette

from hero_admin.accounts.auth import limits_for
from hero_admin.person import Role
from hero_admin.settings import Settings
from hero_admin.testing import Client
from tests.factories import a_hero, a_team
from tests.gadgets import Gadget
from tests.serving import client_of
from tests.signing_in import sign_in_by
from tests.stored import Stored
from webapp.heroes import Hero


async def test_a_clone_has_the_values_of_the_other_record_but_what_is_masked(
    client: Client, session: AsyncSession, stored: Stored
) -> None:
    team = await a_team(session)
    hero = await a_hero(session, age=30, team=team)
    page = await client.get((await client.get(f"/heroes/{hero.id}")).link("Clone"))
    form = page.form(press="Create hero")
    assert form.values["name"] == "Deadpond"
    assert (form["age"], form["team_id"], form["secret_name"]) == ("30", str(team.id), "")
    assert "Copied from Deadpond. Nothing is saved yet. Not copied: Secret name." in (
        page.visible_text
    )
    assert "Dive Wilson" not in page.text
    assert await stored.count(Hero) == 1
    saved = await client.submit(form, name="Deadpool", secret_name="Wade")
    assert (saved.status_code, saved.headers["location"]) == (303, "/heroes")
    first, second = await stored.all(Hero)
    assert (first.name, first.secret_name) == ("Deadpond", "Dive Wilson")
    assert (second.name, second.secret_name) == ("Deadpool", "Wade")
    assert (second.age, second.team_id) == (30, team.id)


async def test_what_is_unique_is_left_for_the_person_to_enter(
    gadgets: Client, session: AsyncSession, stored: Stored
) -> None:
    given = {"title": "Compass", "count": "7", "serial": "0" * 32, "data": '{"a": 1}'}
    await gadgets.submit((await gadgets.get("/gadgets/new")).form(), given)
    (gadget,) = await stored.all(Gadget)
    page = await gadgets.get(f"/gadgets/{gadget.id}/clone")
    assert "Not copied: Serial." in page.visible_text
    form = page.form(press="Create gadget")
    assert (form["title"], form["count"], form["serial"]) == ("Compass", "7", "")
    await gadgets.submit(form)
    same = ("title", "count", "data", "condition", "price")
    one, other = await stored.all(Gadget)
    assert [getattr(one, name) for name in same] == [getattr(other, name) for name in same]
    assert {one.serial is None, other.serial is None} == {True, False}


async def test_a_record_that_is_gone_is_not_found(client: Client, session: AsyncSession) -> None:
    hero = await a_hero(session)
    await client.submit((await client.get(f"/heroes/{hero.id}/delete")).form(press="Delete hero"))
    gone = await client.get(f"/heroes/{hero.id}/clone")
    assert gone.status_code == 404
    assert (await client.get("/heroes/77/clone")).status_code == 404


async def test_only_those_who_may_create_can_clone(
    app: Starlette, client: Client, settings: Settings, session: AsyncSession
) -> None:
    hero = await a_hero(session)
    async with client_of(app) as viewer:
        await sign_in_by(app.state.database, viewer, Role.VIEWER, limits_for(settings))
        assert "Clone" not in (await viewer.get(f"/heroes/{hero.id}")).visible_text
        assert (await viewer.get(f"/heroes/{hero.id}/clone")).status_code == 403
