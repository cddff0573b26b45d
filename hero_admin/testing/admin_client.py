"""`AdminClient`: somebody at an Admin, in a browser without JavaScript."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, Self
from urllib.parse import urlencode

from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import SQLModel
from starlette.types import ASGIApp

from hero_admin.accounts.auth import limits_for
from hero_admin.admin import Admin
from hero_admin.database.engines import Database
from hero_admin.listing.search.connect import connect
from hero_admin.model.resource import Resource
from hero_admin.model.site import Site
from hero_admin.person import Person, Role
from hero_admin.settings import Settings
from hero_admin.testing.api_client import ApiClient
from hero_admin.testing.client import client_of
from hero_admin.testing.page import Form, Page, Value
from hero_admin.testing.people import MOUNTED_SESSION, Known, known_person, person_of, sign_in_by
from hero_admin.testing.records import Named, Record, key_in_url, named, typed
from hero_admin.testing.refused import Refused, form_errors
from hero_admin.testing.tables import SETTINGS, settings_of

SAVE = "Save changes"


class AdminClient:
    """Somebody at an Admin: pages are asked for, forms filled in and sent, as in a browser.

    A resource is called by its name in URLs or by its model, a record by itself, by its key or by
    its key in URLs. What cannot be done fails with the page that was shown instead.

    admin, settings, database: the Admin as it is served, and its database, to look past it.
    browser: sends any other request, with the cookies of this client. start: its first page.
    api: the same records as JSON.
    """

    def __init__(
        self,
        admin: Admin,
        settings: Settings,
        database: Database,
        known: Known,
        *,
        start: str = "/",
    ) -> None:
        self.admin = admin
        self.settings = settings
        self.database = database
        self.start = start
        self.site = Site(admin.resources, has_history=admin.chain.has_history)
        self._known = known
        self.browser = client_of(known)
        self.api = ApiClient(self.browser, self.site, f"{start}api/")
        self._others: list[Self] = []
        self.person: Person | None = None
        self.page: Page | None = None
        self._done: Page | None = None

    def another(self) -> Self:
        """Return another client of the same Admin, whom nobody has signed in yet."""
        known = Known(self._known.app)
        other = type(self)(self.admin, self.settings, self.database, known, start=self.start)
        self._others.append(other)
        return other

    async def close(self) -> None:
        """Close its connections, and those of the other clients that were made from it."""
        await self.browser.http.aclose()
        for other in self._others:
            await other.close()

    # Who it is.

    async def sign_in(self, person: Person | None = None, *, role: Role | str = "editor") -> Person:
        """Sign in as a person, or as somebody who has a role; return who it is.

        Where the application signs people in, `authenticate=` is passed by: the Admin gets this
        person, who may be of a class of the application's own.
        """
        self.browser.cookies.clear()
        self.person = person = person or person_of(Role(role))
        if self.admin.sign_in is None:
            limits = limits_for(self.settings)
            await sign_in_by(self.database, self.browser, person, limits, cookie=MOUNTED_SESSION)
        else:
            self._known.person = person
        return person

    def sign_out(self) -> None:
        """Be a stranger again, as if the browser had lost its cookies."""
        self.browser.cookies.clear()
        self.person = self._known.person = None

    # The database, past the Admin.

    def session(self, *, is_read_only: bool = True) -> AbstractAsyncContextManager[AsyncSession]:
        """A session of the database; commit what it writes before the Admin is asked again."""
        return self.database.session(is_read_only=is_read_only)

    async def add(self, *records: SQLModel) -> None:
        """Store records as another program would; afterwards they have their keys."""
        async with self.session(is_read_only=False) as session:
            session.add_all(records)
            await session.commit()
            for record in records:
                await session.refresh(record)

    # Pages.

    async def get(self, path: str) -> Page:
        """Return the page at a path below the Admin, such as `heroes/7`, or at any URL."""
        return await self._shown(path if "://" in path else f"{self.start}{path.lstrip('/')}")

    async def list(self, resource: Named, **state: object) -> Page:
        """Return the list of a resource; `state` is that of its URL: `q="nova"`, `team=3`."""
        # A list of values is one parameter for each.
        sent = {name: value for name, value in state.items() if value is not None}
        query = urlencode(sent, doseq=True)
        return await self.get(self._named(resource).name + (f"?{query}" if query else ""))

    async def show(self, resource: Named, record: Record, page: str = "") -> Page:
        """Return the page of a record, or one below it: `edit`, `delete`, `history`, `heroes`."""
        return await self.get(self._path(resource, record) + (f"/{page}" if page else ""))

    async def follow(self, page: Page) -> Page:
        """Return the page that a redirect leads to."""
        self.page = await self.browser.follow(page)
        if self.page.flash:
            self._done = self.page
        return self.page

    # Changes: each returns the page that says it is done, or raises Refused.

    async def create(self, resource: Named, **values: object) -> Page:
        """Create a record by its form; `values` go by the names of fields and links."""
        of = self._named(resource)
        form = (await self.get(f"{of.name}/new")).form(press=f"Create {of.label}")
        return await self.submit(form, typed(self.site, of, form, values))

    async def edit(self, resource: Named, record: Record, **values: object) -> Page:
        """Change a record by its form; what is linked is added: `tracks=[song]`."""
        of = self._named(resource)
        form = (await self.show(of.name, record, "edit")).form(press=SAVE)
        return await self.submit(form, typed(self.site, of, form, values))

    async def delete(
        self, resource: Named, record: Record | Sequence[Record], **replacements: object
    ) -> Page:
        """Delete a record, or all of several, after the question.

        replacements: what those that refer to it get instead, by the name of the question's field.
        """
        of = self._named(resource)
        many = [*record] if isinstance(record, list | tuple | set) else [record]
        query = urlencode([("id", key_in_url(of, each)) for each in many])
        is_one = not isinstance(record, list | tuple | set)
        path = f"{self._path(resource, many[0])}/delete" if is_one else f"{of.name}/delete?{query}"
        form = form_of_main(await self.get(path), "Delete ")
        return await self.submit(form, typed(self.site, of, form, replacements))

    async def undo(self) -> Page:
        """Press Undo, or Redo, beside the message about the last change."""
        assert self._done is not None, "Nothing has been done yet, so there is no Undo."
        return await self.submit(self._done.undo)

    async def submit(
        self, form: Form, changes: Mapping[str, Value] | None = None, /, **more: Value
    ) -> Page:
        """Fill in a form by the names of its controls and send it; return the page it leads to.

        Raises Refused where it is shown again.
        """
        answer = await self.browser.submit(form, {**(changes or {}), **more})
        if answer.status_code in (302, 303):
            return await self.follow(answer)
        self.page = answer
        if answer.status_code >= 400:
            raise Refused(f"{form.url} was refused", answer, form_errors(answer))
        return answer

    # Any: a key of any type.
    def key(self, page: Page | None = None) -> Any:
        """Return the key in URLs of the record that the message of a page is about."""
        found = (page or self.page or Page("")).flash_links
        assert found, "The page has no message about a record."
        return found[0].href.partition("?")[0].rpartition("/")[2]

    def _named(self, resource: Named) -> Resource:
        return named(self.site, resource)

    def _path(self, resource: Named, record: Record) -> str:
        of = self._named(resource)
        return f"{of.name}/{key_in_url(of, record)}"

    async def _shown(self, url: str) -> Page:
        self.page = await self.browser.get(url)
        if self.page.status_code >= 300:
            raise Refused(f"GET {url} was refused", self.page, {})
        return self.page


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
    database = connect(settings, admin.resources)
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
