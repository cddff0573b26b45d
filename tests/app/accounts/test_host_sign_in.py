"""Sign-in of the application outside: it says who is asking, and the library has no accounts."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from hero_admin import Admin, Person, Role
from hero_admin.accounts import host_sign_in
from hero_admin.audit_log.changes import Change
from hero_admin.settings import Settings
from hero_admin.testing import Client, htmx_headers
from tests.cases import each
from tests.factories import a_hero
from tests.stored import Stored
from webapp.heroes import Hero, heroes
from webapp.teams import teams

SITE = "http://shop.example"
NOVA = {"name": "Nova", "secret_name": "Sam Alexander"}
PEOPLE = {
    "vera": Person("Vera", Role.VIEWER),
    "edward": Person("Edward", Role.EDITOR),
    "olive": Person("Olive", Role.OWNER),
}


class NotesVisit:
    """A middleware of the application outside, whose notes `authenticate` reads."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope.setdefault("state", {})["visit"] = "noted"
        await self.app(scope, receive, send)


async def by_cookie(request: Request) -> Person | None:
    """As applications do: what their own middleware and their own state say."""
    assert request.state.visit == "noted"
    assert request.app.state.shop == "open"
    assert request.url_for("login").path.endswith("/login")
    return PEOPLE.get(request.cookies.get("shop", ""))


async def by_token(request: Request) -> Person | None:
    return PEOPLE.get(request.headers.get("authorization", "").removeprefix("Bearer "))


def in_a_thread(request: Request) -> Person | None:
    return PEOPLE.get(request.cookies.get("shop", ""))


async def by_dependency(request: Request) -> Person | None:
    person = PEOPLE.get(request.cookies.get("shop", ""))
    if person is None:
        raise HTTPException(401, "Not authenticated")
    if person.role is Role.VIEWER:
        raise HTTPException(403, "Staff only.")
    return person


@asynccontextmanager
async def shop(
    settings: Settings,
    authenticate: Callable[[Request], Awaitable[Person | None] | Person | None] = by_cookie,
    sign_in_url: str = "/login",
    cookie: str = "",
) -> AsyncIterator[Client]:
    """A browser of a shop, in which the admin is mounted; the cookie says who it is."""
    admin = Admin(
        (heroes, teams),
        database=settings.database_url,
        authenticate=authenticate,
        sign_in_url=sign_in_url,
    )
    app = FastAPI(middleware=[Middleware(NotesVisit)])
    app.state.shop = "open"

    @app.get("/login")
    async def login() -> str:
        return "Who are you?"

    app.mount("/admin", admin)
    headers = {"Sec-Fetch-Site": "same-origin"}
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    http = httpx.AsyncClient(transport=transport, base_url=SITE, headers=headers)
    async with Client(http) as client:
        if cookie:
            client.cookies.set("shop", cookie)
        yield client
    await admin.close()


async def test_strangers_sign_in_at_the_shop_and_come_back(settings: Settings) -> None:
    async with shop(settings) as browser:
        for path in ("/admin/", "/admin/heroes?q=nova&sort=-age", "/admin/api/docs"):
            asked = await browser.get(path)
            url = httpx.URL(asked.headers["location"])
            assert (asked.status_code, url.path) == (303, "/login")
            assert url.params["next"] == path
        # What is typed in its page is not lost.
        asked = await browser.get("/admin/heroes", headers=htmx_headers("section#list"))
        assert (asked.status_code, asked.link("Sign in again")) == (401, "/login?next=%2Fadmin%2F")
        assert (await browser.get("/admin/static/site.css")).status_code == 200
        told = await browser.get("/admin/api/heroes/")
        assert (told.status_code, told.json()) == (401, {"detail": "Sign in to continue."})


async def test_people_are_who_the_shop_says_and_may_do_what_their_role_may(
    settings: Settings, session: AsyncSession, stored: Stored
) -> None:
    hero = await a_hero(session)
    async with shop(settings, cookie="vera") as vera:
        page = await vera.get("/admin/heroes")
        assert "Vera" in page.text
        assert "New hero" not in page.link_names
        assert (await vera.post("/admin/heroes", data=NOVA)).status_code == 403
        assert (
            await vera.patch(f"/admin/api/heroes/{hero.id}", json={"age": 3})
        ).status_code == 403
    async with shop(settings, cookie="edward") as edward:
        form = (await edward.get("/admin/heroes/new")).form()
        page = await edward.follow(await edward.submit(form, NOVA))
        assert page.flash == "Created Nova"
        history = await edward.get("/admin/history")
        assert history.entries[0].sentence.startswith("Edward created")
        await edward.submit(page.undo)
    changes = (await session.scalars(select(Change).order_by(col(Change.id)))).all()
    assert [(change.by_name, change.by_id) for change in changes] == [("Edward", None)] * 2
    assert [each.name for each in await stored.all(Hero)] == [hero.name]


