"""The commands about accounts, as operators run them."""

import asyncio

import pytest
from starlette.applications import Starlette

from hero_admin.accounts.one_time_links import OneTimeLink
from hero_admin.accounts.users import User
from hero_admin.audit_log.changes import Change
from hero_admin.testing import Client
from tests.commands import refusal_of, run
from tests.second_factor import set_up
from tests.serving import serving
from tests.stored import Stored

PASSWORD = "correct horse battery"


async def user(*arguments: str, url: str, typed: str = f"{PASSWORD}\n") -> str:
    done = await asyncio.to_thread(run, "user", *arguments, url=url, typed=typed)
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    assert PASSWORD not in done.stdout
    return done.stdout


async def can_sign_in(client: Client, password: str = PASSWORD) -> bool:
    given = {"account.name": "Ann", "account.password": password}
    return (await client.post("/sign-in", data=given)).status_code == 303


async def test_an_account_is_added_given_a_password_disabled_and_enabled(
    app: Starlette, database_url: str, stored: Stored
) -> None:
    said = await user("add", "Ann", "--role=editor", url=database_url)
    assert said == "Added Ann as editor.\n"
    async with serving(app) as client:
        assert await can_sign_in(client)
        said = await user("password", "ann", url=database_url, typed="another horse battery")
        assert said == "Changed the password of Ann, and signed them out.\n"
        assert (await client.get("/heroes")).status_code == 303
        assert not await can_sign_in(client)
        assert await can_sign_in(client, "another horse battery")
        await user("add", "Olive", "--role=owner", url=database_url)
        assert await user("disable", "ANN", url=database_url) == "Ann can no longer sign in.\n"
        assert (await client.get("/heroes")).status_code == 303
        assert await user("list", url=database_url) == (
            "Ann    editor  disabled\nOlive  owner   active\n"
        )
        assert await user("enable", "Ann", url=database_url) == "Ann can sign in again.\n"
        assert await can_sign_in(client, "another horse battery")
    changes = await stored.all(Change)
    assert [(each.title, each.via, each.by_name) for each in changes] == [
        (name, "command", "Command line") for name in ("Ann", "Ann", "Olive", "Ann", "Ann")
    ]
    assert "horse" not in "".join(each.values_json for each in changes)


async def test_an_invitation_prints_a_link_and_nobody_knows_the_password(
    database_url: str, stored: Stored
) -> None:
    said = await user("add", "Ann", "--invite", url=database_url, typed="")
    assert said.startswith("Ann can set a password at /welcome?token=")
    assert await user("list", url=database_url) == "Ann  viewer  invited\n"
    (account,) = await stored.all(User)
    assert account.password_hash is None
    assert await stored.count(OneTimeLink) == 1


async def test_whoever_has_lost_the_second_factor_gets_in_again(
    app: Starlette, database_url: str
) -> None:
    await user("add", "Ann", url=database_url)
    async with serving(app) as client:
        assert await can_sign_in(client)
        await set_up(client)
        assert not await can_sign_in(client)
        said = await user("reset-second-factor", "ANN", url=database_url)
        assert said == "Ann can sign in with the password alone, and was signed out.\n"
        assert (await client.get("/heroes")).status_code == 303
        assert await can_sign_in(client)


def test_a_list_of_nobody_says_so(sqlite_url: str) -> None:
    assert run("user", "list", url=sqlite_url).stdout == "No accounts yet.\n"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("add", "Ann"), "Use at least 12 characters."),
        (("add", "Ann", "--role=king"), "'king' is not one of"),
        (("add", " ", "--invite"), "Enter a name."),
        (("disable", "Nobody"), "Unknown account “Nobody”."),
        (("enable", "Nobody"), "Unknown account “Nobody”."),
    ],
)
def test_what_cannot_be_done_is_said_in_a_sentence(
    sqlite_url: str, arguments: tuple[str, ...], sentence: str
) -> None:
    assert sentence in refusal_of("user", *arguments, url=sqlite_url)


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        (PASSWORD, "This is the current password. Choose another one."),
        ("iloveyou-12345", "This is too close to a common password. Choose another one."),
        ("smith ann 1999", "Don't use your name or the name of this site."),
    ],
)
def test_a_weak_password_is_refused_on_the_command_line_too(
    sqlite_url: str, typed: str, sentence: str
) -> None:
    run("user", "add", "Ann Smith", url=sqlite_url, typed=f"{PASSWORD}\n")
    done = run("user", "password", "Ann Smith", url=sqlite_url, typed=f"{typed}\n")
    assert (done.returncode, done.stderr.strip()) == (2, sentence)


def test_a_name_that_is_taken_and_the_last_owner_are_refused(sqlite_url: str) -> None:
    run("user", "add", "Ann", "--role=owner", "--invite", url=sqlite_url)
    said = refusal_of("user", "add", "ANN", "--invite", url=sqlite_url)
    assert said == "The name “ANN” is already taken."
    said = refusal_of("user", "disable", "Ann", url=sqlite_url)
    assert said == "There has to be an owner: make someone else an owner first."
