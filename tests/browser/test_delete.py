"""Deleting: one is asked first, on the spot, and the list follows without a new page."""

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.parts import (
    FROM_HERE,
    expect_title,
    names,
    picker,
    row,
    search_box,
    status,
    staying_on_the_page,
)


def question(page: Page, what: str) -> Locator:
    return page.get_by_role("dialog", name=f"Delete {what}?")


@pytest.mark.parametrize("width", [1280, 390])
def test_a_row_is_deleted_without_a_new_page_and_count_toast_and_focus_follow(page: Page) -> None:
    page.goto("/heroes")
    with staying_on_the_page(page):
        page.get_by_role("link", name="Delete Hero 006").click()
        question(page, "Hero 006").get_by_role("button", name="Delete hero").click()
        expect(question(page, "Hero 006")).to_be_hidden()
        expect(row(page, "Hero 006")).to_have_count(0)
        expect(status(page, "Deleted Hero 006")).to_be_visible()
        expect(page.get_by_role("heading", name="Heroes 99")).to_be_visible()
    expect(status(page, "1–25 of 99")).to_be_visible()
    expect(page.get_by_role("link", name="Hero 007", exact=True)).to_be_focused()
    expect(page).to_have_url("/heroes")


@pytest.mark.parametrize("leaving", ["Escape", "Cancel"])
def test_the_focus_goes_into_the_question_and_back_to_the_row(page: Page, leaving: str) -> None:
    page.goto("/heroes")
    asking = page.get_by_role("link", name="Delete Hero 006")
    with staying_on_the_page(page):
        asking.press("Enter")
        cancel = question(page, "Hero 006").get_by_role("link", name="Cancel")
        expect(cancel).to_be_focused()
        if leaving == "Escape":
            page.keyboard.press("Escape")
        else:
            cancel.press("Enter")
        expect(question(page, "Hero 006")).to_be_hidden()
    expect(asking).to_be_focused()
    expect(row(page, "Hero 006")).to_be_visible()


def test_a_click_beside_the_question_closes_it(page: Page) -> None:
    page.goto("/heroes")
    page.get_by_role("link", name="Delete Hero 006").click()
    expect(question(page, "Hero 006")).to_be_visible()
    page.mouse.click(5, 5)
    expect(question(page, "Hero 006")).to_be_hidden()


def test_a_deleted_row_keeps_search_page_and_place_in_the_list(page: Page) -> None:
    page.goto("/heroes?q=hero&sort=-age")
    page.get_by_role("link", name="Next page").click()
    expect(names(page).first).to_have_text("Hero 075")
    listed = page.url
    page.get_by_role("link", name="Delete Hero 070").click()
    question(page, "Hero 070").get_by_role("button", name="Delete hero").click()
    expect(row(page, "Hero 070")).to_have_count(0)
    expect(names(page)).to_have_count(25)
    expect(page).to_have_url(listed)
    expect(search_box(page)).to_have_value("hero")
    expect(status(page, "of 95")).to_be_visible()


def test_a_record_is_deleted_on_its_own_page(page: Page) -> None:
    page.goto("/heroes/6")
    page.get_by_role("link", name="Delete…").click()
    question(page, "Hero 006").get_by_role("button", name="Delete hero").click()
    expect(page).to_have_url("/heroes")
    expect(status(page, "Deleted Hero 006")).to_be_visible()


def test_deleting_a_team_says_what_becomes_of_its_heroes(page: Page) -> None:
    page.goto("/teams")
    page.get_by_role("link", name="Delete Preventers").click()
    asked = question(page, "Preventers")
    expect(asked).to_contain_text("38 heroes will have no team")
    asked.get_by_role("button", name="Delete team").click()
    expect(row(page, "Preventers")).to_have_count(0)
    expect(status(page, "Deleted Preventers")).to_be_visible()
    page.goto("/heroes?team=none")
    expect(page.get_by_role("heading", name="Heroes 79")).to_be_visible()


def test_the_heroes_of_a_deleted_team_can_be_given_to_another(page: Page) -> None:
    page.goto("/teams")
    page.get_by_role("link", name="Delete Preventers").click()
    replacement = picker(page, "Move heroes to")
    replacement.fill("z-f")
    page.get_by_role("option", name="Z-Force").click()
    replacement.press("Enter")
    expect(row(page, "Preventers")).to_have_count(0)
    page.goto("/teams/2")
    expect(page.get_by_role("heading", name="Heroes 39")).to_be_visible()


def test_the_heroes_of_a_deleted_team_are_not_offered_that_team(page: Page) -> None:
    page.goto("/teams/1")
    page.get_by_role("link", name="Delete…").click()
    picker(page, "Move heroes to").click()
    expect(page.get_by_role("option", name="Night Watch", exact=True)).to_be_in_viewport()
    expect(page.get_by_role("option", name="Preventers", exact=True)).to_have_count(0)


def test_selected_rows_are_deleted_together(page: Page) -> None:
    page.goto("/heroes?team=1")
    page.get_by_role("checkbox", name="Select Hero 006").check()
    page.get_by_role("checkbox", name="Select Hero 008").check()
    page.get_by_role("button", name="Delete…").click()
    asked = question(page, "2 heroes")
    expect(asked.get_by_role("listitem")).to_have_text(["Hero 006", "Hero 008"])
    asked.get_by_role("button", name="Delete 2 heroes").click()
    expect(status(page, "Deleted 2 heroes")).to_be_visible()
    expect(page).to_have_url("/heroes?team=1")
    expect(names(page).first).to_have_text("Hero 005")
    expect(names(page).nth(1)).to_have_text("Hero 007")
    expect(page.get_by_role("heading", name="Heroes 36")).to_be_visible()


def test_what_a_colleague_deleted_meanwhile_is_said_and_the_list_stays(page: Page) -> None:
    page.goto("/heroes")
    page.get_by_role("link", name="Delete Hero 006").click()
    expect(question(page, "Hero 006")).to_be_visible()
    page.request.delete("/api/heroes/6", headers=FROM_HERE)
    question(page, "Hero 006").get_by_role("button", name="Delete hero").click()
    expect(page.get_by_role("alert")).to_contain_text("deleted this hero")
    page.keyboard.press("Escape")
    expect(row(page, "Deadpond")).to_be_visible()


def test_a_question_about_what_is_gone_leads_to_a_page_that_says_so(page: Page) -> None:
    page.goto("/heroes")
    page.request.delete("/api/heroes/6", headers=FROM_HERE)
    page.get_by_role("link", name="Delete Hero 006").click()
    expect_title(page, "Hero 006")
    expect(page.get_by_text("deleted this hero")).to_be_visible()
