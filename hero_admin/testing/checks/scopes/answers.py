"""Answers to somebody: compared with those for what does not exist, and searched for markers."""

from collections.abc import Mapping
from dataclasses import replace
from urllib.parse import unquote_plus

from hero_admin.testing.admin_browser import AdminBrowser
from hero_admin.testing.checks.scopes.probes import Probe
from hero_admin.testing.client import htmx_headers
from hero_admin.testing.page import Page
from hero_admin.testing.page.elements import attribute, elements
from hero_admin.web.flash import FLASH_COOKIE
from hero_admin.web.requests import SAFE_METHODS


class Answers:
    """The answers to the person who is watched.

    markers: what each of them is. leaks: what is wrong with the answer to each request.
    requests: how many were sent.
    """

    def __init__(self, watched: AdminBrowser, markers: Mapping[str, str]) -> None:
        self.watched = watched
        self.markers = markers
        self.leaks: dict[str, dict[str, None]] = {}
        self.requests = 0
        # With which headers parts of the pages of a route are asked for.
        self._fragments: dict[str, list[dict[str, str]]] = {}

    async def compare(self, probe: Probe, twin: Probe) -> Page:
        """Send a request and its twin, and compare the answers."""
        page = other = await self.send(self.watched, probe)
        shown = [page]
        if probe.method not in SAFE_METHODS and page.status_code in (302, 303):
            # Its message is on the next page.
            shown.append(await self.watched.browser.follow(page))
        if probe != twin:
            other = await self.send(self.watched, twin)
        if page.status_code != other.status_code and not await self._sees_part_of(probe):
            statuses = f"{page.status_code}, and {other.status_code} for what does not exist"
            self.note(str(probe), statuses)
        # Each new record has another key.
        is_compared = probe != twin and probe.word and page.status_code != 201
        if is_compared and _found(page, probe, twin) != _found(other, probe, twin):
            self.note(str(probe), "differs from a search that finds nothing")
        for each in shown:
            self.look(str(probe), each)
        return page

    async def compare_parts(self, page: Page, probe: Probe, twin: Probe) -> None:
        """Compare those parts of a page, too, that htmx asks for alone."""
        if page.status_code == 200 and probe.route not in self._fragments:
            self._fragments[probe.route] = _fragments_of(page)
        for headers in self._fragments.get(probe.route, ()):
            await self.compare(replace(probe, headers=headers), replace(twin, headers=headers))

    def look(self, what: str, page: Page) -> None:
        """Note the markers in an answer, in its body and in its headers."""
        text, sent = page.text + str(page.headers), unquote_plus(what)
        asked = {name for marker, name in self.markers.items() if marker in sent}
        for marker, name in self.markers.items():
            if marker in text and name not in asked:
                self.note(what, f"shows {marker!r}, the {name}")

    def note(self, asked: str, leak: str) -> None:
        """Note what is wrong with the answer to a request."""
        self.leaks.setdefault(asked, {})[leak] = None

    async def send(self, who: AdminBrowser, probe: Probe) -> Page:
        """Send a request as somebody, whoever it is."""
        self.requests += 1
        for cookie in list(who.browser.cookies.jar):
            # No answer has the message of another request.
            if cookie.name.endswith(FLASH_COOKIE):
                who.browser.cookies.delete(cookie.name)
        return await who.browser.request(
            probe.method,
            f"{who.start}{probe.path.lstrip('/')}",
            data=probe.form,
            json=probe.json,
            headers=probe.headers,
        )

    async def _sees_part_of(self, probe: Probe) -> bool:
        """Whether it undoes an operation that somebody sees in the history, on other records."""
        start, _, operation = probe.path.partition("/undo/")
        if start or not operation:
            return False
        path = f"/history?operation={operation}"
        page = await self.send(self.watched, Probe(path, "GET", path))
        return page.status_code == 200 and bool(page.entries)


def _fragments_of(page: Page) -> list[dict[str, str]]:
    """Return the headers with which htmx asks for each part of a page that it replaces."""
    if not page.headers.get("content-type", "").startswith("text/html"):
        return []
    everything = elements(page.tag)
    ids = {attribute(tag, "hx-target") for tag in everything if tag.has_attr("hx-target")}
    parts = [tag for tag in everything if f"#{attribute(tag, 'id')}" in ids]
    return [htmx_headers(f"{tag.name}#{attribute(tag, 'id')}") for tag in parts]


def _found(page: Page, probe: Probe, twin: Probe) -> str:
    """Return what a search found, whatever it searched for."""
    is_page = page.headers.get("content-type", "").startswith("text/html")
    text = page.read_text if is_page else page.text
    return text.replace(twin.word, "…").replace(probe.word, "…")
