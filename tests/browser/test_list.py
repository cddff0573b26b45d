"""The list: its whole state stands in the address, and the focus stays where it is."""

import re

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from tests.browser.parts import (
    column,
    expect_title,
    filter_button,
    names,
    row,
    search_box,
    status,
    staying_on_the_page,
)

NARROWED = "/heroes?q=hero&team=1&team=none&age_min=30&age_max=70&sort=-age&size=50"


def checked(page: Page) -> Locator:
    return page.get_by_role("checkbox", checked=True)


@pytest.mark.parametrize("width", [1280, 390])
def test_searching_as_one_types_keeps_the_focus_and_puts_the_text_into_the_address(
    page: Page,
) -> None:
    page.goto("/heroes")
    with staying_on_the_page(page):
        search_box(page).press_sequentially("zoe n")
        expect(names(page)).to_have_text(["Zoë Nova"])
    expect(page).to_have_url("/heroes?q=zoe+n")
    expect_title(page, "Heroes matching “zoe n”")
    expect(search_box(page)).to_be_focused()
    expect(search_box(page)).to_have_value("zoe n")


def test_what_is_typed_while_the_answer_is_on_its_way_is_kept_and_searched(page: Page) -> None:
    page.goto("/heroes")
    with page.expect_request(re.compile(r"q=z")):
        search_box(page).press_sequentially("z")
    search_box(page).press_sequentially("oe")
    expect(names(page)).to_have_text(["Zoë Nova"])
    expect(search_box(page)).to_have_value("zoe")


def test_back_and_forward_go_through_searches_with_their_rows_and_their_text(page: Page) -> None:
    page.goto("/heroes")
    search_box(page).fill("deadpond")
    expect(names(page)).to_have_text(["Deadpond"])
    search_box(page).fill("rusty")
    expect(names(page)).to_have_text(["Rusty-Man"])

    page.go_back()
    expect(names(page)).to_have_text(["Deadpond"])
    expect(search_box(page)).to_have_value("deadpond")
    expect_title(page, "Heroes matching “deadpond”")
    page.go_back()
    expect(names(page)).to_have_count(25)
    expect(search_box(page)).to_have_value("")
    page.go_forward()
    page.go_forward()
    expect(names(page)).to_have_text(["Rusty-Man"])
    expect(search_box(page)).to_have_value("rusty")


def test_one_search_is_one_step_back(page: Page) -> None:
    page.goto("/heroes")
    search_box(page).fill("zoe")
    search_box(page).press("Enter")
    expect(names(page)).to_have_text(["Zoë Nova"])
    page.get_by_role("heading", name="Heroes 1").click()
    page.evaluate(
        """() => { window.settled = new Promise(settle =>
            document.addEventListener("htmx:finally:request", () => settle(), {once: true})); }"""
    )
    search_box(page).press("Enter")
    page.evaluate("window.settled")
    page.go_back()
    expect(page).to_have_url("/heroes")
    expect(names(page)).to_have_count(25)


def test_back_from_a_record_shows_the_list_as_it_was_left(page: Page) -> None:
    page.goto("/heroes")
    search_box(page).fill("hero 03")
    expect(names(page)).to_have_count(10)
    filter_button(page, "Age").click()
    page.get_by_label("From", exact=True).fill("35")
    expect(names(page)).to_have_count(5)
    page.get_by_role("link", name="Hero 037", exact=True).click()
    expect_title(page, "Hero 037")

    page.go_back()
    expect(names(page)).to_have_count(5)
    expect(search_box(page)).to_have_value("hero 03")
    expect(page.get_by_role("link", name="Remove the filter Age ≥ 35")).to_be_visible()
    filter_button(page, "Age").click()
    expect(page.get_by_label("From", exact=True)).to_have_value("35")


def test_reloading_and_a_shared_link_give_the_same_page(page: Page) -> None:
    page.goto("/heroes")
    search_box(page).fill("hero")
    expect(status(page, "1–25 of 96")).to_be_visible()
    column(page, "Age").get_by_role("link").click()
    expect(column(page, "Age")).to_have_attribute("aria-sort", "ascending")
    page.get_by_role("link", name="Next page").click()
    expect(status(page, "26–50 of 96")).to_be_visible()
    seen = names(page).all_text_contents()

    page.reload()
    expect(names(page)).to_have_text(seen)
    colleague = page.context.new_page()
    colleague.goto(page.url)
    expect(names(colleague)).to_have_text(seen)
    expect(search_box(colleague)).to_have_value("hero")
    expect(column(colleague, "Age")).to_have_attribute("aria-sort", "ascending")
    expect(status(colleague, "26–50 of 96")).to_be_visible()


