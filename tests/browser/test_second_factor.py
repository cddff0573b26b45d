"""The second factor as people use it: an authenticator app, passkeys, recovery codes."""

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from playwright.sync_api import Browser, CDPSession, Page, expect

from hero_admin.accounts.cookies import SESSION
from tests.browser.conftest import TOKEN, Axe
from tests.browser.parts import expect_title, row, status
from tests.second_factor import App
from tests.server import Server

PASSWORD = "correct horse battery"
NAME = "Olive Owner"

each_way = pytest.mark.parametrize("has_javascript", [True, False])


@pytest.fixture(autouse=True)
def password(server: Server, running: tuple[Server, Path]) -> None:
    hashed = PasswordHasher().hash(PASSWORD)
    with closing(sqlite3.connect(running[1])) as connection, connection:
        connection.execute("UPDATE hero_admin_user SET password_hash = ?", (hashed,))


def enter_password(page: Page) -> None:
    form = page.get_by_role("region", name="Sign in")
    form.get_by_label("Name").fill(NAME)
    form.get_by_label("Password").fill(PASSWORD)
    form.get_by_role("button", name=re.compile("^Sign in( and continue)?$")).click()


def end_sessions(running: tuple[Server, Path]) -> None:
    with closing(sqlite3.connect(running[1])) as connection, connection:
        connection.execute("DELETE FROM hero_admin_session")


def set_up(page: Page) -> App:
    page.goto("/account")
    page.get_by_role("link", name="Set up an authenticator app").click()
    expect_title(page, "Authenticator app")
    app = App(page.get_by_label("Or type this key into the app").input_value())
    page.get_by_label("Code", exact=True).fill(app.code())
    page.get_by_role("button", name="Turn on").click()
    expect_title(page, "Recovery codes")
    return app


@each_way
def test_an_app_is_set_up_and_its_code_and_a_recovery_code_sign_in(
    page: Page, axe: Axe, has_javascript: bool
) -> None:
    page.goto("/account/second-factor/app")
    axe(page)
    page.get_by_label("Code", exact=True).fill("12")
    page.get_by_role("button", name="Turn on").click()
    expect(page.get_by_text("Wrong code.")).to_be_visible()
    app = set_up(page)
    axe(page)
    first = page.get_by_label("Recovery codes").input_value().splitlines()[0]
    page.get_by_role("link", name="Done").click()
    axe(page)
    for code in (app.code(1), first):
        page.get_by_role("button", name="Sign out", exact=True).click()
        page.goto("/heroes?q=nova")
        enter_password(page)
        expect(page.get_by_role("heading", name="Enter a code")).to_be_visible()
        axe(page)
        page.get_by_label("Code", exact=True).fill("1")
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("alert")).to_contain_text("Wrong code.")
        page.get_by_label("Code", exact=True).fill(code)
        page.get_by_role("button", name="Sign in").click()
        expect(page).to_have_url(re.compile(r"/heroes\?q=nova$"))
    page.goto("/account")
    expect(page.get_by_text("9 left.")).to_be_visible()
    page.get_by_role("link", name="Remove… authenticator app").click()
    page.get_by_role("button", name="Remove").click()
    expect(status(page, "Removed your authenticator app")).to_be_visible()


def test_what_was_typed_is_saved_after_both_steps_on_the_spot(
    page: Page, running: tuple[Server, Path]
) -> None:
    app = set_up(page)
    page.goto("/heroes/1/edit")
    page.get_by_label("Age").fill("41")
    end_sessions(running)
    page.get_by_role("button", name="Save changes").click()
    expect(page.get_by_role("dialog", name="Sign in")).to_be_visible()
    enter_password(page)
    dialog = page.get_by_role("dialog", name="Enter a code")
    expect(dialog.get_by_label("Code", exact=True)).to_be_focused()
    dialog.get_by_label("Code", exact=True).fill(app.code(1))
    dialog.get_by_role("button", name="Sign in").click()
    expect(status(page, "Saved")).to_contain_text("Deadpond")
    expect(row(page, "Deadpond")).to_contain_text("41")


# Passkeys: Chromium brings a device that answers by itself.


@pytest.fixture
def named(browser: Browser, server: Server) -> Iterator[Page]:
    """A page at a host name, as browsers have no passkeys for addresses, signed in."""
    url = server.url.replace("127.0.0.1", "localhost")
    with closing(browser.new_context(base_url=url, locale="en-GB")) as context:
        context.add_cookies([{"name": SESSION, "value": TOKEN, "url": url}])
        page = context.new_page()
        errors: list[str] = []
        page.on("pageerror", lambda error: errors.append(str(error)))
        yield page
        assert errors == []


def device(page: Page) -> tuple[CDPSession, str]:
    """Give the browser a device that keeps passkeys."""
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    made = session.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    return session, made["authenticatorId"]


