"""Layout: whatever is stored and however wide the window is, nothing is beyond its edge."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.parts import FROM_HERE, filter_button, names, row, status

LONG = "W" * 200
WIDTHS = (320, 390, 600, 768, 1000, 1001, 1280, 1920)
PATHS = (
    "/",
    "/heroes",
    f"/heroes?q={'z' * 200}&team=1&age_min=3",
    f"/heroes?q={LONG}",
    "/heroes/1",
    "/heroes/1/edit",
    "/heroes/1/delete",
    "/heroes/delete?id=1&id=2",
    "/heroes/change?id=1&id=2",
    "/heroes/1/history",
    "/heroes/2",
    "/history",
    f"/history?by={LONG}",
    "/teams/1",
    "/teams/1/delete",
    "/people",
    "/people/new",
    "/people/1",
    "/people/tokens",
    "/audit-log",
    "/account",
    "/account/tokens/new",
    "/api/docs",
    "/nothing",
)
BEYOND = """() => document.scrollingElement.scrollWidth <= innerWidth ? "" :
    [...document.querySelectorAll("body *")]
        .filter(element => element.getBoundingClientRect().right > innerWidth + 1)
        .map(element => element.outerHTML.slice(0, 80)).slice(0, 3).join("\\n")"""


def resize(page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 800})


@pytest.fixture
def long_words(page: Page) -> None:
    """A hero and a team of one long word each, and what became of them; hero 2 is deleted."""
    for path, data in (
        ("/api/heroes/1", {"name": LONG, "secret_name": LONG, "team_id": 1}),
        ("/api/teams/1", {"name": LONG, "headquarters": LONG}),
        ("/api/heroes/2", {"name": LONG.lower()}),
    ):
        assert page.request.patch(path, data=data, headers=FROM_HERE).ok
    assert page.request.delete("/api/heroes/2", headers=FROM_HERE).ok


@pytest.mark.usefixtures("long_words")
def test_no_page_scrolls_sideways_at_any_width(page: Page) -> None:
    found = []
    for path in PATHS:
        page.goto(path)
        for width in WIDTHS:
            resize(page, width)
            if beyond := page.evaluate(BEYOND):
                found.append(f"{path[:40]} at {width}: {beyond}")
    assert not found, "\n".join(found)


@pytest.mark.usefixtures("long_words")
@pytest.mark.parametrize("has_javascript", [True, False])
def test_an_open_filter_is_inside_the_window(page: Page) -> None:
    for name in ("Team", "Age"):
        page.goto("/heroes")
        filter_button(page, name).click()
        shown = page.get_by_role("group", name=name, exact=True)
        for width in (320, 500, 600, 700, 768, 1000, 1100, 1280):
            resize(page, width)
            expect(shown).to_be_in_viewport(ratio=0.99)
            assert not page.evaluate(BEYOND), f"{name} at {width}"


def test_where_a_sidebar_would_take_much_of_the_width_there_is_a_menu(page: Page) -> None:
    page.goto("/heroes")
    menu = page.get_by_role("button", name="Menu")
    for width in (320, 768, 1000):
        resize(page, width)
        expect(menu).to_be_visible()
        expect(page.get_by_role("navigation", name="Main")).to_be_hidden()
    resize(page, 1001)
    expect(menu).to_be_hidden()
    expect(page.get_by_role("navigation", name="Main")).to_be_visible()


def test_a_table_is_a_table_from_600_pixels_on(page: Page) -> None:
    page.goto("/heroes")

    def is_table() -> bool:
        first, second = (
            row(page, name).bounding_box() for name in names(page).all_text_contents()[:2]
        )
        assert first is not None
        assert second is not None
        return second["y"] - first["y"] < 60

    resize(page, 1280)
    for width, is_one in ((580, False), (600, True), (768, True), (1280, True)):
        resize(page, width)
        assert is_table() == is_one, width


@pytest.mark.parametrize("width", [768, 1280])
def test_the_rows_scroll_between_toolbar_and_pager_which_stay_in_view(page: Page) -> None:
    page.goto("/heroes?size=100")
    names(page).last.scroll_into_view_if_needed()
    expect(page.get_by_role("searchbox", name="Search heroes")).to_be_in_viewport()
    expect(page.get_by_role("link", name="Next page")).to_be_in_viewport()
    assert page.evaluate("scrollY") == 0


@pytest.mark.parametrize("width", [390, 1280])
def test_what_was_done_is_said_below_the_list_and_covers_nothing_of_it(page: Page) -> None:
    page.goto("/heroes/1/delete")
    page.get_by_role("button", name="Delete hero").click()
    said = status(page, "Deleted Deadpond")
    expect(said).to_be_visible()
    names(page).last.scroll_into_view_if_needed()
    page.evaluate("scrollTo(0, document.body.scrollHeight)")
    following = page.get_by_role("link", name="Next page")
    expect(following).to_be_in_viewport(ratio=1)
    end, start = following.bounding_box(), said.locator("> *").bounding_box()
    assert end is not None
    assert start is not None
    assert end["y"] + end["height"] <= start["y"]


@pytest.mark.parametrize("width", [390, 1280])
def test_texts_are_written_in_their_own_direction(page: Page) -> None:
    name = "شهرزاد"
    created = page.request.post(
        "/api/heroes/", data={"name": name, "secret_name": name}, headers=FROM_HERE
    )
    id_ = created.json()["id"]
    page.goto(f"/heroes/{id_}/edit")
    texts = [page.get_by_label("Name", exact=True), page.get_by_role("heading", level=1)]
    for text in texts:
        expect(text).to_have_css("direction", "rtl")
    page.goto(f"/heroes?q={name}")
    expect(page.get_by_role("rowheader").get_by_role("link")).to_have_css("direction", "rtl")
    expect(page.get_by_role("searchbox", name="Search heroes")).to_have_css("direction", "rtl")
    page.goto("/heroes/1")
    expect(page.get_by_role("heading", level=1)).to_have_css("direction", "ltr")