async def by_header(request: Request) -> Person | None:
    return PEOPLE.get(request.headers.get("x-shop", ""))


async def test_a_browser_gets_no_masked_values_in_bulk_however_it_is_signed_in(
    settings: Settings, session: AsyncSession
) -> None:
    hero = await a_hero(session)
    async with shop(settings, by_header) as client:
        client.headers["X-Shop"] = "edward"
        (found,) = (await client.get("/admin/api/heroes/")).json()
        one = (await client.get(f"/admin/api/heroes/{hero.id}")).json()
        assert (found["secret_name"], one["secret_name"]) == (None, "Dive Wilson")
        # A program of the shop sends nothing of the kind.
        del client.headers["Sec-Fetch-Site"]
        (found,) = (await client.get("/admin/api/heroes/")).json()
        assert found["secret_name"] == "Dive Wilson"


async def test_the_library_has_no_accounts_of_its_own_then(settings: Settings) -> None:
    async with shop(settings, cookie="olive") as olive:
        page = await olive.get("/admin/")
        assert {"People", "Your account"}.isdisjoint(page.link_names)
        for path in ("people", "people/new", "account", "welcome?token=x"):
            assert (await olive.get(f"/admin/{path}")).status_code == 404


@each("how", [by_cookie, in_a_thread, by_dependency])
async def test_any_function_may_say_who_is_asking(
    settings: Settings, how: Callable[[Request], Awaitable[Person | None] | Person | None]
) -> None:
    async with shop(settings, how, cookie="edward") as edward:
        assert (await edward.get("/admin/heroes")).status_code == 200
        edward.cookies.clear()
        assert (await edward.get("/admin/heroes")).status_code == 303


async def test_what_the_shop_forbids_is_a_page_that_says_so(settings: Settings) -> None:
    async with shop(settings, by_dependency, cookie="vera") as vera:
        page = await vera.get("/admin/heroes")
        assert (page.status_code, "Staff only." in page.text) == (403, True)


async def test_without_a_page_to_sign_in_strangers_are_told_so(settings: Settings) -> None:
    async with shop(settings, sign_in_url="") as browser:
        page = await browser.get("/admin/heroes")
        assert (page.status_code, page.heading) == (401, "Sign in")
        browser.cookies.set("shop", "edward")
        assert (await browser.follow(await browser.submit(page.form()))).heading == "Heroes 0"


async def test_a_form_sent_after_signing_out_is_kept_and_sent_again(
    settings: Settings, stored: Stored
) -> None:
    async with shop(settings, cookie="edward") as edward:
        form = (await edward.get("/admin/heroes/new")).form()
        edward.cookies.clear()
        refused = await edward.submit(form, NOVA)
        assert (refused.status_code, refused.heading) == (401, "Sign in")
        part = await edward.submit(form, NOVA, headers=htmx_headers("form#form"))
        assert (part.status_code, part.heading) == (401, "Sign in")
        going_on = part.form()
        early = await edward.submit(going_on, headers=htmx_headers("section#sign_in"))
        assert early.status_code == 401
        assert await stored.count(Hero) == 0
        # In another tab.
        edward.cookies.set("shop", "edward")
        again = await edward.submit(refused.form(press="Continue"), secret_name="Sam Alexander")
        late = await edward.submit(going_on, headers=htmx_headers("section#sign_in"))
        assert late.status_code == 204
        assert (await edward.follow(again)).flash == "Created Nova"


async def test_a_token_is_no_proof_of_the_origin_beside_a_cookie(
    settings: Settings, session: AsyncSession
) -> None:
    hero = await a_hero(session)
    at, change = f"/admin/api/heroes/{hero.id}", {"age": 17}
    foreign = {"Sec-Fetch-Site": "cross-site", "Authorization": "Bearer anything"}
    async with shop(settings, cookie="edward") as edward:
        assert (await edward.patch(at, json=change, headers=foreign)).status_code == 403
    own = {"Sec-Fetch-Site": "cross-site", "Authorization": "Bearer edward"}
    async with shop(settings, by_token) as program:
        assert (await program.patch(at, json=change, headers=own)).status_code == 200


