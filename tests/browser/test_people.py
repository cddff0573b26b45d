"""Inviting somebody, who then is in; changing passwords; tokens: as people do it."""

import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Axe
from tests.browser.parts import expect_title, status
from tests.server import Server

PASSWORD = "correct horse battery"

each_way = pytest.mark.parametrize("has_javascript", [True, False])


def invite(page: Page, name: str) -> str:
    """Invite person as an editor and return the link."""
    page.goto("/people")
    page.get_by_role("link", name="Invite person").click()
    page.get_by_label("Name").fill(name)
    page.get_by_role("radio", name=re.compile("^Editor")).check()
    page.get_by_role("button", name="Invite").click()
    expect_title(page, f"Invitation for {name}")
    return page.get_by_label("Link").input_value()


@each_way
def test_an_invited_person_signs_in_and_is_disabled_again(
    page: Page, browser: Browser, server: Server, has_javascript: bool
) -> None:
    link = invite(page, "Bob Builder")
    assert link.startswith(f"{server.url}/welcome?token=")
    context = browser.new_context(java_script_enabled=has_javascript)
    bob = context.new_page()
    bob.goto(link)
    bob.get_by_label("Password").fill(PASSWORD)
    bob.get_by_role("button", name="Save and sign in").click()
    expect_title(bob, "Overview")
    bob.get_by_role("button", name="Sign out").click()
    bob.get_by_label("Name").fill("bob builder")
    bob.get_by_label("Password").fill(PASSWORD)
    bob.get_by_role("button", name="Sign in").click()
    expect(bob.get_by_role("banner")).to_contain_text("Bob Builder Editor")
    expect(bob.get_by_role("link", name="People")).to_have_count(0)

    page.get_by_role("link", name="Done").click()
    page.get_by_role("radio", name=re.compile("^Viewer")).check()
    page.get_by_role("button", name="Save role").click()
    expect(status(page, "Saved Bob Builder")).to_be_visible()
    bob.reload()
    expect(bob.get_by_role("banner")).to_contain_text("Bob Builder Viewer")

    page.get_by_role("link", name="Disable…").click()
    asked = page.get_by_role("dialog") if has_javascript else page.get_by_role("main")
    expect(asked.get_by_role("heading", name="Disable Bob Builder?")).to_be_visible()
    asked.get_by_role("button", name="Disable").click()
    expect(status(page, "Disabled Bob Builder")).to_be_visible()
    bob.reload()
    expect_title(bob, "Sign in")
    context.close()


@each_way
def test_an_invitation_goes_on_after_the_password_was_asked_again(
    page: Page, running: tuple[Server, Path], axe: Axe, has_javascript: bool
) -> None:
    page.goto("/people/new")
    page.get_by_label("Name").fill("Zoë & <Bob>")
    page.get_by_role("radio", name=re.compile("^Editor")).check()
    with closing(sqlite3.connect(running[1])) as connection, connection:
        hashed = PasswordHasher().hash(PASSWORD)
        connection.execute("UPDATE hero_admin_user SET password_hash = ?", (hashed,))
        connection.execute("UPDATE hero_admin_session SET proved_at = NULL")
    page.get_by_role("button", name="Invite").click()
    expect_title(page, "Confirm it's you")
    axe(page)
    page.get_by_label("Password").fill("wrong horse battery")
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("alert")).to_contain_text("Wrong password.")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Continue").click()
    expect_title(page, "Invitation for Zoë & <Bob>")


@each_way
def test_a_token_is_made_copied_and_revoked(page: Page, has_javascript: bool) -> None:
    page.goto("/heroes")
    page.get_by_role("link", name="Olive Owner Owner").click()
    page.get_by_role("link", name="New token").click()
    page.get_by_label("Name").fill("ci")
    page.get_by_role("button", name="Create token").click()
    shown = page.get_by_label("Token")
    expect(shown).to_have_value(re.compile("^hero_"))
    if has_javascript:
        page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        page.get_by_role("button", name="Copy").click()
        expect(page.get_by_role("button", name="Copied")).to_be_visible()
    else:
        expect(page.get_by_role("button", name="Copy")).to_have_count(0)
    page.get_by_role("link", name="Done").click()
    page.get_by_role("link", name="Revoke ci…").click()
    page.get_by_role("button", name="Revoke").click()
    expect(status(page, "Revoked ci")).to_be_visible()
    expect(page.get_by_text("No tokens.")).to_be_visible()