def test_a_shared_link_shows_every_filter_in_its_control_and_as_a_chip(page: Page) -> None:
    page.goto(NARROWED)
    expect_title(page, "Heroes matching “hero” · Team: Preventers, none, Age 30 – 70")
    expect(names(page).first).to_have_text("Hero 070")
    expect(names(page)).to_have_count(21)
    expect(search_box(page)).to_have_value("hero")
    filter_button(page, "Team").click()
    expect(page.get_by_role("checkbox", name="Preventers", exact=True)).to_be_checked()
    expect(page.get_by_role("checkbox", name="No team")).to_be_checked()
    expect(page.get_by_role("checkbox", name="Night Watch")).not_to_be_checked()
    filter_button(page, "Age").click()
    expect(page.get_by_label("From", exact=True)).to_have_value("30")
    expect(page.get_by_label("To", exact=True)).to_have_value("70")


def test_a_search_keeps_filters_order_and_page_size(page: Page) -> None:
    page.goto(NARROWED)
    search_box(page).fill("hero 06")
    expect(names(page).first).to_have_text("Hero 069")
    narrowed = page.get_by_role("link", name="Remove the filter Team: Preventers, none")
    expect(narrowed).to_be_visible()
    expect(page).to_have_url(re.compile(r"q=hero\+06&.*age_min=30&age_max=70&sort=-age&size=50"))


def test_sorting_keeps_the_focus_and_says_the_order(page: Page) -> None:
    page.goto("/heroes")
    age = column(page, "Age")
    with staying_on_the_page(page):
        age.get_by_role("link").click()
        expect(age).to_have_attribute("aria-sort", "ascending")
        expect(names(page).first).to_have_text("Hero 005")
        expect(age.get_by_role("link")).to_be_focused()
        page.keyboard.press("Enter")
        expect(age).to_have_attribute("aria-sort", "descending")
    expect(names(page).first).to_have_text("Hero 100")
    expect(age.get_by_role("link")).to_be_focused()
    expect(page).to_have_url("/heroes?sort=-age")
    expect(column(page, "Name")).not_to_have_attribute("aria-sort", re.compile(""))


@pytest.mark.parametrize("width", [1280, 390])
def test_a_filter_applies_at_once_and_becomes_a_chip(page: Page) -> None:
    page.goto("/heroes")
    with staying_on_the_page(page):
        filter_button(page, "Team").click()
        page.get_by_role("checkbox", name="Night Watch").check()
        expect(status(page, "20 heroes").or_(status(page, "1–20 of 20"))).to_be_visible()
        page.get_by_role("checkbox", name="No team").check()
        expect(
            page.get_by_role("link", name="Remove the filter Team: Night Watch, none")
        ).to_be_visible()
    expect(page).to_have_url("/heroes?team=none&team=4")
    expect_title(page, "Heroes · Team: Night Watch, none")
    expect(page.get_by_role("checkbox", name="No team")).to_be_focused()


def test_an_age_range_filters_as_one_types(page: Page) -> None:
    page.goto("/heroes")
    filter_button(page, "Age").click()
    page.get_by_label("From", exact=True).press_sequentially("95")
    expect(names(page)).to_have_count(6)
    expect(page.get_by_label("From", exact=True)).to_be_focused()
    page.get_by_label("To", exact=True).press_sequentially("97")
    expect(names(page)).to_have_text(["Hero 095", "Hero 096", "Hero 097"])
    expect(page.get_by_role("link", name="Remove the filter Age 95 – 97")).to_be_visible()
    expect(page).to_have_url("/heroes?age_min=95&age_max=97")


