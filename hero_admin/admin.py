"""`Admin`: what an application administers, as an ASGI application of its own."""

import asyncio
from collections.abc import Iterable, Sequence
from copy import copy
from dataclasses import replace
from pathlib import Path
from typing import Any

from sqlalchemy.engine import URL, Engine
from sqlalchemy.ext.asyncio import AsyncEngine
from starlette.applications import Starlette
from starlette.types import Receive, Scope, Send

from hero_admin.accounts.host_sign_in import Authenticate, HostSignIn
from hero_admin.accounts.stored_key import fetch_key, make_key
from hero_admin.application import create_app
from hero_admin.database.engines import Database
from hero_admin.database.fold_function import learn_fold
from hero_admin.database.own_tables import PREFIX
from hero_admin.listing.search.connect import connect
from hero_admin.migrations import check_schema
from hero_admin.migrations.chain import Chain
from hero_admin.model.actions import Action, HasActions
from hero_admin.model.arguments import ResourceError
from hero_admin.model.resource import Resource
from hero_admin.model.site import Site
from hero_admin.mounted import Mounted
from hero_admin.pages.own_pages import HasPages
from hero_admin.sample import SampleData
from hero_admin.settings import Settings, SettingsError, database_url_of, load_settings, with_key
from hero_admin.web.look import TITLE, look_of
from hero_admin.web.menu import Menu, MenuLink, checked_links
from hero_admin.web.mount import OUTSIDE

AUTH_OFF = (
    "WEBAPP_AUTH=off is for `serve`. To mount an Admin without accounts, pass"
    " Admin(authenticate=…)."
)
NO_SECOND_FACTOR = (
    "WEBAPP_SECOND_FACTOR is for accounts of the library. This Admin uses the sign-in of the"
    " application that it is mounted in."
)
# How commands are called whose module is not known.
SCRIPT = "hero-admin --app package.module:name"


