"""A busy or unreachable server: it is said in a toast, and what was typed stays."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.parts import names, picker, row, search_box, status, staying_on_the_page
from tests.server import Server

BUSY = (
    "<!doctype html><title>Busy</title><h1>The database is busy</h1><p>Try again in a moment.</p>"
)


def busy(route: Route) -> None:
    route.fulfill(status=503, content_type="text/html", body=BUSY, headers={"Retry-After": "2"})


def gone(route: Route) -> None:
    route.abort("connectionrefused")


each_failure = pytest.mark.parametrize(
    ("failure", "said"),
    [(busy, "The database is busy"), (gone, "The server can't be reached.")],
    ids=["busy", "gone"],
)


@pytest.fixture
def expected_errors() -> tuple[str, ...]:
    """What Chromium and htmx themselves log about requests that fail, as these tests mean."""
    return ("Failed to load resource: ", "htmx: htmx:error: Failed to fetch")


@each_failure
def test_a_form_that_is_not_saved_keeps_what_was_typed_and_is_saved_later(
    page: Page, failure: Callable[[Route], None], said: str
) -> None:
    page.goto("/heroes/1/edit")
    page.get_by_label("Age").fill("29")
    with staying_on_the_page(page):
        page.route("**/heroes/1*", failure)
        page.get_by_role("button", name="Save changes").click()
        expect(page.get_by_role("alert")).to_contain_text(said)
        expect(page.get_by_label("Age")).to_have_value("29")
        page.unroute("**/heroes/1*")
    page.get_by_role("button", name="Save changes").click()
    expect(status(page, "Saved Deadpond")).to_be_visible()
    expect(row(page, "Deadpond")).to_contain_text("29")


@each_failure
def test_a_search_that_fails_leaves_the_rows_and_the_address(
    page: Page, failure: Callable[[Route], None], said: str
) -> None:
    page.goto("/heroes")
    page.route("**/heroes?*", failure)
    for text in ("z", "zo", "zoe"):
        with page.expect_request(f"**/heroes?q={text}"):
            search_box(page).fill(text)
    expect(page.get_by_role("alert")).to_have_count(1)
    expect(page.get_by_role("alert")).to_contain_text(said)
    expect(names(page)).to_have_count(25)
    expect(search_box(page)).to_have_value("zoe")
    expect(search_box(page)).to_be_focused()
    expect(page).to_have_url("/heroes")
    page.unroute("**/heroes?*")
    search_box(page).press("Enter")
    expect(names(page)).to_have_text(["Zoë Nova"])
    expect(page.get_by_role("alert")).to_have_count(0)


@each_failure
def test_a_row_that_is_not_deleted_stays_and_the_question_says_why(
    page: Page, failure: Callable[[Route], None], said: str
) -> None:
    page.goto("/heroes")
    page.get_by_role("link", name="Delete Hero 006").click()
    asked = page.get_by_role("dialog", name="Delete Hero 006?")
    expect(asked).to_be_visible()
    page.route("**/heroes/6*", failure)
    asked.get_by_role("button", name="Delete hero").click()
    expect(asked.get_by_role("alert")).to_contain_text(said)
    page.unroute("**/heroes/6*")
    asked.get_by_role("button", name="Delete hero").click()
    expect(status(page, "Deleted Hero 006")).to_be_visible()
    expect(row(page, "Hero 006")).to_have_count(0)


def test_a_complaint_stays_until_it_is_dismissed(page: Page) -> None:
    page.goto("/heroes")
    page.route("**/heroes?*", busy)
    search_box(page).fill("zoe")
    page.get_by_role("alert").get_by_role("button", name="Dismiss").click()
    expect(page.get_by_role("alert")).to_have_count(0)


def test_a_picker_that_gets_no_answer_offers_nothing_and_keeps_the_team(page: Page) -> None:
    page.goto("/heroes/1/edit")
    page.route("**/options/**", gone)
    picker(page).fill("wak")
    expect(page.get_by_role("listbox")).to_contain_text("Nothing found")
    picker(page).press("Escape")
    expect(picker(page)).to_have_value("Z-Force")


@pytest.mark.parametrize("is_patient", [False], ids=["impatient"])
def test_a_locked_database_is_said_and_the_next_try_saves(
    page: Page, running: tuple[Server, Path]
) -> None:
    page.goto("/heroes/1/edit")
    page.get_by_label("Age").fill("29")
    with closing(sqlite3.connect(running[1], isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        page.get_by_role("button", name="Save changes").click()
        expect(page.get_by_role("alert")).to_contain_text("Nothing was saved")
        other.execute("ROLLBACK")
    expect(page.get_by_label("Age")).to_have_value("29")
    page.get_by_role("button", name="Save changes").click()
    expect(status(page, "Saved Deadpond")).to_be_visible()
