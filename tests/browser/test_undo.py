"""Undo: one click in the toast takes back what was done, with and without JavaScript."""

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Axe
from tests.browser.parts import FROM_HERE, names, row, status

each_way = pytest.mark.parametrize("has_javascript", [True, False])
each_width = pytest.mark.parametrize("width", [1280, 390])


def undo(page: Page) -> Locator:
    return page.get_by_role("status").get_by_role("button", name=re.compile("^(Undo|Redo)$"))


@each_way
@each_width
def test_a_deleted_row_comes_back(page: Page) -> None:
    page.goto("/heroes?q=hero+00")
    page.get_by_role("link", name="Delete Hero 006").click()
    page.get_by_role("button", name="Delete hero").click()
    expect(status(page, "Deleted Hero 006")).to_be_visible()
    expect(row(page, "Hero 006")).to_have_count(0)
    undo(page).click()
    expect(status(page, "Restored Hero 006")).to_be_visible()
    expect(page).to_have_url("/heroes?q=hero+00")
    expect(row(page, "Hero 006")).to_have_attribute("data-marked", "")
    # And that is undone as well.
    undo(page).click()
    expect(row(page, "Hero 006")).to_have_count(0)


@each_way
def test_an_edit_is_taken_back(page: Page) -> None:
    page.goto("/heroes/1/edit")
    page.get_by_label("Age", exact=False).fill("99")
    page.get_by_role("button", name="Save changes").click()
    expect(row(page, "Deadpond")).to_contain_text("99")
    undo(page).click()
    expect(status(page, "Restored Deadpond")).to_be_visible()
    expect(row(page, "Deadpond")).to_contain_text("28")


@each_way
def test_a_new_hero_is_taken_back_and_can_be_created_after_all(page: Page) -> None:
    page.goto("/heroes/new")
    page.get_by_label("Name", exact=True).fill("Aaron")
    page.get_by_label("Secret name").fill("Somebody")
    page.get_by_role("button", name="Create hero").click()
    expect(status(page, "Created Aaron")).to_be_visible()
    undo(page).click()
    expect(status(page, "Deleted Aaron")).to_be_visible()
    expect(row(page, "Aaron")).to_have_count(0)
    undo(page).click()
    expect(row(page, "Aaron")).to_be_visible()


@each_way
def test_a_selection_comes_back_at_once(page: Page) -> None:
    page.goto("/heroes/delete?id=5&id=6&id=7")
    page.get_by_role("button", name="Delete 3 heroes").click()
    expect(status(page, "Deleted 3 heroes")).to_be_visible()
    undo(page).click()
    expect(status(page, "Restored 3 heroes")).to_be_visible()
    page.goto("/heroes?q=hero+00")
    expect(names(page)).to_have_count(6)


@each_way
def test_a_team_comes_back_with_its_heroes(page: Page) -> None:
    page.goto("/teams/1/delete")
    page.get_by_role("button", name="Delete team").click()
    expect(status(page, "Deleted Preventers")).to_be_visible()
    undo(page).click()
    expect(status(page, "Restored Preventers")).to_be_visible()
    assert len(page.request.get("/api/teams/1/with-heroes").json()["heroes"]) == 38


@each_way
def test_what_somebody_has_gone_on_from_is_left_alone(page: Page, axe: Axe) -> None:
    page.goto("/heroes/1/edit")
    page.get_by_label("Age", exact=False).fill("99")
    page.get_by_role("button", name="Save changes").click()
    expect(undo(page)).to_be_visible()
    changed = page.request.patch("/api/heroes/1", data={"name": "Deadpool"}, headers=FROM_HERE)
    assert changed.ok
    undo(page).click()
    expect(page.get_by_role("heading", name="Nothing was undone")).to_be_visible()
    expect(page.get_by_text("changed “Deadpool” since then.")).to_be_visible()
    axe(page)


@each_way
@each_width
def test_an_earlier_state_is_restored_from_the_history(page: Page, axe: Axe) -> None:
    for age in (50, 60):
        assert page.request.patch("/api/heroes/1", data={"age": age}, headers=FROM_HERE).ok
    page.goto("/heroes/1")
    page.get_by_role("main").get_by_role("link", name="History").click()
    expect(page.get_by_role("heading", name="Deadpond: history")).to_be_visible()
    axe(page)
    page.get_by_role("button", name="Restore this version").first.click()
    expect(status(page, "Restored Deadpond")).to_be_visible()
    expect(page.get_by_role("definition").filter(has_text="50")).to_be_visible()
    assert page.request.get("/api/heroes/1").json()["age"] == 50


@each_way
@each_width
def test_the_history_is_narrowed_and_nobody_is_shut_out_of_it(
    page: Page, axe: Axe, has_javascript: bool
) -> None:
    assert page.request.patch("/api/heroes/1", data={"age": 50}, headers=FROM_HERE).ok
    assert page.request.delete("/api/heroes/2", headers=FROM_HERE).ok
    page.goto("/history")
    expect(page.get_by_role("listitem").filter(has_text="Spider-Boy")).to_be_visible()
    axe(page)
    page.get_by_label("Action").select_option("Changed")
    if not has_javascript:
        page.get_by_role("button", name="Show").click()
    expect(page.get_by_role("listitem").filter(has_text="Spider-Boy")).to_have_count(0)
    expect(page.get_by_role("listitem").filter(has_text="Deadpond")).to_be_visible()
    expect(page).to_have_url(re.compile("kind=changed"))
