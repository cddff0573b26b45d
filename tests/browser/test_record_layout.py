"""Layout: sections as tabs, dependent fields and previews, with JavaScript and without it."""

import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import create_engine

from tests.articles import Catalogue
from tests.browser.conftest import Axe, _environment, copy_of_cast
from tests.browser.parts import status
from tests.server import Server, running_server

UVICORN = (sys.executable, "-m", "uvicorn", "--factory", "tests.articles:app")


@pytest.fixture(scope="module")
def catalogue(
    cast_database: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Server, Path]]:
    home = tmp_path_factory.mktemp("catalogue")
    database = home / "catalogue.db"
    copy_of_cast(cast_database, database)
    engine = create_engine(f"sqlite:///{database}")
    Catalogue.metadata.create_all(engine)
    engine.dispose()
    with running_server(home / "log", _environment(database), program=UVICORN) as server:
        yield server, database


@pytest.fixture
def server(catalogue: tuple[Server, Path]) -> Server:
    server, database = catalogue
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("DELETE FROM shade")
        connection.execute("DELETE FROM article")
        connection.execute(
            "INSERT INTO article (id, name, price, share, sold_out, back_on, stars, added_on)"
            " VALUES (1, 'Tea', 1, 0.5, 0, '2026-03-04', 3, '2026-01-02')"
        )
    return server


def test_one_section_is_seen_at_a_time_and_an_error_opens_its_own(page: Page, axe: Axe) -> None:
    page.goto("/articles/1/edit")
    tabs = page.get_by_role("tab")
    expect(tabs).to_have_text(["Article", "Sale", "Other"])
    expect(page.get_by_label("Stars")).to_be_hidden()
    axe(page)
    tabs.first.focus()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("tabpanel", name="Sale")).to_be_visible()
    expect(page.get_by_label("Name")).to_be_hidden()
    page.get_by_label("Stars").fill("x")
    tabs.last.click()
    page.get_by_label("Share").fill("many")
    tabs.first.click()
    page.get_by_role("button", name="Save changes").click()
    expect(tabs).to_have_text(["Article", "Sale1 problem", "Other1 problem"])
    # What was typed is kept, in sight and out of it.
    expect(page.get_by_label("Stars")).to_be_focused()
    expect(page.get_by_label("Stars")).to_have_value("x")
    axe(page)
    page.get_by_role("link", name="Enter a number.").click()
    expect(page.get_by_label("Share")).to_be_focused()
    expect(page.get_by_label("Share")).to_have_value("many")


@pytest.mark.parametrize("has_javascript", [True, False])
def test_the_page_of_a_record_has_the_same_sections(page: Page, *, has_javascript: bool) -> None:
    page.goto("/articles/1")
    price = page.get_by_text("1.00", exact=True)
    if has_javascript:
        expect(price).to_be_hidden()
        page.get_by_role("tab", name="Sale").click()
    else:
        expect(page.get_by_role("heading", name="Sale")).to_be_visible()
    expect(price).to_be_visible()


def test_a_field_that_needs_another_one_is_hidden_and_not_erased(page: Page) -> None:
    page.goto("/articles/1/edit")
    page.get_by_role("tab", name="Sale").click()
    expect(page.get_by_label("Back on")).to_be_hidden()
    page.get_by_label("Sold out").check()
    expect(page.get_by_label("Back on")).to_have_value("2026-03-04")
    page.get_by_label("Sold out").uncheck()
    expect(page.get_by_label("Back on")).to_be_hidden()
    page.get_by_label("Stars").fill("**")
    page.get_by_role("button", name="Save changes").click()
    expect(status(page, "Saved")).to_be_visible()
    assert page.request.get("/api/articles/1").json()["back_on"] == "2026-03-04"


@pytest.mark.parametrize("has_javascript", [True, False])
def test_a_field_is_shown_for_some_values_of_another_one(
    page: Page, *, has_javascript: bool
) -> None:
    page.goto("/articles/1/edit")

    def expect_shown(label: str, *, is_shown: bool) -> None:
        # Without JavaScript all fields are seen.
        shown = is_shown or not has_javascript
        expect(page.get_by_label(label)).to_be_visible(visible=shown)

    def open_section(name: str) -> None:
        if has_javascript:
            page.get_by_role("tab", name=name).click()

    open_section("Other")
    expect_shown("Season", is_shown=True)
    for state, is_shown in ("Lent", True), ("Here", False), ("Lost", True), ("None", False):
        page.get_by_label("State").select_option(state)
        expect_shown("Seen at", is_shown=is_shown)
    expect_shown("Weight", is_shown=True)
    expect_shown("Recipe", is_shown=False)
    open_section("Sale")
    page.get_by_label("Sold out").check()
    # As it is typed into a control of one's own.
    page.get_by_label("Stars").fill("****")
    open_section("Other")
    expect_shown("Weight", is_shown=False)
    expect_shown("Recipe", is_shown=True)
    page.get_by_label("Recipe").fill("Boil it.")
    page.get_by_label("State").select_option("Lost")
    page.get_by_label("Seen at").fill("Under the bed")
    page.get_by_label("State").focus()
    page.get_by_label("State").select_option("Here")
    expect_shown("Seen at", is_shown=False)
    page.get_by_role("button", name="Save changes").click()
    expect(status(page, "Saved")).to_be_visible()
    stored = page.request.get("/api/articles/1").json()
    assert (stored["state"], stored["seen_at"]) == ("here", "Under the bed")
    page.goto("/articles/1/edit")
    open_section("Other")
    expect_shown("Seen at", is_shown=False)
    expect_shown("Recipe", is_shown=True)


@pytest.mark.parametrize("has_javascript", [True, False])
def test_a_preview_leaves_what_is_typed(page: Page, axe: Axe, *, has_javascript: bool) -> None:
    page.goto("/articles/1/edit")
    # Without JavaScript all sections are seen.
    assert page.get_by_label("Stars").is_visible() is not has_javascript
    page.get_by_label("Name").fill("Rum")
    page.get_by_role("textbox", name="About").fill("**Red**")
    page.get_by_role("button", name="Preview").click()
    seen = page.get_by_role("region", name="Preview of About")
    expect(seen.locator("strong")).to_have_text("Red")
    expect(page.get_by_label("Name")).to_have_value("Rum")
    if has_javascript:
        axe(page)
    page.get_by_role("textbox", name="About").fill("*Blue*")
    page.get_by_role("button", name="Update preview").click()
    expect(seen.locator("em")).to_have_text("Blue")
    page.get_by_role("button", name="Save changes").click()
    expect(status(page, "Saved")).to_be_visible()
    assert page.request.get("/api/articles/1").json()["about"] == "*Blue*"


@pytest.mark.parametrize("color_scheme", ["light", "dark"])
def test_a_colour_is_chosen_or_typed(page: Page, axe: Axe) -> None:
    page.goto("/shades/new?article_id=1")
    page.get_by_label("Name").fill("Red")
    page.get_by_label("Choose Tone").fill("#ff0000")
    expect(page.get_by_role("textbox", name="Tone optional")).to_have_value("#ff0000")
    axe(page)
    page.get_by_role("button", name="Create shade").click()
    expect(page.get_by_role("cell", name="#ff0000")).to_be_visible()
    axe(page)


def test_of_many_columns_the_one_that_names_the_row_has_most_room(page: Page) -> None:
    page.goto("/articles")
    widths = {
        header.inner_text(): box["width"]
        for header in page.get_by_role("columnheader").all()
        if (box := header.bounding_box())
    }
    name = widths.pop("Name")
    assert name > max(widths.values())
