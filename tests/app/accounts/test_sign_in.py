"""Signing in: the way in, for whoever has an account and nobody else, and back to where one was."""

from contextlib import closing

import httpx
import pytest
from argon2 import PasswordHasher
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.applications import Starlette

from hero_admin.accounts.passwords import Passwords
from hero_admin.accounts.sessions import UserSession, token_digest
from hero_admin.accounts.users import User
from hero_admin.settings import Settings
from hero_admin.testing import Client, Page, htmx_headers
from tests.cases import on_one_database
from tests.factories import a_hero, committed
from tests.serving import client_of, serving
from tests.signing_in import a_user
from tests.stored import Stored
from webapp.app import admin
from webapp.heroes import Hero

PASSWORD = "correct horse battery"
# Quick to verify; another test is about the parameters.
QUICK = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
WRONG = "Invalid name or password."


@pytest.fixture
async def ann(session: AsyncSession) -> User:
    return await committed(session, a_user("Ann Smith", password_hash=QUICK.hash(PASSWORD)))


async def signed_in(
    client: Client,
    name: str = "Ann Smith",
    password: str = PASSWORD,
    at: str = "/sign-in",
) -> Page:
    form = (await client.get(at)).form()
    return await client.submit(form, {"account.name": name, "account.password": password})


async def test_a_page_asks_who_is_there_and_comes_back_to_where_one_was(
    anonymous: Client, ann: User
) -> None:
    answer = await anonymous.get("/heroes?q=nova&sort=-age")
    assert answer.status_code == 303
    entered = await signed_in(anonymous, at=answer.headers["location"])
    assert (entered.status_code, entered.headers["location"]) == (303, "/heroes?q=nova&sort=-age")
    assert (await anonymous.get("/heroes")).status_code == 200


@pytest.mark.parametrize("name", ["ann smith", "ANN SMITH", "  Ann   Smith "])
async def test_a_name_may_be_written_in_any_way(anonymous: Client, ann: User, name: str) -> None:
    assert (await signed_in(anonymous, name)).status_code == 303


@on_one_database
@pytest.mark.parametrize(
    "url",
    ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:alert(1)", "", "x"],
)
async def test_signing_in_leads_to_no_other_site(anonymous: Client, ann: User, url: str) -> None:
    page = await anonymous.get("/sign-in", params={"next": url})
    entered = await anonymous.submit(
        page.form(), {"account.name": "Ann Smith", "account.password": PASSWORD}
    )
    assert entered.headers["location"] == "/"


async def test_the_page_to_come_back_to_is_one_of_this_site(anonymous: Client) -> None:
    asked = await anonymous.http.get("http://localhost//evil.example/?x=1")
    # The sign-in of an application outside may follow it without a look.
    back = httpx.URL(asked.headers["location"]).params["next"]
    assert back == "/%2Fevil.example/?x=1"
    again = await anonymous.http.get(f"http://localhost{back}")
    assert again.headers["location"] == asked.headers["location"]


@pytest.mark.parametrize(
    ("name", "password"),
    [
        ("Ann Smith", "wrong horse battery"),
        ("Ann Smith", ""),
        ("Ann Smith", "x" * 2000),
        ("Nobody", PASSWORD),
        ("", ""),
        ("a\0b", PASSWORD),
        ("\ud7ff" * 3000, PASSWORD),
        ("Dora Disabled", PASSWORD),
        ("Ivy Invited", PASSWORD),
    ],
)
async def test_every_failed_sign_in_gets_the_same_answer(
    anonymous: Client, session: AsyncSession, ann: User, name: str, password: str
) -> None:
    disabled = a_user("Dora Disabled", password_hash=QUICK.hash(PASSWORD), is_disabled=True)
    session.add_all([disabled, a_user("Ivy Invited")])
    await session.commit()
    given = {"account.name": name, "account.password": password}
    answer = await anonymous.post("/sign-in", data=given)
    assert (answer.status_code, answer.alert) == (422, WRONG)
    assert "set-cookie" not in answer.headers
    assert answer.field("Password").value == ""
    assert (await anonymous.get("/heroes")).status_code == 303


async def test_a_name_that_was_typed_is_kept_and_the_password_has_the_focus(
    anonymous: Client, ann: User
) -> None:
    answer = await signed_in(anonymous, password="wrong horse battery")
    assert answer.field("Name").value == "Ann Smith"
    assert answer.field("Password").is_focused


async def test_a_signed_in_person_is_not_asked_again(client: Client) -> None:
    answer = await client.get("/sign-in?next=/teams")
    assert (answer.status_code, answer.headers["location"]) == (303, "/teams")


