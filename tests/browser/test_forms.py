"""Forms: what is typed is never lost, what is wrong is said beside it, one click saves once."""

import re

import pytest
from playwright.sync_api import Dialog, Locator, Page, expect

from tests.browser.parts import (
    FROM_HERE,
    expect_title,
    names,
    picker,
    row,
    status,
    staying_on_the_page,
)


def fill_in(page: Page, name: str, secret_name: str = "Somebody") -> None:
    page.get_by_label("Name", exact=True).fill(name)
    page.get_by_label("Secret name").fill(secret_name)


def create(page: Page) -> Locator:
    return page.get_by_role("button", name="Create hero")


def save(page: Page) -> Locator:
    return page.get_by_role("button", name="Save changes")


def expect_count(page: Page, listed: str, count: int) -> None:
    page.goto(listed)
    expect(page.get_by_role("heading", name=f"Heroes {count}", exact=True)).to_be_visible()


@pytest.mark.parametrize("width", [1280, 390])
def test_an_error_keeps_what_was_typed_and_puts_the_focus_on_the_first_bad_field(
    page: Page,
) -> None:
    page.goto("/heroes/new")
    page.get_by_label("Name", exact=True).fill("Nova")
    page.get_by_label("Age").fill("old")
    with staying_on_the_page(page):
        create(page).click()
        expect(page.get_by_label("Secret name")).to_be_focused()
    expect(page.get_by_label("Secret name")).to_have_accessible_description("Enter a secret name.")
    expect(page.get_by_label("Secret name")).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_label("Age")).to_have_accessible_description("Enter a whole number.")
    expect(page.get_by_label("Age")).to_have_value("old")
    expect(page.get_by_label("Name", exact=True)).to_have_value("Nova")
    expect(page.get_by_role("alert")).to_contain_text("There are 2 problems")


def answering_dialogs(page: Page, *, is_leaving: bool) -> list[Dialog]:
    """The dialogs that the browser shows from now on: the first one, which is answered at once."""
    asked: list[Dialog] = []

    def answer(dialog: Dialog) -> None:
        asked.append(dialog)
        if is_leaving:
            dialog.accept()
        else:
            dialog.dismiss()

    page.once("dialog", answer)
    return asked


def test_a_sentence_in_the_summary_leads_to_its_field(page: Page) -> None:
    page.goto("/heroes/new")
    create(page).click()
    page.get_by_role("link", name="Enter a secret name.").click()
    expect(page.get_by_label("Secret name")).to_be_focused()


def test_a_corrected_form_is_saved(page: Page) -> None:
    page.goto("/heroes/new")
    page.get_by_label("Age").fill("old")
    create(page).click()
    expect(page.get_by_label("Name", exact=True)).to_be_focused()
    fill_in(page, "Aaron")
    page.get_by_label("Age").fill("17")
    create(page).click()
    expect(status(page, "Created Aaron")).to_be_visible()
    expect(row(page, "Aaron")).to_contain_text("17")


def test_a_taken_team_name_is_said_beside_it(page: Page) -> None:
    page.goto("/teams/new")
    page.get_by_label("Name").fill("Preventers")
    page.get_by_role("button", name="Create team").click()
    expect(page.get_by_label("Name")).to_be_focused()
    expect(page.get_by_label("Name")).to_have_accessible_description(
        re.compile("Another team is called")
    )


@pytest.mark.parametrize("label", ["Secret name", "Team optional"])
def test_ctrl_enter_saves_from_any_field(page: Page, label: str) -> None:
    page.goto("/heroes/1/edit")
    page.get_by_label("Age").fill("29")
    page.get_by_label(label, exact=True).press("Control+Enter")
    expect(status(page, "Saved Deadpond")).to_be_visible()
    expect(row(page, "Deadpond")).to_contain_text("29")


def test_unsaved_changes_are_not_left_without_a_warning(page: Page) -> None:
    page.goto("/heroes/1/edit")
    page.get_by_label("Secret name").fill("Wade")
    asked = answering_dialogs(page, is_leaving=False)
    page.get_by_role("link", name="Teams").click(no_wait_after=True)
    expect(page.get_by_label("Secret name")).to_have_value("Wade")
    assert [dialog.type for dialog in asked] == ["beforeunload"]

    page.once("dialog", lambda dialog: dialog.accept())
    page.get_by_role("link", name="Teams").click()
    expect_title(page, "Teams")


