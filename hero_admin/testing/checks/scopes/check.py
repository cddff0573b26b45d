"""`check_scopes`: asks an Admin for records outside somebody's rows, in every way there is."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlmodel import SQLModel

from hero_admin.model.primary_keys import key_text
from hero_admin.person import Person, Role
from hero_admin.testing.admin_browser import AdminBrowser
from hero_admin.testing.checks.crawl import crawl
from hero_admin.testing.checks.scopes.outside import (
    Outside,
    find_outside,
    mark,
    noted,
    raw_record,
)
from hero_admin.testing.checks.scopes.probes import Probe, probes_of, routes_asked
from hero_admin.testing.checks.scopes.references import first_inside, refer
from hero_admin.testing.client import htmx_headers
from hero_admin.testing.page import Page
from hero_admin.testing.page.elements import attribute, elements
from hero_admin.testing.people import person_of
from hero_admin.web.requests import SAFE_METHODS

MAX_TOLD = 50


@dataclass
class ScopeWalk:
    """What was asked: how many requests, of which routes, about which records.

    references: how many records inside refer to one outside. seen: how many answers had a marker
    for somebody who sees the records, so that it is known that they would be found.
    """

    requests: int = 0
    seen: int = 0
    references: int = 0
    routes: set[str] = field(default_factory=set)
    records: list[str] = field(default_factory=list)


async def check_scopes(
    admin: AdminBrowser,
    person: Person,
    *,
    outside: Sequence[SQLModel] = (),
    seen_by: Person | None = None,
) -> ScopeWalk:
    """Check that a person learns nothing of records outside their rows, by any request.

    Of each resource whose `rows=` leave out some for this person, one is taken, or those that are
    given; its texts and numbers are set to random markers, and records inside come to refer to it.
    Then every route of the pages and of the API is asked about it: shown, listed, searched, sorted,
    filtered, exported, picked, changed, deleted, restored, and undone, alone and with others, as
    pages and as fragments. Each answer must have the status that it has for a record that does not
    exist, and contain no marker; searches must find as little; the record must stay as it is. The
    same again once it is deleted. Finally all pages that links lead to are looked through.

    outside: stored records. seen_by: who sees and may change and delete them; an owner.
    Fails if there is no such record, if nothing of it could be marked, and if whoever sees it would
    not have found it, either.
    """
    seer, watched = admin.another(), admin.another()
    await seer.sign_in(seen_by or person_of(Role.OWNER))
    person = await watched.sign_in(person)
    walk = _Walk(seer, watched, person)
    records = await find_outside(seer, person, outside)
    marked = [await mark(seer, person, resource, key) for resource, key in records]
    for each in marked:
        walk.markers |= each.markers
        walk.count.records.append(each.name)
        walk.count.references += await refer(seer, watched, person, each.target)
    for each in [await noted(seer, one) for one in marked]:
        await walk.ask(each)
    await walk.look_around()
    for each in marked:
        await walk.ask_deleted(each)
    leaks = [f"{asked}: {'; '.join(found)}" for asked, found in walk.leaks.items()]
    told = [f"{person.name} ({person.role}) learns of {', '.join(walk.count.records)}:"]
    told += leaks[:MAX_TOLD]
    told += [f"and {len(leaks) - MAX_TOLD} more"] if len(leaks) > MAX_TOLD else []
    assert not leaks, "\n".join(told)
    return walk.count


class _Walk:
    def __init__(self, seer: AdminBrowser, watched: AdminBrowser, person: Person) -> None:
        self.seer = seer
        self.watched = watched
        self.person = person
        self.markers: dict[str, str] = {}
        # What is wrong with the answer to each request.
        self.leaks: dict[str, dict[str, None]] = {}
        self.count = ScopeWalk()
        # With which headers parts of the pages of a route are asked for.
        self.fragments: dict[str, list[dict[str, str]]] = {}
        app = seer.admin.application(seer.settings, is_mounted=seer.admin.sign_in is not None)
        self.routes = routes_asked([*app.routes], seer.site)

    async def ask(self, outside: Outside) -> None:
        """Ask every route about a record, and about one that does not exist."""
        resource, key = outside.target.resource, outside.target.key
        before = await raw_record(self.seer, resource, key)
        seen = self.count.seen
        await self._ask_all(outside)
        assert self.count.seen > seen, (
            f"Who sees {outside.name} found no marker of it on any page, so none would be missed."
        )
        if await raw_record(self.seer, resource, key) != before:
            self._note(outside.name, "was changed")

    async def ask_deleted(self, outside: Outside) -> None:
        """Ask again once it is deleted, if it can be, and bring it back."""
        if not self.seer.site.has_history:
            return
        resource, key = outside.target.resource, outside.target.key
        url = f"{self.seer.start}api/{resource.name}/{key}"
        if (await self.seer.browser.delete(url)).status_code != 204:
            return
        gone = await noted(self.seer, outside)
        await self._ask_all(gone, is_deleted=True)
        if await raw_record(self.seer, resource, key) is not None:
            self._note(outside.name, "was brought back")
            return
        last = gone.target.operations[-1]
        undone = await self.seer.browser.post(f"{self.seer.start}undo/{last}")
        assert undone.status_code == 303, f"{outside.name} was not brought back: {undone.excerpt()}"

    async def look_around(self) -> None:
        """Look through every page that links lead to, and all pages of records inside."""

        async def look(page: Page) -> None:
            self._look(f"GET {page.url.raw_path.decode()}", page)

        # A reference may lead to a record outside.
        got = await crawl(self.watched.browser, self.watched.start, look, may_lead_nowhere=True)
        self.count.requests += got.total()
        for asked in self.routes:
            if asked.method in SAFE_METHODS and "{" not in asked.template:
                await self._look_at(asked.template)
            if asked.resource is None or "{id}" not in asked.template:
                continue
            inside = await first_inside(self.seer, self.person, asked.resource)
            if inside is None or asked.method not in SAFE_METHODS:
                continue
            key = key_text(asked.resource, inside)
            names = [each.name for each in self.seer.site.related(asked.resource)]
            names += [*asked.resource.by_name]
            for name in names if asked.template.count("{") > 1 else [""]:
                path = asked.template.replace("{id}", key)
                for part in ("{relation}", "{field}"):
                    path = path.replace(part, name)
                await self._look_at(path)

    async def _look_at(self, path: str) -> None:
        self._look(f"GET {path}", await self._send(self.watched, Probe(path, "GET", path)))

    async def _ask_all(self, outside: Outside, *, is_deleted: bool = False) -> None:
        for asked in self.routes:
            if is_deleted and not (asked.is_about_one or asked.is_list):
                continue
            about = probes_of(asked, outside.target, self.seer.site)
            nothing = probes_of(asked, outside.twin, self.seer.site)
            for probe, twin in zip(about, nothing, strict=True):
                self.count.routes.add(f"{asked.method} {asked.template}")
                page = await self._compare(probe, twin, outside)
                if asked.method not in SAFE_METHODS:
                    continue
                if page.status_code == 200 and asked.template not in self.fragments:
                    self.fragments[asked.template] = _fragments_of(page)
                fragments = self.fragments.get(asked.template, ())
                for headers in fragments if probe.is_searched else ():
                    part, other = _with(probe, headers), _with(twin, headers)
                    await self._compare(part, other, outside)
                if not (is_deleted or probe.is_searched):
                    shown = await self._send(self.seer, probe)
                    self.count.seen += any(marker in shown.text for marker in outside.markers)

    async def _compare(self, probe: Probe, twin: Probe, outside: Outside) -> Page:
        """Send a request about a record and the same about nothing, and compare the answers."""
        page, missing = await self._send(self.watched, probe), await self._send(self.watched, twin)
        if page.status_code != missing.status_code and not await self._sees_part_of(probe):
            statuses = f"{page.status_code}, and {missing.status_code} for what does not exist"
            self._note(str(probe), statuses)
        self._look(str(probe), page)
        if probe.is_searched and _found(page, outside.target.word) != _found(
            missing, outside.twin.word
        ):
            self._note(str(probe), "differs from a search that finds nothing")
        return page

    async def _sees_part_of(self, probe: Probe) -> bool:
        """Whether it undoes an operation that somebody sees in the history, on other records."""
        start, _, operation = probe.path.partition("/undo/")
        if start or not operation:
            return False
        path = f"/history?operation={operation}"
        page = await self._send(self.watched, Probe(path, "GET", path))
        return page.status_code == 200 and bool(page.entries)

    def _look(self, what: str, page: Page) -> None:
        """Note the markers in an answer, in its body and in its headers."""
        text = page.text + str(page.headers)
        for marker, name in self.markers.items():
            if marker in text:
                self._note(what, f"shows {marker!r}, the {name}")

    def _note(self, asked: str, leak: str) -> None:
        self.leaks.setdefault(asked, {})[leak] = None

    async def _send(self, who: AdminBrowser, probe: Probe) -> Page:
        self.count.requests += 1
        return await who.browser.request(
            probe.method,
            f"{who.start}{probe.path.lstrip('/')}",
            data=probe.form,
            json=probe.json,
            headers=probe.headers,
        )


def _fragments_of(page: Page) -> list[dict[str, str]]:
    """Return the headers with which htmx asks for each part of a page that it replaces."""
    if not page.headers.get("content-type", "").startswith("text/html"):
        return []
    everything = elements(page.tag)
    ids = {attribute(tag, "hx-target") for tag in everything if tag.has_attr("hx-target")}
    parts = [tag for tag in everything if f"#{attribute(tag, 'id')}" in ids]
    return [htmx_headers(f"{tag.name}#{attribute(tag, 'id')}") for tag in parts]


def _with(probe: Probe, headers: dict[str, str]) -> Probe:
    return Probe(
        probe.route,
        probe.method,
        probe.path,
        headers=headers,
        is_searched=probe.is_searched,
    )


def _found(page: Page, word: str) -> str:
    """Return what a search found, whatever it searched for."""
    is_page = page.headers.get("content-type", "").startswith("text/html")
    return (page.read_text if is_page else page.text).replace(word, "…")
