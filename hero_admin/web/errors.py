"""Errors: their responses, as a page, a fragment or JSON."""

import logging
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Match
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hero_admin.database.errors import RefusedAtCommit, Trouble, is_lacking, is_no_value, trouble_of
from hero_admin.web.mount import local_path
from hero_admin.web.requests import SAFE_METHODS
from hero_admin.web.responses import is_partial, render
from hero_admin.web.routing import each_route

RETRY_AFTER_SECONDS = 2
# Until space is freed, or a standby becomes the primary.
REPAIR_SECONDS = 10
UNAVAILABLE = "The database is busy or unreachable. Nothing was saved. Try again in a moment."
UNANSWERED = "The database is busy or unreachable, or this took too long. Try again in a moment."
# The title of the page for a request that is refused for its origin.
BLOCKED = "Request blocked"
CANNOT_SAVE = "Can't save right now"
REFUSED = "Can't save this"
FULL = (
    "The disk of the database is full. Nothing was saved, but you can still read everything."
    " Ask whoever runs this server to free up space."
)
READ_ONLY = (
    "The database is read-only at the moment. Nothing was saved. Try again later,"
    " or ask whoever runs this server."
)
BROKEN = "Something failed on our side. Nothing was saved, and the error has been logged."
UNMIGRATED = "The database doesn't match the models"
LACKING = (
    "The database lacks a table or a column, which the log names. Nothing was saved."
    " Ask whoever runs this server to migrate it."
)
NO_VALUE = "The request contains a value that the database can't store."
TITLES = {
    400: "Bad request",
    403: "You don't have access",
    404: "Not found",
    405: "Method not allowed",
    408: "The request timed out",
    410: "This link no longer works",
    413: "Request too large",
    414: "Address too long",
    415: "Unsupported format",
    429: "Too many requests",
    431: "Headers too large",
    500: "Something went wrong",
    503: "The database is busy",
}

# Fetches the form that was sent, which the page of an error offers to send again.
FetchPending = Callable[[Scope], Awaitable[object]]

logger = logging.getLogger("hero_admin.web.errors")


class Invalid(Exception):
    """What cannot be stored: `Invalid("Heroes under 18 can't be in a team.", Hero.team_id)`.

    said: the sentence, or one for each bad field, "" for the whole record.
    fields: the fields that one sentence is about; none for the whole record.

    A field is an attribute of a model, or its name, as in the form of an action.
    """

    # Any: attributes of a model are typed as the values they hold.
    def __init__(self, said: str | Mapping[Any, str], *fields: Any) -> None:
        if isinstance(said, str):
            said = dict.fromkeys(fields, said) or {"": said}
        self.sentences = {_name_of(field): sentence for field, sentence in said.items()}
        super().__init__(self.sentences)

    def __str__(self) -> str:
        return "; ".join(dict.fromkeys(self.sentences.values()))


# Any: the same.
def _name_of(field: Any) -> str:
    name = field if isinstance(field, str) else getattr(field, "key", None)
    if not isinstance(name, str):
        raise TypeError(f"Invalid takes fields, such as Hero.team_id, not {field!r}.")
    return name


class Overtaken(Invalid):
    """Input that was valid when its page was opened, before someone else changed something."""


class ErrorsMiddleware:
    """Answers for an exception that no handler expected: 503 if the database is away, else 500.

    What the database refuses at the commit is a 409.

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
    if is_lacking(error):
        logger.error("The database lacks a table or a column", exc_info=error)
        return error_response(request, 503, LACKING, title=UNMIGRATED, pending=pending)
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
    if detail == _phrase(error.status_code):
        detail = ""
    return error_response(request, error.status_code, detail, headers)


def error_response(
    request: Request,
    status: int,
    detail: str,
    headers: Mapping[str, str] | None = None,
    title: str = "",
    pending: object = None,
    frame: Mapping[str, object] | None = None,
) -> Response:
    """Return an error in the form the client expects: JSON, a page, or only its text for htmx.

    frame: what is around the page, where that is not what is around all others.
    """
    title = title or TITLES.get(status, _phrase(status))
    if local_path(request.scope).startswith("/api/"):
        return JSONResponse({"detail": detail or title}, status, headers)
    context = {"status": status, "title": title, "detail": detail, "pending": pending}
    context |= frame or {}
    try:
        fragment = "main" if is_partial(request) else ""
        response = render(request, "error.html", context, status, fragments=(), fragment=fragment)
    except Exception:
        logger.exception("The error page cannot be shown")
        return PlainTextResponse(f"{title}\n{detail}\n", status, headers)
    response.headers.update({"Vary": "HX-Request-Type", **(headers or {})})
    return response


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Error"


def _allowed_methods(request: Request) -> set[str]:
    """Return the methods of the path that is meant: “new” also matches “{id}”, but is none."""
    routes = each_route(request.app.routes)
    matching = [route for route in routes if route.matches(request.scope)[0] is not Match.NONE]
    path = getattr(matching[0], "path", "") if matching else ""
    methods = {
        method
        for route in matching
        if getattr(route, "path", "") == path
        for method in getattr(route, "methods", None) or ()
    }
    # A mounted folder has no methods of its own.
    return methods or {"GET", "HEAD"}
