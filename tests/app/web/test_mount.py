"""Mounting: below any prefix, in any application and behind any proxy, every URL leads back."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote, urljoin

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import create_engine, delete, update
from sqlalchemy.engine import Engine, make_url
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hero_admin import Admin
from hero_admin.accounts.passwords import Passwords
from hero_admin.accounts.second_factor.passkeys import Passkey
from hero_admin.accounts.users import User
from hero_admin.listing.search.connect import connect
from hero_admin.migrations import migrate
from hero_admin.model.arguments import ResourceError
from hero_admin.model.resource import Resource
from hero_admin.settings import Settings
from hero_admin.testing import Client, Page, htmx_headers
from tests.cases import each, on_one_database
from tests.device import Device
from tests.factories import a_hero, a_team
from tests.signing_in import a_user
from tests.stored import Stored
from webapp.heroes import Hero, heroes
from webapp.teams import teams

URLS = ("href", "src", "action", "formaction", "hx-get", "hx-post", "hx-delete")
SITE = "http://shop.example"
PASSWORD = "correct horse battery"
ANN = {"account.name": "Ann", "account.password": PASSWORD}
NOVA = {"name": "Nova", "secret_name": "Sam Alexander"}


def starlette_host(admin: ASGIApp) -> ASGIApp:
    return Starlette(routes=[Mount("/admin", admin)])


def fastapi_host(admin: ASGIApp) -> ASGIApp:
    host = FastAPI()
    host.mount("/admin", admin)
    return host


def host_in_a_host(admin: ASGIApp) -> ASGIApp:
    return Starlette(routes=[Mount("/shop", starlette_host(admin))])


def host_of_tenants(admin: ASGIApp) -> ASGIApp:
    return Starlette(routes=[Mount("/{tenant}/admin", admin)])


def stripping(app: ASGIApp) -> ASGIApp:
    """A proxy that removes /shop from the path."""

    async def proxy(scope: Scope, receive: Receive, send: Send) -> None:
        assert scope["path"].startswith("/shop/"), f"{scope['path']} is not below the prefix"
        path = scope["path"].removeprefix("/shop")
        await app({**scope, "path": path, "raw_path": path.encode()}, receive, send)

    return proxy


def told(root_path: str, app: ASGIApp) -> ASGIApp:
    """A server that is told a prefix, which it puts ahead of the path: `uvicorn --root-path`."""

    async def server(scope: Scope, receive: Receive, send: Send) -> None:
        path = f"{root_path}{scope['path']}"
        await app({**scope, "root_path": root_path, "path": path}, receive, send)

    return server


def told_only(root_path: str, app: ASGIApp) -> ASGIApp:
    """A server that is told a prefix, and leaves the path as it is: `granian` and the like."""

    async def server(scope: Scope, receive: Receive, send: Send) -> None:
        await app({**scope, "root_path": root_path}, receive, send)

    return server


# The prefix that browsers see, and what stands between them and the admin.
HOUSES: dict[str, tuple[str, Callable[[ASGIApp], ASGIApp]]] = {
    "at the top": ("", lambda admin: admin),
    "Starlette": ("/admin", starlette_host),
    "FastAPI": ("/admin", fastapi_host),
    "two levels": ("/shop/admin", host_in_a_host),
    "a parameter": ("/acme/admin", host_of_tenants),
    "letters to be quoted": (
        "/my ädmin",
        lambda admin: Starlette(routes=[Mount("/my ädmin", admin)]),
    ),
    "a proxy that keeps the prefix": ("/shop/admin", host_in_a_host),
    "a proxy that strips it, known to the server": (
        "/shop/admin",
        lambda admin: stripping(told("/shop", starlette_host(admin))),
    ),
    "a proxy that strips it, known to a server that leaves the path": (
        "/shop/admin",
        lambda admin: stripping(told_only("/shop", starlette_host(admin))),
    ),
    "a proxy that strips it, and no application": (
        "/shop",
        lambda admin: stripping(told("/shop", admin)),
    ),
}


@pytest.fixture
def admin(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Admin:
    monkeypatch.setenv("WEBAPP_REQUEST_TIMEOUT_SECONDS", "60")
    return Admin((heroes, teams), database=settings.database_url, title="Shop")


@asynccontextmanager
async def browser_of(*admins: Admin, at: ASGIApp) -> AsyncIterator[Client]:
    """A browser of the application outside, which closes its admins in the end."""
    headers = {"Sec-Fetch-Site": "same-origin"}
    transport = httpx.ASGITransport(at)
    async with Client(
        httpx.AsyncClient(transport=transport, base_url=SITE, headers=headers)
    ) as client:
        yield client
    for admin in admins:
        await admin.close()


@pytest.fixture
async def ann(session: AsyncSession) -> None:
    """An owner with a password."""
    session.add(a_user("Ann", password_hash=await Passwords().hash(PASSWORD)))
    await session.commit()


@pytest.fixture
async def hero(session: AsyncSession) -> Hero:
    return await a_hero(session, team=await a_team(session))


def urls_in(page: Page) -> Iterator[str]:
    for tag in page.find_all(True):
        for name, value in tag.tag.attrs.items():
            if name in URLS or (name.startswith("data-") and str(value).startswith("/")):
                yield str(value)


@on_one_database
@each("house", HOUSES)
async def test_every_url_of_every_page_leads_to_the_admin(
    admin: Admin, hero: Hero, ann: None, house: str
) -> None:
    prefix, build = HOUSES[house]
    async with browser_of(admin, at=build(admin)) as browser:
        strange = await browser.get(f"{prefix}/heroes?q=nova")
        asked = await browser.follow(strange)
        assert asked.heading == "Sign in"
        entered = await browser.submit(asked.form(), ANN)
        assert httpx.URL(entered.headers["location"]).path == f"{prefix}/heroes"
        waiting, seen = [f"{prefix}/"], {f"{prefix}/"}
        while waiting:
            page = await browser.get(waiting.pop())
            assert page.status_code == 200, page.url
            if not page.headers["content-type"].startswith("text/html"):
                continue
            links = {link.href for link in page.links}
            for url in urls_in(page):
                path = httpx.URL(urljoin(str(page.url), url)).path
                assert path.startswith(f"{prefix}/"), (page.url, url)
                if path not in seen and (url in links or "/static/" in url):
                    seen.add(path)
                    # An action asks about the records in its query.
                    waiting.append(urljoin(str(page.url), url))
    expected = ("", f"heroes/{hero.id}/edit", "heroes.csv", "api/docs", "people", "account")
    assert {f"{prefix}/{path}" for path in expected} <= seen


@on_one_database
@each("house", HOUSES)
async def test_what_is_saved_deleted_and_undone_leads_back_to_the_admin(
    admin: Admin, session: AsyncSession, ann: None, stored: Stored, house: str
) -> None:
    prefix, build = HOUSES[house]
    await session.execute(delete(Hero))
    await session.commit()
    async with browser_of(admin, at=build(admin)) as browser:
        await browser.post(f"{prefix}/sign-in", data=ANN)
        form = (await browser.get(f"{prefix}/heroes/new")).form()
        listed = await browser.follow(await browser.submit(form, NOVA))
        assert (listed.url.path, listed.flash) == (f"{prefix}/heroes", "Created Nova")
        assert listed.marked_rows == ["Nova"]
        (hero,) = await stored.all(Hero)
        at = f"{prefix}/heroes/{hero.id}"
        assert httpx.URL(listed.link("Nova")).path == at
        form = (await browser.get(f"{at}/edit")).form()
        saved = await browser.submit(form, age="17", headers=htmx_headers("form#form"))
        assert (await browser.follow(saved)).flash == "Saved Nova"
        page = await browser.follow(await browser.post(f"{at}/delete"))
        assert (page.url.path, page.rows) == (f"{prefix}/heroes", [])
        page = await browser.follow(await browser.submit(page.undo))
        assert (await stored.all(Hero))[0].age == 17
        created = await browser.post(f"{prefix}/api/heroes/", json=NOVA)
        assert (await browser.get(created.headers["location"])).json()["name"] == "Nova"
        await browser.post(f"{prefix}/api/heroes/", json=NOVA)
        listing = await browser.get(f"{prefix}/api/heroes/?q=nova&limit=1")
        following = httpx.URL(listing.headers["link"].partition(">")[0][1:])
        assert following.path == f"{prefix}/api/heroes/"
        (second,) = (await browser.get(str(following))).json()
        assert second["id"] != listing.json()[0]["id"]
        document = (await browser.get(f"{prefix}/api/openapi.json")).json()
        assert document["servers"] == [{"url": f"{quote(prefix)}/api"}]
        themed = await browser.post(f"{prefix}/theme", data={"theme": "dark", "back": at})
        assert 'data-theme="dark"' in (await browser.follow(themed)).text
        left = await browser.post(f"{prefix}/sign-out")
        assert (await browser.follow(left)).heading == "Sign in"


@on_one_database
@each("house", HOUSES)
async def test_a_passkey_is_made_and_signs_in_below_any_prefix(
    admin: Admin, session: AsyncSession, ann: None, house: str
) -> None:
    prefix, build = HOUSES[house]
    await session.execute(delete(Passkey))
    await session.execute(update(User).values(has_second_factor=False))
    await session.commit()
    device = Device(SITE)
    async with browser_of(admin, at=build(admin)) as browser:
        await browser.post(f"{prefix}/sign-in", data=ANN)
        at = f"{prefix}/account/second-factor/passkeys"
        (button,) = (await browser.get(f"{at}/new")).find_all("button", {"data-passkey": True})
        options = (await browser.get(button.attribute("data-passkey"))).json()
        made = await browser.post(at, data={"name": "k", "passkey": device.register(options)})
        assert made.heading == "Recovery codes"
        await browser.post(f"{prefix}/sign-out")
        page = await browser.get(f"{prefix}/sign-in")
        (button,) = page.find_all("button", {"data-passkey": True})
        options = (await browser.get(button.attribute("data-passkey"))).json()
        assert options["rpId"] == "shop.example"
        entered = await browser.submit(page.form(), {"account.passkey": device.answer(options)})
        assert entered.headers["location"] == f"{quote(prefix)}/"
        assert (await browser.get(f"{prefix}/account")).heading == "Ann"


@on_one_database
@each("tenant", ["%5Cevil.example", "a%3Fb", "a%23b", "%7B0%7D", "%22%3E%3Cb%3E"])
async def test_a_parameter_in_the_prefix_never_leads_elsewhere(
    admin: Admin, ann: None, tenant: str
) -> None:
    prefix = f"/{tenant}/admin"
    async with browser_of(admin, at=host_of_tenants(admin)) as browser:
        entered = await browser.post(f"{prefix}/sign-in", data=ANN)
        assert entered.headers["location"] == f"{prefix}/"
        page = await browser.get(f"{prefix}/heroes")
        assert page.status_code == 200
        assert all(url.startswith((f"{prefix}/", "#", "?")) for url in urls_in(page))


@on_one_database
async def test_the_only_application_of_a_server_closes_its_connections_in_the_end(
    admin: Admin, ann: None
) -> None:
    messages = iter([{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}])
    said: list[str] = []

    async def receive() -> Message:
        if said:
            async with browser_of(at=admin) as browser:
                assert (await browser.get("/readyz")).text == "ok\n"
        return next(messages)

    async def send(message: Message) -> None:
        said.append(message["type"])

    await admin({"type": "lifespan"}, receive, send)
    assert said == ["lifespan.startup.complete", "lifespan.shutdown.complete"]


@on_one_database
async def test_cookies_differ_from_those_outside_without_a_prefix_too(
    admin: Admin, ann: None
) -> None:
    async with browser_of(admin, at=Starlette(routes=[Mount("/", admin)])) as browser:
        entered = await browser.post("/sign-in", data=ANN)
        cookies = entered.headers.get_list("set-cookie")
        assert all(cookie.startswith("hero_admin_") for cookie in cookies)
        assert all("; Path=/;" in cookie for cookie in cookies)


@on_one_database
async def test_cookies_are_sent_to_the_admin_only_and_differ_from_those_outside(
    admin: Admin, ann: None
) -> None:
    async with browser_of(admin, at=starlette_host(admin)) as browser:
        entered = await browser.post("/admin/sign-in", data=ANN)
        cookies = entered.headers.get_list("set-cookie")
        assert {cookie.partition("=")[0] for cookie in cookies} == {
            "hero_admin_session",
            "hero_admin_device",
        }
        assert all("; Path=/admin;" in cookie for cookie in cookies)
        browser.http.base_url = httpx.URL(SITE.replace("http:", "https:"))
        entered = await browser.post("/admin/sign-in", data=ANN)
        # It would be for the whole host.
        assert "strict-transport-security" not in entered.headers
        assert all(
            cookie.startswith("__Secure-hero_admin_") and cookie.endswith("; Secure")
            for cookie in entered.headers.get_list("set-cookie")
        )


async def test_a_silent_database_holds_up_all_requests_once_and_no_health_check(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("WEBAPP_REQUEST_TIMEOUT_SECONDS", "1")
    attempts = []

    async def hold(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        attempts.append(reader)
        await reader.read()
        writer.close()

    async with await asyncio.start_server(hold, "127.0.0.1", 0) as silent:
        port = silent.sockets[0].getsockname()[1]
        admin = Admin((heroes, teams), database=f"postgresql://a:b@127.0.0.1:{port}/c")
        async with browser_of(admin, at=starlette_host(admin)) as browser:
            asked = [browser.get(f"/admin/{path}") for path in ("", "heroes", "teams", "healthz")]
            answers = await asyncio.gather(*asked)
            assert [page.status_code for page in answers] == [503, 503, 503, 200]
            assert len(attempts) == 1


@on_one_database
async def test_two_admins_in_one_process_have_sessions_and_pages_of_their_own(
    admin: Admin, settings: Settings, session: AsyncSession, ann: None
) -> None:
    other = Admin((teams,), database=settings.database_url, title="Other")
    app = Starlette(routes=[Mount("/a", admin), Mount("/b", other)])
    await a_hero(session)
    async with browser_of(admin, other, at=app) as browser:
        await browser.post("/a/sign-in", data=ANN)
        assert (await browser.get("/a/heroes")).title == "Heroes · Shop"
        assert (await browser.get("/b/teams")).status_code == 303
        await browser.post("/b/sign-in", data=ANN)
        assert (await browser.get("/b/teams")).title == "Teams · Other"
        assert (await browser.get("/b/heroes")).status_code == 404


def test_each_event_loop_has_connections_of_its_own(admin: Admin) -> None:
    async def ask() -> None:
        async with browser_of(admin, at=starlette_host(admin)) as browser:
            assert (await browser.get("/admin/readyz")).text == "ok\n"

    # As the tests of an application do.
    for _ in range(3):
        asyncio.run(ask())


async def test_the_address_of_an_engine_is_used_whatever_its_driver(
    settings: Settings, session: AsyncSession
) -> None:
    await a_hero(session)
    url = make_url(settings.database_url)
    is_file = url.get_backend_name() == "sqlite"
    plain = url.set(drivername="sqlite" if is_file else "postgresql")
    engines: list[Engine | AsyncEngine] = [create_async_engine(url)]
    # The synchronous driver of PostgreSQL is not installed.
    engines += [create_engine(plain)] if is_file else []
    for database in (url, plain, settings.database_url, *engines):
        own = Admin((heroes, teams), database=database).settings()
        assert own.database_url == settings.database_url


async def test_without_its_tables_the_admin_says_what_to_run_until_they_are_there(
    tmp_path: Path,
) -> None:
    admin = Admin((heroes, teams), database=f"sqlite:///{tmp_path}/new.db", program="shop-admin")
    async with browser_of(admin, at=starlette_host(admin)) as browser:
        page = await browser.get("/admin/heroes")
        assert page.status_code == 503
        assert page.text == "The database is not up to date: run `shop-admin migrate` first."
        database = connect(admin.settings())
        await migrate(database, admin.chain)
        await database.close()
        assert (await browser.get("/admin/heroes")).status_code == 303


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"database": "mysql://localhost/shop"}, "must be a SQLite file or a PostgreSQL server"),
        ({"database": "sqlite://"}, "must name a file"),
        ({"database": "shop.db"}, "database= can't be used. It must be"),
        ({"sign_in_url": "/login"}, "sign_in_url= needs authenticate="),
        ({"authenticate": "ann"}, "authenticate= takes a function"),
        ({"database": 5}, "must be a SQLite file or a PostgreSQL server"),
        ({"resources": (Resource(Hero, sort="nope"), teams)}, "sort='nope'"),
        ({"resources": (Hero, teams)}, "wrap the model in Resource"),
    ],
)
def test_a_mistake_is_one_sentence_when_the_admin_is_made(
    options: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(ResourceError, match=sentence) as raised:
        Admin(**{"resources": (heroes, teams), **options})
    assert "\n" not in str(raised.value)
