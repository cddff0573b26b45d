"""The checks of the test kit: what they find, and that they do not pass where they saw nothing."""

import pytest
from sqlalchemy import text
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.routing import Mount, Route

from hero_admin import Admin
from hero_admin.testing import (
    AdminClient,
    check_accessibility,
    check_no_script,
    check_round_trips,
    client_on,
)
from tests.cases import on_one_database
from webapp.heroes import Hero
from webapp.teams import Team


@pytest.fixture
async def owner(admin: AdminClient) -> AdminClient:
    """An owner at an Admin of two teams and two heroes."""
    await admin.sign_in(role="owner")
    team = Team(name="Z-Force")
    await admin.add(team, Team(name="Preventers", headquarters="Sharp Tower"))
    await admin.add(
        Hero(name="Nova", secret_name="Anna", age=28, team_id=team.id),
        Hero(name="Vega", secret_name="Bob"),
    )
    return admin


async def test_heroes_and_teams_pass_all_checks(owner: AdminClient) -> None:
    tried = await check_round_trips(owner)
    assert (tried.saved, tried.sent, tried.deleted) == (4, 4, 4)
    assert tried.changed >= 5
    walk = await check_no_script(owner)
    assert len(walk.addresses) > 50
    assert {
        "/heroes/*/delete Delete hero",
        "/sign-out Sign out",
        "/heroes Create hero",
    } <= walk.forms


@on_one_database
async def test_axe_finds_nothing_on_any_page(owner: AdminClient) -> None:
    paths = await check_accessibility(owner)
    assert {"/", "/heroes", "/heroes/1/edit", "/people", "/api/docs"} <= set(paths)


@on_one_database
async def test_an_empty_database_passes_no_check(admin: AdminClient) -> None:
    await admin.sign_in()
    with pytest.raises(AssertionError, match="The database is empty"):
        await check_round_trips(admin)
    await admin.add(Hero(name="Nova", secret_name="Anna"))
    with pytest.raises(AssertionError, match=r"The list of teams has no record .* without="):
        await check_round_trips(admin)
    assert (await check_round_trips(admin, without=["teams"])).saved == 1


async def test_a_byte_that_differs_is_found(owner: AdminClient) -> None:
    async with owner.session(is_read_only=False) as session:
        await session.execute(text(TRIGGERS[session.get_bind().dialect.name]))
        await session.commit()
    with pytest.raises(
        AssertionError, match=r"changed .*, and undone: hero had .*28.*, and has .*30"
    ):
        await check_round_trips(owner)


# Another program that changes a hero whenever a team is changed.
TRIGGERS = {
    "sqlite": """
        CREATE TRIGGER meddle AFTER UPDATE ON team BEGIN UPDATE hero SET age = age + 1; END
    """,
    "postgresql": """
        DO $do$ BEGIN
            CREATE FUNCTION meddle() RETURNS trigger LANGUAGE plpgsql AS
                'BEGIN UPDATE hero SET age = age + 1; RETURN NULL; END';
            CREATE TRIGGER meddle AFTER UPDATE ON team EXECUTE FUNCTION meddle();
        END $do$
    """,
}


@on_one_database
async def test_dead_links_broken_forms_and_what_axe_sees_are_found(
    admin_app: Admin, admin_database: str
) -> None:
    pages = {
        "/dead": "<a href='/admin/nowhere'>Nowhere</a>",
        "/form": "<form method=post action='/admin/heroes/x'><button>Send</button></form>",
        "/fine": "",
    }
    shown = {path: f"<main><p>{html}<a href='/admin/fine'>A</a>" for path, html in pages.items()}

    async def page(request: Request) -> HTMLResponse:
        return HTMLResponse(shown["/" + str(request.url).rpartition("/")[2]])

    app = Starlette(
        routes=[Mount("/admin", Starlette(routes=[Route(path, page) for path in pages]))]
    )
    faults = {"/dead": "nowhere, linked in /admin/dead: 404", "/form": "“Send” on .*: 404"}
    for path, fault in faults.items():
        start = f"/admin{path}"
        async with client_on(admin_app, admin_database, app=app, start=start) as client:
            with pytest.raises(AssertionError, match=fault):
                await check_no_script(client)
            with pytest.raises(AssertionError, match=rf"{start} \(390 px, dark\): html-has-lang"):
                await check_accessibility(client, [""])
