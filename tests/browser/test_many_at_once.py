"""Changing many rows together: what is wrong is said in the form, and nothing typed is lost."""

from playwright.sync_api import Page, expect

from tests.browser.conftest import Axe
from tests.browser.parts import status, staying_on_the_page


def test_an_error_is_said_in_the_form_and_what_was_typed_is_kept(page: Page, axe: Axe) -> None:
    page.goto("/heroes/change?id=5&id=6")
    age = page.get_by_role("textbox", name="Age")
    change = page.get_by_role("button", name="Edit 2 heroes")
    with staying_on_the_page(page):
        change.click()
        expect(page.get_by_role("alert")).to_contain_text("Tick at least one field.")
        expect(page.get_by_role("main")).to_have_count(1)
        age.fill("old")
        change.click()
        expect(age).to_be_focused()
    expect(age).to_have_accessible_description("Enter a whole number.")
    expect(age).to_have_value("old")
    expect(page.get_by_role("checkbox", name="Change age")).to_be_checked()
    axe(page)
    age.fill("19")
    change.click()
    expect(status(page, "Changed 2 heroes")).to_be_visible()
