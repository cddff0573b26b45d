"""Accessibility: axe finds nothing on any page, nothing is covered, cut off or too small."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Axe
from tests.browser.parts import FROM_HERE, filter_button, picker, search_box, status
from tests.server import Server

View = Callable[[Page], None]

# A sticky bar may lie over a part of what is to be scrolled; axe takes that for a small target.
TALL = 2_400
PHONE = 390


def at(url: str) -> View:
    def view(page: Page) -> None:
        page.goto(url)

    return view


def form_with_errors(page: Page) -> None:
    page.goto("/heroes/new")
    page.get_by_label("Age").fill("old")
    page.get_by_role("button", name="Create hero").click()
    expect(page.get_by_role("alert")).to_be_visible()


def open_filter(page: Page) -> None:
    page.goto("/heroes?q=hero&team=1&team=none&age_min=18")
    filter_button(page, "Team").click()
    expect(page.get_by_role("checkbox", name="No team")).to_be_visible()


def toast(page: Page) -> None:
    page.goto("/heroes/1/edit")
    page.get_by_role("button", name="Save changes").click()
    expect(status(page, "Saved Deadpond")).to_be_visible()


def selected_rows(page: Page) -> None:
    page.goto("/heroes")
    page.get_by_role("checkbox", name="Select Deadpond").check()
    expect(page.get_by_role("button", name="Delete…")).to_be_visible()


def empty_list(page: Page) -> None:
    page.goto("/teams/9")
    expect(page.get_by_role("heading", name="No heroes here")).to_be_visible()


def open_picker(page: Page) -> None:
    page.goto("/heroes/1/edit")
    picker(page).fill("team 1")
    expect(page.get_by_role("option").first).to_be_visible()


def counted_search(page: Page) -> None:
    page.goto("/heroes")
    search_box(page).fill("hero")
    expect(page.get_by_role("heading", name="Heroes 96")).to_be_visible()


def dialog(page: Page) -> None:
    page.goto("/teams")
    page.get_by_role("link", name="Delete Preventers").click()
    expect(page.get_by_role("dialog", name="Delete Preventers?")).to_be_visible()


def bulk_dialog(page: Page) -> None:
    selected_rows(page)
    page.get_by_role("checkbox", name="Select Hero 006").check()
    page.get_by_role("button", name="Delete…").click()
    expect(page.get_by_role("dialog", name="Delete 2 heroes?")).to_be_visible()


def keyboard_help(page: Page) -> None:
    page.goto("/heroes")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()


def menu(page: Page) -> None:
    page.goto("/heroes")
    button = page.get_by_role("button", name="Menu")
    if button.is_visible():
        button.click()
    expect(page.get_by_role("link", name="Overview")).to_be_visible()


def invitation(page: Page) -> None:
    page.goto("/people/new")
    page.get_by_label("Name").fill("Bob Builder")
    page.get_by_role("button", name="Invite").click()
    expect(page.get_by_role("heading", name="Invitation for Bob Builder")).to_be_visible()


def somebody(page: Page) -> None:
    invitation(page)
    page.get_by_role("link", name="Done").click()
    expect(page.get_by_role("button", name="New invitation link")).to_be_visible()


def disabling(page: Page) -> None:
    somebody(page)
    page.goto(f"{page.url}/disable")


def refused_invitation(page: Page) -> None:
    page.goto("/people/new")
    page.get_by_role("button", name="Invite").click()
    expect(page.get_by_text("Enter a name.")).to_be_visible()


def token(page: Page) -> None:
    page.goto("/account/tokens/new")
    page.get_by_label("Name").fill("ci")
    page.get_by_role("button", name="Create token").click()
    expect(page.get_by_role("heading", name="New token")).to_be_visible()


def account(page: Page) -> None:
    token(page)
    page.get_by_role("link", name="Done").click()
    expect(page.get_by_role("link", name="Revoke ci…")).to_be_visible()


def api(page: Page) -> None:
    page.goto("/api/docs")
    page.locator("summary").filter(has_text="Change hero").click()


PAGES: dict[str, View] = {
    "overview": at("/"),
    "list": at("/heroes"),
    "no match": at("/heroes?q=nobody&team=1"),
    "list with problems": at("/heroes?age_min=old&sort=unknown&size=0"),
    "open filter": open_filter,
    "selected rows": selected_rows,
    "record": at("/heroes/1"),
    "team with heroes": at("/teams/1"),
    "empty list": empty_list,
    "new": at("/heroes/new"),
    "edit": at("/heroes/1/edit"),
    "form with errors": form_with_errors,
    "saved": toast,
    "delete": at("/teams/1/delete"),
    "bulk delete": at("/heroes/delete?id=1&id=2&id=3"),
    "menu": menu,
    "not found": at("/nothing/here"),
    "bad request": at("/heroes/delete"),
    "API": api,
    "people": at("/people"),
    "invitation": invitation,
    "refused invitation": refused_invitation,
    "last owner": at("/people/1"),
    "somebody": somebody,
    "disabling": disabling,
    "account": account,
    "password": at("/account/password"),
    "new token": at("/account/tokens/new"),
    "token": token,
    "history of people": at("/history?resource=people"),
}
ONLY_WITH_JAVASCRIPT: dict[str, View] = {
    "counted search": counted_search,
    "open picker": open_picker,
    "dialog": dialog,
    "bulk dialog": bulk_dialog,
    "keyboard help": keyboard_help,
}
each_page = pytest.mark.parametrize("view", PAGES.values(), ids=PAGES.keys())
each_view = pytest.mark.parametrize(
    "view",
    [*PAGES.values(), *ONLY_WITH_JAVASCRIPT.values()],
    ids=[*PAGES.keys(), *ONLY_WITH_JAVASCRIPT.keys()],
)


def inspect(page: Page, width: int, axe: Axe) -> None:
    page.set_viewport_size({"width": width, "height": TALL})
    axe(page)


@each_view
@pytest.mark.parametrize(("width", "color_scheme"), [(1280, "light"), (PHONE, "dark")])
def test_nobody_is_shut_out(page: Page, view: View, width: int, axe: Axe) -> None:
    view(page)
    if width == PHONE:
        # It never scrolls sideways, and every target is big enough.
        for narrow in (width, 320):
            page.set_viewport_size({"width": narrow, "height": 844})
            assert page.evaluate(BEYOND_THE_EDGE) == []
        assert page.evaluate(SMALL_TARGETS) == []
    inspect(page, width, axe)


@each_page
@pytest.mark.parametrize("has_javascript", [False])
@pytest.mark.parametrize(("width", "color_scheme"), [(1280, "dark"), (PHONE, "light")])
def test_nobody_is_shut_out_without_javascript(
    page: Page, view: View, width: int, axe: Axe
) -> None:
    view(page)
    inspect(page, width, axe)
    if width == PHONE:
        assert page.evaluate(SMALL_TARGETS) == []


@pytest.mark.parametrize("has_javascript", [False])
@pytest.mark.parametrize("is_patient", [False], ids=["impatient"])
@pytest.mark.parametrize("expected_errors", [("Failed to load resource: ",)], ids=["busy"])
def test_nobody_is_shut_out_while_the_database_is_busy(
    page: Page, running: tuple[Server, Path], axe: Axe
) -> None:
    page.goto("/heroes/1/edit")
    with closing(sqlite3.connect(running[1], isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        page.get_by_role("button", name="Save changes").click()
        expect(page.get_by_role("heading", name="The database is busy")).to_be_visible()
    axe(page)


@pytest.mark.parametrize("width", [1280, 320])
def test_the_longest_name_there_may_be_breaks_no_page(page: Page, width: int) -> None:
    longest = "W" * 200
    team = page.request.post("/api/teams/", data={"name": longest}, headers=FROM_HERE).json()
    body = {"name": longest, "secret_name": longest, "age": 150_000, "team_id": team["id"]}
    hero = page.request.post("/api/heroes/", data=body, headers=FROM_HERE).json()
    for url in (
        f"/heroes?q={longest}&team={team['id']}&team=1",
        f"/heroes/{hero['id']}",
        f"/heroes/{hero['id']}/edit",
        f"/teams/{team['id']}/delete",
    ):
        page.goto(url)
        assert page.evaluate(BEYOND_THE_EDGE) == [], url


@pytest.mark.parametrize("width", [1280, PHONE])
@pytest.mark.parametrize(
    "view",
    [at("/heroes?team=1"), at("/teams/1"), form_with_errors],
    ids=["list", "team with heroes", "form with errors"],
)
def test_what_has_the_focus_is_never_covered(page: Page, view: View) -> None:
    view(page)
    page.evaluate("document.activeElement.blur(), scrollTo(0, 0)")
    for _ in range(60):
        page.keyboard.press("Tab")
        covering = page.evaluate(COVERING)
        if covering is None:
            return
        assert covering == ""


BEYOND_THE_EDGE = """() => document.documentElement.scrollWidth <= innerWidth ? []
    : [...document.querySelectorAll("body *")]
        .filter(element => element.getBoundingClientRect().right > innerWidth + 1)
        .map(element => element.outerHTML.slice(0, 100))"""

# A link within a sentence is as high as its line, as WCAG allows; a box counts with its label.
SMALL_TARGETS = """() => [...document.querySelectorAll("a[href], button, input, select, summary")]
    .filter(element => element.checkVisibility({visibilityProperty: true})
        && !element.matches(".visually-hidden, .skip, p:not(.chips) > a"))
    .map(element => element.closest("label") ?? element)
    .map(element => [element.getBoundingClientRect(), element.outerHTML.slice(0, 100)])
    .filter(([{width, height}]) => width < 24 || height < 24)
    .map(([{width, height}, html]) => `${width} × ${height} ${html}`)"""

COVERING = """() => {
    const element = document.activeElement;
    if (element === document.body) return null;
    const {x, y, width, height} = element.getBoundingClientRect();
    const top = document.elementFromPoint(x + width / 2, y + height / 2);
    const isSeen = top && (element.contains(top) || top.contains(element)
        || top.closest("label")?.contains(element) || top.labels?.[0]?.contains(element));
    return isSeen ? "" : `${element.outerHTML.slice(0, 80)} under ${top?.outerHTML.slice(0, 80)}`;
}"""
