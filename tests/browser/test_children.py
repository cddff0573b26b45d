"""Children: added, changed and removed in dialogs on the page of the record they belong to."""

import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from playwright.sync_api import Dialog, Locator, Page, expect
from sqlalchemy import create_engine

from tests.browser.conftest import Axe, _environment, copy_of_cast
from tests.browser.parts import names, row, status, staying_on_the_page
from tests.invoices import Billing
from tests.server import Server, running_server

UVICORN = (sys.executable, "-m", "uvicorn", "--factory", "tests.invoices:app")


@pytest.fixture(scope="module")
def billing(
    cast_database: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Server, Path]]:
    home = tmp_path_factory.mktemp("billing")
    database = home / "billing.db"
    copy_of_cast(cast_database, database)
    engine = create_engine(f"sqlite:///{database}")
    Billing.metadata.create_all(engine)
    engine.dispose()
    with running_server(home / "log", _environment(database), program=UVICORN) as server:
        yield server, database


@pytest.fixture
def server(billing: tuple[Server, Path]) -> Server:
    """An invoice with two lines, whatever the test before has left."""
    server, database = billing
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("DELETE FROM line")
        connection.execute("INSERT OR IGNORE INTO invoice VALUES (1, 'Ann')")
        connection.execute(
            "INSERT INTO line (id, product, quantity, price, invoice_id)"
            " VALUES (1, 'Tea', 1, 2.5, 1), (2, 'Milk', 1, 1.2, 1)"
        )
    return server


def dialog(page: Page, heading: str) -> Locator:
    return page.get_by_role("dialog", name=heading)


def test_a_line_is_added_changed_and_removed_on_the_page_of_its_invoice(page: Page) -> None:
    page.goto("/invoices/1")
    with staying_on_the_page(page):
        page.get_by_role("link", name="New line").click()
        form = dialog(page, "New line")
        form.get_by_label("Product").fill("Bread")
        form.get_by_label("Quantity").fill("0")
        form.get_by_role("button", name="Create line").click()
        expect(form.get_by_text("Enter 1 or more.").first).to_be_visible()
        expect(form.get_by_label("Product")).to_have_value("Bread")
    form.get_by_label("Quantity").fill("3")
    form.get_by_role("button", name="Create line").click()
    expect(status(page, "Created Bread")).to_be_visible()
    expect(names(page)).to_have_text(["Bread", "Milk", "Tea"])
    row(page, "Tea").hover()
    row(page, "Tea").get_by_role("link", name="Edit Tea").click()
    form = dialog(page, "Edit Tea")
    form.get_by_label("Quantity").fill("5")
    form.get_by_role("button", name="Save changes").click()
    expect(status(page, "Saved Tea")).to_be_visible()
    expect(row(page, "Tea").get_by_role("cell", name="5", exact=True)).to_be_visible()
    expect(page.get_by_role("heading", level=1)).to_have_text("Ann")
    row(page, "Milk").get_by_role("link", name="Delete Milk").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete line").click()
    expect(names(page)).to_have_text(["Bread", "Tea"])


def test_by_the_keyboard_a_dialog_is_opened_and_left_with_a_question_only_if_something_was_typed(
    page: Page,
) -> None:
    asked: list[str] = []

    def stay(question: Dialog) -> None:
        asked.append(question.message)
        question.dismiss()

    page.on("dialog", stay)
    page.goto("/invoices/1")
    row(page, "Milk").get_by_role("link", name="Milk", exact=True).focus()
    page.keyboard.press("e")
    form = dialog(page, "Edit Milk")
    expect(form.get_by_label("Product")).to_be_focused()
    page.keyboard.press("Escape")
    expect(form).to_be_hidden()
    page.keyboard.press("e")
    form.get_by_label("Product").fill("Cream")
    page.keyboard.press("Escape")
    expect(form.get_by_label("Product")).to_have_value("Cream")
    assert asked == ["Discard your changes?"]
    page.keyboard.press("Control+Enter")
    expect(status(page, "Saved Cream")).to_be_visible()


@pytest.mark.parametrize("has_javascript", [False])
def test_without_javascript_they_have_pages_that_lead_back(page: Page) -> None:
    page.goto("/invoices/1")
    page.get_by_role("link", name="New line").click()
    page.get_by_label("Product").fill("Bread")
    page.get_by_role("button", name="Create line").click()
    expect(status(page, "Created Bread")).to_be_visible()
    expect(page).to_have_url("/invoices/1/lines")


@pytest.mark.parametrize(("width", "color_scheme"), [(390, "dark"), (1280, "light")])
def test_nothing_shuts_anybody_out(page: Page, axe: Axe) -> None:
    page.goto("/invoices/1")
    page.get_by_role("link", name="New line").click()
    form = dialog(page, "New line")
    form.get_by_label("Quantity").fill("0")
    form.get_by_role("button", name="Create line").click()
    expect(form.get_by_role("alert").first).to_be_visible()
    axe(page)