def test_removing_a_chip_unticks_its_control(page: Page) -> None:
    page.goto("/heroes?team=1&age_min=30")
    with staying_on_the_page(page):
        page.get_by_role("link", name="Remove the filter Team: Preventers").click()
        expect(page).to_have_url("/heroes?age_min=30")
    filter_button(page, "Team").click()
    expect(page.get_by_role("checkbox", name="Preventers", exact=True)).not_to_be_checked()

    page.get_by_role("link", name="Clear all").press("Enter")
    expect(page).to_have_url("/heroes")
    expect(page.get_by_role("region", name="Results")).to_be_focused()
    filter_button(page, "Age").click()
    expect(page.get_by_label("From", exact=True)).to_have_value("")


def test_a_team_beyond_the_first_ones_is_found_in_the_filter(page: Page) -> None:
    page.goto("/heroes")
    filter_button(page, "Team").click()
    page.get_by_role("searchbox", name="Find in Team").press_sequentially("z-f")
    page.get_by_role("checkbox", name="Z-Force", exact=True).check()
    expect(names(page)).to_have_text(["Deadpond"])
    expect(page).to_have_url("/heroes?team=2")


def test_paging_keeps_the_focus_on_the_pager(page: Page) -> None:
    page.goto("/heroes")
    next_page = page.get_by_role("link", name="Next page")
    with staying_on_the_page(page):
        next_page.click()
        expect(status(page, "26–50 of 100")).to_be_visible()
        expect(next_page).to_be_focused()
        page.keyboard.press("Enter")
        expect(status(page, "51–75 of 100")).to_be_visible()
        expect(next_page).to_be_focused()
        page.get_by_role("link", name="Previous page").click()
        expect(status(page, "26–50 of 100")).to_be_visible()
    page.get_by_role("link", name="Last page").press("Enter")
    expect(names(page).last).to_have_text("Zoë Nova")
    expect(page.get_by_role("link", name="Last page")).to_be_focused()
    expect(next_page).to_have_attribute("aria-disabled", "true")
    page.get_by_role("link", name="First page").click()
    expect(names(page).first).to_have_text("Deadpond")
    expect(page).to_have_url("/heroes")


def test_a_new_page_begins_at_its_first_row(page: Page) -> None:
    page.goto("/heroes")
    names(page).last.scroll_into_view_if_needed()
    expect(names(page).first).not_to_be_in_viewport()
    page.get_by_role("link", name="Next page").click()
    expect(status(page, "26–50 of 100")).to_be_visible()
    expect(names(page).first).to_be_in_viewport()


def test_the_count_of_a_search_is_loaded_and_announced(page: Page) -> None:
    page.goto("/heroes")
    expect(page.get_by_role("heading", name="Heroes 100")).to_be_visible()
    search_box(page).fill("hero")
    expect(page.get_by_role("heading", name="Heroes 96")).to_be_visible()
    expect(status(page, "1–25 of 96")).to_be_visible()
    search_box(page).fill("nobody at all")
    expect(page.get_by_role("heading", name="Heroes 0")).to_be_visible()
    expect(page.get_by_role("heading", name="No heroes match “nobody at all”")).to_be_visible()
    page.get_by_role("link", name="Show all heroes").click()
    expect(names(page)).to_have_count(25)
    expect(search_box(page)).to_have_value("")


def test_a_name_opens_its_record_and_a_team_its_team(page: Page) -> None:
    page.goto("/heroes")
    page.get_by_role("link", name="Deadpond", exact=True).click()
    expect(page).to_have_url("/heroes/1")
    expect(page.get_by_role("heading", name="Deadpond")).to_be_visible()
    page.go_back()
    row(page, "Deadpond").get_by_role("link", name="Z-Force").click()
    expect(page).to_have_url("/teams/2")


def test_the_page_size_changes_on_the_spot(page: Page) -> None:
    page.goto("/heroes?q=hero")
    sizes = page.get_by_role("group", name="Rows per page")
    with staying_on_the_page(page):
        sizes.get_by_role("link", name="50").click()
        expect(names(page)).to_have_count(50)
    expect(page).to_have_url("/heroes?q=hero&size=50")
    expect(sizes.get_by_role("link", name="50")).to_have_attribute("aria-current", "true")
    expect(status(page, "1–50 of 96")).to_be_visible()


