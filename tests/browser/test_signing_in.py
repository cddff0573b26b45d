"""Signing in as people see it, with and without JavaScript."""

import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from playwright.sync_api import Page, expect

from tests.browser.conftest import Axe
from tests.browser.parts import expect_title, names, row, search_box, status, staying_on_the_page
from tests.server import Server, running_server

PASSWORD = "correct horse battery"
NAME = "Olive Owner"

each_way = pytest.mark.parametrize("has_javascript", [True, False])


@pytest.fixture
def is_signed_in() -> bool:
    return False


@pytest.fixture
def password(server: Server, running: tuple[Server, Path]) -> str:
    hashed = PasswordHasher().hash(PASSWORD)
    with closing(sqlite3.connect(running[1])) as connection, connection:
        connection.execute("UPDATE hero_admin_user SET password_hash = ?", (hashed,))
    return PASSWORD


def end_sessions(running: tuple[Server, Path]) -> None:
    with closing(sqlite3.connect(running[1])) as connection, connection:
        connection.execute("DELETE FROM hero_admin_session")


def fill_in(page: Page, password: str) -> None:
    form = page.get_by_role("region", name="Sign in")
    form.get_by_label("Name").fill(NAME)
    form.get_by_label("Password").fill(password)
    form.get_by_role("button", name=re.compile("^Sign in")).click()


@each_way
def test_signing_in_leads_to_the_page_that_was_asked_for_and_out_again(
    page: Page, password: str, axe: Axe
) -> None:
    page.goto("/heroes?q=nova")
    expect_title(page, "Sign in")
    axe(page)
    fill_in(page, "wrong horse battery")
    expect(page.get_by_role("alert")).to_contain_text("Invalid name or password")
    axe(page)
    expect(page.get_by_label("Password")).to_be_focused()
    fill_in(page, password)
    expect(page).to_have_url(re.compile(r"/heroes\?q=nova$"))
    expect(page.get_by_role("banner")).to_contain_text(f"{NAME} Owner")
    page.get_by_role("button", name="Sign out").click()
    expect_title(page, "Sign in")
    page.goto("/heroes")
    expect_title(page, "Sign in")


@pytest.mark.parametrize("has_javascript", [False])
@pytest.mark.parametrize("is_signed_in", [True])
def test_a_form_whose_session_has_ended_is_saved_after_signing_in(
    page: Page, running: tuple[Server, Path], password: str
) -> None:
    page.goto("/heroes/1/edit")
    page.get_by_label("Name", exact=True).fill("Zoë & <Nova>")
    end_sessions(running)
    page.get_by_role("button", name="Save changes").click()
    expect_title(page, "Sign in")
    fill_in(page, password)
    expect(page.get_by_role("status").filter(has_text="Saved")).to_contain_text("Zoë & <Nova>")


@pytest.mark.parametrize("is_signed_in", [True])
def test_a_form_whose_session_has_ended_is_saved_after_signing_in_on_the_spot(
    page: Page, running: tuple[Server, Path], password: str, axe: Axe
) -> None:
    page.goto("/heroes/1/edit")
    page.get_by_label("Age").fill("41")
    end_sessions(running)
    with staying_on_the_page(page):
        page.get_by_role("button", name="Save changes").click()
        dialog = page.get_by_role("dialog", name="Sign in")
        expect(dialog).to_be_visible()
        axe(page)
        fill_in(page, "wrong horse battery")
        expect(dialog.get_by_role("alert")).to_contain_text("Invalid name or password")
        expect(page.get_by_label("Age")).to_have_value("41")
    fill_in(page, password)
    expect(status(page, "Saved")).to_contain_text("Deadpond")
    expect(row(page, "Deadpond")).to_contain_text("41")


@pytest.mark.parametrize("is_signed_in", [True])
def test_closing_the_sign_in_leaves_what_was_typed(
    page: Page, running: tuple[Server, Path], password: str
) -> None:
    page.goto("/heroes/1/edit")
    page.get_by_label("Age").fill("41")
    end_sessions(running)
    page.get_by_role("button", name="Save changes").click()
    dialog = page.get_by_role("dialog", name="Sign in")
    expect(dialog).to_be_visible()
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(page.get_by_label("Age")).to_have_value("41")
    page.get_by_role("button", name="Save changes").click()
    fill_in(page, password)
    expect(status(page, "Saved")).to_contain_text("Deadpond")


@pytest.mark.parametrize("is_signed_in", [True])
def test_a_list_whose_session_has_ended_goes_on_after_signing_in_on_the_spot(
    page: Page, running: tuple[Server, Path], password: str
) -> None:
    page.goto("/heroes")
    end_sessions(running)
    search_box(page).fill("rusty")
    fill_in(page, password)
    expect(names(page)).to_have_text(["Rusty-Man"])
    expect(page).to_have_url(re.compile(r"\?q=rusty$"))


@pytest.mark.parametrize("is_signed_in", [True])
def test_a_masked_value_is_shown_after_signing_in_on_the_spot(
    page: Page, running: tuple[Server, Path], password: str
) -> None:
    page.goto("/heroes/1")
    end_sessions(running)
    page.get_by_role("button", name="show").click()
    fill_in(page, password)
    expect(page.get_by_text("Dive Wilson")).to_be_visible()


@each_way
def test_the_first_run_makes_an_owner(
    page: Page, tmp_path: Path, axe: Axe, has_javascript: bool
) -> None:
    environment = {"WEBAPP_DATABASE_URL": f"sqlite+aiosqlite:///{tmp_path}/heroes.db"}
    log = tmp_path / "server.log"
    with running_server(log, environment) as server:
        # Another server than the one whose pages are watched.
        page = page.context.browser.new_page(java_script_enabled=has_javascript)  # type: ignore[union-attr]
        page.goto(f"{server.url}/heroes")
        expect(page.get_by_text("There are no accounts yet")).to_be_visible()
        found = re.search(r"http://\S+/welcome\?token=\S+", log.read_text())
        assert found
        page.goto(found[0])
        expect_title(page, "Welcome")
        axe(page)
        page.get_by_label("Name").fill("Ann Smith")
        page.get_by_label("Password").fill("short")
        page.get_by_role("button", name="Create account").click()
        expect(page.get_by_text("Use at least 12 characters.")).to_be_visible()
        axe(page)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Create account").click()
        expect_title(page, "Overview")
        expect(page.get_by_role("banner")).to_contain_text("Ann Smith Owner")
        page.close()