async def test_each_sign_in_gets_a_new_token_and_ends_the_old_session(
    anonymous: Client, ann: User, stored: Stored
) -> None:
    given = {"account.name": "Ann Smith", "account.password": PASSWORD}
    await anonymous.post("/sign-in", data=given)
    first = anonymous.cookies["session"]
    await anonymous.post("/sign-in", data=given)
    second = anonymous.cookies["session"]
    digests = {each.digest for each in await stored.all(UserSession) if each.user_id == ann.id}
    assert digests == {token_digest(second)}
    assert token_digest(first) not in digests


async def test_only_a_digest_of_the_token_is_stored(
    anonymous: Client, ann: User, stored: Stored
) -> None:
    await signed_in(anonymous)
    token = anonymous.cookies["session"]
    assert len(token) >= 43
    assert token not in str(await stored.all(UserSession))


async def test_the_cookie_is_out_of_reach_for_scripts_and_other_sites(
    anonymous: Client, ann: User
) -> None:
    cookie = (await signed_in(anonymous)).headers["set-cookie"]
    name, *attributes = cookie.split("; ")
    assert name.startswith("session=")
    assert {"HttpOnly", "SameSite=lax", "Path=/"} <= set(attributes)
    assert "Secure" not in attributes


async def test_over_https_the_cookie_belongs_to_this_host_alone(
    app: Starlette, client: Client, ann: User
) -> None:
    given = {"account.name": "Ann Smith", "account.password": PASSWORD}
    async with client_of(app) as other:
        other.http.base_url = httpx.URL("https://localhost/")
        entered = await other.post("/sign-in", data=given)
        name, *attributes = entered.headers["set-cookie"].split("; ")
        assert name.startswith("__Host-session=")
        assert {"HttpOnly", "SameSite=lax", "Path=/", "Secure"} <= set(attributes)
        assert (await other.get("/heroes")).status_code == 200
        # Messages name records.
        for answer in (
            await other.post("/theme", data={"theme": "dark"}),
            await other.post("/account/sessions/end"),
        ):
            assert "Secure" in answer.headers["set-cookie"].split("; ")
        # A name without the prefix may come from a neighbour.
        other.cookies.set("session", client.cookies["session"])
        del other.cookies["__Host-session"]
        assert (await other.get("/heroes")).status_code == 303


async def test_a_hash_of_weaker_times_is_made_anew(
    anonymous: Client, ann: User, stored: Stored
) -> None:
    await signed_in(anonymous)
    user = await stored.get(User, ann.id)
    assert user is not None
    assert user.password_hash
    assert user.password_hash != ann.password_hash
    with closing(Passwords()) as passwords:
        assert await passwords.rehash(user.password_hash, PASSWORD) is None
    assert PasswordHasher().verify(user.password_hash, PASSWORD)


# What is not for everybody


@on_one_database
@pytest.mark.parametrize(
    "path", ["/", "/heroes", "/heroes.csv", "/heroes/1", "/nothing", "/api/docs"]
)
async def test_nothing_is_shown_to_a_stranger(anonymous: Client, path: str) -> None:
    answer = await anonymous.get(path)
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/sign-in")


@on_one_database
@pytest.mark.parametrize("method", ["GET", "POST", "PATCH", "DELETE"])
async def test_a_program_without_a_token_is_told_how_to_authenticate(
    anonymous: Client, method: str
) -> None:
    answer = await anonymous.request(method, "/api/heroes/1")
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
    assert answer.json() == {"detail": "Sign in to continue."}


async def test_htmx_gets_the_sign_in_alone(anonymous: Client) -> None:
    answer = await anonymous.get("/heroes?q=x", headers=htmx_headers("section#list"))
    assert answer.status_code == 401
    assert not answer.find_all("html")
    assert answer.field("Password").value == ""
    boosted = {**htmx_headers("section#list"), "HX-Request-Type": "full"}
    answer = await anonymous.get("/heroes?q=x", headers=boosted)
    assert answer.headers["hx-redirect"].startswith("/sign-in?next=")


@on_one_database
@pytest.mark.parametrize("path", ["/static/site.css", "/healthz", "/readyz", "/sign-in"])
async def test_what_is_for_everybody_asks_nobody(anonymous: Client, path: str) -> None:
    assert (await anonymous.get(path)).status_code == 200


async def test_a_stranger_who_writes_waits_for_nobody_and_changes_nothing(
    anonymous: Client, session: AsyncSession, stored: Stored
) -> None:
    session.add(Hero(name="Half", secret_name="Done"))
    await session.flush()
    anonymous.cookies.set("session", "x" * 43)
    answer = await anonymous.post("/heroes", data={"name": "Nova", "secret_name": "Sam"})
    await session.rollback()
    assert answer.status_code == 401
    assert await stored.count(Hero) == 0


