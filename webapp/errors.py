"""Errors: what a person or a program is told when something cannot be done."""

import logging
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Match
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from webapp.database import SAFE_METHODS
from webapp.templating import is_partial, render
from webapp.unavailable import RefusedAtCommit, Trouble, is_no_value, trouble_of

RETRY_AFTER_SECONDS = 2
# Until somebody makes room, or another server is made the one that is written to.
REPAIR_SECONDS = 10
UNAVAILABLE = "The database is busy or cannot be reached. Nothing was saved; try again in a moment."
UNANSWERED = "The database is busy, out of reach or asked for too much; try again in a moment."
CANNOT_SAVE = "Saving is not possible now"
REFUSED = "This cannot be saved"
FULL = (
    "The disk of the database is full. Nothing was saved; what is stored can still be read."
    " Whoever runs this server has to make room."
)
READ_ONLY = (
    "The database may only be read at the moment. Nothing was saved; try again later,"
    " or tell whoever runs this server."
)
BROKEN = "This is our mistake. Nothing was saved, and the server has written down what happened."
NO_VALUE = "There is a value in this request that the database cannot take."
TITLES = {
    400: "That request cannot be read",
    403: "That is not allowed",
    404: "Not found",
    405: "That is not possible here",
    408: "That took too long",
    410: "This link no longer works",
    413: "That is too much at once",
    414: "That is too much at once",
    415: "That is not a form",
    431: "That is too much at once",
    500: "Something went wrong",
    503: "One moment, please",
}

# What the page of an error needs to know of the form that was sent, for a template alone.
FetchPending = Callable[[Scope], Awaitable[object]]

logger = logging.getLogger("webapp.errors")


class Invalid(Exception):
    """Input that cannot be stored: a sentence for each bad field, "" for the whole record."""

    def __init__(self, sentences: Mapping[str, str]) -> None:
        super().__init__("; ".join(sentences.values()))
        self.sentences = dict(sentences)


class Overtaken(Invalid):
    """Input that was right when its page was opened, until somebody else changed something."""


class ErrorsMiddleware:
    """Answers for an exception that no handler expected: 503 if the database is away, else 500.

    What the database refuses only when all is committed is a 409.

    It stands outside the database session, so a commit that fails is answered here as well. The
    page holds the form that was to be saved, which `fetch_pending` returns if there is one.
    """

    def __init__(self, app: ASGIApp, fetch_pending: FetchPending) -> None:
        self.app = app
        self.fetch_pending = fetch_pending

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        has_started = False

        async def send_and_note(message: Message) -> None:
            nonlocal has_started
            has_started = True
            await send(message)

        try:
            await self.app(scope, receive, send_and_note)
        except Exception as error:
            if has_started:
                raise
            pending = await self.fetch_pending(scope)
            response = response_to(Request(scope), error, pending)
            await response(scope, receive, send)


def response_to(request: Request, error: Exception, pending: object = None) -> Response:
    """Return the answer to a request that ended in `error`, with its form to be sent again."""
    if isinstance(error, RefusedAtCommit):
        sentence = f"{error} Nothing was saved."
        return error_response(request, 409, sentence, title=REFUSED, pending=pending)
    trouble = trouble_of(error)
    if trouble is None and is_no_value(error):
        return error_response(request, 400, NO_VALUE)
    if trouble is None:
        logger.error("Unexpected error", exc_info=error)
        return error_response(request, 500, BROKEN, pending=pending)
    logger.warning("Database %s: %s", trouble.value, type(error).__name__)
    if trouble is Trouble.BUSY:
        headers = {"Retry-After": str(RETRY_AFTER_SECONDS)}
        sentence = UNANSWERED if request.method in SAFE_METHODS else UNAVAILABLE
        return error_response(request, 503, sentence, headers, pending=pending)
    headers = {"Retry-After": str(REPAIR_SECONDS)}
    sentence = FULL if trouble is Trouble.FULL else READ_ONLY
    return error_response(request, 503, sentence, headers, title=CANNOT_SAVE, pending=pending)


async def answer_http_exception(request: Request, error: Exception) -> Response:
    """Answer an HTTPException; Starlette names only one route's methods for 405, this names all."""
    assert isinstance(error, HTTPException)
    headers = dict(error.headers or {})
    if error.status_code == 405:
        headers["Allow"] = ", ".join(sorted(_allowed_methods(request)))
    detail = error.detail
    if detail == HTTPStatus(error.status_code).phrase:
        detail = ""
    return error_response(request, error.status_code, detail, headers)


def error_response(
    request: Request,
    status: int,
    detail: str,
    headers: Mapping[str, str] | None = None,
    title: str = "",
    pending: object = None,
) -> Response:
    """Return an error as the client can use it: JSON, a page, or only its words for htmx."""
    title = title or TITLES.get(status, HTTPStatus(status).phrase)
    if request.url.path.startswith("/api/"):
        return JSONResponse({"detail": detail or title}, status, headers)
    context = {"status": status, "title": title, "detail": detail, "pending": pending}
    try:
        fragment = "main" if is_partial(request) else ""
        response = render(request, "error.html", context, status, fragments=(), fragment=fragment)
    except Exception:
        logger.exception("The error page cannot be shown")
        return PlainTextResponse(f"{title}\n{detail}\n", status, headers)
    response.headers.update({"Vary": "HX-Request-Type", **(headers or {})})
    return response


def _allowed_methods(request: Request) -> set[str]:
    """Return the methods of the path that is meant: “new” also matches “{id}”, but is none."""
    routes: list[BaseRoute] = request.app.router.routes
    matching = [route for route in routes if route.matches(request.scope)[0] is not Match.NONE]
    path = getattr(matching[0], "path", "") if matching else ""
    methods = {
        method
        for route in matching
        if getattr(route, "path", "") == path
        for method in getattr(route, "methods", None) or ()
    }
    # A folder of files has no methods of its own.
    return methods or {"GET", "HEAD"}
