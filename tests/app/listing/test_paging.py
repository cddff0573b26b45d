"""Paging: page after page shows every row once and in order, whatever happens in between."""

from collections.abc import Callable

import pytest
from sqlalchemy import delete
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from hero_admin.testing import Client, Page
from tests.cases import each
from tests.factories import a_team, some_heroes
from tests.sorting import sort_key_of
from tests.stored import Stored
from webapp.heroes import Hero
from webapp.teams import Team

PAGES = ("First page", "Previous page", "Next page", "Last page")


@pytest.fixture
async def heroes(session: AsyncSession) -> list[Hero]:
    """Heroes that a sort can trip over: of the same name, the same age, no age, no team."""
    teams = [await a_team(session, name) for name in ("Zeta", "alpha", "Ómega")]
    names = ("Nova", "nova", "Ümit", "Nova", "🦸", "Deadpond")
    ages = (None, 7, 7, 150_000, 0, None, 7)
    heroes = [
        Hero(
            name=names[number % 6],
            secret_name="Nobody",
            age=ages[number % 7],
            team_id=None if number % 4 == 3 else teams[number % 4].id,
        )
        for number in range(31)
    ]
    session.add_all(heroes)
    await session.commit()
    return heroes


SORTS: dict[str, Callable[[Hero, dict[int | None, str]], object]] = {
    "name": lambda hero, _: hero.name,
    "age": lambda hero, _: hero.age,
    "team_id": lambda hero, teams: teams.get(hero.team_id),
    "id": lambda hero, _: hero.id,
}


@each("sort", [sign + name for name in SORTS for sign in ("", "-")])
async def test_paging_forwards_and_backwards_equals_the_plain_sort(
    client: Client, session: AsyncSession, heroes: list[Hero], stored: Stored, sort: str
) -> None:
    teams = {team.id: team.name for team in await stored.all(Team)}
    wanted = _sorted(heroes, teams, sort, sort_key_of(session.get_bind().dialect.name))
    for size in (5, 31):
        address = f"/heroes?sort={sort}&size={size}"
        forwards = await _page_through(client, address, "Next page")
        assert [key for page in forwards for key in page] == wanted
        backwards = await _page_through(client, f"{address}&before=end", "Previous page")
        assert [key for page in reversed(backwards) for key in page] == wanted


@each("sort", ["name", "-age", "team_id", "-id"])
async def test_previous_brings_back_the_page_before(
    client: Client, heroes: list[Hero], sort: str
) -> None:
    first = await client.get(f"/heroes?sort={sort}&size=5")
    second = await client.get(first.link("Next page"))
    third = await client.get(second.link("Next page"))
    back = await client.get(third.link("Previous page"))
    assert _keys(back) == _keys(second)
    assert _keys(await client.get(back.link("Previous page"))) == _keys(first)
    assert _keys(await client.get(third.link("First page"))) == _keys(first)


async def test_the_last_page_is_one_click_away(client: Client, heroes: list[Hero]) -> None:
    page = await client.get((await client.get("/heroes?sort=id&size=10")).link("Last page"))
    assert _keys(page) == [str(hero.id) for hero in heroes[-10:]]
    assert page.by_id("range").visible_text == "22–31 of 31"
    assert _page_links(page) == ["First page", "Previous page"]


async def test_a_pager_offers_only_where_there_is_something(
    client: Client, heroes: list[Hero]
) -> None:
    first = await client.get("/heroes?size=20")
    assert _page_links(first) == ["Next page", "Last page"]
    second = await client.get(first.link("Next page"))
    assert _page_links(second) == ["First page", "Previous page"]
    assert _page_links(await client.get("/heroes?size=31")) == []


async def test_filters_and_search_page_alike(client: Client, heroes: list[Hero]) -> None:
    for query in ("q=nova", "team=1&team=none", "age_min=5&q=nova"):
        whole = _keys(await client.get(f"/heroes?{query}&sort=-age&size=200"))
        pages = await _page_through(client, f"/heroes?{query}&sort=-age&size=2", "Next page")
        assert [key for page in pages for key in page] == whole
        assert len(pages) > 2