def add_passkey(page: Page, name: str) -> None:
    page.goto("/account/second-factor/passkeys/new")
    page.get_by_label("Name").fill(name)
    page.get_by_role("button", name="Create passkey").click()


def test_a_passkey_signs_in_alone_and_after_the_password_and_proves_who_is_there(
    named: Page, axe: Axe, running: tuple[Server, Path]
) -> None:
    page = named
    session, authenticator = device(page)
    page.goto("/account")
    page.get_by_role("link", name="Add a passkey").click()
    axe(page)
    add_passkey(page, "Laptop")
    expect(page.get_by_label("Recovery codes")).to_have_value(re.compile(r"^(\d{4} ?){5}\n"))
    page.get_by_role("link", name="Done").click()
    axe(page)
    expect(page.get_by_text("never used")).to_be_visible()
    # The device has one already, and makes no second one.
    add_passkey(page, "Laptop again")
    expect(page.get_by_role("alert")).to_contain_text("There is a passkey already.")

    page.get_by_role("button", name="Sign out", exact=True).click()
    page.goto("/heroes?q=nova")
    axe(page)
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page).to_have_url(re.compile(r"/heroes\?q=nova$"))
    expect(page.get_by_role("banner")).to_contain_text(NAME)

    page.get_by_role("button", name="Sign out", exact=True).click()
    page.goto("/heroes")
    enter_password(page)
    axe(page)
    page.get_by_role("button", name="Use your passkey").click()
    expect(page).to_have_url(re.compile(r"/heroes$"))

    page.goto("/people/new")
    page.get_by_label("Name").fill("Bob Builder")
    with closing(sqlite3.connect(running[1])) as connection, connection:
        connection.execute("UPDATE hero_admin_session SET proved_at = NULL")
    page.get_by_role("button", name="Invite").click()
    page.get_by_role("button", name="Use your passkey").click()
    expect_title(page, "Invitation for Bob Builder")

    page.goto("/people")
    expect(row(page, NAME + " you")).to_contain_text("1 passkey")
    page.goto("/account")
    expect(page.get_by_text("last used")).to_be_visible()
    page.get_by_role("link", name="Rename Laptop…").click()
    page.get_by_role("textbox", name="Name").fill("Old laptop")
    page.get_by_role("button", name="Save").click()
    expect(status(page, "Saved Old laptop")).to_be_visible()
    page.get_by_role("link", name="Remove Old laptop…").click()
    page.get_by_role("button", name="Remove").click()
    expect(status(page, "Removed Old laptop")).to_be_visible()
    page.get_by_role("button", name="Sign out", exact=True).click()
    expect(page.get_by_role("button", name="Sign in with a passkey")).to_have_count(0)
    session.send("WebAuthn.removeVirtualAuthenticator", {"authenticatorId": authenticator})


def test_a_copied_passkey_and_one_that_nobody_unlocks_are_refused(
    named: Page, running: tuple[Server, Path]
) -> None:
    page = named
    session, authenticator = device(page)
    add_passkey(page, "Laptop")
    expect_title(page, "Recovery codes")
    # Another copy has signed more often.
    with closing(sqlite3.connect(running[1])) as connection, connection:
        connection.execute("UPDATE hero_admin_passkey SET sign_count = 1000000")
    page.context.clear_cookies()
    page.goto("/sign-in")
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page.get_by_role("alert")).to_contain_text("This passkey doesn't work here.")
    session.send(
        "WebAuthn.setUserVerified", {"authenticatorId": authenticator, "isUserVerified": False}
    )
    page.goto("/sign-in")
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page.get_by_role("alert")).to_contain_text("The passkey wasn't used.")
    expect(page.get_by_role("button", name="Sign in with a passkey")).to_be_focused()


def test_what_was_typed_is_saved_after_a_passkey_on_the_spot(
    named: Page, running: tuple[Server, Path]
) -> None:
    page = named
    device(page)
    add_passkey(page, "Laptop")
    expect_title(page, "Recovery codes")
    page.goto("/heroes/1/edit")
    page.get_by_label("Age").fill("41")
    end_sessions(running)
    page.get_by_role("button", name="Save changes").click()
    page.get_by_role("dialog").get_by_role("button", name="Sign in with a passkey").click()
    expect(status(page, "Saved")).to_contain_text("Deadpond")
    expect(row(page, "Deadpond")).to_contain_text("41")


@each_way
def test_a_page_says_where_passkeys_cannot_be_used(page: Page, has_javascript: bool) -> None:
    page.goto("/account/second-factor/passkeys/new")
    expect(page.get_by_role("button", name="Create passkey")).to_have_count(0)
    words = "They need HTTPS and a host name." if has_javascript else "Passkeys need JavaScript."
    expect(page.get_by_text(words)).to_be_visible()
