"""Pressing the mouse on what is no control: the text and the padding of whatever floats.

Pressed, and let go a moment later, as a hand does it: what closes in between takes the page along.
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.parts import filter_button, names, picker, row


@dataclass(frozen=True)
class Floating:
    """What opens over a page: where, how, and what it is."""

    path: str
    open: Callable[[Page], None]
    find: Callable[[Page], Locator]


def of_filter(name: str) -> Floating:
    return Floating(
        "/heroes",
        lambda page: filter_button(page, name).click(),
        lambda page: page.get_by_role("group", name=name, exact=True),
    )


FLOATING = {
    "filter by options": of_filter("Team"),
    "filter by range": of_filter("Age"),
    "dialog": Floating(
        "/teams",
        lambda page: page.get_by_role("link", name="Delete Preventers").click(),
        lambda page: page.get_by_role("dialog"),
    ),
    "exports": Floating(
        "/heroes",
        lambda page: page.get_by_role("button", name="Export").click(),
        lambda page: page.get_by_role("list", name="Export"),
    ),
    "keys": Floating(
        "/heroes",
        lambda page: page.keyboard.press("?"),
        lambda page: page.get_by_role("dialog", name="Keyboard shortcuts"),
    ),
    "picker": Floating(
        "/heroes/1/edit",
        lambda page: picker(page).click(),
        lambda page: page.get_by_role("listbox"),
    ),
}
MENU = Floating(
    "/heroes",
    lambda page: page.get_by_role("button", name="Menu").click(),
    lambda page: page.get_by_role("navigation", name="Main"),
)


def press(page: Page, x: float, y: float) -> None:
    page.mouse.move(x, y)
    page.mouse.down()
    # Whatever the press does is done when the page has been painted twice.
    page.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
    page.mouse.up()


def press_text(page: Page, text: Locator) -> None:
    """Press the first letter of a text."""
    x, y = text.evaluate(
        """element => {
            const words = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
            while (words.nextNode()) {
                const range = document.createRange();
                range.selectNodeContents(words.currentNode);
                const {left, top, width, height} = range.getBoundingClientRect();
                if (width > 0 && words.currentNode.data.trim()) return [left + 3, top + height / 2];
            }
        }"""
    )
    press(page, x, y)


def opened(page: Page, floating: Floating) -> Locator:
    page.goto(floating.path)
    floating.open(page)
    expect(floating.find(page)).to_be_visible()
    return floating.find(page)


@pytest.mark.parametrize("kind", FLOATING)
def test_what_floats_stays_open_when_its_edges_are_pressed(page: Page, kind: str) -> None:
    shown = opened(page, FLOATING[kind])
    box = shown.bounding_box()
    assert box is not None
    left, middle, right = (box["x"] + part for part in (3, box["width"] / 2, box["width"] - 3))
    top, centre = box["y"] + 3, box["y"] + box["height"] / 2
    for x, y in ((left, centre), (right, centre), (middle, top)):
        press(page, x, y)
        expect(shown).to_be_visible()


@pytest.mark.parametrize("width", [1280, 390])
def test_the_text_of_an_option_ticks_it_like_its_box(page: Page) -> None:
    shown = opened(page, FLOATING["filter by options"])
    press_text(page, shown.locator("label").filter(has_text="Night Watch"))
    expect(page.get_by_role("checkbox", name="Night Watch")).to_be_checked()
    expect(page).to_have_url("/heroes?team=4")
    press_text(page, shown.locator("label").filter(has_text="No team"))
    expect(page.get_by_role("link", name=re.compile("Remove the filter Team"))).to_contain_text(
        "none"
    )
    expect(shown).to_be_visible()


def test_the_label_of_a_range_leads_to_its_field(page: Page) -> None:
    shown = opened(page, FLOATING["filter by range"])
    press_text(page, shown.locator("label").filter(has_text="To"))
    expect(shown.get_by_label("To", exact=True)).to_be_focused()
    press_text(page, shown.locator("label").filter(has_text="No age"))
    expect(page).to_have_url("/heroes?age=none")
    expect(shown).to_be_visible()


def test_a_press_beside_a_filter_closes_it_and_so_does_the_focus_that_leaves_it(page: Page) -> None:
    shown = opened(page, FLOATING["filter by range"])
    press_text(page, page.get_by_role("heading", level=1))
    expect(shown).to_be_hidden()
    filter_button(page, "Age").click()
    shown.get_by_label("From", exact=True).focus()
    for _ in range(3):
        page.keyboard.press("Tab")
    expect(shown).to_be_hidden()


@pytest.mark.parametrize("width", [390])
def test_what_is_tapped_beside_a_filter_that_was_typed_in_is_what_the_finger_is_on(
    page: Page,
) -> None:
    shown = opened(page, FLOATING["filter by range"])
    shown.get_by_label("From", exact=True).tap()
    page.keyboard.type("18")
    expect(page).to_have_url("/heroes?age_min=18")
    page.get_by_role("button", name="Menu").tap()
    expect(MENU.find(page)).to_be_visible()
    expect(shown).to_be_hidden()
    assert page.evaluate("scrollY") == 0


def test_the_words_of_a_question_can_be_pressed_and_a_press_beside_it_closes_it(page: Page) -> None:
    shown = opened(page, FLOATING["dialog"])
    press_text(page, shown.get_by_role("heading"))
    press_text(page, shown.get_by_text("You can undo this"))
    expect(shown).to_be_visible()
    press_text(page, shown.locator("label").first)
    expect(shown.get_by_role("combobox")).to_be_focused()
    press(page, 5, 5)
    expect(shown).to_be_hidden()
    expect(row(page, "Preventers")).to_be_visible()


@pytest.mark.parametrize("width", [390])
def test_the_words_of_an_export_fetch_it_with_the_list_as_it_is(page: Page) -> None:
    floating = FLOATING["exports"]
    page.goto("/heroes?q=dead")
    floating.open(page)
    with page.expect_download() as download:
        press_text(page, floating.find(page).get_by_text("a single array"))
    assert json.loads(download.value.path().read_bytes())[0]["name"] == "Deadpond"
    press(page, 5, 5)
    expect(floating.find(page)).to_be_hidden()


def test_the_words_below_the_options_of_a_picker_leave_it_open(page: Page) -> None:
    shown = opened(page, FLOATING["picker"])
    hint = page.get_by_text("Type to find more teams.")
    hint.scroll_into_view_if_needed()
    press_text(page, hint)
    expect(shown).to_be_visible()
    expect(picker(page)).to_be_focused()
    option = page.get_by_role("option", name="Preventers")
    option.scroll_into_view_if_needed()
    press_text(page, option)
    expect(picker(page)).to_have_value("Preventers")
    press_text(page, page.locator("label").filter(has_text="Team"))
    expect(picker(page)).to_be_focused()


def test_the_words_beside_a_box_of_a_row_and_of_a_form_tick_it(page: Page) -> None:
    page.goto("/heroes/change?id=1&id=2")
    press_text(page, page.locator("label").filter(has_text="Change age"))
    expect(page.get_by_role("checkbox", name="Change age")).to_be_checked()


@pytest.mark.parametrize("width", [390])
def test_the_words_of_the_menu_can_be_pressed(page: Page) -> None:
    shown = opened(page, MENU)
    press_text(page, shown.get_by_text("Records", exact=True))
    expect(shown).to_be_visible()
    press(page, 195, 830)
    expect(shown).to_be_hidden()
    expect(names(page).first).to_be_visible()
