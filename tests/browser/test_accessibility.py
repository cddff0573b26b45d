"""Accessibility: axe finds nothing on any page, nothing is covered, cut off or too small."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Axe
from tests.browser.parts import FROM_HERE, be_a_desk, filter_button, picker, search_box, status
from tests.browser.test_second_factor import set_up
from tests.server import Server

# What opens a page, and what is to be seen of it then.
View = Callable[[Page], Locator]

# A sticky bar may lie over a part of what is to be scrolled; axe takes that for a small target.
TALL = 2_400
PHONE = 390


def at(url: str) -> View:
    def view(page: Page) -> Locator:
        page.goto(url)
        return page.get_by_role("main")

    return view


def form_with_errors(page: Page) -> Locator:
    page.goto("/heroes/new")
    page.get_by_label("Age").fill("old")
    page.get_by_role("button", name="Create hero").click()
    return page.get_by_role("alert")


def open_filter(page: Page) -> Locator:
    page.goto("/heroes?q=hero&team=1&team=none&age_min=18")
    filter_button(page, "Team").click()
    return page.get_by_role("checkbox", name="No team")


def toast(page: Page) -> Locator:
    page.goto("/heroes/1/edit")
    page.get_by_label("Age", exact=False).fill("29")
    page.get_by_role("button", name="Save changes").click()
    # One that has the focus stays.
    page.get_by_role("status").get_by_role("button", name="Undo").focus()
    return status(page, "Saved Deadpond")


def selected_rows(page: Page) -> Locator:
    page.goto("/heroes")
    page.get_by_role("checkbox", name="Select Deadpond").check()
    return page.get_by_role("button", name="Delete…")


def empty_list(page: Page) -> Locator:
    page.goto("/teams/9")
    return page.get_by_role("heading", name="No heroes here")


def open_picker(page: Page) -> Locator:
    page.goto("/heroes/1/edit")
    picker(page).fill("team 1")
    return page.get_by_role("option").first


def counted_search(page: Page) -> Locator:
    page.goto("/heroes")
    search_box(page).fill("hero")
    return page.get_by_role("heading", name="Heroes 96")


def dialog(page: Page) -> Locator:
    page.goto("/teams")
    page.get_by_role("link", name="Delete Preventers").click()
    return page.get_by_role("dialog", name="Delete Preventers?")


def bulk_dialog(page: Page) -> Locator:
    selected_rows(page)
    page.get_by_role("checkbox", name="Select Hero 006").check()
    page.get_by_role("button", name="Delete…").click()
    return page.get_by_role("dialog", name="Delete 2 heroes?")


def keyboard_help(page: Page) -> Locator:
    page.goto("/heroes")
    page.keyboard.press("?")
    return page.get_by_role("dialog", name="Keyboard shortcuts")


def menu(page: Page) -> Locator:
    page.goto("/heroes")
    button = page.get_by_role("button", name="Menu")
    if button.is_visible():
        button.click()
    return page.get_by_role("link", name="Overview")


def invitation(page: Page) -> Locator:
    page.goto("/people/new")
    page.get_by_label("Name").fill("Bob Builder")
    page.get_by_role("button", name="Invite").click()
    return page.get_by_role("heading", name="Invitation for Bob Builder")


def somebody(page: Page) -> Locator:
    invitation(page)
    page.get_by_role("link", name="Done").click()
    return page.get_by_role("button", name="New invitation link")


def disabling(page: Page) -> Locator:
    expect(somebody(page)).to_be_visible()
    page.goto(f"{page.url}/disable")
    return page.get_by_role("main")


def refused_invitation(page: Page) -> Locator:
    page.goto("/people/new")
    page.get_by_role("button", name="Invite").click()
    return page.get_by_text("Enter a name.")


def token(page: Page) -> Locator:
    page.goto("/account/tokens/new")
    page.get_by_label("Name").fill("ci")
    page.get_by_role("button", name="Create token").click()
    return page.get_by_role("heading", name="New token")


def account(page: Page) -> Locator:
    token(page)
    page.get_by_role("link", name="Done").click()
    return page.get_by_role("link", name="Revoke ci…")


def recovery_codes(page: Page) -> Locator:
    set_up(page)
    return page.get_by_label("Recovery codes")


def everybodys_tokens(page: Page) -> Locator:
    token(page)
    page.goto("/people/tokens")
    return page.get_by_role("link", name="Revoke ci of")


def audit_log(page: Page) -> Locator:
    token(page)
    page.goto("/audit-log")
    return page.get_by_text("Token: ci")


def api(page: Page) -> Locator:
    page.goto("/api/docs")
    page.locator("summary").filter(has_text="Change hero").click()
    return page.locator("details[open]").filter(has_text="Change hero")


def job(page: Page) -> Locator:
    page.goto("/heroes")
    page.get_by_role("button", name="Export").click()
    page.get_by_role("button", name="CSV in the background").click()
    # Once it has ended the page stays as it is.
    return page.get_by_role("link", name="Download")


def masked_export(page: Page) -> Locator:
    page.goto("/heroes?q=hero")
    page.get_by_role("button", name="Export").click()
    page.get_by_role("link", name="With masked values…").click()
    return page.get_by_role("group", name="Format")


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
    "clone": at("/heroes/1/clone"),
    "form with errors": form_with_errors,
    "saved": toast,
    "delete": at("/teams/1/delete"),
    "bulk delete": at("/heroes/delete?id=1&id=2&id=3"),
    "action": at("/heroes/actions/retire?id=1&id=2"),
    "masked export": masked_export,
    "jobs": at("/jobs"),
    "job": job,
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
    "second factor": at("/account/second-factor"),
    "authenticator app": at("/account/second-factor/app"),
    "recovery codes": recovery_codes,
    "new passkey": at("/account/second-factor/passkeys/new"),
    "proof of identity": at("/account/confirm"),
    "new token": at("/account/tokens/new"),
    "token": token,
    "tokens of everybody": everybodys_tokens,
    "audit log": audit_log,
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


@each_view
@pytest.mark.parametrize(("width", "color_scheme"), [(PHONE, "dark")])
def test_nobody_is_shut_out(page: Page, view: View, axe: Axe) -> None:
    shown = view(page)
    expect(shown).to_be_visible()
    # It never scrolls sideways, and every target is big enough.
    for narrow in (PHONE, 320):
        page.set_viewport_size({"width": narrow, "height": 844})
        assert page.evaluate(BEYOND_THE_EDGE) == []
    assert page.evaluate(SMALL_TARGETS) == []
    page.set_viewport_size({"width": PHONE, "height": TALL})
    axe(page)
    be_a_desk(page, TALL)
    page.emulate_media(color_scheme="light")
    expect(shown).to_be_visible()
    axe(page)


@each_page
@pytest.mark.parametrize("has_javascript", [False])
@pytest.mark.parametrize(("width", "color_scheme"), [(PHONE, "light")])
def test_nobody_is_shut_out_without_javascript(page: Page, view: View, axe: Axe) -> None:
    shown = view(page)
    expect(shown).to_be_visible()
    page.set_viewport_size({"width": PHONE, "height": TALL})
    assert page.evaluate(SMALL_TARGETS) == []
    axe(page)
    be_a_desk(page, TALL)
    page.emulate_media(color_scheme="dark")
    expect(shown).to_be_visible()
    axe(page)


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
    expect(view(page)).to_be_visible()
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
