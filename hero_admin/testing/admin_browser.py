"""`AdminBrowser`: somebody at an Admin, in a browser without JavaScript."""

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from typing import Self

from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import SQLModel

from hero_admin.accounts.auth import limits_for
from hero_admin.admin import Admin
from hero_admin.database.engines import Database
from hero_admin.model.site import Site
from hero_admin.person import Person, Role
from hero_admin.settings import Settings
from hero_admin.testing.api_client import ApiClient
from hero_admin.testing.client import client_of
from hero_admin.testing.page import Form, Page, Value
from hero_admin.testing.people import MOUNTED_SESSION, Known, person_of, sign_in_by
from hero_admin.testing.refused import Refused, form_errors


class AdminBrowser:
    """Somebody at an Admin: who it is, the pages that they ask for, and the forms that they send.

    What cannot be done fails with the page that was shown instead.

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
        self.site = Site(
            admin.resources, has_history=admin.chain.has_history, actions=admin.actions
        )
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
        person, who may be of a class of the application's own. Otherwise they have an account,
        whose id the returned person has.
        """
        self.browser.cookies.clear()
        person = person or person_of(Role(role))
        if self.admin.sign_in is None:
            limits = limits_for(self.settings)
            person = await sign_in_by(
                self.database, self.browser, person, limits, cookie=MOUNTED_SESSION
            )
        else:
            self._known.person = person
        self.person = person
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

    # Pages and forms.

    async def get(self, path: str) -> Page:
        """Return the page at a path below the Admin, such as `heroes/7`, or at any URL."""
        return await self._shown(path if "://" in path else f"{self.start}{path.lstrip('/')}")

    async def follow(self, page: Page) -> Page:
        """Return the page that a redirect leads to."""
        self.page = await self.browser.follow(page)
        if self.page.flash:
            self._done = self.page
        return self.page

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

    async def _shown(self, url: str) -> Page:
        self.page = await self.browser.get(url)
        if self.page.status_code >= 300:
            raise Refused(f"GET {url} was refused", self.page, {})
        return self.page