@dataclass(frozen=True)
class Clerk(Person):
    """A person of the shop, with more that it knows, and an odd truth value."""

    shelf: str = "A"

    def __bool__(self) -> bool:
        return False


@each(
    "person",
    [
        Person("Ed\0" + "w" * 300, Role.EDITOR),
        Person("Edward", "editor"),  # type: ignore[arg-type]
        Person("Edward", Role.EDITOR, user_id=2**70),
        Person("Edward", Role.EDITOR, user_id="e-7"),  # type: ignore[arg-type]
        Clerk("Edward", Role.EDITOR, shelf="B"),
    ],
)
async def test_a_person_of_any_application_can_save(
    settings: Settings, session: AsyncSession, person: Person
) -> None:
    async with shop(settings, lambda _: person) as browser:
        form = (await browser.get("/admin/teams/new")).form()
        page = await browser.follow(await browser.submit(form, name=f"Team {person!r:.99}"))
        assert page.flash.startswith("Created Team")
        await browser.submit(page.undo)
    latest = (await session.scalars(select(Change).order_by(col(Change.id).desc()))).first()
    assert latest is not None
    assert (latest.by_name[:2], latest.by_id) == ("Ed", None)
    await session.rollback()


@each(
    "person",
    [
        Person("Edward", "admin"),  # type: ignore[arg-type]
        Person("Edward", None),  # type: ignore[arg-type]
        Person(7, Role.EDITOR),  # type: ignore[arg-type]
    ],
)
async def test_a_person_without_a_name_or_a_role_is_an_error_that_says_so(
    settings: Settings, caplog: pytest.LogCaptureFixture, person: Person
) -> None:
    async with shop(settings, lambda _: person) as browser:
        assert (await browser.get("/admin/heroes")).status_code == 500
    assert "must return a Person whose name is a text and whose role is a Role" in caplog.text


async def test_an_unknown_status_of_the_shop_is_passed_on(settings: Settings) -> None:
    def refuse(_: Request) -> Person | None:
        raise HTTPException(499, "Not now.")

    async with shop(settings, refuse) as browser:
        page = await browser.get("/admin/heroes")
        assert (page.status_code, page.heading) == (499, "Error")


async def test_strangers_send_no_more_than_a_form_and_are_told_what_is_lost(
    settings: Settings,
) -> None:
    async with shop(settings) as browser:
        for path in ("/admin/heroes", "/admin/api/heroes/"):
            refused = await browser.post(path, data={"name": "n" * 100_000})
            assert refused.status_code == 413
        refused = await browser.post("/admin/heroes", data={"name": "n" * 50_000})
        assert (refused.status_code, "couldn't be kept" in refused.text) == (401, True)


async def test_anything_but_a_person_is_an_error_that_says_so(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    async with shop(settings, lambda _: "edward") as browser:  # type: ignore[arg-type, return-value]
        assert (await browser.get("/admin/heroes")).status_code == 500
    assert "authenticate=) must return a Person or None, not str." in caplog.text


@each(("later", "status"), [(None, 401), (PEOPLE["vera"], 403), (PEOPLE["olive"], 303)])
async def test_who_loses_access_while_their_form_arrives_saves_nothing(
    settings: Settings,
    stored: Stored,
    monkeypatch: pytest.MonkeyPatch,
    later: Person | None,
    status: int,
) -> None:
    monkeypatch.setattr(host_sign_in, "PATIENCE_SECONDS", 0)
    known: list[Person | None] = [PEOPLE["olive"]]

    async def authenticate(_: Request) -> Person | None:
        return known[-1]

    async def slowly() -> AsyncIterator[bytes]:
        yield b"name=Nova&"
        known.append(later)
        yield b"secret_name=Sam"

    before = await stored.count(Hero)
    async with shop(settings, authenticate) as browser:
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        answer = await browser.post("/admin/heroes", content=slowly(), headers=form)
        assert answer.status_code == status
        if later is None:
            # It is kept until they have signed in again.
            assert answer.heading == "Sign in"
            assert answer.form(press="Continue").data["name"] == ["Nova"]
        known.append(PEOPLE["olive"])

        async def json() -> AsyncIterator[bytes]:
            yield b'{"name": "Nova", '
            known.append(later)
            yield b'"secret_name": "Sam"}'

        sent = await browser.post(
            "/admin/api/heroes/", content=json(), headers={"Content-Type": "application/json"}
        )
        assert sent.status_code == (201 if status == 303 else status)
    assert await stored.count(Hero) == before + (2 if status == 303 else 0)
