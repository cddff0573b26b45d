"""Light, dark and paper: the system decides until somebody chooses, and paper is always white."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.parts import names, search_box, staying_on_the_page

LIGHT, DARK = "rgb(246, 247, 249)", "rgb(13, 16, 21)"
INK = "rgb(21, 24, 31)"


def expect_ground(page: Page, colour: str) -> None:
    expect(page.locator("body")).to_have_css("background-color", colour)


def test_the_system_is_followed_also_while_one_reads(page: Page) -> None:
    page.goto("/heroes")
    expect_ground(page, LIGHT)
    page.emulate_media(color_scheme="dark")
    expect_ground(page, DARK)


def test_the_theme_changes_at_once_keeps_what_is_typed_and_stays(page: Page) -> None:
    page.goto("/heroes/new")
    page.get_by_label("Name", exact=True).fill("Nova")
    dark = page.get_by_role("button", name="Dark")
    with staying_on_the_page(page), page.expect_response("**/theme"):
        dark.click()
        expect_ground(page, DARK)
    expect(page.get_by_label("Name", exact=True)).to_have_value("Nova")
    expect(dark).to_have_attribute("aria-pressed", "true")
    page.goto("/heroes")
    expect_ground(page, DARK)
    expect(page.get_by_role("button", name="Dark")).to_have_attribute("aria-pressed", "true")


@pytest.mark.parametrize("color_scheme", ["dark"])
def test_a_chosen_theme_outweighs_the_system_until_it_is_given_back(page: Page) -> None:
    page.goto("/")
    with page.expect_response("**/theme"):
        page.get_by_role("button", name="Light").click()
    page.reload()
    expect_ground(page, LIGHT)
    with page.expect_response("**/theme"):
        page.get_by_role("button", name="System").click()
    expect_ground(page, DARK)
    page.reload()
    expect_ground(page, DARK)


@pytest.mark.parametrize("color_scheme", ["light", "dark"])
@pytest.mark.parametrize("chosen", [None, "Dark"])
def test_paper_gets_a_clean_table_in_ink_on_white(page: Page, chosen: str | None) -> None:
    page.goto("/heroes?team=1")
    if chosen:
        page.get_by_role("button", name=chosen).click()
        expect_ground(page, DARK)
    page.emulate_media(media="print")
    expect_ground(page, "rgb(255, 255, 255)")
    expect(names(page).first).to_have_css("color", INK)
    expect(names(page).last).to_be_visible()
    expect(page.get_by_role("columnheader", name="Secret name")).to_be_visible()
    expect(page.get_by_role("heading", name="Heroes 38")).to_be_visible()
    expect(search_box(page)).to_be_hidden()
    expect(page.get_by_role("navigation", name="Main")).to_be_hidden()
    for role in ("button", "checkbox"):
        expect(page.get_by_role(role).locator("visible=true")).to_have_count(0)
    expect(page.get_by_role("link", name="Edit Hero 005")).to_be_hidden()
    expect(page.get_by_role("link", name="CSV")).to_be_hidden()


def test_all_rows_of_the_page_are_printed_and_not_only_those_in_view(page: Page) -> None:
    page.goto("/heroes")
    page.emulate_media(media="print")
    expect(page.get_by_role("table")).to_have_css("overflow", "visible")
    covered = page.evaluate(
        """() => [...document.querySelectorAll("tbody tr")].filter(row => {
            const box = row.closest(".scroll").getBoundingClientRect();
            return row.getBoundingClientRect().bottom > box.bottom + 1;
        }).length"""
    )
    assert covered == 0