@pytest.mark.parametrize("sort", ["name", "-name", "age", "-age", "team_id"])
async def test_rows_that_come_and_go_between_pages_do_not_hide_or_repeat_others(
    client: Client, session: AsyncSession, heroes: list[Hero], sort: str
) -> None:
    page = await client.get(f"/heroes?sort={sort}&size=4")
    seen = _keys(page)
    while "Next page" in _page_links(page):
        # The very row at the page's edge goes, and others come before and behind it.
        await session.execute(delete(Hero).where(col(Hero.id) == int(seen[-1])))
        for age in (None, 7):
            session.add(Hero(name="Nova", secret_name="Newcomer", age=age))
        await session.commit()
        page = await client.get(page.link("Next page"))
        seen += _keys(page)
    assert len(seen) == len(set(seen))
    assert {str(hero.id) for hero in heroes} <= set(seen)


async def test_a_page_whose_rows_are_all_gone_leads_back(
    client: Client, session: AsyncSession
) -> None:
    heroes = await some_heroes(session, 8)
    first = await client.get("/heroes?size=5")
    address = first.link("Next page")
    for hero in heroes[5:]:
        await session.delete(hero)
    await session.commit()
    page = await client.get(address)
    assert page.status_code == 200
    assert "Nothing here any more" in page.by_id("list").visible_text
    assert _keys(await client.get(page.link("Go to the first page"))) == _keys(first)


async def test_a_search_whose_page_is_gone_does_not_say_that_it_found_nothing(
    client: Client, session: AsyncSession
) -> None:
    heroes = await some_heroes(session, 8)
    address = (await client.get("/heroes?q=hero&size=5")).link("Next page")
    for hero in heroes[5:]:
        await session.delete(hero)
    await session.commit()
    page = await client.get(address)
    assert "No heroes match" not in page.by_id("list").visible_text
    first = await client.get(page.link("Go to the first page"))
    assert len(first.rows) == 5
    assert first.url.params["q"] == "hero"


async def test_before_the_first_row_there_is_the_way_back_too(
    client: Client, session: AsyncSession
) -> None:
    heroes = await some_heroes(session, 8)
    second = await client.get((await client.get("/heroes?size=5")).link("Next page"))
    address = second.link("Previous page")
    for hero in heroes[:5]:
        await session.delete(hero)
    await session.commit()
    page = await client.get(address)
    assert page.status_code == 200
    assert "yet" not in page.by_id("list").visible_text
    first = await client.get(page.link("Go to the first page"))
    assert len(first.rows) == 3


async def test_a_cursor_of_another_order_shows_the_first_page_and_says_so(
    client: Client, heroes: list[Hero]
) -> None:
    second = await client.get((await client.get("/heroes?size=5")).link("Next page"))
    page = await client.get(f"/heroes?size=5&sort=age&after={second.url.params['after']}")
    assert page.status_code == 400
    assert _keys(page) == _keys(await client.get("/heroes?size=5&sort=age"))


async def test_a_cursor_keeps_its_place_in_any_text(client: Client, session: AsyncSession) -> None:
    names = ["a\nb", "c\td", "\u202eevil", "<b>", "'; --", "ß" * 200, "🦸" * 200, '"\\"', "zz"]
    session.add_all(Hero(name=name, secret_name=name) for name in names)
    await session.commit()
    pages = await _page_through(client, "/heroes?size=1&sort=name", "Next page")
    assert len(pages) == len(names)
    assert len({key for (key,) in pages}) == len(names)


def _sorted(
    heroes: list[Hero], teams: dict[int | None, str], sort: str, sort_key: Callable[[str], str]
) -> list[str]:
    """The keys in the order wanted, found in the plainest way."""

    def value(hero: Hero, teams: dict[int | None, str]) -> object:
        found = SORTS[sort.removeprefix("-")](hero, teams)
        return sort_key(found) if isinstance(found, str) else found

    is_descending = sort.startswith("-")
    full = [hero for hero in heroes if value(hero, teams) is not None]
    empty = [hero for hero in heroes if value(hero, teams) is None]
    full.sort(key=lambda hero: (value(hero, teams), hero.id), reverse=is_descending)
    empty.sort(key=lambda hero: hero.id or 0, reverse=is_descending)
    return [str(hero.id) for hero in (*full, *empty)]


async def _page_through(client: Client, url: str, direction: str) -> list[list[str]]:
    page = await client.get(url)
    pages = [_keys(page)]
    while direction in _page_links(page):
        page = await client.get(page.link(direction))
        pages.append(_keys(page))
    return pages


def _keys(page: Page) -> list[str]:
    """The keys of the rows, which tell apart what looks the same."""
    boxes = page.find_all("input", name="id", form="selection")
    return [box.attribute("value") for box in boxes]


def _page_links(page: Page) -> list[str]:
    return [one.text for one in page.links if one.text in PAGES]
