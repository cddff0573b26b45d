"""The walk: sends requests about subjects, and notes what their answers tell."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from hero_admin.model.primary_keys import key_text
from hero_admin.model.resource import Resource
from hero_admin.model.seen_sites import SeenSites
from hero_admin.person import Person
from hero_admin.testing.admin_browser import AdminBrowser
from hero_admin.testing.checks.crawl import crawl
from hero_admin.testing.checks.scopes.answers import Answers
from hero_admin.testing.checks.scopes.field_probes import field_probes
from hero_admin.testing.checks.scopes.markers import new_word
from hero_admin.testing.checks.scopes.probes import Asked, Probe, filled, probes_of, routes_asked
from hero_admin.testing.checks.scopes.references import first_inside
from hero_admin.testing.checks.scopes.subjects import Subject, noted
from hero_admin.testing.page import Page
from hero_admin.web.requests import SAFE_METHODS

# What a record holds that nobody may change; None if there is no such record.
Stored = tuple[object, ...] | None


@dataclass
class ScopeWalk:
    """What was asked: how many requests, of which routes, about which records and fields.

    references: how many records inside refer to one outside. seen: how many answers had a marker
    for somebody who sees it, so that it is known that it would be found. fields: those that the
    person may not read, whose markers somebody else found.
    """

    requests: int = 0
    seen: int = 0
    references: int = 0
    routes: set[str] = field(default_factory=set)
    records: list[str] = field(default_factory=list)
    fields: list[str] = field(default_factory=list)


class Walk:
    """The requests of somebody, and of somebody else who sees everything that they ask for.

    markers: those of all subjects, and what each of them is.
    """

    def __init__(self, seer: AdminBrowser, watched: AdminBrowser, person: Person) -> None:
        self.seer = seer
        self.watched = watched
        self.person = person
        self.seen_site = SeenSites(seer.site).of(person)
        self.markers: dict[str, str] = {}
        self.answers = Answers(watched, self.markers)
        self.count = ScopeWalk()
        app = seer.admin.application(seer.settings, is_mounted=seer.admin.sign_in is not None)
        self.routes = routes_asked([*app.routes], seer.site)

    async def ask(self, subject: Subject) -> None:
        """Ask every route about a record, and about its twin."""
        seen, stored = self.count.seen, await subject.stored(self.seer)
        await self._ask_all(subject, stored)
        assert self.count.seen > seen or not subject.markers, (
            f"Who sees {subject.name} found no marker of it on any page, so none would be missed."
        )
        if await subject.stored(self.seer) != stored and not subject.is_inside:
            self.answers.note(subject.name, "was changed")

    async def ask_deleted(self, subject: Subject) -> None:
        """Ask again once it is deleted, if it can be, and bring it back."""
        stored = await subject.stored(self.seer)
        if not (self.seer.site.has_history and await self._delete(subject)):
            return
        await self._ask_all(await noted(self.seer, subject), stored, is_deleted=True)
        if await subject.stored(self.seer) is None:
            await self._bring_back(subject)
        elif not subject.is_inside:
            self.answers.note(subject.name, "was brought back")

    async def look_around(self) -> None:
        """Look through every page that links lead to, and all pages of records inside."""

        async def look(page: Page) -> None:
            self.answers.look(f"GET {page.url.raw_path.decode()}", page)

        # A reference may lead to a record outside.
        got = await crawl(self.watched.browser, self.watched.start, look, may_lead_nowhere=True)
        self.answers.requests += got.total()
        for asked in self.routes:
            if asked.method in SAFE_METHODS and "{" not in asked.template:
                await self._look_at(asked.template)
            elif asked.method in SAFE_METHODS and asked.resource and "{id}" in asked.template:
                await self._look_inside(asked, asked.resource)

    async def _look_inside(self, asked: Asked, resource: Resource) -> None:
        """Look through the pages of a record that the person sees, each relation and field."""
        inside = await first_inside(self.seer, self.person, resource)
        if inside is None:
            return
        own, seen = self.seer.site.related(resource), self.seen_site.named(resource.name)
        known = {each.name for each in self.seen_site.related(seen)} if seen else set()
        names = [*(each.name for each in own), *resource.by_name]
        for name in names if asked.template.count("{") > 1 else [""]:
            values = {"id": key_text(resource, inside), "relation": name, "field": name}
            probe = Probe(asked.template, "GET", filled(asked.template, values), word=name)
            is_there = name in known or "{relation}" not in asked.template
            missing = values | {"relation": name if is_there else new_word()}
            twin = replace(probe, path=filled(asked.template, missing), word=missing["relation"])
            await self.answers.compare(probe, twin)

    async def _look_at(self, path: str) -> None:
        page = await self.answers.send(self.watched, Probe(path, "GET", path))
        self.answers.look(f"GET {path}", page)

    async def _ask_all(self, subject: Subject, stored: Stored, *, is_deleted: bool = False) -> None:
        for asked in self.routes:
            if is_deleted and not (asked.is_about_one or asked.is_list):
                continue
            for probe, twin in self._probes(asked, subject):
                self.count.routes.add(f"{asked.method} {asked.template}")
                page = await self.answers.compare(probe, twin)
                if asked.method in SAFE_METHODS:
                    if probe.word == subject.target.word or (subject.is_inside and not probe.word):
                        await self.answers.compare_parts(page, probe, twin)
                    if not (is_deleted or probe.word):
                        await self._find(probe, subject)
                elif subject.is_inside:
                    stored = await self._stored_after(probe, subject, stored, is_deleted=is_deleted)

    async def _find(self, probe: Probe, subject: Subject) -> None:
        """Count the markers in the answer for who sees them."""
        shown = (await self.answers.send(self.seer, probe)).text
        found = {name for marker, name in subject.markers.items() if marker in shown}
        self.count.seen += bool(found)
        if subject.is_inside:
            self.count.fields += sorted(found - {*self.count.fields})

    def _probes(self, asked: Asked, subject: Subject) -> Iterator[tuple[Probe, Probe]]:
        site, target = self.seer.site, subject.target
        if not (subject.is_inside and self._is_done(asked)):
            yield from zip(
                probes_of(asked, target, site), probes_of(asked, subject.twin, site), strict=True
            )
        for name in subject.unreadable:
            yield from field_probes(asked, target, name)

    def _is_done(self, asked: Asked) -> bool:
        """Whether a route does something to a record that can't be brought back."""
        is_deletion = asked.method == "DELETE" or asked.template.endswith("/delete")
        is_lasting = is_deletion and not self.seer.site.has_history
        return asked.method not in SAFE_METHODS and (is_lasting or "/actions/" in asked.template)

    async def _stored_after(
        self, probe: Probe, subject: Subject, stored: Stored, *, is_deleted: bool
    ) -> Stored:
        """Return what is stored, and note a change; the record may be deleted and restored."""
        now = await subject.stored(self.seer)
        if now is None and not is_deleted:
            await self._bring_back(subject)
            now = await subject.stored(self.seer)
        if now not in (None, stored):
            self.answers.note(str(probe), f"changed what can't be read of {subject.name}")
        return now or stored

    async def _delete(self, subject: Subject) -> bool:
        """Delete a record; if possible by the person, as whoever deletes sees what was deleted."""
        url = f"api/{subject.target.resource.name}/{subject.target.key}"
        for who in (self.watched, self.seer) if subject.is_inside else (self.seer,):
            if (await who.browser.delete(f"{who.start}{url}")).status_code == 204:
                return True
        return False

    async def _bring_back(self, subject: Subject) -> None:
        last = (await noted(self.seer, subject)).target.operations[-1]
        undone = await self.seer.browser.post(f"{self.seer.start}undo/{last}")
        assert undone.status_code == 303, f"{subject.name} was not brought back: {undone.excerpt()}"
