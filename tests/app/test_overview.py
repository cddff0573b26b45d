"""The overview, and the theme that a visitor chooses."""

import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from tests.factories import a_hero, a_team, some_heroes
from tests.html import (
    attribute,
    by_id,
    follow,
    form_of,
    heading_of,
    link,
    links_of,
    parsed,
    rows_of,
    submit,
    text_of,
    title_of,
)


async def test_the_overview_counts_what_there_is(
    client: httpx.AsyncClient, session: AsyncSession
) -> None:
    await some_heroes(session, 3, await a_team(session))
    page = await client.get("/")
    assert (title_of(page), heading_of(page)) == ("Overview · Hero Admin", "Overview")
    assert text_of(by_id(page, "heroes-title")) == "Heroes 3"
    assert text_of(by_id(page, "teams-title")) == "Teams 1"


async def test_an_empty_database_has_an_overview_too(client: httpx.AsyncClient) -> None:
    page = await client.get("/")
    assert text_of(by_id(page, "heroes-title")) == "Heroes 0"


async def test_the_overview_leads_to_every_list(client: httpx.AsyncClient) -> None:
    page = await client.get("/")
    for name in ("heroes", "teams"):
        assert heading_of(await client.get(link(page, name.capitalize()))).startswith(
            name.capitalize()
        )
        assert link(page, f"New {name.removesuffix('s').removesuffix('e')}") == f"/{name}/new"


async def test_the_overview_searches(client: httpx.AsyncClient, session: AsyncSession) -> None:
    await a_hero(session, "Nova")
    await a_hero(session, "Rusty")
    form = form_of(await client.get("/"), name="/heroes")
    page = await submit(client, form, q="nova")
    assert [row["Name"] for row in rows_of(page)] == ["Nova"]


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
async def test_the_menu_marks_where_one_is(
    client: httpx.AsyncClient, address: str, current: str
) -> None:
    menu = by_id(await client.get(address), "menu")
    marked = [text_of(tag) for tag in menu.find_all("a", attrs={"aria-current": "page"})]
    assert marked == [current]
    wanted = ["Overview", "Heroes", "Teams", "History", "People", "API"]
    assert [one.text for one in links_of(menu)] == [*wanted, "Olive Owner Owner"]


@pytest.mark.parametrize(("button", "theme"), [("Light", "light"), ("Dark", "dark")])
async def test_a_theme_is_chosen_and_remembered(
    client: httpx.AsyncClient, button: str, theme: str
) -> None:
    assert theme_of(await client.get("/")) == ""
    page = await client.get("/heroes?sort=-age")
    back = await follow(client, await submit(client, form_of(page, press=button)))
    assert back.url == page.url
    assert theme_of(back) == theme_of(await client.get("/")) == theme
    assert pressed_in(back) == [button]


async def test_the_theme_follows_the_system_again_when_chosen(client: httpx.AsyncClient) -> None:
    await submit(client, form_of(await client.get("/"), press="Dark"))
    chosen = await submit(client, form_of(await client.get("/"), press="System"))
    back = await follow(client, chosen)
    assert theme_of(back) == ""
    assert pressed_in(back) == ["System"]


@pytest.mark.parametrize("back", ["https://evil.example", "//evil.example", "/\\evil.example", ""])
async def test_choosing_a_theme_leads_to_no_other_site(
    client: httpx.AsyncClient, back: str
) -> None:
    chosen = await client.post("/theme", data={"theme": "dark", "back": back})
    assert (chosen.status_code, chosen.headers["location"]) == (303, "/")


@pytest.mark.parametrize("theme", ["pink", '"><script>', "", "light; Path=/x"])
async def test_a_theme_that_is_none_is_ignored(client: httpx.AsyncClient, theme: str) -> None:
    chosen = await client.post("/theme", data={"theme": theme})
    assert chosen.status_code == 303
    client.cookies.set("theme", "pink")
    assert theme_of(await client.get("/")) == ""


def theme_of(page: httpx.Response) -> str:
    (root,) = parsed(page).find_all("html")
    return attribute(root, "data-theme")


def pressed_in(page: httpx.Response) -> list[str]:
    buttons = parsed(page).find_all("button", attrs={"name": "theme", "aria-pressed": "true"})
    return [attribute(button, "aria-label") for button in buttons]
