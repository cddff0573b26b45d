"""The keyboard alone does everything, on a desk and on a phone with a keyboard."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.parts import (
    column,
    expect_title,
    filter_button,
    names,
    picker,
    row,
    search_box,
    status,
)

each_width = pytest.mark.parametrize("width", [1280, 390])


def press(page: Page, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


@each_width
def test_the_first_tab_stop_leads_past_the_menu(page: Page) -> None:
    page.goto("/heroes")
    press(page, "Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    expect(page.get_by_role("link", name="Skip to content")).to_be_in_viewport()
    press(page, "Enter", "Tab")
    expect(page.get_by_role("link", name="New hero")).to_be_focused()


def test_slash_searches_from_anywhere_and_is_a_character_in_the_search(page: Page) -> None:
    page.goto("/heroes")
    press(page, "j", "/")
    expect(search_box(page)).to_be_focused()
    page.keyboard.type("zoe/")
    expect(search_box(page)).to_have_value("zoe/")
    press(page, "Backspace")
    expect(names(page)).to_have_text(["Zoë Nova"])
    press(page, "Escape")
    expect(search_box(page)).to_have_value("")
    expect(names(page)).to_have_count(25)


def test_n_begins_a_new_record_and_is_a_letter_in_a_field(page: Page) -> None:
    page.goto("/heroes")
    press(page, "n")
    expect_title(page, "New hero")
    page.get_by_label("Name", exact=True).focus()
    page.keyboard.type("nejx?/k")
    expect(page.get_by_label("Name", exact=True)).to_have_value("nejx?/k")
    expect_title(page, "New hero")


@each_width
def test_j_and_k_walk_the_rows_and_enter_opens_one(page: Page) -> None:
    page.goto("/heroes")
    press(page, "j")
    expect(page.get_by_role("link", name="Deadpond", exact=True)).to_be_focused()
    press(page, "j", "j", "ArrowDown", "k")
    expect(page.get_by_role("link", name="Hero 006", exact=True)).to_be_focused()
    press(page, "ArrowUp", "k", "k", "k")
    expect(page.get_by_role("link", name="Deadpond", exact=True)).to_be_focused()
    press(page, *["j"] * 30)
    expect(page.get_by_role("link", name="Hero 028", exact=True)).to_be_focused()
    expect(row(page, "Hero 028")).to_be_in_viewport()
    press(page, "Enter")
    expect_title(page, "Hero 028")


def test_e_edits_the_row_and_the_record(page: Page) -> None:
    page.goto("/heroes")
    press(page, "j", "e")
    expect_title(page, "Edit Deadpond")
    page.goto("/heroes/1")
    press(page, "e")
    expect_title(page, "Edit Deadpond")


def test_x_selects_rows_and_the_selection_is_deleted(page: Page) -> None:
    page.goto("/heroes")
    press(page, "j", "x", "j", "x")
    expect(status(page, "2 selected")).to_be_visible()
    press(page, "x")
    expect(status(page, "1 selected")).to_be_visible()
    # What can be done with it comes where it is seen: after the filters, before the rows.
    filter_button(page, "Age").focus()
    press(page, "Tab")
    expect(page.get_by_role("checkbox", name="All 100 heroes")).to_be_focused()
    press(page, "Tab")
    expect(page.get_by_role("button", name="Edit…")).to_be_focused()
    # Beyond Retire… and Transfer….
    press(page, "Tab", "Tab", "Tab")
    expect(page.get_by_role("button", name="Delete…")).to_be_focused()
    press(page, "Enter")
    expect(page.get_by_role("dialog", name="Delete Deadpond?")).to_be_visible()
    expect(page.get_by_role("link", name="Cancel")).to_be_focused()
    press(page, "Shift+Tab", "Enter")
    expect(status(page, "Deleted Deadpond")).to_be_visible()


def test_c_and_d_change_and_delete_the_selection_and_do_nothing_without_one(page: Page) -> None:
    page.goto("/heroes")
    press(page, "j", "c", "d")
    page.get_by_role("checkbox", name="Select Deadpond").press("Enter")
    press(page, "j")
    expect_title(page, "Heroes")
    expect(page.get_by_role("dialog")).to_have_count(0)
    press(page, "k", "x", "d")
    expect(page.get_by_role("dialog", name="Delete Deadpond?")).to_be_visible()
    press(page, "Escape")
    expect(page.get_by_role("link", name="Deadpond", exact=True)).to_be_focused()
    press(page, "c")
    expect_title(page, "Edit 1 hero")
    expect(page.get_by_role("checkbox", name="Change name")).to_be_focused()


def test_z_undoes_what_was_just_done(page: Page) -> None:
    page.goto("/heroes/1/edit")
    page.get_by_label("Age").fill("41")
    press(page, "Enter")
    expect(status(page, "Saved Deadpond")).to_be_visible()
    press(page, "z")
    expect(status(page, "Restored Deadpond")).to_be_visible()
    expect(row(page, "Deadpond")).not_to_contain_text("41")


def test_question_mark_shows_the_keys_and_escape_hides_them(page: Page) -> None:
    page.goto("/heroes")
    press(page, "j", "?")
    keys = page.get_by_role("dialog", name="Keyboard shortcuts")
    expect(keys).to_contain_text("Next and previous row")
    press(page, "n")
    expect(keys).to_be_visible()
    press(page, "Escape")
    expect(keys).to_be_hidden()
    expect(page.get_by_role("link", name="Deadpond", exact=True)).to_be_focused()


def test_keys_with_ctrl_stay_those_of_the_browser(page: Page) -> None:
    page.goto("/heroes")
    press(page, "Control+j", "Alt+n", "Control+x")
    expect_title(page, "Heroes")
    expect(page.get_by_role("checkbox", checked=True)).to_have_count(0)


@each_width
def test_a_filter_is_opened_set_and_closed(page: Page) -> None:
    page.goto("/heroes")
    team = filter_button(page, "Team")
    team.focus()
    press(page, "Enter")
    find = page.get_by_role("searchbox", name="Find in Team")
    expect(find).to_be_visible()
    find.focus()
    page.keyboard.type("z-f")
    expect(page.get_by_role("checkbox", name="Z-Force", exact=True)).to_be_visible()
    press(page, "Tab", "Space")
    expect(names(page)).to_have_text(["Deadpond"])
    press(page, "Escape")
    expect(find).to_be_hidden()
    expect(team).to_be_focused()
    press(page, "Tab")
    expect(filter_button(page, "Age")).to_be_focused()


def test_leaving_a_filter_closes_it(page: Page) -> None:
    page.goto("/heroes")
    filter_button(page, "Age").press("Enter")
    expect(page.get_by_label("From", exact=True)).to_be_focused()
    press(page, "Tab", "Tab", "Tab")
    expect(page.get_by_label("From", exact=True)).to_be_hidden()


def test_a_removed_chip_leaves_the_focus_in_the_list(page: Page) -> None:
    page.goto("/heroes?team=1")
    page.get_by_role("link", name="Remove the filter Team: Preventers").press("Enter")
    expect(page).to_have_url("/heroes")
    expect(page.get_by_role("region", name="Results")).to_be_focused()
    press(page, "j")
    expect(page.get_by_role("link", name="Deadpond", exact=True)).to_be_focused()


def test_the_head_of_the_table_is_seen_when_it_is_reached_with_rows_selected(page: Page) -> None:
    page.goto("/heroes")
    press(page, "j", "x")
    column(page, "Age").get_by_role("link").focus()
    expect(page.get_by_role("button", name="Delete…")).to_be_hidden()
    press(page, "Enter")
    expect(column(page, "Age")).to_have_attribute("aria-sort", "ascending")


def test_the_menu_of_a_phone_opens_and_closes(page: Page) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto("/heroes")
    menu = page.get_by_role("button", name="Menu")
    menu.focus()
    press(page, "Enter", "Tab")
    expect(page.get_by_role("link", name="Overview")).to_be_focused()
    press(page, "Escape")
    expect(page.get_by_role("link", name="Overview")).to_be_hidden()
    expect(menu).to_be_focused()
    press(page, "Enter", "Tab", "Tab", "Tab", "Enter")
    expect_title(page, "Teams")


def test_a_hero_is_created_without_a_pointer(page: Page) -> None:
    page.goto("/heroes")
    press(page, "n")
    expect_title(page, "New hero")
    page.get_by_label("Name", exact=True).focus()
    page.keyboard.type("Aaron")
    press(page, "Tab")
    page.keyboard.type("Somebody")
    press(page, "Tab")
    page.keyboard.type("17")
    press(page, "Tab")
    expect(picker(page)).to_be_focused()
    page.keyboard.type("night")
    expect(page.get_by_role("option")).to_have_text(["Night Watch"])
    press(page, "Enter", "Control+Enter")
    expect(status(page, "Created Aaron")).to_be_visible()
    expect(row(page, "Aaron")).to_contain_text("Night Watch")


def test_escape_takes_toasts_away(page: Page) -> None:
    page.goto("/heroes/1/edit")
    page.get_by_label("Age").press("Enter")
    toast = status(page, "Saved Deadpond")
    expect(toast).to_be_visible()
    press(page, "Escape")
    expect(toast).to_have_count(0)


def test_page_down_scrolls_the_rows(page: Page) -> None:
    page.goto("/heroes")
    expect(names(page).first).to_be_in_viewport()
    press(page, "PageDown", "PageDown")
    expect(names(page).last).to_be_in_viewport()
    press(page, "PageUp", "PageUp")
    expect(names(page).first).to_be_in_viewport()