@pytest.mark.parametrize("width", [1280, 390])
def test_after_an_edit_one_is_back_on_the_same_page_with_the_row_marked(page: Page) -> None:
    page.goto("/heroes?team=1")
    page.get_by_role("link", name="Next page").click()
    expect(names(page).first).to_have_text("Hero 030")
    listed = page.url
    page.get_by_role("link", name="Edit Hero 035").click()
    page.get_by_label("Age").fill("99")
    page.get_by_role("button", name="Save changes").click()

    expect(page).to_have_url(listed)
    expect(status(page, "Saved Hero 035")).to_be_visible()
    expect(row(page, "Hero 035")).to_contain_text("99")
    expect(row(page, "Hero 035")).to_have_attribute("data-marked", "")
    expect(row(page, "Hero 035")).to_be_in_viewport()
    expect(page.get_by_role("link", name="Remove the filter Team: Preventers")).to_be_visible()


def test_the_list_of_a_team_is_searched_and_paged_on_its_page(page: Page) -> None:
    page.goto("/teams/1")
    with staying_on_the_page(page):
        page.get_by_role("link", name="Next page").click()
        expect(status(page, "26–38 of 38")).to_be_visible()
        search_box(page).fill("spider")
        expect(names(page)).to_have_text(["Spider-Boy"])
    expect(page).to_have_url("/teams/1/heroes?q=spider")
    expect_title(page, "Heroes matching “spider” of Preventers")
    page.reload()
    expect(names(page)).to_have_text(["Spider-Boy"])
    expect_title(page, "Heroes matching “spider” of Preventers")
    search_box(page).fill("")
    expect(names(page)).to_have_count(25)
    expect_title(page, "Preventers")


def test_a_range_of_rows_is_selected_with_shift(page: Page) -> None:
    page.goto("/heroes")
    page.get_by_role("checkbox", name="Select Hero 006").click()
    page.get_by_role("checkbox", name="Select Hero 010").click(modifiers=["Shift"])
    expect(status(page, "5 selected")).to_be_visible()
    page.get_by_role("checkbox", name="Select Hero 008").click()
    expect(status(page, "4 selected")).to_be_visible()


def test_all_rows_are_selected_with_one_box(page: Page) -> None:
    page.goto("/heroes")
    every = page.get_by_role("checkbox", name="Select all rows")
    every.check()
    expect(status(page, "25 selected")).to_be_visible()
    page.get_by_role("checkbox", name="Select Deadpond").uncheck()
    expect(status(page, "24 selected")).to_be_visible()
    expect(every).to_have_js_property("indeterminate", value=True)
    every.check()
    every.uncheck()
    expect(checked(page)).to_have_count(0)
    expect(page.get_by_role("button", name="Delete…")).to_be_hidden()


def test_a_selection_never_moves_to_other_rows(page: Page) -> None:
    page.goto("/heroes")
    page.get_by_role("checkbox", name="Select Hero 006").check()
    column(page, "Age").get_by_role("link").press("Enter")
    expect(column(page, "Age")).to_have_attribute("aria-sort", "ascending")
    expect(page.get_by_role("checkbox", name="Select Hero 006")).to_be_checked()
    expect(page.locator("tbody").get_by_role("checkbox", checked=True)).to_have_count(1)

    page.get_by_role("link", name="Next page").click()
    expect(status(page, "26–50 of 100")).to_be_visible()
    expect(checked(page)).to_have_count(0)
    expect(page.get_by_role("button", name="Delete…")).to_be_hidden()


def test_an_opened_filter_tells_how_many_heroes_each_team_has(page: Page) -> None:
    page.goto("/heroes?age_min=30")
    filter_button(page, "Team").click()
    preventers = page.get_by_role("checkbox", name="Preventers", exact=True)
    # Heroes 30 to 40, and Rusty-Man.
    expect(preventers).to_have_accessible_description("12")


def test_instants_are_shown_in_the_time_of_their_reader_and_bare_clocks_as_they_are(
    page: Page,
) -> None:
    # In Berlin no clock showed half past two in that night.
    times = """<time id=clock datetime="2024-03-31T02:30:00">clock</time>
        <time id=instant datetime="2024-03-31T00:30:00Z">instant</time></main>"""

    def add(route: Route) -> None:
        answer = route.fetch()
        route.fulfill(response=answer, body=answer.text().replace("</main>", times))

    page.route("**/heroes", add)
    page.goto("/heroes")
    expect(page.locator("#clock")).to_have_text("31 Mar 2024, 02:30")
    expect(page.locator("#instant")).to_have_text("31 Mar 2024, 01:30")
