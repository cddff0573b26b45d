"""Actions: asked for on the spot, for ticked rows or for all that match."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Axe
from tests.browser.parts import names, status, staying_on_the_page


@pytest.mark.parametrize("width", [390, 1280])
def test_heroes_retire_in_a_dialog_that_keeps_what_is_wrong(page: Page, axe: Axe) -> None:
    page.goto("/heroes?team=1")
    page.get_by_role("checkbox", name="Select").nth(1).check()
    page.get_by_role("checkbox", name="Select").nth(2).check()
    with staying_on_the_page(page):
        page.get_by_role("button", name="Retire…").click()
        dialog = page.get_by_role("dialog", name="Retire 2 heroes?")
        expect(dialog).to_be_visible()
        dialog.get_by_role("textbox", name="Note").fill("Tired")
        dialog.get_by_role("button", name="Retire 2 heroes").click()
        date = dialog.get_by_label("Retirement date")
        expect(date).to_be_focused()
        expect(date).to_have_accessible_description(re.compile("Enter a retirement date."))
        expect(dialog.get_by_role("textbox", name="Note")).to_have_value("Tired")
        axe(page)
    date.fill("2026-05-01")
    dialog.get_by_role("button", name="Retire 2 heroes").click()
    expect(status(page, "2 heroes retired")).to_be_visible()
    page.get_by_role("button", name="Undo").click()
    expect(status(page, "Restored 2 heroes")).to_be_visible()


@pytest.mark.parametrize("has_javascript", [True, False])
def test_all_that_match_are_transferred(page: Page, axe: Axe) -> None:
    page.goto("/heroes")
    first = names(page).first.inner_text()
    page.get_by_role("checkbox", name=f"Select {first}").check()
    page.get_by_role("checkbox", name=re.compile(r"^All .*heroes$")).check()
    axe(page)
    page.get_by_role("button", name="Transfer…").click()
    question = page.get_by_role("heading", name=re.compile(r"^Transfer [\d,]+ heroes\?$"))
    expect(question).to_be_visible()
    count = re.sub(r"\D", "", question.inner_text())
    assert int(count) > 25
    page.get_by_role("button", name=re.compile("^Transfer .* heroes$")).click()
    expect(status(page, "heroes transferred")).to_be_visible()
