"""The application: wires settings, middleware and routes."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import lru_cache, partial

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.routing import Mount, Route
from starlette_compress import CompressMiddleware

from hero_admin.accounts import audit, sign_in
from hero_admin.accounts.auth import auth_for
from hero_admin.accounts.event_middleware import EventsMiddleware
from hero_admin.accounts.host_sign_in import HostIdentityMiddleware, HostSignIn
from hero_admin.accounts.middleware import IdentityMiddleware
from hero_admin.accounts.pending_form import fetch_pending
from hero_admin.accounts.recheck import SignedOut
from hero_admin.accounts.rights import RightsMiddleware
from hero_admin.accounts.rights_now import fetch_as_now
from hero_admin.accounts.routes import account_routes, host_routes
from hero_admin.api.application import create_api
from hero_admin.api.docs import docs_page
from hero_admin.database.engines import Database
from hero_admin.jobs.worker import Worker
from hero_admin.listing.search.connect import connect
from hero_admin.model.actions import Action
from hero_admin.model.resource import Resource
from hero_admin.model.seen_sites import SeenSites
from hero_admin.model.site import Site
from hero_admin.pages import overview
from hero_admin.pages.own_pages import OwnPage, own_routes
from hero_admin.pages.routes import global_action_routes, history_routes, routes_of
from hero_admin.person import Role
from hero_admin.settings import Settings
from hero_admin.web.access_log import AccessLogMiddleware
from hero_admin.web.allowed_hosts import known_hosts
from hero_admin.web.errors import ErrorsMiddleware, answer_http_exception
from hero_admin.web.guards import needs
from hero_admin.web.health import healthz, readyz
from hero_admin.web.look import TITLE, Look
from hero_admin.web.mount import MountMiddleware
from hero_admin.web.protection import ProtectionMiddleware
from hero_admin.web.request_session import SessionMiddleware
from hero_admin.web.routing import RoutesBySegment
from hero_admin.web.static_files import VersionedFiles
from hero_admin.web.templating import environment

# Templates are compiled for each prefix, which may hold a parameter of the application outside.
MAX_PREFIXES = 32


def create_app(
    settings: Settings,
    resources: Sequence[Resource],
    *,
    title: str = TITLE,
    look: Look | None = None,
    pages: Sequence[OwnPage] = (),
    host_sign_in: HostSignIn | None = None,
    is_mounted: bool = False,
    database: Database | None = None,
    has_history: bool = True,
    actions: Sequence[Action] = (),
    runs_jobs: bool = False,
) -> Starlette:
    """Return the application that administers resources.

    look: its title, colour, templates and menu; by default those of the library, with `title`.
    pages: those of the application itself.
    host_sign_in: how the application outside knows who is asking, None for accounts of the library.
    is_mounted: whether the application outside decides to which hosts it answers, sends HSTS and
        logs requests.
    database: that of the settings, where it is connected already.
    has_history: whether the database has the library's tables.
    actions: those on no records in particular.
    runs_jobs: whether jobs are done in this process, while its lifespan lasts.
    """
    look = look or Look(title)
    database = database or connect(settings, resources)
    site = Site(resources, others=(audit.RESOURCE,), has_history=has_history, actions=actions)
    seen_sites = SeenSites(site)
    api = create_api(site, look.title, has_accounts=host_sign_in is None)
    api.state.settings = settings
    auth = auth_for(settings, database, has_tables=has_history)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with database.opened():
            if app.state.worker is not None:
                app.state.worker.start()
            yield
            if app.state.worker is not None:
                await app.state.worker.stop()
            await auth.close()

    app = Starlette(
        routes=[
            Route("/", needs(Role.VIEWER, overview.overview), name="overview"),
            Route("/theme", overview.choose_theme, methods=["POST"], name="theme"),
            Route("/healthz", healthz),
            Route("/readyz", readyz),
            Mount("/static", VersionedFiles(look.assets), name="static"),
            Route("/api/docs", needs(Role.VIEWER, docs_page), name="api-docs"),
            Mount("/api", api, name="api"),
            RoutesBySegment(
                [
                    *(history_routes(site) if has_history else ()),
                    *(host_routes() if host_sign_in else account_routes()),
                    *global_action_routes(site),
                    *own_routes(pages),
                    *routes_of(site),
                ]
            ),
        ],
        middleware=[
            Middleware(MountMiddleware),
            *([] if is_mounted else [Middleware(AccessLogMiddleware)]),
            Middleware(CompressMiddleware),
            Middleware(
                ProtectionMiddleware,
                max_body_bytes=settings.max_body_bytes,
                body_seconds=settings.body_timeout_seconds,
                hosts=() if is_mounted and not settings.allowed_hosts else known_hosts(settings),
                fetch_pending=fetch_pending,
                ignores_cookies=host_sign_in is None,
                is_mounted=is_mounted,
            ),
            Middleware(ErrorsMiddleware, fetch_pending=fetch_pending),
            Middleware(
                SessionMiddleware,
                database=database,
                timeout_seconds=settings.request_timeout_seconds,
            ),
            Middleware(EventsMiddleware, log=auth.events),
            Middleware(HostIdentityMiddleware, sign_in=host_sign_in)
            if host_sign_in
            else Middleware(IdentityMiddleware, auth=auth, is_open=settings.auth == "off"),
            Middleware(RightsMiddleware, seen_sites=seen_sites),
        ],
        exception_handlers={
            HTTPException: answer_http_exception,
            SignedOut: (host_sign_in or sign_in).answer_signed_out,
        },
        lifespan=lifespan,
    )
    app.router.redirect_slashes = False
    app.state.settings = settings
    app.state.title = title
    app.state.database = database
    app.state.site = site
    app.state.seen_sites = seen_sites
    app.state.auth = auth
    is_working = runs_jobs and has_history and settings.jobs == "on"
    app.state.worker = (
        Worker(database, seen_sites, fetch_as_now, auth.events) if is_working else None
    )
    api.state.worker = app.state.worker
    app.state.exports = asyncio.Semaphore(max(1, settings.pool_size // 3))
    app.state.templates = lru_cache(MAX_PREFIXES)(partial(environment, app, look))
    return app