def test_unsaved_changes_are_warned_of_after_an_error_too(page: Page) -> None:
    page.goto("/heroes/1/edit")
    page.get_by_label("Age").fill("old")
    save(page).click()
    expect(page.get_by_label("Age")).to_be_focused()
    asked = answering_dialogs(page, is_leaving=True)
    page.get_by_role("link", name="Teams").click()
    expect_title(page, "Teams")
    assert [dialog.type for dialog in asked] == ["beforeunload"]


def test_what_is_saved_or_put_back_is_left_without_a_warning(page: Page) -> None:
    asked = answering_dialogs(page, is_leaving=True)
    page.goto("/heroes/1/edit")
    page.get_by_label("Secret name").fill("Wade")
    save(page).click()
    expect(status(page, "Saved Deadpond")).to_be_visible()

    page.goto("/heroes/1/edit")
    page.get_by_label("Age").fill("29")
    page.get_by_label("Age").fill("28")
    page.get_by_role("link", name="Cancel").click()
    expect_title(page, "Deadpond")
    assert not asked


def test_a_double_click_creates_one_hero(page: Page) -> None:
    page.goto("/heroes/new")
    fill_in(page, "Nova Twice")
    create(page).dblclick()
    expect(status(page, "Created Nova Twice")).to_be_visible()
    expect_count(page, "/heroes?q=nova+twice", 1)


def test_going_back_after_creating_leads_to_where_the_form_was_opened(page: Page) -> None:
    page.goto("/teams")
    page.goto("/heroes/new")
    fill_in(page, "Nova Twice")
    create(page).click()
    expect(status(page, "Created Nova Twice")).to_be_visible()
    page.go_back()
    expect_title(page, "Teams")
    page.go_forward()
    expect_title(page, "Heroes")
    expect_count(page, "/heroes?q=nova+twice", 1)


@pytest.mark.parametrize("opening", ["create", "save"])
def test_the_list_that_a_form_was_opened_from_is_one_step_back_again(
    page: Page, opening: str
) -> None:
    page.goto("/teams")
    page.goto("/heroes?sort=-name")
    if opening == "create":
        page.get_by_role("link", name="New hero").click()
        fill_in(page, "Nova Once")
        create(page).click()
        expect(status(page, "Created Nova Once")).to_be_visible()
    else:
        page.get_by_role("link", name="Edit Hero 099").click()
        page.get_by_label("Age").fill("21")
        save(page).click()
        expect(row(page, "Hero 099")).to_have_attribute("data-marked", "")
    expect(page).to_have_url("/heroes?sort=-name")
    page.go_back()
    expect_title(page, "Teams")


@pytest.mark.parametrize("has_javascript", [True, False])
def test_after_saving_the_focus_is_on_the_row(page: Page) -> None:
    page.goto("/heroes?team=1&sort=-age")
    page.get_by_role("link", name="Edit Hero 020").click()
    page.get_by_label("Age").fill("21")
    save(page).click()
    expect(row(page, "Hero 020")).to_have_attribute("data-marked", "")
    expect(page.get_by_role("link", name="Hero 020", exact=True)).to_be_focused()
    expect(row(page, "Hero 020")).to_be_in_viewport()


def test_after_saving_what_the_list_does_not_show_the_focus_is_on_its_heading(page: Page) -> None:
    page.goto("/heroes?age_min=99")
    page.get_by_role("link", name="Edit Hero 099").click()
    page.get_by_label("Age").fill("1")
    save(page).click()
    expect(status(page, "Saved Hero 099")).to_be_visible()
    expect(page.get_by_role("heading", level=1)).to_be_focused()
    page.goto("/heroes/1/edit?back=/heroes/1")
    save(page).click()
    expect(status(page, "Saved Deadpond")).to_be_visible()
    expect(page.get_by_role("heading", name="Deadpond")).to_be_focused()


