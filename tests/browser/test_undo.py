"""Undo and history as people use them, with and without JavaScript."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Axe
from tests.browser.parts import FROM_HERE, names, row, status

each_way = pytest.mark.parametrize("has_javascript", [True, False])


def undo(page: Page) -> None:
    page.get_by_role("button", name="Undo").click()
    expect(status(page, "Undone")).to_be_visible()


@each_way
def test_an_edit_is_undone_from_its_message(page: Page) -> None:
    page.goto("/heroes/1/edit?back=/heroes")
    page.get_by_label("Age").fill("41")
    page.get_by_role("button", name="Save changes").click()
    expect(row(page, "Deadpond")).to_contain_text("41")
    undo(page)
    expect(page).to_have_url("/heroes")
    expect(row(page, "Deadpond")).to_contain_text("28")


@each_way
def test_a_new_record_is_undone_from_its_message(page: Page) -> None:
    page.goto("/heroes/new")
    page.get_by_label("Name", exact=True).fill("Aardvark")
    page.get_by_label("Secret name").fill("Ann")
    page.get_by_role("button", name="Create hero").click()
    expect(names(page).first).to_have_text("Aardvark")
    undo(page)
    expect(names(page).first).to_have_text("Deadpond")


@each_way
def test_a_deleted_record_comes_back(page: Page) -> None:
    page.goto("/heroes")
    row(page, "Deadpond").get_by_role("link", name="Delete Deadpond").click()
    page.get_by_role("button", name="Delete hero").click()
    expect(status(page, "Deleted Deadpond")).to_be_visible()
    expect(names(page).first).to_have_text("Hero 005")
    undo(page)
    expect(names(page).first).to_have_text("Deadpond")
    expect(row(page, "Deadpond")).to_contain_text("Z-Force")


@each_way
def test_what_was_done_to_many_is_undone_at_once(page: Page) -> None:
    page.goto("/heroes")
    for name in ("Deadpond", "Hero 005"):
        page.get_by_role("checkbox", name=f"Select {name}").check()
    page.get_by_role("button", name="Change…").click()
    page.get_by_role("checkbox", name="Change the age").check()
    page.get_by_role("textbox", name="Age").fill("77")
    page.get_by_role("button", name="Change 2 heroes").click()
    expect(row(page, "Hero 005")).to_contain_text("77")
    undo(page)
    expect(row(page, "Deadpond")).to_contain_text("28")
    expect(row(page, "Hero 005")).not_to_contain_text("77")


@each_way
def test_an_undo_refuses_politely_what_others_have_changed_since(page: Page, axe: Axe) -> None:
    page.goto("/heroes/1/edit")
    page.get_by_label("Age").fill("41")
    page.get_by_role("button", name="Save changes").click()
    expect(status(page, "Saved Deadpond")).to_be_visible()
    page.request.patch("/api/heroes/1", data={"age": 50}, headers=FROM_HERE)
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("heading", name="Nothing was undone")).to_be_visible()
    expect(page.get_by_role("main")).to_contain_text("Deadpond")
    axe(page)
    assert page.request.get("/api/heroes/1").json()["age"] == 50


@each_way
def test_a_deleted_team_is_restored_from_the_history_with_its_heroes(page: Page, axe: Axe) -> None:
    page.goto("/teams/2/delete")
    page.get_by_role("button", name="Delete team").click()
    expect(status(page, "Deleted Z-Force")).to_be_visible()
    page.goto("/history?kind=deleted")
    axe(page)
    page.get_by_role("link", name="Z-Force").click()
    page.get_by_role("button", name="Restore", exact=True).click()
    expect(status(page, "Restored Z-Force")).to_be_visible()
    page.goto("/heroes")
    expect(row(page, "Deadpond")).to_contain_text("Z-Force")
