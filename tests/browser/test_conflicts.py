"""Two people at one record: neither overwrites the other, and nothing that was typed is lost."""

import pytest
from playwright.sync_api import Dialog, Locator, Page, expect

from tests.browser.conftest import Axe
from tests.browser.parts import (
    FROM_HERE,
    be_a_desk,
    expect_title,
    names,
    row,
    status,
    staying_on_the_page,
)

each_way = pytest.mark.parametrize("has_javascript", [True, False])
each_width = pytest.mark.parametrize("width", [1280, 390])


def somebody_else(page: Page, **values: object) -> None:
    """What another editor makes of hero 1 meanwhile."""
    answer = page.request.patch("/api/heroes/1", data=values, headers=FROM_HERE)
    assert answer.ok, answer.text()


def somebody_deletes(page: Page, path: str = "/api/heroes/1") -> None:
    assert page.request.delete(path, headers=FROM_HERE).ok


def save(page: Page) -> Locator:
    return page.get_by_role("button", name="Save changes")


def notice(page: Page) -> Locator:
    return page.get_by_role("alert").filter(has_text="while you were editing")


@each_way
def test_what_the_other_one_changed_is_kept_and_told(page: Page) -> None:
    page.goto("/heroes/1/edit")
    somebody_else(page, age=77)
    page.get_by_label("Name", exact=True).fill("Deadpool")
    save(page).click()
    expect(status(page, "Saved Deadpool")).to_contain_text(
        "Someone else changed Age; both changes were saved."
    )
    expect(row(page, "Deadpool")).to_contain_text("77")


@pytest.mark.parametrize("has_javascript", [False])
def test_back_puts_nothing_that_was_typed_over_what_others_saved(page: Page) -> None:
    page.goto("/heroes/1/edit")
    team = page.get_by_role("combobox", name="Team")
    team.select_option("")
    page.goto("/teams")
    somebody_else(page, team_id=2)
    page.go_back()
    expect(team).to_have_value("2")


@each_way
@each_width
def test_what_both_changed_is_asked_about_and_mine_can_be_kept(page: Page) -> None:
    page.goto("/heroes/1/edit")
    somebody_else(page, age=77, name="Deadpool")
    page.get_by_label("Age", exact=False).fill("99")
    page.get_by_label("Secret name").fill("Wade")
    save(page).click()
    expect(notice(page)).to_contain_text("Their new Name was kept.")
    expect(page.get_by_role("radio", name="Theirs: 77")).not_to_be_checked()
    expect(page.get_by_role("radio", name="Yours: 99")).to_be_checked()
    expect(page.get_by_label("Name", exact=True)).to_have_value("Deadpool")
    expect(page.get_by_label("Secret name")).to_have_value("Wade")
    save(page).click()
    expect(status(page, "Saved Deadpool")).to_be_visible()
    expect(row(page, "Deadpool")).to_contain_text("99")


@each_way
def test_theirs_can_be_taken(page: Page) -> None:
    page.goto("/heroes/1/edit")
    somebody_else(page, age=77)
    page.get_by_label("Age", exact=False).fill("99")
    page.get_by_label("Name", exact=True).fill("Deadpool")
    save(page).click()
    page.get_by_role("radio", name="Theirs: 77").check()
    save(page).click()
    expect(status(page, "Saved Deadpool")).to_be_visible()
    expect(row(page, "Deadpool")).to_contain_text("77")


def test_the_question_comes_in_place_and_has_the_focus(page: Page) -> None:
    page.goto("/heroes/1/edit")
    somebody_else(page, age=77)
    page.get_by_label("Age").fill("99")
    with staying_on_the_page(page):
        save(page).click()
        expect(notice(page)).to_be_focused()
    expect(page).to_have_url("/heroes/1/edit")


def test_what_was_typed_before_the_question_is_not_left_without_a_warning(page: Page) -> None:
    page.goto("/heroes/1/edit")
    somebody_else(page, age=77)
    page.get_by_label("Age").fill("99")
    save(page).click()
    expect(notice(page)).to_be_visible()
    asked: list[str] = []

    def answer(dialog: Dialog) -> None:
        asked.append(dialog.type)
        dialog.accept()

    page.once("dialog", answer)
    page.get_by_role("link", name="Teams").click()
    expect_title(page, "Teams")
    assert asked == ["beforeunload"]


def test_ctrl_enter_settles_it(page: Page) -> None:
    page.goto("/heroes/1/edit")
    somebody_else(page, age=77)
    page.get_by_label("Age").fill("99")
    page.get_by_label("Age").press("Control+Enter")
    expect(notice(page)).to_be_focused()
    page.keyboard.press("Control+Enter")
    expect(row(page, "Deadpond")).to_contain_text("99")


@each_way
@each_width
def test_what_was_deleted_meanwhile_comes_back_only_when_asked_for(page: Page) -> None:
    page.goto("/heroes/1/edit")
    somebody_deletes(page)
    page.get_by_label("Age", exact=False).fill("99")
    save(page).click()
    expect(notice(page)).to_contain_text("deleted this hero while you were editing.")
    expect(page.get_by_label("Age", exact=False)).to_have_value("99")
    assert page.request.get("/api/heroes/1").status == 404
    # Enter asks once more.
    page.get_by_label("Age", exact=False).press("Enter")
    # The answer takes the focus, and has the same button.
    expect(page.get_by_label("Age", exact=False)).not_to_be_focused()
    expect(page.get_by_role("button", name="Restore with these values")).to_be_visible()
    assert page.request.get("/api/heroes/1").status == 404
    page.get_by_role("button", name="Restore with these values").click()
    expect(status(page, "Restored Deadpond")).to_be_visible()
    expect(row(page, "Deadpond")).to_contain_text("99")


@each_way
def test_a_selection_that_somebody_touched_is_asked_about_again(page: Page) -> None:
    page.goto("/heroes/delete?id=1&id=2")
    somebody_else(page, age=77)
    page.get_by_role("button", name="Delete 2 heroes").click()
    expect(page.get_by_role("alert")).to_contain_text(
        "Someone else has changed one of these records"
    )
    page.get_by_role("button", name="Delete 2 heroes").click()
    expect(status(page, "Deleted 2 heroes")).to_be_visible()
    page.goto("/heroes?q=deadpond")
    expect(names(page)).to_have_count(0)


@each_way
@pytest.mark.parametrize("width", [390])
@pytest.mark.parametrize("meanwhile", ["changed", "deleted"])
def test_nobody_is_shut_out_of_the_question(page: Page, axe: Axe, meanwhile: str) -> None:
    page.goto("/heroes/1/edit")
    if meanwhile == "changed":
        team = {"team_id": 3}
        somebody_else(page, age=77, secret_name="Theirs", **team)
    else:
        somebody_deletes(page)
    page.get_by_label("Age", exact=False).fill("99")
    page.get_by_label("Secret name").fill("Wade")
    save(page).click()
    expect(notice(page)).to_be_visible()
    axe(page)
    page.emulate_media(color_scheme="dark")
    axe(page)
    be_a_desk(page)
    axe(page)
    page.emulate_media(color_scheme="light")
    axe(page)