class Admin(HasActions, HasPages):
    """The administration of resources, and what its commands need to know of it.

    It is an ASGI application, to be mounted in another one below any prefix:
    `app.mount("/admin", admin)`. Its tables have to be in the database: see `migrate`.

    resources: what is administered, in menu order.
    database: the address of the database, or an engine whose address is used; by default
        WEBAPP_DATABASE_URL.
    title: the name of the pages.
    logo: the name of a picture in the folder `static`. accent: the colour of buttons and links,
        such as "#0f7a4f", or a pair of one for light and one for dark.
    templates, static: folders of templates, which may override the library's, and static files.
    menu: links in the menu, `MenuLink("Shop", "/")`, after the resources and pages.
    authenticate: returns who sent a request, None for a stranger; it gets the request as the
        application outside sees it, without its body. By default the library has accounts.
    sign_in_url: where `authenticate` lets strangers sign in; `?next=` names the page asked for.
    history: whether changes are recorded and can be undone. Without, and with `authenticate`, the
        library has no tables in the database; forms that are sent twice are saved twice.
    migrations: the folder of the application's migrations, to which `revision` adds; None if it
        migrates its tables otherwise.
    sample: what fills an empty database, if there is anything.
    indexes: whether `migrate`, and `serve` on a SQLite file, also create the indexes for sorting
        and searching these resources; otherwise only `doctor --fix` creates them.
    program: how its commands are called, in sentences that say what to run; by default
        `hero-admin --app package.module:name`.
    """

    def __init__(
        self,
        resources: Sequence[Resource],
        *,
        database: str | URL | Engine | AsyncEngine | None = None,
        title: str = TITLE,
        logo: str = "",
        accent: str | tuple[str, str] = "",
        templates: str | Path | None = None,
        static: str | Path | None = None,
        menu: Sequence[MenuLink] = (),
        authenticate: Authenticate | None = None,
        sign_in_url: str = "",
        history: bool = True,
        migrations: Path | None = None,
        sample: SampleData | None = None,
        indexes: bool = False,
        program: str = "",
    ) -> None:
        if isinstance(resources, Resource) or not isinstance(resources, Iterable):
            raise ResourceError(
                "Admin(): resources= takes a sequence, such as (heroes,) with a comma."
            )
        if sign_in_url and authenticate is None:
            raise ResourceError("Admin(): sign_in_url= needs authenticate=.")
        if not history and authenticate is None:
            raise ResourceError(
                "Admin(): history=False needs authenticate=, as accounts are in tables."
            )
        if authenticate is not None and not callable(authenticate):
            raise ResourceError("Admin(): authenticate= takes a function, not what it returns.")
        try:
            url = None if database is None else database_url_of(database)
        except SettingsError as error:
            raise ResourceError(f"Admin(): database= can't be used. {error}") from None
        # Any: a setting may have any type, and None leaves it to the environment.
        self._settings: dict[str, Any] = {"database_url": url}
        self.resources = tuple(resources)
        # Raises ResourceError for a mistake in one of them.
        site = Site(self.resources)
        self.chain = Chain(migrations, self.resources, program or SCRIPT, has_history=history)
        self.title = title
        HasPages.__init__(self, site.paged)
        try:
            links = Menu(self.own_pages, checked_links(menu))
            self.look = look_of(title, templates, static, logo, accent, links)
        except ValueError as error:
            raise ResourceError(f"Admin(): {error}") from None
        self.sign_in = HostSignIn(authenticate, sign_in_url) if authenticate else None
        self.sample = sample
        self.indexes = indexes
        self._mounted: dict[asyncio.AbstractEventLoop, Mounted] = {}

    def _add_action(self, action: Action) -> None:
        # One on no records in particular; raises ResourceError for a mistake in it.
        self.actions = Site(self.resources, actions=(*self.actions, action)).actions

    @property
    def program(self) -> str:
        return self.chain.program

    def set_program(self, program: str) -> None:
        """Set how its commands are called, unless the application says so."""
        if self.program == SCRIPT:
            self.chain = replace(self.chain, program=program)

    # Any: what Alembic calls the parents of a name.
    def include_name(self, name: str | None, kind: str, _parents: Any) -> bool:
        """Whether an application's own Alembic compares a table or index with its models.

        For `env.py`: `context.configure(include_name=admin.include_name, …)`. It is False for what
        the library makes in the database, which autogenerate would drop, and True for all else.
        """
        if name is None or kind not in ("table", "index"):
            return True
        return not name.startswith(PREFIX) and name not in self.chain.former_names

    # Any: a setting may have any type, and None leaves it to the environment.
    def settings(self, **overrides: Any) -> Settings:
        """Return the settings of this process. Raises SettingsError."""
        settings = load_settings(**{**self._settings, **overrides})
        if self.sign_in is not None and settings.second_factor != "off":
            raise SettingsError(NO_SECOND_FACTOR)
        return settings

    # Any: as above.
    def elsewhere(self, authenticate: Authenticate, **settings: Any) -> "Admin":
        """Return the same Admin with other settings, such as `database_url`, for tests.

        authenticate: takes the place of its own, if it has one.
        """
        other = copy(self)
        vars(other).update(_settings={**self._settings, **settings}, _mounted={})
        if self.sign_in is not None:
            other.sign_in = HostSignIn(authenticate, self.sign_in.url)
        return other

    def application(
        self,
        settings: Settings,
        database: Database | None = None,
        *,
        is_mounted: bool = False,
        runs_jobs: bool = False,
    ) -> Starlette:
        """Return the application; it connects to its database with the first request.

        database: that of the settings, where it is connected already.
        """
        return create_app(
            settings,
            self.resources,
            look=self.look,
            pages=self.own_pages,
            runs_jobs=runs_jobs,
            host_sign_in=self.sign_in,
            is_mounted=is_mounted,
            database=database,
            has_history=self.chain.has_history,
            actions=self.actions,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request of the application in which this one is mounted."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
            return
        loop = asyncio.get_running_loop()
        if loop not in self._mounted:
            # Connections belong to a loop. Each test of an application may have one of its own.
            open_loops = {each: app for each, app in self._mounted.items() if not each.is_closed()}
            self._mounted = {**open_loops, loop: Mounted(self._make)}
        await self._mounted[loop]({**scope, OUTSIDE: scope}, receive, send)

    async def close(self) -> None:
        """Close the connections to the database, for the end of the application outside."""
        mounted = self._mounted.pop(asyncio.get_running_loop(), None)
        if mounted is not None:
            await mounted.close()

    async def _live(self, receive: Receive, send: Send) -> None:
        """Last as long as a server whose only application this is."""
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self.close()
        await send({"type": "lifespan.shutdown.complete"})

    async def _make(self) -> Starlette:
        """Return the application in which this Admin is mounted, once its tables are there."""
        settings = self.settings()
        if settings.auth == "off":
            raise SettingsError(AUTH_OFF)
        database = connect(settings, self.resources)
        try:
            await check_schema(database, self.chain)
            if self.chain.has_history:
                key = await fetch_key(database)
            else:
                key = make_key()
                await learn_fold(database)
        except BaseException:
            await database.close()
            raise
        settings = with_key(settings, key)
        return self.application(settings, database, is_mounted=True, runs_jobs=True)
