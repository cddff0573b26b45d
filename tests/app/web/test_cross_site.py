"""What another site can make a browser send changes nothing; what a page of ours sends is done."""

import pytest
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.applications import Starlette

from hero_admin.testing import Client
from tests.cases import each, on_one_database
from tests.factories import a_hero, a_team
from tests.stored import Stored
from webapp.heroes import Hero

pytestmark = on_one_database

# As clients send requests of which they say nothing more.
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
UNSAFE = [
    ("POST", "/heroes"),
    ("POST", "/heroes/new"),
    ("POST", "/heroes/1"),
    ("POST", "/heroes/1/delete"),
    ("DELETE", "/heroes/1"),
    ("POST", "/theme"),
    ("POST", "/undo/x"),
    ("POST", "/api/heroes/"),
    ("PATCH", "/api/heroes/1"),
    ("DELETE", "/api/heroes/1"),
    ("PUT", "/nothing"),
]
FROM_ELSEWHERE = {
    "neither": {},
    "cross-site": {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"},
    "same-site": {"Sec-Fetch-Site": "same-site"},
    "typed": {"Sec-Fetch-Site": "none"},
    "nonsense": {"Sec-Fetch-Site": "nonsense"},
    "empty": {"Sec-Fetch-Site": ""},
    "cross-site in spite of the origin": {
        "Sec-Fetch-Site": "cross-site",
        "Origin": "http://localhost",
    },
    "origin": {"Origin": "https://evil.example"},
    "no origin": {"Origin": "null"},
    "empty origin": {"Origin": ""},
    "other scheme": {"Origin": "https://localhost"},
    "other port": {"Origin": "http://localhost:8001"},
    "other host": {"Origin": "http://127.0.0.1"},
    "beginning alike": {"Origin": "http://localhost.evil.example"},
    "ending alike": {"Origin": "http://evil-localhost"},
    "user": {"Origin": "http://localhost@evil.example"},
    "this host as a user's": {"Origin": "http://evil@localhost"},
    "path": {"Origin": "http://localhost/heroes"},
    "no address": {"Origin": "http://[localhost"},
    "no port": {"Origin": "http://localhost:x"},
    "password": {"Authorization": "Basic YW5uOmFubg=="},
    "bearer of nothing": {"Authorization": "Bearer"},
    "a method in a header": {"X-HTTP-Method-Override": "GET"},
}
FROM_HERE = {
    "page": {"Sec-Fetch-Site": "same-origin", "Origin": "http://localhost"},
    "page without a referrer": {"Sec-Fetch-Site": "same-origin", "Origin": "null"},
    "older browser": {"Origin": "http://localhost"},
    "older browser that names the port": {"Origin": "http://localhost:80"},
}


@pytest.fixture(autouse=True)
async def a_hero_and_a_team(session: AsyncSession) -> None:
    await a_hero(session, team=await a_team(session))


@pytest.fixture
def stranger(client: Client) -> Client:
    """A client that sends no more than it is told to."""
    del client.headers["Sec-Fetch-Site"]
    return client


@each("headers", FROM_ELSEWHERE.values())
async def test_another_site_cannot_write(
    stranger: Client, stored: Stored, headers: dict[str, str]
) -> None:
    for method, path in UNSAFE:
        body = "name=Evil&secret_name=Evil"
        answer = await stranger.request(method, path, content=body, headers={**FORM, **headers})
        assert answer.status_code == 403, f"{method} {path}"
        assert "Open the page here and try again." in answer.text
        assert "set-cookie" not in answer.headers
    assert [hero.name for hero in await stored.all(Hero)] == ["Deadpond"]


@pytest.mark.parametrize("name", ["Sec-Fetch-Site", "Origin"])
async def test_a_header_that_is_there_twice_shows_nothing(stranger: Client, name: str) -> None:
    value = "same-origin" if name == "Sec-Fetch-Site" else "http://localhost"
    headers = [(name, value), (name, value)]
    assert (await stranger.post("/heroes/1", data={}, headers=headers)).status_code == 403


@pytest.mark.parametrize("headers", FROM_HERE.values(), ids=list(FROM_HERE))
async def test_a_page_of_this_site_can_write(
    stranger: Client, stored: Stored, headers: dict[str, str]
) -> None:
    answer = await stranger.post("/heroes/1", data={"name": "Nova"}, headers=headers)
    assert answer.status_code == 303
    assert [hero.name for hero in await stored.all(Hero)] == ["Nova"]


@pytest.mark.parametrize("token", ["Bearer some-token", "bearer x", "Bearer "])
async def test_who_sends_a_token_is_asked_for_it_alone_and_for_no_cookie(
    stranger: Client, stored: Stored, token: str
) -> None:
    for site in ({}, {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-origin"}):
        headers = {"Authorization": token, **site}
        answer = await stranger.patch("/api/heroes/1", json={"name": "Evil"}, headers=headers)
        assert answer.status_code == 401
    assert [hero.name for hero in await stored.all(Hero)] == ["Deadpond"]


async def test_behind_https_the_origin_is_one_of_https(stranger: Client) -> None:
    async def status(origin: str) -> int:
        sent = {"Origin": origin}
        url = "https://localhost/theme"
        return (await stranger.post(url, data={"theme": "dark"}, headers=sent)).status_code

    assert await status("https://localhost") == 303
    assert await status("https://localhost:443") == 303
    assert await status("http://localhost") == 403


async def test_another_site_can_link_here(client: Client) -> None:
    page = await client.get("/heroes/1", headers={"Sec-Fetch-Site": "cross-site"})
    assert (page.status_code, page.heading) == (200, "Deadpond")


@pytest.mark.parametrize(
    "headers",
    [
        {"X-HTTP-Method-Override": "DELETE"},
        {"X-HTTP-Method": "DELETE"},
        {"X-Method-Override": "DELETE"},
    ],
    ids=str,
)
async def test_no_header_and_no_field_makes_another_method_of_a_request(
    client: Client, stored: Stored, headers: dict[str, str]
) -> None:
    for path in ("/heroes/1", "/api/heroes/1", "/heroes/1?_method=DELETE"):
        assert (await client.get(path, headers=headers)).status_code == 200
    data = {"name": "Nova", "_method": "DELETE"}
    await client.post("/heroes/1?_method=DELETE", data=data, headers=headers)
    await client.request("GET", "/heroes/1", content=b"_method=DELETE", headers={**FORM, **headers})
    assert [hero.name for hero in await stored.all(Hero)] == ["Nova"]


async def test_no_answer_lets_another_site_read_it(app: Starlette, client: Client) -> None:
    headers = {
        "Origin": "https://evil.example",
        "Sec-Fetch-Site": "cross-site",
        "Access-Control-Request-Method": "DELETE",
        "Access-Control-Request-Headers": "authorization",
    }
    for method in ("OPTIONS", "GET"):
        for path in ("/heroes/1", "/api/heroes/1"):
            answer = await client.request(method, path, headers=headers)
            assert not [name for name in answer.headers if name.startswith("access-control")]
