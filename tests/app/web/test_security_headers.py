"""Security headers: on every answer, whatever it is; and pages that need no exception from them."""

import json
import re
from base64 import urlsafe_b64encode

import pytest
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.routing import Route

from hero_admin.person import Role
from hero_admin.testing import Client, Page, htmx_headers
from tests.cases import each, on_one_database
from tests.factories import a_hero, a_team
from tests.serving import serving

pytestmark = on_one_database

POLICY = {
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "connect-src 'self'",
    "img-src 'self'",
    "form-action 'self'",
    "base-uri 'none'",
    "object-src 'none'",
    "frame-ancestors 'none'",
}
ELSEWHERE = {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"}

ANSWERS = [
    ("GET", "/", 200),
    ("GET", "/heroes", 200),
    ("GET", "/heroes.csv", 200),
    ("GET", "/teams/1", 200),
    ("GET", "/heroes/new", 200),
    ("GET", "/heroes/1/edit", 200),
    ("GET", "/heroes/1/delete", 200),
    ("GET", "/static/site.css", 200),
    ("GET", "/static/nothing", 404),
    ("GET", "/healthz", 200),
    ("GET", "/api/heroes/", 200),
    ("GET", "/api/heroes/99", 404),
    ("GET", "/api/openapi.json", 200),
    ("GET", "/api/docs", 200),
    ("HEAD", "/heroes", 200),
    ("POST", "/heroes", 422),
    ("POST", "/teams/1", 303),
    ("POST", "/theme", 303),
    ("GET", "/heroes/99", 404),
    ("GET", "/nothing", 404),
    ("PUT", "/heroes", 405),
]
PAGES = [path for method, path, status in ANSWERS if method == "GET" and "." not in path]


@pytest.fixture(autouse=True)
async def a_hero_and_a_team(session: AsyncSession) -> None:
    await a_hero(session, team=await a_team(session))


@pytest.mark.parametrize(("method", "path", "status"), ANSWERS, ids=str)
async def test_every_answer_is_protected(
    client: Client, method: str, path: str, status: int
) -> None:
    answer = await client.request(method, path)
    assert answer.status_code == status
    assert_protected(answer)


async def test_an_answer_to_an_unexpected_error_is_protected(app: Starlette) -> None:
    async def fail(_: Request) -> None:
        raise RuntimeError

    app.router.routes.insert(0, Route("/fail", fail))
    async with serving(app, role=Role.OWNER) as client:
        answer = await client.get("/fail")
    assert answer.status_code == 500
    assert_protected(answer)


async def test_a_refused_request_is_protected(client: Client) -> None:
    answer = await client.post("/heroes", headers=ELSEWHERE)
    assert answer.status_code == 403
    assert_protected(answer)


async def test_browsers_come_back_by_https_only_where_they_came_by_https(client: Client) -> None:
    secure = await client.get("https://localhost/heroes")
    assert secure.headers["strict-transport-security"] == "max-age=31536000"
    assert "strict-transport-security" not in (await client.get("/heroes")).headers


async def test_pages_and_exports_are_kept_by_nobody(client: Client) -> None:
    for path in ("/", "/heroes", "/heroes/1/edit", "/heroes/99", "/heroes.csv", "/heroes.json"):
        assert (await client.get(path)).headers["cache-control"] == "no-store"
    fragment = await client.get("/heroes", headers=htmx_headers("section#list"))
    assert fragment.headers["cache-control"] == "no-store"
    assert (await client.get("/api/docs")).headers["cache-control"] == "no-store"


async def test_the_api_is_asked_again_each_time_and_kept_by_no_browser(
    client: Client, session: AsyncSession
) -> None:
    await a_hero(session)
    given = {"name": "Backup", "role": "viewer", "days": "30"}
    token = (await client.post("/account/tokens", data=given)).field("Token").value
    program = {"Authorization": f"Bearer {token}"}
    for path in ("/api/heroes/1", "/api/heroes/", "/api/heroes/99", "/api/openapi.json"):
        answer = await client.get(path, headers=program)
        assert answer.headers["cache-control"] == "private, no-cache"
        assert (await client.get(path)).headers["cache-control"] == "no-store"


async def test_a_file_that_is_still_the_same_is_protected(client: Client) -> None:
    file = await client.get("/static/site.css")
    same = await client.get("/static/site.css", headers={"If-None-Match": file.headers["etag"]})
    assert same.status_code == 304
    assert same.headers["cache-control"] == file.headers["cache-control"]
    assert_protected(same)


@each("path", PAGES)
async def test_no_page_has_a_script_or_style_of_its_own(client: Client, path: str) -> None:
    assert inline_in(await client.get(path)) == []


async def test_no_form_that_is_refused_and_no_fragment_has_a_script_or_style_of_its_own(
    client: Client,
) -> None:
    data = {"name": "<script>alert(1)</script>", "age": '"><img src=x onerror=alert(1)>'}
    headers = htmx_headers("form#form")
    assert inline_in(await client.post("/heroes", data=data)) == []
    assert inline_in(await client.post("/heroes", data=data, headers=headers)) == []
    assert inline_in(await client.get("/heroes", headers=htmx_headers("section#list"))) == []


async def test_no_page_asks_for_anything_from_elsewhere(client: Client) -> None:
    for path in ("/", "/heroes", "/heroes/1/edit", "/api/docs", "/nothing"):
        for tag in (await client.get(path)).find_all(("link", "script", "img", "use", "form")):
            for name in ("href", "src", "action"):
                address = tag.attribute(name, "/")
                assert address.startswith("/"), f"{path} asks for {address}"
                assert not address.startswith("//"), f"{path} asks for {address}"


async def test_cookies_are_out_of_reach_for_scripts_and_other_sites(client: Client) -> None:
    saved = await client.post("/heroes/1", data={"name": "Nova"})
    themed = await client.post("/theme", data={"theme": "dark"})
    for answer in (saved, themed):
        cookie = answer.headers["set-cookie"].lower()
        assert "httponly" in cookie
        assert "samesite=lax" in cookie


# Cookies that were tampered with.


def packed(value: object) -> str:
    return urlsafe_b64encode(json.dumps(value).encode()).decode()


@pytest.mark.parametrize(
    "cookie",
    [
        "",
        "%%%",
        "W1tb" * 1000,
        packed(None),
        packed({}),
        packed({"text": 1}),
        packed({"text": "Won", "price": "$"}),
        packed({"text": "Won", "url": "javascript:alert(1)"}),
        packed({"text": "Won", "url": "//evil.example"}),
    ],
    ids=range(9),
)
async def test_a_message_that_was_tampered_with_is_ignored(client: Client, cookie: str) -> None:
    client.cookies.update({"flash": cookie, "theme": "neon"})
    page = await client.get("/heroes")
    assert (page.status_code, page.flash) == (200, "")


def assert_protected(answer: Page) -> None:
    headers = answer.headers
    assert set(headers["content-security-policy"].split("; ")) == POLICY
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"
    assert headers["cross-origin-opener-policy"] == "same-origin"
    assert headers["cross-origin-resource-policy"] == "same-origin"
    assert {"camera=()", "geolocation=()"} <= set(headers["permissions-policy"].split(", "))
    assert headers["cache-control"]
    assert headers.get_list("content-security-policy") == [headers["content-security-policy"]]


def inline_in(page: Page) -> list[str]:
    """What a strict policy would refuse."""
    return [element.text for element in page.find_all() if is_inline(element)]


def is_inline(element: Page) -> bool:
    tag = element.tag
    if tag.name == "style" or (tag.name == "script" and (not tag.get("src") or tag.string)):
        return True
    return any(
        re.fullmatch(r"style|on\w+|hx-on.*", name, re.IGNORECASE)
        or re.match(r"\s*(javascript|data|js):", element.attribute(name), re.IGNORECASE)
        for name in tag.attrs
    )
