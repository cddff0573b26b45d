"""Accessibility: what axe finds on each page, in Chromium."""

import os
import shutil
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit

from hero_admin.testing.admin_client import AdminClient
from hero_admin.testing.checks.crawl import crawl, shape_of
from hero_admin.testing.page import BASE_URL, Page

if TYPE_CHECKING:
    from playwright.async_api import Browser, Route
    from playwright.async_api import Page as Tab

# The same engine without windows, which nobody looks at, takes two thirds of the time.
PROGRAMS = (
    "chromium-headless-shell",
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
)
# A browser that asks for nothing but the pages under test.
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--process-per-site",
)
AXE = Path(__file__).parent.parent / "vendor" / "axe-core-4.14.1.min.js"
TAGS = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")
# Each violation as a text: its rule, and the elements that break it.
VIOLATIONS = """async (tags) => {
    const results = await axe.run(document, {
        runOnly: {type: "tag", values: tags}, resultTypes: ["violations"], preload: false
    });
    return results.violations.map(({id, help, nodes}) =>
        `${id}: ${help}\\n` + nodes.map(node => "    " + node.html).join("\\n"));
}"""
# A sticky bar may lie over a part of what is to be scrolled; axe takes that for a small target.
TALL_PIXELS = 2_400
SIGHTS: tuple[tuple[int, Literal["dark", "light"]], ...] = ((390, "dark"), (1280, "light"))
# What is true only of an answer as it was sent.
UNPACKED = ("content-encoding", "content-length", "set-cookie")
NO_PLAYWRIGHT = "check_accessibility() needs playwright: pip install 'hero-admin[testing]'."
NO_CHROMIUM = (
    "check_accessibility() needs Chromium: install it, or `playwright install chromium`, or name"
    " its program in CHROMIUM."
)


async def check_accessibility(admin: AdminClient, paths: Collection[str] = ()) -> list[str]:
    """Check that axe finds nothing on any page (WCAG 2.2 AA, best practice); return their paths.

    Each page that links lead to is looked at on a phone in the dark and on a desk in the light, one
    of each shape, whatever its query; or only those at `paths` below the Admin.
    """
    try:
        from playwright.async_api import Error, async_playwright  # noqa: PLC0415 - an extra
    except ModuleNotFoundError:
        raise AssertionError(NO_PLAYWRIGHT) from None
    addresses = [f"{admin.start}{path.lstrip('/')}" for path in paths] or await _pages_of(admin)
    assert addresses, f"The first page, {admin.start}, leads nowhere."
    problems: list[str] = []
    async with async_playwright() as playwright:
        try:
            browser = await playwright.chromium.launch(executable_path=chromium(), args=list(FLAGS))
        except Error as error:
            raise AssertionError(f"{NO_CHROMIUM}\n{error}") from None
        tab = await _tab(admin, browser)
        for address in addresses:
            for width, scheme in SIGHTS:
                found = await _violations(tab, address, width, scheme)
                problems += [f"{address} ({width} px, {scheme}): {each}" for each in found]
        await browser.close()
    assert not problems, "axe found:\n" + "\n".join(dict.fromkeys(problems))
    return addresses


def chromium() -> str | None:
    """Return the program that CHROMIUM names, or the first that is installed."""
    named = os.environ.get("CHROMIUM")
    return named or next(filter(None, map(shutil.which, PROGRAMS)), None)


async def _pages_of(admin: AdminClient) -> list[str]:
    """Return the address of a page of each shape."""
    found: dict[str, str] = {}

    async def note(page: Page) -> None:
        path = urlsplit(str(page.url)).path
        # Not a part of a page, for which scripts ask.
        if page.find_all("html"):
            found.setdefault(shape_of(path)[0], page.url.raw_path.decode())

    await crawl(admin.browser, admin.start, note)
    return list(found.values())


async def _tab(admin: AdminClient, browser: "Browser") -> "Tab":
    """Return a page of a browser to which this client's application answers, without a server."""

    async def answer(route: "Route") -> None:
        asked = route.request
        headers = {name: text for name, text in asked.headers.items() if name != "cookie"}
        # The browser's own address is that of the client.
        page = await admin.browser.request(
            asked.method, asked.url, headers=headers, content=asked.post_data_buffer
        )
        kept = {name: text for name, text in page.headers.items() if name not in UNPACKED}
        await route.fulfill(status=page.status_code, headers=kept, body=page.content)

    context = await browser.new_context(base_url=BASE_URL, reduced_motion="reduce")
    await context.route("**/*", answer)
    return await context.new_page()


async def _violations(
    tab: "Tab", address: str, width: int, scheme: Literal["dark", "light"]
) -> list[str]:
    await tab.set_viewport_size({"width": width, "height": TALL_PIXELS})
    await tab.emulate_media(color_scheme=scheme)
    await tab.goto(address)
    # Evaluated and not added as a tag, which the Content-Security-Policy refuses.
    await tab.evaluate(AXE.read_text())
    found: list[str] = await tab.evaluate(VIOLATIONS, TAGS)
    return found
