"""Without JavaScript everything works by links and forms, on a desk and on a phone."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.parts import column, expect_title, filter_button, names, row, search_box, status


@pytest.fixture
def has_javascript() -> bool:
    return False


@pytest.fixture(params=[1280, 390])
def width(request: pytest.FixtureRequest) -> int:
    chosen: int = request.param
    return chosen


def apply(page: Page) -> None:
    page.get_by_role("button", name="Apply").locator("visible=true").click()


def submit(page: Page, button: str) -> None:
    page.get_by_role("button", name=button, exact=True).click()


def test_the_list_is_searched(page: Page) -> None:
    page.goto("/heroes")
    search_box(page).fill("zoe")
    submit(page, "Search")
    expect(names(page)).to_have_text(["Zoë Nova"])
    expect(search_box(page)).to_have_value("zoe")
    expect_title(page, "Heroes matching “zoe”")
    search_box(page).fill("00 hero")
    search_box(page).press("Enter")
    expect(names(page)).to_have_count(6)


def test_enter_in_a_box_of_a_row_does_what_is_possible_with_the_selection(page: Page) -> None:
    page.goto("/heroes?team=1")
    box = page.get_by_role("checkbox", name="Select").first
    box.press("Enter")
    expect(status(page, "Select some heroes first.")).to_be_visible()
    expect(page).to_have_url("/heroes?team=1")
    box.check()
    box.press("Enter")
    expect_title(page, "Edit 1 hero")


def test_the_list_is_filtered_by_several_teams_none_and_a_range_of_ages(page: Page) -> None:
    page.goto("/heroes")
    filter_button(page, "Team").click()
    page.get_by_role("checkbox", name="Night Watch").check()
    page.get_by_role("checkbox", name="Preventers", exact=True).check()
    page.get_by_role("checkbox", name="No team").check()
    apply(page)
    expect(page.get_by_role("link", name=re.compile("Remove the filter Team: "))).to_be_visible()
    filter_button(page, "Age").click()
    page.get_by_label("From", exact=True).fill("39")
    page.get_by_label("To", exact=True).fill("61")
    apply(page)
    expect(names(page)).to_have_count(24)
    expect(names(page).first).to_have_text("Hero 039")
    expect(names(page).last).to_have_text("Rusty-Man")

    page.get_by_role("link", name="Remove the filter Age 39 – 61").click()
    expect(page.get_by_role("link", name=re.compile("Remove the filter Age"))).to_have_count(0)
    filter_button(page, "Team").click()
    expect(page.get_by_role("checkbox", name="No team")).to_be_checked()
    page.get_by_role("link", name="Clear all").click()
    expect(page).to_have_url("/heroes")


def test_a_team_beyond_the_first_ones_is_found_in_the_filter(page: Page) -> None:
    page.goto("/heroes?sort=-age")
    filter_button(page, "Team").click()
    page.get_by_role("searchbox", name="Find team").fill("z-f")
    submit(page, "Find")
    page.get_by_role("checkbox", name="Z-Force", exact=True).check()
    apply(page)
    expect(names(page)).to_have_text(["Deadpond"])
    expect(column(page, "Age")).to_have_attribute("aria-sort", "descending")


def test_the_list_is_sorted_paged_and_resized_and_a_search_keeps_that(page: Page) -> None:
    page.goto("/heroes")
    column(page, "Age").get_by_role("link").click()
    column(page, "Age").get_by_role("link").click()
    expect(column(page, "Age")).to_have_attribute("aria-sort", "descending")
    page.get_by_role("link", name="Next page").click()
    expect(names(page).first).to_have_text("Hero 075")
    expect(status(page, "26–50 of 100")).to_be_visible()
    page.get_by_role("link", name="Previous page").click()
    expect(names(page).first).to_have_text("Hero 100")

    page.goto("/heroes?sort=-age&size=50")
    expect(names(page)).to_have_count(50)
    search_box(page).fill("hero 0")
    submit(page, "Search")
    expect(names(page)).to_have_count(50)
    expect(names(page).first).to_have_text("Hero 100")


def test_a_page_size_is_chosen(page: Page, width: int) -> None:
    page.goto("/heroes")
    sizes = page.get_by_role("group", name="Rows per page")
    if width < 600:
        expect(sizes).to_be_hidden()
        return
    sizes.get_by_role("link", name="50").click()
    expect(names(page)).to_have_count(50)


def test_the_count_of_a_search_is_one_click_away(page: Page) -> None:
    page.goto("/heroes?q=hero")
    page.get_by_role("link", name="Count").click()
    expect(page.get_by_role("heading", name="Heroes 96")).to_be_visible()
    expect(names(page)).to_have_count(25)


def test_a_hero_is_created_with_a_team_found_by_name(page: Page) -> None:
    page.goto("/heroes/new")
    page.get_by_label("Name", exact=True).fill("Nova")
    page.get_by_label("Secret name").fill("Somebody")
    page.get_by_role("searchbox", name="Find another team").fill("z-f")
    submit(page, "Find")
    expect(page.get_by_text("Choose from the teams that match “z-f”.")).to_be_visible()
    expect(page.get_by_label("Name", exact=True)).to_have_value("Nova")
    page.get_by_label("Team", exact=False).first.select_option("Z-Force")
    submit(page, "Create hero")
    expect(status(page, "Created Nova")).to_be_visible()
    page.goto("/heroes?q=nova&team=2")
    expect(names(page)).to_have_text(["Nova"])


def test_enter_in_the_search_for_a_team_searches_and_saves_nothing(page: Page) -> None:
    page.goto("/heroes/new")
    page.get_by_label("Name", exact=True).fill("Nova")
    page.get_by_label("Secret name").fill("Somebody")
    page.get_by_role("searchbox", name="Find another team").fill("wakal")
    page.get_by_role("searchbox", name="Find another team").press("Enter")
    expect(page.get_by_text("Choose from the teams that match “wakal”.")).to_be_visible()
    page.goto("/heroes?q=nova&sort=id")
    expect(names(page)).to_have_text(["Zoë Nova"])


def test_an_error_keeps_what_was_typed_and_puts_the_focus_on_the_first_bad_field(
    page: Page,
) -> None:
    page.goto("/heroes/new")
    page.get_by_label("Name", exact=True).fill("Nova")
    page.get_by_label("Age").fill("old")
    submit(page, "Create hero")
    expect(page.get_by_label("Secret name")).to_be_focused()
    expect(page.get_by_label("Secret name")).to_have_accessible_description("Enter a secret name.")
    expect(page.get_by_label("Age")).to_have_value("old")
    expect(page.get_by_label("Name", exact=True)).to_have_value("Nova")


def test_a_change_of_the_age_leaves_the_team_as_it_was(page: Page) -> None:
    page.goto("/heroes/1/edit")
    page.get_by_label("Age").fill("29")
    submit(page, "Save changes")
    expect(status(page, "Saved Deadpond")).to_be_visible()
    expect(row(page, "Deadpond")).to_contain_text("29")
    expect(row(page, "Deadpond")).to_contain_text("Z-Force")


def test_a_double_click_creates_one_hero(page: Page) -> None:
    page.goto("/heroes/new")
    page.get_by_label("Name", exact=True).fill("Nova Twice")
    page.get_by_label("Secret name").fill("Somebody")
    page.get_by_role("button", name="Create hero").dblclick()
    expect(page.get_by_role("status").filter(has_text="reated")).to_be_visible()
    page.goto("/heroes?q=nova+twice")
    expect(names(page)).to_have_text(["Nova Twice"])


def test_several_heroes_are_created_one_after_another(page: Page) -> None:
    page.goto("/heroes/new?team_id=4")
    page.get_by_label("Name", exact=True).fill("Nova One")
    page.get_by_label("Secret name").fill("Somebody")
    submit(page, "Save and add another")
    expect(status(page, "Created Nova One")).to_be_visible()
    expect(page.get_by_label("Name", exact=True)).to_have_value("")
    expect(page.get_by_label("Team", exact=False).first).to_have_value("4")


def test_a_hero_is_deleted_from_its_row_and_one_is_back_on_the_same_list(page: Page) -> None:
    page.goto("/heroes?team=1&size=50")
    page.get_by_role("link", name="Delete Hero 006").click()
    expect_title(page, "Delete Hero 006")
    expect(page.get_by_role("link", name="Cancel")).to_be_focused()
    submit(page, "Delete hero")
    expect(page).to_have_url("/heroes?team=1&size=50")
    expect(status(page, "Deleted Hero 006")).to_be_visible()
    expect(row(page, "Hero 006")).to_have_count(0)


def test_thinking_better_of_a_deletion_leads_back_to_the_record(page: Page) -> None:
    page.goto("/teams/1")
    page.get_by_role("link", name="Delete…").click()
    page.get_by_role("link", name="Cancel").click()
    expect_title(page, "Preventers")


def test_the_heroes_of_a_deleted_team_are_given_to_another(page: Page) -> None:
    page.goto("/teams/1")
    page.get_by_role("link", name="Delete…").click()
    expect(page.get_by_text("38 heroes will have no team")).to_be_visible()
    page.get_by_role("searchbox", name="Find another team").fill("z-f")
    submit(page, "Find")
    page.get_by_label("Move heroes to").select_option("Z-Force")
    submit(page, "Delete team")
    expect(status(page, "Deleted Preventers")).to_be_visible()
    page.goto("/teams/2")
    page.get_by_role("link", name="Count", exact=True).click()
    expect(page.get_by_role("heading", name="Heroes 39")).to_be_visible()


def test_selected_rows_are_deleted_together(page: Page) -> None:
    page.goto("/heroes?team=1")
    page.get_by_role("checkbox", name="Select Hero 006").check()
    page.get_by_role("checkbox", name="Select Hero 008").check()
    # Nobody counts them, so there is no number that could be wrong.
    expect(page.locator("#selection")).to_be_visible()
    expect(page.locator("#selection output")).to_be_hidden()
    submit(page, "Delete…")
    expect(page.get_by_role("listitem").filter(has_text="Hero 008")).to_be_visible()
    submit(page, "Delete 2 heroes")
    expect(page).to_have_url("/heroes?team=1")
    expect(status(page, "Deleted 2 heroes")).to_be_visible()
    expect(names(page).nth(1)).to_have_text("Hero 007")


def test_the_theme_is_chosen_and_one_stays_on_the_page(page: Page, width: int) -> None:
    page.goto("/heroes?q=zoe")
    if width < 600:
        submit(page, "Menu")
    submit(page, "Dark")
    expect(page).to_have_url("/heroes?q=zoe")
    expect(page.locator("body")).to_have_css("color-scheme", "dark")
    if width < 600:
        submit(page, "Menu")
    expect(page.get_by_role("button", name="Dark")).to_have_attribute("aria-pressed", "true")


def test_nothing_is_offered_that_needs_javascript(page: Page, width: int) -> None:
    page.goto("/heroes")
    if width < 600:
        submit(page, "Menu")
    expect(page.get_by_role("button", name="Keyboard shortcuts")).to_be_hidden()
    expect(page.get_by_role("checkbox", name="Select all rows")).to_be_hidden()
