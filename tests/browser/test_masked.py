"""Masked values in the browser: dots, one value on request, and forms that do not hold it."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Axe
from tests.browser.parts import row, status

each_way = pytest.mark.parametrize("has_javascript", [True, False])
SECRET = "Dive Wilson"


@each_way
def test_one_value_is_shown_on_request_and_that_is_in_the_history(page: Page, axe: Axe) -> None:
    page.goto("/heroes")
    expect(row(page, "Deadpond")).not_to_contain_text(SECRET)
    row(page, "Deadpond").get_by_role("button", name="show").click()
    expect(page.get_by_text(SECRET)).to_be_visible()
    axe(page)
    page.goto("/heroes/1/history")
    expect(page.get_by_role("region", name="Changes")).to_contain_text("looked at")
    assert SECRET not in page.content()


def test_the_value_that_was_asked_for_has_the_focus(page: Page) -> None:
    page.goto("/heroes/1")
    page.get_by_role("button", name="show").press("Enter")
    expect(page.get_by_text(SECRET)).to_be_focused()


@each_way
def test_a_form_does_not_hold_the_value_and_keeps_it(page: Page) -> None:
    page.goto("/heroes/1/edit")
    assert SECRET not in page.content()
    page.get_by_label("Age").fill("41")
    page.get_by_role("button", name="Save changes").click()
    expect(status(page, "Saved Deadpond")).to_be_visible()
    assert page.request.get("/api/heroes/1").json()["secret_name"] == SECRET


@each_way
def test_what_is_typed_over_the_dots_takes_their_place(page: Page) -> None:
    page.goto("/heroes/1/edit")
    page.get_by_label("Secret name").fill("Someone Else")
    page.get_by_role("button", name="Save changes").click()
    expect(status(page, "Saved Deadpond")).to_be_visible()
    assert "Someone Else" not in page.content()
    assert page.request.get("/api/heroes/1").json()["secret_name"] == "Someone Else"
