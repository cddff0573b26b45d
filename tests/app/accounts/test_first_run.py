"""The first run, and links that work once: only for whoever has one."""

import asyncio
import re
import subprocess
import urllib.error
import urllib.request
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.applications import Starlette

from hero_admin.accounts.one_time_links import OneTimeLink, Purpose, make_link
from hero_admin.accounts.sessions import UserSession
from hero_admin.accounts.users import User
from hero_admin.accounts.weak_passwords import OWN_NAME, TOO_COMMON
from hero_admin.audit_log.changes import Change
from hero_admin.person import Role
from hero_admin.testing import Client
from tests.cases import each, on_one_database
from tests.commands import run
from tests.commands import serving as running
from tests.factories import committed
from tests.serving import client_of, serving
from tests.signing_in import a_user
from tests.stored import Stored

PASSWORD = "correct horse battery"
OWNER = {"account.name": "Ann Smith", "account.password": PASSWORD}


@pytest.fixture
async def stranger(app: Starlette) -> AsyncIterator[Client]:
    """A client of an app without any account."""
    async with serving(app) as client:
        yield client


@pytest.fixture
async def address(session: AsyncSession) -> str:
    token = await make_link(session, Purpose.FIRST_OWNER)
    await session.commit()
    return f"/welcome?token={token}"


async def test_the_link_makes_the_owner_who_is_signed_in_at_once(
    stranger: Client, address: str, stored: Stored
) -> None:
    page = await stranger.get(address)
    assert (page.status_code, page.heading) == (200, "Welcome")
    entered = await stranger.submit(page.form(), OWNER)
    assert (entered.status_code, entered.headers["location"]) == (303, "/")
    assert (await stranger.get("/heroes/new")).status_code == 200
    (user,) = await stored.all(User)
    assert (user.name, user.role, user.is_disabled) == ("Ann Smith", "owner", False)
    (change,) = await stored.all(Change)
    assert (change.resource, change.title, change.by_name) == ("people", "Ann Smith", "Ann Smith")


async def test_looking_at_the_link_does_not_use_it_up(stranger: Client, address: str) -> None:
    for method in ("HEAD", "GET", "GET"):
        assert (await stranger.request(method, address)).status_code == 200


async def test_the_link_works_once(
    stranger: Client, app: Starlette, address: str, stored: Stored
) -> None:
    form = (await stranger.get(address)).form()
    assert (await stranger.submit(form, OWNER)).status_code == 303
    async with client_of(app) as other:
        again = await other.submit(form, OWNER | {"account.name": "Mallory"})
        assert (again.status_code, again.heading) == (410, "This link no longer works")
        assert (await other.get(address)).status_code == 410
        assert (await other.get("/heroes")).status_code == 303
    assert await stored.count(User) == 1


async def test_of_many_who_use_it_at_once_one_succeeds(
    stranger: Client, app: Starlette, address: str, stored: Stored
) -> None:
    async def use(number: int) -> int:
        async with client_of(app) as client:
            given = OWNER | {"account.name": f"Person {number}"}
            return (await client.post(address, data=given)).status_code

    statuses = await asyncio.gather(*(use(number) for number in range(6)))
    assert sorted(statuses) == [303, 410, 410, 410, 410, 410]
    assert (await stored.count(User), await stored.count(UserSession)) == (1, 1)


@each("token", ["", "x", "x" * 43, "\0", "ü"])
async def test_a_link_that_nobody_made_does_not_work(
    stranger: Client, address: str, token: str, stored: Stored
) -> None:
    for method in ("GET", "POST"):
        answer = await stranger.request(method, "/welcome", params={"token": token}, data=OWNER)
        assert (answer.status_code, answer.heading) == (410, "This link no longer works")
    assert (await stranger.get("/welcome")).status_code == 410
    assert await stored.count(User) == 0


async def test_a_link_works_for_some_time_only(
    stranger: Client, session: AsyncSession, address: str
) -> None:
    await session.execute(update(OneTimeLink).values(expires_at=datetime.now(UTC)))
    await session.commit()
    assert (await stranger.post(address, data=OWNER)).status_code == 410