def test_the_picker_opens_at_the_team_that_is_chosen(page: Page) -> None:
    for team, name in ((45, "Team 45"), (60, "Team 60"), (2, "Z-Force")):
        page.request.patch("/api/heroes/1", data={"team_id": team}, headers=FROM_HERE)
        page.goto("/heroes/1/edit")
        picker(page).click()
        chosen = page.get_by_role("option", selected=True)
        expect(chosen).to_have_text(name)
        expect(chosen).to_be_in_viewport()
        expect(picker(page)).to_have_attribute(
            "aria-activedescendant", chosen.get_attribute("id") or "none"
        )
        picker(page).press("Escape")
        expect(picker(page)).to_have_value(name)


def test_save_and_add_another_gives_an_empty_form_and_says_what_was_created(page: Page) -> None:
    page.goto("/heroes/new?team_id=4")
    fill_in(page, "Nova One")
    page.get_by_role("button", name="Save and add another").click()
    expect(status(page, "Created Nova One")).to_be_visible()
    expect(page.get_by_label("Name", exact=True)).to_have_value("")
    expect(picker(page)).to_have_value("Night Watch")
    fill_in(page, "Nova Two")
    create(page).click()
    expect(status(page, "Created Nova Two")).to_be_visible()
    expect_count(page, "/heroes?q=nova&team=4", 2)


def test_an_error_while_adding_another_keeps_what_was_typed(page: Page) -> None:
    page.goto("/heroes/new")
    page.get_by_label("Name", exact=True).fill("Nova")
    page.get_by_role("button", name="Save and add another").click()
    expect(page.get_by_label("Secret name")).to_be_focused()
    page.get_by_label("Secret name").fill("Somebody")
    page.get_by_role("button", name="Save and add another").click()
    expect(status(page, "Created Nova")).to_be_visible()
    expect(page.get_by_label("Name", exact=True)).to_have_value("")


def test_a_hero_created_on_the_page_of_a_team_belongs_to_it(page: Page) -> None:
    page.goto("/teams/1")
    page.get_by_role("link", name="New hero").click()
    expect(picker(page)).to_have_value("Preventers")
    fill_in(page, "Aaron")
    create(page).click()
    expect(page).to_have_url("/teams/1/heroes")
    expect(status(page, "Created Aaron")).to_be_visible()
    expect(row(page, "Aaron")).to_have_attribute("data-marked", "")


def test_a_new_hero_that_the_list_does_not_show_is_one_click_away(page: Page) -> None:
    page.goto("/heroes?team=1")
    page.get_by_role("link", name="New hero").click()
    fill_in(page, "Nova")
    create(page).click()
    expect(page).to_have_url("/heroes?team=1")
    page.get_by_role("status").get_by_role("link", name="View").click()
    expect_title(page, "Nova")


def test_enter_in_the_picker_chooses_and_does_not_submit(page: Page) -> None:
    page.goto("/heroes/new")
    fill_in(page, "Nova")
    with staying_on_the_page(page):
        picker(page).press_sequentially("z-f")
        expect(page.get_by_role("option")).to_have_text(["Z-Force"])
        picker(page).press("Enter")
        expect(picker(page)).to_have_value("Z-Force")
        expect(page.get_by_role("listbox")).to_be_hidden()
    picker(page).press("Enter")
    expect(status(page, "Created Nova")).to_be_visible()
    page.goto("/heroes?q=nova&team=2")
    expect(names(page)).to_have_text(["Nova"])


def test_a_team_is_found_by_its_headquarters_which_stand_beside_its_name(page: Page) -> None:
    page.goto("/heroes/1/edit")
    picker(page).fill("tower sharp")
    option = page.get_by_role("option", name="Preventers · Sharp Tower")
    expect(option.get_by_text("Sharp Tower")).to_be_visible()
    expect(option.get_by_text("·", exact=True)).to_have_class("visually-hidden")
    option.click()
    expect(picker(page)).to_have_value("Preventers")
    save(page).click()
    expect(row(page, "Deadpond")).to_contain_text("Preventers")


