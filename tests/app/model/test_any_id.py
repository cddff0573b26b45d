"""Whatever stands where an id should stand names a record or is not found; nothing breaks."""

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from hero_admin.testing import Client
from tests.cases import each
from tests.factories import a_hero, a_team
from tests.stored import Stored
from webapp.heroes import Hero
from webapp.teams import Team

# As they stand in an address. Heroes 1 and 7 are there.
NO_IDS = [
    "abc",
    "0",
    "-1",
    "+1",
    "%2B1",
    "01",
    "007",
    "7.0",
    "1e0",
    "1_0",
    "0x7",
    "%20" + "7",
    "7%20",
    "7%0A",
    "7%0D%0AX-Evil:1",
    "7,7",
    "7,",
    ",",
    "~",
    "~37",
    "7~",
    "%D9%A3",
    "%D9%A7",
    "%EF%BC%97",
    "8",
    "2147483647",
    "2147483648",
    "9223372036854775807",
    "9223372036854775808",
    "18446744073709551617",
    "9" * 5_000,
    "-" + "9" * 5_000,
    "x" * 30_000,
    "%00",
    "7%00",
    "%FF",
    "%ED%A0%80",
    "%F0%9F%A6%B8",
    "%D7%90",
    "%E2%80%AE7",
    "..%2F7",
    "%2e%2e",
    "7%2F..%2F1",
    "%5C",
    "7'--",
    "7%20OR%201=1",
    "%3Cscript%3E",
    "{{7*7}}",
    "None",
    "null",
    "true",
    "NaN",
    "[7]",
    "(7,)",
    "%25",
    "%",
    "%zz",
    "*",
    "options",
    "total",
    "none",
]
FORM = {"name": "Nova", "secret_name": "Cleo"}


@pytest.fixture
async def two_heroes(session: AsyncSession) -> None:
    await a_hero(session, "First", team=await a_team(session))
    session.add(Hero(id=7, name="Seven", secret_name="Of Nine"))
    session.add(Team(id=7, name="Sevens"))
    await session.commit()


@pytest.mark.usefixtures("two_heroes")
@each("path", ["/heroes/{}", "/heroes/{}/edit", "/heroes/{}/delete", "/teams/{}/heroes"])
async def test_an_id_that_is_none_is_not_found_on_any_page(client: Client, path: str) -> None:
    for id_ in NO_IDS:
        page = await client.get(path.format(id_))
        assert (id_[:99], page.status_code, page.heading) == (id_[:99], 404, "Not found")


@pytest.mark.usefixtures("two_heroes")
async def test_an_id_that_is_none_is_neither_changed_nor_deleted(
    client: Client, stored: Stored
) -> None:
    before = await stored.all(Hero)
    for id_ in NO_IDS:
        answers = [
            await client.post(f"/heroes/{id_}", data=FORM),
            await client.post(f"/heroes/{id_}/edit", data=FORM),
            await client.post(f"/heroes/{id_}/delete", data={}),
            await client.delete(f"/heroes/{id_}"),
        ]
        # With a slash in it, it is the address of a list that takes nothing.
        assert {answer.status_code for answer in answers} <= {404, 405}, id_[:99]
    assert await stored.all(Hero) == before


@pytest.mark.usefixtures("two_heroes")
async def test_an_id_that_is_none_is_not_found_in_the_api(client: Client) -> None:
    for id_ in NO_IDS:
        at = f"/api/heroes/{id_}"
        answers = [
            await client.get(at),
            await client.patch(at, json={"name": "Nova"}),
            await client.delete(at),
            await client.get(f"{at}/with-team"),
        ]
        assert (id_[:99], {answer.status_code for answer in answers}) == (id_[:99], {404})
        assert {answer.headers["content-type"] for answer in answers} == {"application/json"}


@pytest.mark.usefixtures("two_heroes")
async def test_selected_ids_that_are_none_are_not_found(client: Client, stored: Stored) -> None:
    for ids in (["7", "abc"], ["007"], ["8"], ["\0"], ["9" * 5_000], ["7", "٧"]):
        for answer in (
            await client.get("/heroes/delete", params={"id": ids}),
            await client.post("/heroes/delete", data={"id": ids}),
        ):
            assert answer.status_code == 404
    assert await stored.count(Hero) == 2


@pytest.mark.usefixtures("two_heroes")
async def test_an_id_has_one_spelling(client: Client) -> None:
    assert (await client.get("/heroes/7")).heading == "Seven"
    # The same address to every server and cache: %37 is how a client may write 7.
    assert (await client.get("/heroes/%37")).heading == "Seven"


@each("path", ["/no", "/heroes/", "/heroes/1/edit/", "//", "/heroes//1", "/a/b/c/d"])
async def test_an_address_that_does_not_exist_is_a_page_that_helps(
    client: Client, path: str
) -> None:
    page = await client.get(f"http://localhost{path}")
    assert (page.status_code, page.heading) == (404, "Not found")
    assert page.link("Go to the overview") == "/"


@each("path", ["/api/", "/api/no", "/api/heroes/1/2/3", "/api/docs/"])
async def test_an_address_that_does_not_exist_in_the_api_is_json(client: Client, path: str) -> None:
    answer = await client.get(path)
    assert answer.status_code == 404
    assert answer.json() == {"detail": "Not found"}