@on_one_database
@pytest.mark.parametrize(
    ("name", "password", "label", "sentence"),
    [
        ("", PASSWORD, "Name", "Enter a name."),
        (" \t", PASSWORD, "Name", "Enter a name."),
        ("x" * 81, PASSWORD, "Name", "Use at most 80 characters."),
        ("a\0b", PASSWORD, "Name", "Use only visible characters."),
        ("Ann", "short", "Password", "Use at least 12 characters."),
        ("Ann", "x" * 1025, "Password", "Use at most 1024 bytes."),
        ("Ann", "P@ssw0rd-2026", "Password", TOO_COMMON),
        ("Ann Smith", "smith.ann.2026", "Password", OWN_NAME),
        ("Ann", "hero admin 2026", "Password", OWN_NAME),
    ],
)
async def test_what_cannot_be_is_said_beside_its_field_and_leaves_the_link_working(
    stranger: Client, address: str, name: str, password: str, label: str, sentence: str
) -> None:
    given = {"account.name": name, "account.password": password}
    answer = await stranger.post(address, data=given)
    assert (answer.status_code, answer.error(label)) == (422, sentence)
    assert answer.field("Password").value == ""
    assert (await stranger.submit(answer.form(), OWNER)).status_code == 303


async def test_with_an_account_the_link_is_worth_nothing(
    stranger: Client, session: AsyncSession, address: str, stored: Stored
) -> None:
    await committed(session, a_user("Bob"))
    assert (await stranger.post(address, data=OWNER)).status_code == 410
    assert await stored.count(User) == 1


async def test_without_an_account_the_sign_in_says_where_the_link_is(
    stranger: Client, session: AsyncSession
) -> None:
    words = "There are no accounts yet"
    assert words in (await stranger.get("/sign-in")).visible_text
    await committed(session, a_user("Bob"))
    assert words not in (await stranger.get("/sign-in")).visible_text


# Invitations and resets


@pytest.mark.parametrize("purpose", [Purpose.INVITE, Purpose.RESET])
async def test_a_link_gives_its_account_a_password_and_signs_in(
    stranger: Client, session: AsyncSession, stored: Stored, purpose: Purpose
) -> None:
    user = await committed(session, a_user("Bob", Role.VIEWER))
    token = await make_link(session, purpose, user.id)
    await session.commit()
    page = await stranger.get(f"/welcome?token={token}")
    assert "Bob" in page.visible_text
    entered = await stranger.submit(page.form(), {"account.password": PASSWORD})
    assert entered.status_code == 303
    assert (await stranger.get("/heroes")).status_code == 200
    assert (await stranger.get("/heroes/new")).status_code == 403
    assert (await stranger.get(f"/welcome?token={token}")).status_code == 410
    found = await stored.get(User, user.id)
    assert found is not None
    assert str(found.password_hash).startswith("$argon2id$")


async def test_a_newer_link_replaces_the_older_one(stranger: Client, session: AsyncSession) -> None:
    user = await committed(session, a_user("Bob"))
    older = await make_link(session, Purpose.INVITE, user.id)
    newer = await make_link(session, Purpose.RESET, user.id)
    await session.commit()
    assert (await stranger.get(f"/welcome?token={older}")).status_code == 410
    assert (await stranger.get(f"/welcome?token={newer}")).status_code == 200


# What the server prints

ON = {"WEBAPP_AUTH": "on"}


def printed_link(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    line = process.stdout.readline()
    found = re.fullmatch(r"Create the first account at (http://\S+/welcome\?token=\S+)\n", line)
    assert found, line
    return found[1]


def status_of(url: str) -> int:
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


@pytest.mark.parametrize("workers", [1, 2])
def test_a_server_without_accounts_prints_the_link_and_a_new_start_another_one(
    sqlite_url: str, tmp_path: Path, workers: int
) -> None:
    option = f"--workers={workers}"
    with running(sqlite_url, tmp_path, option, environment=ON) as (process, _):
        first = printed_link(process)
        assert status_of(first) == 200
    with running(sqlite_url, tmp_path, option, environment=ON) as (process, port):
        second = printed_link(process)
        assert f":{port}/" in second
        assert status_of(second) == 200
        token = first.partition("=")[2]
        assert status_of(f"http://127.0.0.1:{port}/welcome?token={token}") == 410
    log = (tmp_path / "stderr").read_text()
    assert "token" not in log


def test_a_server_with_an_account_prints_no_link(sqlite_url: str, tmp_path: Path) -> None:
    run("user", "add", "Ann", "--role=owner", "--invite", url=sqlite_url)
    with running(sqlite_url, tmp_path, environment=ON) as (process, _):
        process.terminate()
        assert process.stdout is not None
        assert process.stdout.read() == ""


def test_a_server_that_asks_nobody_says_so(sqlite_url: str, tmp_path: Path) -> None:
    with running(sqlite_url, tmp_path) as (process, _):
        assert process.stdout is not None
        assert (
            process.stdout.readline() == "Anyone can use it without signing in (WEBAPP_AUTH=off).\n"
        )