async def test_without_accounts_nobody_is_asked(settings: Settings) -> None:
    app = admin.application(settings.model_copy(update={"auth": "off"}))
    async with serving(app) as client:
        assert (await client.get("/heroes")).status_code == 200
        answer = await client.post("/heroes", data={"name": "Nova", "secret_name": "Sam"})
        assert answer.status_code == 303
        assert (await client.get("/sign-in")).headers["location"] == "/"


@on_one_database
@pytest.mark.parametrize(
    "name", ["Forwarded", "X-Forwarded-For", "Forwarded-For", "X-Real-IP", "Fly-Client-IP", "Via"]
)
async def test_without_accounts_nothing_is_answered_that_came_through_a_proxy(
    settings: Settings, stored: Stored, name: str
) -> None:
    app = admin.application(settings.model_copy(update={"auth": "off"}))
    async with serving(app) as client:
        client.headers[name] = "192.0.2.1"
        assert (await client.get("/heroes")).status_code == 403
        answer = await client.post("/api/heroes/", json={"name": "Nova", "secret_name": "Sam"})
        assert answer.status_code == 403
        assert "WEBAPP_AUTH=off" in answer.json()["detail"]
    assert await stored.count(Hero) == 0


# A form whose session has ended meanwhile


async def test_a_form_is_saved_after_signing_in_as_it_was_typed(
    anonymous: Client,
    client: Client,
    session: AsyncSession,
    stored: Stored,
    ann: User,
) -> None:
    hero = await a_hero(session, "Deadpond")
    form = (await client.get(f"/heroes/{hero.id}/edit")).form()
    typed = {"name": "\n Zoë & <Nova>  ", "age": "17"}
    asked = await anonymous.submit(form, typed)
    assert (asked.status_code, asked.heading) == (401, "Sign in")
    assert "continue where you left off" in asked.alert

    wrong = await anonymous.submit(
        asked.form(), {"account.name": "Ann", "account.password": "wrong"}
    )
    assert (wrong.status_code, wrong.alert) == (422, WRONG)

    sign_in = wrong.form()
    given = {"account.name": "Ann Smith", "account.password": PASSWORD}
    entered = await anonymous.submit(sign_in, given)
    assert (entered.status_code, entered.headers["location"]) == (
        307,
        form.url.removeprefix("http://localhost"),
    )
    # What a browser does with a 307: the same once more, elsewhere.
    sign_in.url = form.url
    saved = await anonymous.submit(sign_in, given)
    assert saved.status_code == 303
    page = await anonymous.get(saved.headers["location"])
    assert page.flash.startswith("Saved")
    found = await stored.get(Hero, hero.id)
    assert found is not None
    assert (found.name, found.age) == ("Zoë & <Nova>", 17)


async def test_a_form_of_many_fields_of_one_name_is_kept_in_order(anonymous: Client) -> None:
    asked = await anonymous.post("/heroes/delete?back=/heroes", data={"id": ["3", "1", "2"]})
    form = asked.form()
    assert form.data["id"] == ["3", "1", "2"]
    assert form["account.next"] == "/heroes/delete?back=/heroes"


@on_one_database
@pytest.mark.parametrize(
    ("headers", "content", "path"),
    [
        ({"Content-Type": "application/json"}, b"{}", "/heroes"),
        ({"Content-Type": "text/plain"}, b"name=Nova", "/heroes"),
        (FORM, b"old=hush-hush&new=hush-hush-hush", "/account/password"),
        (FORM, b"a=1&" * 1500, "/heroes"),
        (FORM, b"a=" + b"x" * 50_000, "/heroes"),
    ],
    ids=["json", "text", "password", "many", "big"],
)
async def test_what_cannot_be_kept_is_not_written_into_the_page(
    anonymous: Client, headers: dict[str, str], content: bytes, path: str
) -> None:
    asked = await anonymous.post(path, headers=headers, content=content)
    assert (asked.status_code, asked.heading) == (401, "Sign in")
    assert "try again" in asked.alert
    assert set(asked.form().data) == {"account.next", "account.name", "account.password"}
    assert "hush" not in asked.text


async def test_a_session_that_is_gone_costs_a_form_nothing_in_htmx_either(
    anonymous: Client, stored: Stored
) -> None:
    answer = await anonymous.post(
        "/heroes", data={"name": "Nova"}, headers=htmx_headers("form#form")
    )
    assert (answer.status_code, answer.heading) == (401, "Sign in")
    assert not answer.find_all("html")
    assert await stored.count(Hero) == 0
