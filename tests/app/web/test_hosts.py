"""Hosts: the server answers under the names it has, and lets no request name others for it."""

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from hero_admin.settings import Settings
from hero_admin.testing import Client
from tests.cases import each, on_one_database
from tests.factories import a_hero, a_team
from tests.serving import serving
from webapp.app import admin

pytestmark = on_one_database

PAGES = ("/", "/heroes", "/heroes/1", "/heroes/1/edit", "/heroes/1/delete", "/teams/1", "/history")


@pytest.mark.parametrize(
    "host",
    ["localhost", "LOCALHOST:8000", "127.0.0.1", "127.0.0.1:9", "[::1]", "[::1]:8000"],
)
async def test_this_machine_may_ask(client: Client, host: str) -> None:
    assert (await client.get("/heroes", headers={"Host": host})).status_code == 200


@each(
    "host",
    [
        "evil.example",
        "localhost.evil.example",
        "evil-localhost",
        "127.0.0.1.evil.example",
        "localhost.",
        "",
        " ",
        ":8000",
        "localhost:",
        "localhost:x",
        "localhost:123456",
        "localhost/heroes",
        "localhost@evil.example",
        "evil.example@localhost",
        "localhost, localhost",
        "localhost evil.example",
        "localhost\t",
        "[::1",
        "::1",
        "[::1]evil",
        "lócalhost",
        "%6cocalhost",
        "x" * 5_000,
    ],
)
async def test_a_name_that_is_not_ours_is_refused_unread(client: Client, host: str) -> None:
    page = await client.get("/heroes", headers=[(b"Host", host.encode())])
    assert page.status_code == 400
    assert page.heading == "Bad request"
    assert "WEBAPP_ALLOWED_HOSTS" in page.text
    assert "evil" not in page.text
    answer = await client.get("/api/heroes/", headers=[(b"Host", host.encode())])
    assert answer.status_code == 400
    assert "WEBAPP_ALLOWED_HOSTS" in answer.json()["detail"]


async def test_a_request_with_two_hosts_or_none_is_refused(client: Client) -> None:
    two = [("Host", "localhost"), ("Host", "localhost")]
    assert (await client.get("/heroes", headers=two)).status_code == 400
    request = client.http.build_request("GET", "/heroes")
    del request.headers["Host"]
    assert (await client.http.send(request)).status_code == 400


async def test_health_checks_ask_by_any_name(client: Client) -> None:
    for path in ("/healthz", "/readyz"):
        assert (await client.get(path, headers={"Host": "10.1.2.3"})).status_code == 200


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("heroes.example", 200),
        ("Heroes.Example:443", 200),
        ("a.staff.example", 200),
        ("a.b.staff.example", 200),
        ("c.wild.example", 200),
        ("[fd00::1]:8000", 200),
        ("localhost", 200),
        ("www.heroes.example", 400),
        ("staff.example", 400),
        ("evilstaff.example", 400),
    ],
)
async def test_the_names_that_are_set_may_be_asked_for(
    database_url: str, host: str, status: int
) -> None:
    names = "heroes.example, .staff.example,*.wild.example,[fd00::1]"
    settings = Settings(database_url=database_url, allowed_hosts=names, host="0.0.0.0")
    async with serving(admin.application(settings)) as client:
        assert (await client.get("/sign-in", headers={"Host": host})).status_code == status


async def test_the_address_that_is_listened_on_may_be_asked_for(database_url: str) -> None:
    for host, asked in (("10.0.0.7", "10.0.0.7:8000"), ("fd00::7", "[fd00::7]")):
        async with serving(
            admin.application(Settings(database_url=database_url, host=host))
        ) as client:
            assert (await client.get("/sign-in", headers={"Host": asked})).status_code == 200


async def test_no_page_carries_the_host_it_was_asked_by(
    client: Client, session: AsyncSession
) -> None:
    await a_hero(session, team=await a_team(session))
    # One that stands nowhere else on a page.
    sent = {"Host": "127.0.0.1:4711", "X-Forwarded-Host": "evil.example", "Forwarded": "host=evil"}
    for path in (*PAGES, "/api/docs", "/api/openapi.json", "/api/heroes/1", "/heroes.json", "/no"):
        page = await client.get(path, headers=sent)
        assert "4711" not in page.text + str(page.headers), path
        assert "evil" not in page.text, path
    saved = await client.post("/heroes/1", data={"name": "Nova"}, headers=sent)
    assert saved.headers["location"].startswith("/heroes")


async def test_every_link_and_form_of_a_page_is_a_path(
    client: Client, session: AsyncSession
) -> None:
    await a_hero(session, team=await a_team(session))
    for path in PAGES:
        for tag in (await client.get(path)).find_all(True):
            for name in ("href", "src", "action", "formaction"):
                address = tag.attribute(name, "/")
                assert address.startswith(("/", "#", "?")), f"{path}: {tag}"
                assert not address.startswith("//"), f"{path}: {tag}"
