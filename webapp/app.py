"""The application: wires settings, middleware and routes; the one module that knows every other."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from sqlalchemy import text
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Mount
from starlette_compress import CompressMiddleware

from webapp import overview
from webapp.access_log import AccessLogMiddleware
from webapp.accounts import pages as door
from webapp.accounts import trail
from webapp.accounts.door import door_for
from webapp.accounts.middleware import IdentityMiddleware
from webapp.accounts.pending import pending_form
from webapp.accounts.recheck import SignedOut
from webapp.accounts.routes import account_routes
from webapp.admin import past
from webapp.admin.resource import Resource
from webapp.admin.routes import routes_of
from webapp.admin.site import Site
from webapp.admin.sqlite_index import Refresher
from webapp.api.docs import docs_page
from webapp.api.later import LaterApi
from webapp.database import connect
from webapp.errors import ErrorsMiddleware, answer_http_exception
from webapp.garbage import keep_all, look_seldom
from webapp.hosts import known_hosts
from webapp.identity import Role, needs
from webapp.protection import ProtectionMiddleware
from webapp.resources import RESOURCES
from webapp.routing import Route
from webapp.server import end_with_supervisor
from webapp.settings import Settings, check_serving, load_settings
from webapp.static_files import VersionedFiles
from webapp.templating import environment
from webapp.transactions import SessionMiddleware


def create_app(settings: Settings, resources: Sequence[Resource] = RESOURCES) -> Starlette:
    """Return the whole application; it connects to its database with the first request."""
    database = connect(settings, Refresher(resources))
    site = Site(resources, others=(trail.RESOURCE,))
    api = LaterApi(site, settings)
    way_in = door_for(settings, database)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with database.opened():
            preparing = asyncio.create_task(api.prepare())
            yield
            preparing.cancel()
            await way_in.close()

    app = Starlette(
        routes=[
            Route("/", needs(Role.VIEWER, overview.overview), name="overview"),
            Route("/sign-in", door.sign_in_page, name="sign-in"),
            Route("/sign-in", door.sign_in, methods=["POST"]),
            Route("/sign-out", door.sign_out, methods=["POST"], name="sign-out"),
            Route("/welcome", door.welcome_page, name="welcome"),
            Route("/welcome", door.welcome, methods=["POST"]),
            Route("/theme", overview.choose_theme, methods=["POST"], name="theme"),
            Route("/healthz", healthz),
            Route("/readyz", readyz),
            Mount("/static", VersionedFiles(), name="static"),
            Route("/api/docs", needs(Role.VIEWER, docs_page), name="api-docs"),
            Mount("/api", api, name="api"),
            Route("/history", needs(Role.VIEWER, past.history_page), name="history"),
            Route(
                "/undo/{operation}",
                needs(Role.EDITOR, past.undo_operation),
                methods=["POST"],
                name="undo",
            ),
            *account_routes(),
            *routes_of(site),
        ],
        middleware=[
            Middleware(AccessLogMiddleware),
            Middleware(CompressMiddleware),
            Middleware(
                ProtectionMiddleware,
                max_body_bytes=settings.max_body_bytes,
                body_seconds=settings.body_timeout_seconds,
                hosts=known_hosts(settings),
                fetch_pending=pending_form,
            ),
            Middleware(ErrorsMiddleware, fetch_pending=pending_form),
            Middleware(
                SessionMiddleware,
                database=database,
                timeout_seconds=settings.request_timeout_seconds,
            ),
            Middleware(IdentityMiddleware, door=way_in, is_open=settings.auth == "off"),
        ],
        exception_handlers={
            HTTPException: answer_http_exception,
            SignedOut: door.answer_signed_out,
        },
        lifespan=lifespan,
    )
    app.router.redirect_slashes = False
    app.state.settings = settings
    app.state.database = database
    app.state.site = site
    app.state.door = way_in
    app.state.exports = asyncio.Semaphore(max(1, settings.pool_size // 3))
    app.state.templates = environment(app)
    return app


def app() -> Starlette:
    """Return the application of this process's environment, for uvicorn's workers."""
    application = create_app(check_serving(load_settings()))
    # Looking through it again and again makes some requests late.
    look_seldom()
    keep_all()
    end_with_supervisor()
    return application


async def healthz(_: Request) -> Response:
    """GET /healthz: the process is up."""
    return PlainTextResponse("ok\n")


async def readyz(request: Request) -> Response:
    """GET /readyz: the database answers, else 503."""
    await request.state.session.execute(text("SELECT 1"))
    return PlainTextResponse("ok\n")