def test_enter_pressed_before_the_answer_chooses_the_first_match(page: Page) -> None:
    page.goto("/heroes/new")
    with staying_on_the_page(page):
        picker(page).press_sequentially("wakal")
        picker(page).press("Enter")
        expect(picker(page)).to_have_value("Wakaland")


def test_arrows_walk_through_the_teams(page: Page) -> None:
    page.goto("/heroes/new")
    team = picker(page)
    team.press("ArrowDown")
    expect(page.get_by_role("option")).to_have_count(50)
    expect(team).to_have_attribute("aria-expanded", "true")
    team.press("ArrowDown")
    team.press("ArrowDown")
    expect(page.get_by_role("option", selected=True)).to_have_text(["Preventers"])
    team.press("ArrowUp")
    expect(page.get_by_role("option", selected=True)).to_have_text(["Night Watch"])
    team.press("ArrowUp")
    expect(page.get_by_role("option", selected=True)).to_have_text(["Team 52"])
    expect(page.get_by_role("option", selected=True)).to_be_in_viewport()
    team.press("Enter")
    expect(team).to_have_value("Team 52")


def test_escape_closes_the_picker_and_puts_the_team_back(page: Page) -> None:
    page.goto("/heroes/1/edit")
    picker(page).fill("wak")
    expect(page.get_by_role("option", name="Wakaland")).to_be_visible()
    picker(page).press("Escape")
    expect(page.get_by_role("listbox")).to_be_hidden()
    expect(picker(page)).to_have_value("Z-Force")
    expect(picker(page)).to_be_focused()


def test_leaving_the_picker_with_tab_takes_the_marked_team(page: Page) -> None:
    page.goto("/heroes/1/edit")
    picker(page).fill("wak")
    expect(page.get_by_role("option", selected=True)).to_have_text("Wakaland")
    picker(page).press("Tab")
    expect(picker(page)).to_have_value("Wakaland")
    expect(save(page)).to_be_focused()


def test_a_team_is_taken_away_with_clear(page: Page) -> None:
    page.goto("/heroes/1/edit")
    page.get_by_role("button", name="Clear").click()
    expect(picker(page)).to_have_value("")
    expect(picker(page)).to_be_focused()
    save(page).click()
    expect(status(page, "Saved Deadpond")).to_be_visible()
    page.goto("/heroes?q=deadpond&team=none")
    expect(names(page)).to_have_text(["Deadpond"])


@pytest.mark.parametrize("width", [1280, 390])
def test_a_team_is_chosen_with_the_pointer(page: Page) -> None:
    page.goto("/heroes/1/edit")
    picker(page).click()
    expect(page.get_by_text("Type to find more teams.")).to_be_attached()
    picker(page).fill("night")
    page.get_by_role("option", name="Night Watch").click()
    expect(picker(page)).to_have_value("Night Watch")
    save(page).click()
    expect(row(page, "Deadpond")).to_contain_text("Night Watch")


def test_a_team_that_there_is_not_is_neither_saved_nor_lost(page: Page) -> None:
    page.goto("/heroes/1/edit")
    picker(page).fill("nobody")
    expect(page.get_by_text("No teams match “nobody”.")).to_be_visible()
    with staying_on_the_page(page):
        save(page).click()
        expect(picker(page)).to_be_focused()
        expect(picker(page)).to_have_value("nobody")
        picker(page).press("Escape")
        expect(picker(page)).to_have_value("Z-Force")
    save(page).click()
    expect(status(page, "Saved Deadpond")).to_be_visible()
    expect(row(page, "Deadpond")).to_contain_text("Z-Force")


def test_the_picker_keeps_its_team_when_another_field_is_wrong(page: Page) -> None:
    page.goto("/heroes/new")
    picker(page).fill("z-f")
    page.get_by_role("option", name="Z-Force").click()
    create(page).click()
    expect(page.get_by_label("Name", exact=True)).to_be_focused()
    expect(picker(page)).to_have_value("Z-Force")
    fill_in(page, "Nova")
    create(page).click()
    expect(status(page, "Created Nova")).to_be_visible()
    page.goto("/heroes?q=nova&team=2")
    expect(names(page)).to_have_text(["Nova"])
