"""`AdminClient`: the records of an Admin, listed, shown and changed by its pages."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlencode

from starlette.types import ASGIApp

from hero_admin.admin import Admin
from hero_admin.forms.hidden_fields import ALL
from hero_admin.listing.search.connect import connect
from hero_admin.model.actions import Action
from hero_admin.model.resource import Resource
from hero_admin.testing.admin_browser import AdminBrowser
from hero_admin.testing.page import Form, Page, Value
from hero_admin.testing.people import Known, known_person
from hero_admin.testing.records import (
    Named,
    Record,
    key_in_url,
    many_of,
    named,
    named_action,
    typed,
)
from hero_admin.testing.tables import SETTINGS, settings_of

SAVE = "Save changes"


class AdminClient(AdminBrowser):
    """Somebody at an Admin who works with its records.

    A resource is called by its name in URLs or by its model, a record by itself, by its key or by
    its key in URLs. Values go by the names of fields and links, as Python values or as they would
    be typed. Each method returns the page that is shown in the end, or raises Refused.
    """

    async def list(self, resource: Named, **state: object) -> Page:
        """Return the list of a resource; `state` is that of its URL: `q="nova"`, `team=3`."""
        # A list of values is one parameter for each.
        sent = {name: value for name, value in state.items() if value is not None}
        query = urlencode(sent, doseq=True)
        return await self.get(self._named(resource).name + (f"?{query}" if query else ""))

    async def show(self, resource: Named, record: Record, page: str = "") -> Page:
        """Return the page of a record, or one below it: `edit`, `delete`, `history`, `heroes`."""
        return await self.get(self._path(resource, record) + (f"/{page}" if page else ""))

    async def create(self, resource: Named, **values: object) -> Page:
        """Create a record by its form; `values` go by the names of fields and links."""
        of = self._named(resource)
        form = (await self.get(f"{of.name}/new")).form(press=f"Create {of.label}")
        return await self.submit(form, self._typed(of, form, values))

    async def edit(self, resource: Named, record: Record, **values: object) -> Page:
        """Change a record by its form; what is linked is added: `tracks=[song]`."""
        of = self._named(resource)
        form = (await self.show(of.name, record, "edit")).form(press=SAVE)
        return await self.submit(form, self._typed(of, form, values))

    async def delete(
        self, resource: Named, record: Record | Sequence[Record], **replacements: object
    ) -> Page:
        """Delete a record, or all of several, after the question.

        replacements: what those that refer to it get instead, by the name of the question's field.
        """
        of = self._named(resource)
        if isinstance(record, list | set):
            query = urlencode([("id", key_in_url(of, each)) for each in record])
            path = f"{of.name}/delete?{query}"
        else:
            path = f"{self._path(resource, record)}/delete"
        form = form_of_main(await self.get(path), "Delete ")
        return await self.submit(form, self._typed(of, form, replacements))

    async def run(
        self,
        resource: Named,
        action: str,
        records: Record | Sequence[Record] = (),
        *,
        matching: Mapping[str, object] | None = None,
        **answers: object,
    ) -> Page:
        """Do an action on a record, on several, or on all that match a list; fill in its form.

        matching: the state of that list, `{"q": "nova"}`; `{}` is all records.
        """
        of = self._named(resource)
        keys = [("id", key_in_url(of, each)) for each in many_of(records)]
        query = keys if matching is None else [(ALL, urlencode(matching, doseq=True))]
        at = f"{of.name}/actions"
        return await self._act(at, urlencode(query), action, of.actions, answers)

    async def run_global(self, action: str, **answers: object) -> Page:
        """Do an action on no records in particular; fill in its form."""
        return await self._act("actions", "", action, self.site.actions, answers)

    # Any: a key of any type.
    def key(self, page: Page | None = None) -> Any:
        """Return the key in URLs of the record that the message of a page is about."""
        found = (page or self.page or Page("")).flash_links
        assert found, "The page has no message about a record."
        return found[0].href.partition("?")[0].rpartition("/")[2]

    def _typed(self, of: Resource, form: Form, values: Mapping[str, object]) -> dict[str, Value]:
        return typed(self.site, of.label, of.by_name, of.many_to_many, form, values)

    def _named(self, resource: Named) -> Resource:
        return named(self.site, resource)

    def _path(self, resource: Named, record: Record) -> str:
        of = self._named(resource)
        return f"{of.name}/{key_in_url(of, record)}"

    async def _act(
        self,
        at: str,
        query: str,
        label: str,
        actions: Sequence[Action],
        answers: Mapping[str, object],
    ) -> Page:
        action = named_action(actions, label)
        page = await self.get(f"{at}/{action.name}?{query}")
        form = form_of_main(page, action.label)
        asked = self.site.form_of(action)
        fields = asked.by_name if asked else {}
        return await self.submit(form, typed(self.site, action.label, fields, (), form, answers))


@asynccontextmanager
async def client_on(
    admin: Admin, url: str, *, app: ASGIApp | None = None, start: str = "/"
) -> AsyncIterator[AdminClient]:
    """A client of an Admin on the database at an address, which has its tables.

    app: an application in which it is mounted, with its first page at `start` and the same
        database. People sign in as they do there, with `browser`.
    """
    served = admin.elsewhere(known_person, database_url=url, **SETTINGS)
    settings = settings_of(admin, url)
    # Past the rights of everybody: without resources its sessions have no row scopes.
    database = connect(settings)
    client = AdminClient(served, settings, database, Known(app or served), start=start)
    try:
        yield client
    finally:
        await client.close()
        await served.close()
        await database.close()


def form_of_main(page: Page, press: str) -> Form:
    """Return the form of the main part whose button begins with a word."""
    buttons = [button.visible_text for button in page.by_id("main").find_all("button")]
    found = [button for button in buttons if button.startswith(press)]
    assert len(found) == 1, f"One button “{press}…” expected; the page shows: {page.excerpt()}"
    return page.form(press=found[0])
