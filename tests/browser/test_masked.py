"""Masked values: nobody reads them over a shoulder; one is shown on request."""

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.parts import expect_title, row, status, staying_on_the_page

each_way = pytest.mark.parametrize("has_javascript", [True, False])
each_width = pytest.mark.parametrize("width", [1280, 390])


def show(page: Page, name: str) -> Locator:
    return row(page, name).get_by_role("button", name="show")


@each_way
@each_width
def test_the_list_and_the_form_do_not_hold_it(page: Page) -> None:
    for url in ("/heroes", "/heroes/1", "/heroes/1/edit", "/teams/2"):
        page.goto(url)
        assert "Dive Wilson" not in page.content()
    page.goto("/heroes/1/edit")
    expect(page.get_by_label("Secret name")).to_have_attribute("type", "password")
    expect(page.get_by_label("Secret name")).to_have_value("")
    page.get_by_label("Secret name").fill("Wade")
    page.get_by_role("button", name="Save changes").click()
    expect(status(page, "Saved Deadpond")).to_be_visible()
    assert "Wade" not in page.content()


@each_width
def test_one_is_shown_on_the_spot_and_has_the_focus(page: Page) -> None:
    page.goto("/heroes")
    with staying_on_the_page(page):
        show(page, "Deadpond").click()
        expect(row(page, "Deadpond")).to_contain_text("Dive Wilson")
        expect(page.get_by_text("Dive Wilson")).to_be_focused()
    expect(show(page, "Deadpond")).to_have_count(0)
    # The others stay as they are, and so does this one when the page comes anew.
    assert "Person 005" not in page.content()
    page.reload()
    assert "Dive Wilson" not in page.content()


@pytest.mark.parametrize("has_javascript", [False])
def test_one_is_shown_on_a_page_of_its_own_without_javascript(page: Page) -> None:
    page.goto("/heroes")
    show(page, "Deadpond").click()
    expect_title(page, "Secret name of Deadpond")
    expect(page.get_by_text("Dive Wilson")).to_be_visible()
    page.get_by_role("link", name="history").last.click()
    expect(page.get_by_role("listitem").filter(has_text="viewed")).to_be_visible()


def test_showing_a_value_is_recorded(page: Page) -> None:
    page.goto("/heroes/1")
    page.get_by_role("button", name="show").click()
    expect(page.get_by_text("Dive Wilson")).to_be_visible()
    page.goto("/history?kind=revealed")
    looked = page.get_by_role("listitem").filter(has_text="viewed")
    expect(looked).to_contain_text("Deadpond")
    assert "Dive Wilson" not in page.content()


def test_what_cannot_be_shown_is_said(page: Page) -> None:
    page.goto("/heroes")
    page.route("**/reveal/**", lambda route: route.fulfill(status=404, body="gone"))
    show(page, "Deadpond").click()
    expect(page.get_by_role("alert")).to_contain_text("Couldn't show the value.")
    expect(show(page, "Deadpond")).to_be_visible()


@pytest.mark.parametrize("width", [1280, 390])
def test_paper_holds_no_secret(page: Page) -> None:
    page.goto("/heroes")
    page.emulate_media(media="print")
    expect(show(page, "Deadpond")).to_be_hidden()
