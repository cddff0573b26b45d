"""Back and forward: to where one was, and to nothing at all for whoever has signed out."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.parts import names

each_way = pytest.mark.parametrize("has_javascript", [True, False])


@each_way
def test_back_after_signing_out_shows_nothing(page: Page) -> None:
    page.goto("/heroes")
    hero = names(page).first.inner_text()
    page.goto("/teams")
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_label("Password")).to_be_visible()
    for _ in range(2):
        page.go_back()
        expect(page.get_by_label("Password")).to_be_visible()
        expect(page.get_by_text(hero)).to_have_count(0)


@each_way
def test_back_after_signing_out_shows_nothing_of_the_api_either(page: Page) -> None:
    page.goto("/api/heroes")
    expect(page.get_by_text("secret_name")).to_be_visible()
    page.goto("/teams")
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_label("Password")).to_be_visible()
    page.go_back()
    page.go_back()
    expect(page.get_by_text("Sign in to continue")).to_be_visible()
    expect(page.get_by_text("secret_name")).to_have_count(0)


@each_way
def test_forward_leads_to_the_page_that_was_left(page: Page) -> None:
    page.goto("/heroes?q=a&sort=-name")
    first = names(page).first.inner_text()
    page.goto("/teams")
    page.go_back()
    expect(names(page).first).to_have_text(first)
    page.go_forward()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Teams")
