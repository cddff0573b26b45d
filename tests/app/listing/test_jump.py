"""“Jump to”: a list begins at a value, in its address as everything else."""

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from hero_admin.testing import Client
from tests.cases import on_one_database
from tests.factories import a_hero, a_team, committed, some_heroes
from tests.gadgets import Maker
from webapp.heroes import Hero


@pytest.fixture
async def alphabet(session: AsyncSession) -> None:
    session.add_all(
        Hero(name=f"{letter}{number}", secret_name="Person", age=number)
        for letter in "ABMYZ"
        for number in range(10)
    )
    await session.commit()


async def test_a_list_begins_where_people_jump_to(client: Client, alphabet: None) -> None:
    page = await client.get("/heroes?size=5")
    form = page.form(name="Jump to")
    form.data["from"] = ["m"]
    page = await client.submit(form)
    assert page.column("Name") == ["M0", "M1", "M2", "M3", "M4"]
    assert (page.url.params["from"], page.url.params["size"]) == ("m", "5")
    assert page.field("Jump to name").value == "m"
    assert (await client.get(page.link("Next page"))).column("Name") == [
        "M5",
        "M6",
        "M7",
        "M8",
        "M9",
    ]
    back = await client.get(page.link("Previous page"))
    assert back.column("Name") == ["B5", "B6", "B7", "B8", "B9"]


async def test_jumping_in_a_falling_order_begins_with_the_last_that_begins_so(
    client: Client, alphabet: None
) -> None:
    page = await client.get("/heroes?size=3&sort=-name&from=M")
    assert page.column("Name") == ["M9", "M8", "M7"]


@pytest.mark.parametrize("start", ["de", "De", "DE"])
async def test_neither_list_nor_jump_heeds_case(
    client: Client, session: AsyncSession, start: str
) -> None:
    for name in ("Zoe", "ada", "DE LA CRUZ", "de Boer", "Deadpond", "Éclair", "eagle"):
        await a_hero(session, name)
    is_server = session.get_bind().dialect.name == "postgresql"
    # PostgreSQL has accents as neighbours; SQLite alone has them behind all other letters.
    last = ["Éclair", "Zoe"] if is_server else ["Zoe", "Éclair"]
    middle = ["de Boer", "DE LA CRUZ", "Deadpond", "eagle"]
    assert (await client.get("/heroes")).column("Name") == ["ada", *middle, *last]
    assert (await client.get(f"/heroes?from={start}")).column("Name") == [*middle, *last]
    falling = await client.get(f"/heroes?from={start}&sort=-name")
    assert falling.column("Name") == [*middle[2::-1], "ada"]
    if is_server:
        assert (await client.get("/heroes?from=É")).column("Name") == ["eagle", *last]


async def test_a_text_that_is_a_key_is_sorted_like_any_other(
    gadgets: Client, session: AsyncSession
) -> None:
    for code in ("b", "A", "C", "a"):
        await committed(session, Maker(code=code))
    page = await gadgets.get("/makers?size=2")
    assert page.column("Code") == ["A", "a"]
    page = await gadgets.get(page.link("Next page"))
    assert page.column("Code") == ["b", "C"]
    page = await gadgets.get("/makers?size=3&sort=-code&from=B")
    assert page.column("Code") == ["b", "a", "A"]
    options = await gadgets.get("/gadgets/options/maker_code")
    assert [each.visible_text for each in options.find_all(role="option")] == list("AabC")


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("sort=age&from=9", ["A9", "B9", "M9"]),
        ("sort=-age&from=0", ["Z0", "Y0", "M0"]),
        ("sort=id&from=48", ["Z7", "Z8", "Z9"]),
        ("sort=name&from=zz", []),
        ("q=8&from=M", ["M8", "Y8", "Z8"]),
    ],
)
async def test_any_order_can_be_jumped_in(
    client: Client, alphabet: None, query: str, names: list[str]
) -> None:
    page = await client.get(f"/heroes?size=3&{query}")
    assert (page.status_code, page.column("Name")) == (200, names)


async def test_heroes_sorted_by_team_are_jumped_to_by_its_name(
    client: Client, session: AsyncSession
) -> None:
    for name in ("Alpha", "Mike", "Zulu"):
        await some_heroes(session, 2, await a_team(session, name))
    await a_hero(session, "Alone")
    page = await client.get("/heroes?sort=team_id&from=b&size=3")
    assert page.column("Team") == ["Mike", "Mike", "Zulu"]


async def test_at_the_first_row_there_is_no_way_back(client: Client, alphabet: None) -> None:
    page = await client.get("/heroes?size=5&from=0")
    assert page.column("Name")[0] == "A0"
    assert "Previous page" not in page.link_names


@on_one_database
@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("sort=age&from=old", "Age: Enter a whole number."),
        ("sort=age&from=99999999999", "Age: Enter a number from"),
        ("from=%00", "Name: "),
        ("from=" + "x" * 500, "Name: Use at most 200 characters."),
    ],
)
async def test_what_cannot_be_jumped_to_is_named_above_the_first_page(
    client: Client, alphabet: None, query: str, sentence: str
) -> None:
    page = await client.get(f"/heroes?size=5&{query}")
    assert page.status_code == 400
    assert page.alert.startswith(sentence)
    assert len(page.rows) == 5
