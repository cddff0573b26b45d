"""The parts of a page, by their accessible names."""

from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Locator, Page, expect

# What a page says of its own requests; those of `page.request` come from none.
FROM_HERE = {"Sec-Fetch-Site": "same-origin"}


def names(page: Page) -> Locator:
    """What the rows of a list are about, from top to bottom."""
    return page.get_by_role("rowheader")


def row(page: Page, name: str) -> Locator:
    return page.get_by_role("row").filter(has=page.get_by_role("rowheader", name=name, exact=True))


def column(page: Page, name: str) -> Locator:
    return page.get_by_role("columnheader", name=name, exact=True)


def search_box(page: Page, label: str = "Search heroes") -> Locator:
    return page.get_by_role("searchbox", name=label)


def filter_button(page: Page, name: str) -> Locator:
    return page.locator("summary").filter(has_text=name)


def status(page: Page, text: str) -> Locator:
    """What a screen reader says by itself: how many rows there are, that something is saved."""
    return page.get_by_role("status").filter(has_text=text)


def picker(page: Page, label: str = "Team") -> Locator:
    return page.get_by_role("combobox", name=label)


def be_a_desk(page: Page, height: int = 800) -> None:
    """Let a page that was opened on a phone be seen without touch, in a wide window."""
    page.set_viewport_size({"width": 1280, "height": height})
    session = page.context.new_cdp_session(page)
    # A session takes back only what it has asked for itself.
    for enabled in (True, False):
        session.send("Emulation.setTouchEmulationEnabled", {"enabled": enabled})
    assert not page.evaluate("matchMedia('(pointer: coarse)').matches")


@contextmanager
def staying_on_the_page(page: Page) -> Iterator[None]:
    """Fails when the browser loads another page meanwhile, be it the same one."""
    before = page.evaluate("performance.timeOrigin")
    yield
    assert page.evaluate("performance.timeOrigin") == before


def expect_title(page: Page, title: str) -> None:
    expect(page).to_have_title(f"{title} · Hero Admin")
