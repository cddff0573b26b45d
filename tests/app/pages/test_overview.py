"""The overview, and the theme that a visitor chooses."""

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from hero_admin.testing import Client, Page
from tests.cases import on_one_database
from tests.factories import a_hero, a_team, some_heroes


async def test_the_overview_counts_what_there_is(client: Client, session: AsyncSession) -> None:
    await some_heroes(session, 3, await a_team(session))
    page = await client.get("/")
    assert (page.title, page.heading) == ("Overview · Hero Admin", "Overview")
    assert page.by_id("heroes-title").visible_text == "Heroes 3"
    assert page.by_id("teams-title").visible_text == "Teams 1"


async def test_an_empty_database_has_an_overview_too(client: Client) -> None:
    page = await client.get("/")
    assert page.by_id("heroes-title").visible_text == "Heroes 0"


async def test_the_overview_leads_to_every_list(client: Client) -> None:
    page = await client.get("/")
    for name in ("heroes", "teams"):
        assert (await client.get(page.link(name.capitalize()))).heading.startswith(
            name.capitalize()
        )
        assert page.link(f"New {name.removesuffix('s').removesuffix('e')}") == f"/{name}/new"


async def test_the_overview_searches(client: Client, session: AsyncSession) -> None:
    await a_hero(session, "Nova")
    await a_hero(session, "Rusty")
    form = (await client.get("/")).form(name="/heroes")
    page = await client.submit(form, q="nova")
    assert page.column("Name") == ["Nova"]


@on_one_database
@pytest.mark.parametrize(
    ("address", "current"),
    [
        ("/", "Overview"),
        ("/heroes", "Heroes"),
        ("/teams/new", "Teams"),
        ("/history", "History"),
        ("/api/docs", "API"),
    ],
)
async def test_the_menu_marks_where_one_is(client: Client, address: str, current: str) -> None:
    menu = (await client.get(address)).by_id("menu")
    marked = [tag.visible_text for tag in menu.find_all("a", {"aria-current": "page"})]
    assert marked == [current]
    wanted = ["Overview", "Heroes", "Teams", "History", "Audit log", "People", "API"]
    assert menu.link_names == [*wanted, "Olive Owner Owner"]


@on_one_database
@pytest.mark.parametrize(("button", "theme"), [("Light", "light"), ("Dark", "dark")])
async def test_a_theme_is_chosen_and_remembered(client: Client, button: str, theme: str) -> None:
    assert theme_of(await client.get("/")) == ""
    page = await client.get("/heroes?sort=-age")
    back = await client.follow(await client.submit(page.form(press=button)))
    assert back.url == page.url
    assert theme_of(back) == theme_of(await client.get("/")) == theme
    assert pressed_in(back) == [button]


@on_one_database
async def test_the_theme_follows_the_system_again_when_chosen(client: Client) -> None:
    await client.submit((await client.get("/")).form(press="Dark"))
    chosen = await client.submit((await client.get("/")).form(press="System"))
    back = await client.follow(chosen)
    assert theme_of(back) == ""
    assert pressed_in(back) == ["System"]


@on_one_database
@pytest.mark.parametrize("back", ["https://evil.example", "//evil.example", "/\\evil.example", ""])
async def test_choosing_a_theme_leads_to_no_other_site(client: Client, back: str) -> None:
    chosen = await client.post("/theme", data={"theme": "dark", "back": back})
    assert (chosen.status_code, chosen.headers["location"]) == (303, "/")


@on_one_database
@pytest.mark.parametrize("theme", ["pink", '"><script>', "", "light; Path=/x"])
async def test_a_theme_that_is_none_is_ignored(client: Client, theme: str) -> None:
    chosen = await client.post("/theme", data={"theme": theme})
    assert chosen.status_code == 303
    client.cookies.set("theme", "pink")
    assert theme_of(await client.get("/")) == ""


def theme_of(page: Page) -> str:
    (root,) = page.find_all("html")
    return root.attribute("data-theme")


def pressed_in(page: Page) -> list[str]:
    buttons = page.find_all("button", {"name": "theme", "aria-pressed": "true"})
    return [button.attribute("aria-label") for button in buttons]
