"""Requests that are meant to break something: each gets its answer at once."""

import json
from base64 import urlsafe_b64encode
from urllib.parse import unquote

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from hero_admin.testing import Client
from tests.cases import on_one_database
from tests.factories import a_hero, a_team

pytestmark = on_one_database

FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def packed(text: str) -> str:
    return urlsafe_b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    "headers", [{"cookie": f'theme="{chr(92) * 60_000}"'}, {"x-long": "a" * 70_000}]
)
async def test_headers_that_are_too_long_are_refused_unread(
    client: Client, headers: dict[str, str]
) -> None:
    response = await client.get("/heroes", headers=headers)

    assert response.status_code == 431


@pytest.mark.parametrize("charset", ["punycode", "idna", "unicode_escape", "utf-7", "utf-16"])
async def test_a_form_in_another_charset_is_refused_undecoded(client: Client, charset: str) -> None:
    body = b'--B\r\ncontent-disposition: form-data; name="name"\r\n\r\n\\ud800\r\n--B--\r\n'
    content_type = f"multipart/form-data; boundary=B; charset={charset}"

    response = await client.post("/heroes", content=body, headers={"content-type": content_type})

    assert response.status_code == 415


@pytest.mark.parametrize("character", ["_", "/", "%25", "x"])
async def test_a_search_is_cut_where_nobody_types_on_and_says_so(
    client: Client, session: AsyncSession, character: str
) -> None:
    await a_hero(session)
    assert (await client.get(f"/heroes?q={character * 200}")).status_code == 200
    page = await client.get(f"/heroes?q={character * 6_000}")
    assert page.status_code == 400
    assert page.field("Search heroes").value == unquote(character) * 200
    assert "Search for at most 200 characters." in page.visible_text
    assert (await client.get(f"/heroes.csv?q={character * 201}")).status_code == 400


@pytest.mark.parametrize(
    "address",
    [
        "/heroes/options/team_id?q={}",
        "/heroes?team.q={}",
        "/heroes/1/edit?back=/{}",
        "/heroes/new?back=/{}",
        "/heroes/1/delete?back=/{}",
        "/teams/1/delete?heroes.q={}",
        "/history?by={}",
        "/history?resource={}",
    ],
)
async def test_what_is_longer_than_anything_means_is_refused_and_said(
    client: Client, session: AsyncSession, address: str
) -> None:
    await a_hero(session, team=await a_team(session))
    assert (await client.get(address.format("x"))).status_code == 200
    refused = await client.get(address.format("x" * 2_500))
    assert refused.status_code == 400
    assert "at most" in refused.visible_text


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("x=" + "a" * 20_000, 400),
        ("after=" + "a" * 20_000, 400),
        ("id=1&" * 3_000, 400),
        ("&" * 2_000, 400),
        ("id=1&" * 10_000, 414),
        ("x=" + "a" * 50_000, 414),
    ],
)
async def test_an_address_has_an_end(client: Client, query: str, status: int) -> None:
    for path in ("/heroes", "/history", "/api/heroes/", "/heroes.csv", "/sign-in", "/theme"):
        refused = await client.get(f"{path}?{query}")
        assert refused.status_code == status


async def test_a_list_of_more_filters_than_an_address_holds_is_left_for_the_whole_list(
    client: Client, session: AsyncSession
) -> None:
    await a_hero(session, "ü" * 60)
    filters = "&".join(f"team={number}" for number in range(100, 199))
    for query, has_back in (("", True), ("&q=" + "€" * 150, False)):
        page = await client.get(f"/heroes?{filters}&team=none{query}")
        assert page.status_code == 200
        assert ("back=" in page.link("New hero")) is has_back
        assert (await client.get(page.link("New hero"))).status_code == 200


async def test_a_form_of_too_many_fields_is_refused_before_they_are_read(client: Client) -> None:
    body = b"a=%41&" * 100_000
    refused = await client.post("/heroes", content=body, headers=FORM)
    assert refused.status_code == 400
    assert "at most 2,000 fields" in refused.visible_text


@pytest.mark.parametrize(
    "flash",
    ['{"text":"\\ud800"}', json.dumps({"text": [["x"]]}), "[]", '"x"', "1", '{"other":"x"}', "{"],
)
async def test_a_forged_message_is_no_message(client: Client, flash: str) -> None:
    client.cookies.set("flash", packed(flash))
    response = await client.get("/heroes")

    assert response.status_code == 200
