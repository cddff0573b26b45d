"""`Admin`: wires settings, middleware and routes."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.routing import Mount, Route
from starlette_compress import CompressMiddleware

from hero_admin.accounts import audit, sign_in
from hero_admin.accounts.auth import auth_for
from hero_admin.accounts.middleware import IdentityMiddleware
from hero_admin.accounts.pending_form import fetch_pending
from hero_admin.accounts.recheck import SignedOut
from hero_admin.accounts.routes import account_routes
from hero_admin.api.application import create_api
from hero_admin.api.docs import docs_page
from hero_admin.database.own_tables import PREFIX
from hero_admin.listing.search.connect import connect
from hero_admin.migrations.chain import Chain
from hero_admin.model.resource import Resource, ResourceError
from hero_admin.model.site import Site
from hero_admin.pages import history, overview
from hero_admin.pages.routes import routes_of
from hero_admin.person import Role
from hero_admin.sample import SampleData
from hero_admin.settings import Settings
from hero_admin.web.access_log import AccessLogMiddleware
from hero_admin.web.allowed_hosts import known_hosts
from hero_admin.web.errors import ErrorsMiddleware, answer_http_exception
from hero_admin.web.guards import needs
from hero_admin.web.health import healthz, readyz
from hero_admin.web.mount import MountMiddleware
from hero_admin.web.protection import ProtectionMiddleware
from hero_admin.web.request_session import SessionMiddleware
from hero_admin.web.static_files import VersionedFiles
from hero_admin.web.templating import environment

# Templates are compiled for each prefix, which may hold a parameter of the application outside.
MAX_PREFIXES = 8


class Admin:
    """The administration of resources, and what its commands need to know of it.

    resources: what is administered, in menu order.
    migrations: the folder of the application's migrations, to which `revision` adds; it may be
        empty, as the library has migrations of its own.
    sample: what fills an empty database, if there is anything.
    indexes: whether `migrate`, and `serve` on a SQLite file, also create the indexes for sorting
        and searching these resources; otherwise only `doctor --fix` creates them.
    program: how its commands are called, in sentences that say what to run.
    """

    def __init__(
        self,
        resources: Sequence[Resource],
        *,
        migrations: Path,
        sample: SampleData | None = None,
        indexes: bool = False,
        program: str = "hero-admin",
    ) -> None:
        if isinstance(resources, Resource) or not isinstance(resources, Iterable):
            raise ResourceError(
                "Admin(): resources= takes a sequence, such as (heroes,) with a comma."
            )
        self.resources = tuple(resources)
        self.chain = Chain(migrations, self.resources, program)
        self.sample = sample
        self.indexes = indexes
        self.program = program

    # Any: what Alembic calls the parents of a name.
    def include_name(self, name: str | None, kind: str, _parents: Any) -> bool:
        """Whether an application's own Alembic compares a table or index with its models.

        For `env.py`: `context.configure(include_name=admin.include_name, …)`. It is False for what
        the library makes in the database, which autogenerate would drop, and True for all else.
        """
        if name is None or kind not in ("table", "index"):
            return True
        return not name.startswith(PREFIX) and name not in self.chain.derived_names

    def application(self, settings: Settings) -> Starlette:
        """Return the application; it connects to its database with the first request.

        Raises ResourceError where resources do not go together.
        """
        return create_app(settings, self.resources)


def create_app(settings: Settings, resources: Sequence[Resource]) -> Starlette:
    """Return the application that administers resources."""
    database = connect(settings, resources)
    site = Site(resources, others=(audit.RESOURCE,))
    api = create_api(site)
    api.state.settings = settings
    auth = auth_for(settings, database)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with database.opened():
            yield
            await auth.close()

    app = Starlette(
        routes=[
            Route("/", needs(Role.VIEWER, overview.overview), name="overview"),
            Route("/sign-in", sign_in.sign_in_page, name="sign-in"),
            Route("/sign-in", sign_in.sign_in, methods=["POST"]),
            Route("/sign-out", sign_in.sign_out, methods=["POST"], name="sign-out"),
            Route("/welcome", sign_in.welcome_page, name="welcome"),
            Route("/welcome", sign_in.welcome, methods=["POST"]),
            Route("/theme", overview.choose_theme, methods=["POST"], name="theme"),
            Route("/healthz", healthz),
            Route("/readyz", readyz),
            Mount("/static", VersionedFiles(), name="static"),
            Route("/api/docs", needs(Role.VIEWER, docs_page), name="api-docs"),
            Mount("/api", api, name="api"),
            Route("/history", needs(Role.VIEWER, history.history_page), name="history"),
            Route(
                "/undo/{operation}",
                needs(Role.EDITOR, history.undo_operation),
                methods=["POST"],
                name="undo",
            ),
            *account_routes(),
            *routes_of(site),
        ],
        middleware=[
            Middleware(MountMiddleware),
            Middleware(AccessLogMiddleware),
            Middleware(CompressMiddleware),
            Middleware(
                ProtectionMiddleware,
                max_body_bytes=settings.max_body_bytes,
                body_seconds=settings.body_timeout_seconds,
                hosts=known_hosts(settings),
                fetch_pending=fetch_pending,
            ),
            Middleware(ErrorsMiddleware, fetch_pending=fetch_pending),
            Middleware(
                SessionMiddleware,
                database=database,
                timeout_seconds=settings.request_timeout_seconds,
            ),
            Middleware(IdentityMiddleware, auth=auth, is_open=settings.auth == "off"),
        ],
        exception_handlers={
            HTTPException: answer_http_exception,
            SignedOut: sign_in.answer_signed_out,
        },
        lifespan=lifespan,
    )
    app.router.redirect_slashes = False
    app.state.settings = settings
    app.state.database = database
    app.state.site = site
    app.state.auth = auth
    app.state.exports = asyncio.Semaphore(max(1, settings.pool_size // 3))
    app.state.templates = lru_cache(MAX_PREFIXES)(partial(environment, app))
    return app
