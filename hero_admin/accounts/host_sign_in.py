"""Host sign-in: the application in which the admin is mounted says who is asking."""

import inspect
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from functools import partial
from time import monotonic

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hero_admin.accounts.middleware import ANONYMOUS, STRANGERS_BODY, STRANGERS_BYTES
from hero_admin.accounts.pending_form import fetch_pending
from hero_admin.accounts.recheck import CHANGED, SignedOut
from hero_admin.accounts.sign_in import is_for_programs
from hero_admin.person import Person, Role
from hero_admin.web.addresses import is_local, with_query, with_raw_query
from hero_admin.web.errors import answer_http_exception
from hero_admin.web.guards import NOT_SIGNED_IN, is_still_allowed
from hero_admin.web.mount import OUTSIDE, local_path, path_to
from hero_admin.web.requests import SAFE_METHODS, form_of
from hero_admin.web.responses import is_partial, redirect, render

# While a body takes longer to arrive, its sender may lose access.
PATIENCE_SECONDS = 1.0
# What the history holds.
MAX_NAME_CHARACTERS = 200

Authenticate = Callable[[Request], Awaitable[Person | None] | Person | None]


@dataclass(frozen=True)
class HostSignIn:
    """The sign-in of an application: a function that knows who is asking, and its page.

    authenticate: gets the request as the application sees it, and returns None for strangers. One
    that is no coroutine function runs in a thread.
    url: where people sign in, "" for nowhere; `?next=` names the page to come back to.
    """

    authenticate: Authenticate
    url: str = ""

    def url_from(self, request: Request, back: str) -> str:
        """Return the page of the sign-in, from which people come back to a page."""
        # What Starlette calls the prefix of the application outside.
        outer = request.scope.get("app_root_path", "") if self.url.startswith("/") else ""
        return with_query(f"{outer}{self.url}", next=back)

    async def fetch(self, scope: Scope) -> Person | None:
        """Return who sent a request. Raises TypeError for anybody but a Person."""
        request = Request(scope[OUTSIDE])
        try:
            if inspect.iscoroutinefunction(self.authenticate):
                found = await self.authenticate(request)
            else:
                found = await run_in_threadpool(self.authenticate, request)
                found = await found if inspect.isawaitable(found) else found
        except HTTPException as error:
            # As the dependencies of FastAPI refuse.
            if error.status_code != 401:
                raise
            return None
        return _checked(found)

    async def refuse(self, request: Request) -> Response:
        """Send a stranger to sign in; what was to be saved stays in the page."""
        is_page, is_safe = not is_partial(request), request.method in SAFE_METHODS
        if is_page:
            request.state.body.limit(STRANGERS_BYTES, STRANGERS_BODY)
        if is_for_programs(request):
            return JSONResponse({"detail": NOT_SIGNED_IN}, 401)
        if self.url and is_page and is_safe:
            return redirect(request, self.url_from(request, with_raw_query(request)))
        is_form = is_page and not is_safe
        pending = await fetch_pending(request.scope) if is_form else None
        context = {
            "pending": pending,
            "is_lost": is_form and pending is None,
            "back": with_raw_query(request) if is_page and is_safe else path_to(""),
            "sign_in_url": self.url and self.url_from(request, path_to("")),
        }
        fragment = "" if is_page else "sign_in"
        return render(
            request, "accounts/host-sign-in.html", context, 401, fragments=(), fragment=fragment
        )

    async def answer_signed_out(self, request: Request, _: Exception) -> Response:
        """Answer a request whose sender was signed out before all of it had arrived."""
        return await self.refuse(request)


def _checked(found: object) -> Person | None:
    """Return a person whose name fits into the history; no account of the library is theirs."""
    if found is None:
        return None
    if not isinstance(found, Person):
        kind = type(found).__name__
        raise TypeError(f"Admin(authenticate=) must return a Person or None, not {kind}.")
    # An application may have put anything in.
    given: tuple[object, object] = found.name, found.role
    if not isinstance(given[0], str) or given[1] not in list(Role):
        raise TypeError(
            "Admin(authenticate=) must return a Person whose name is a text and whose role is a"
            f" Role, not {given[0]!r} and {given[1]!r}."
        )
    name = found.name.replace("\0", "")[:MAX_NAME_CHARACTERS]
    return replace(found, name=name, role=Role(found.role), user_id=None)


async def signed_in(request: Request) -> Response:
    """POST /sign-in: goes on where somebody has signed in to the application meanwhile."""
    back = (await form_of(request)).get("back")
    if is_partial(request):
        return Response(status_code=204)
    return redirect(request, back if isinstance(back, str) and is_local(back) else path_to(""))


class HostIdentityMiddleware:
    """Sets `scope["state"]["identity"]` of each request to whom the application knows."""

    def __init__(self, app: ASGIApp, sign_in: HostSignIn) -> None:
        self.app = app
        self.sign_in = sign_in

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        scope["state"] |= {"identity": None, "may_still": partial(self._may_still, scope)}
        if local_path(scope).startswith(ANONYMOUS):
            await self.app(scope, receive, send)
            return
        request = Request(scope, receive)
        try:
            person = await self.sign_in.fetch(scope)
            answer = await self.sign_in.refuse(request) if person is None else self.app
        except HTTPException as error:
            person, answer = None, await answer_http_exception(request, error)
        scope["state"]["identity"] = person
        if person is not None and request.method not in SAFE_METHODS:
            receive = self._asking_again(scope, receive)
        await answer(scope, receive, send)

    def _asking_again(self, scope: Scope, receive: Receive) -> Receive:
        """Return what receives a body, and asks again who has sent it if that has taken long."""
        started = monotonic()

        async def received() -> Message:
            message = await receive()
            is_whole = message["type"] == "http.request" and not message.get("more_body", False)
            if is_whole and monotonic() - started >= PATIENCE_SECONDS:
                await self._ask_again(scope)
            return message

        return received

    async def _ask_again(self, scope: Scope) -> None:
        """Raise 401 or 403 for a person whom the application does not know like that any more."""
        person = await self.sign_in.fetch(scope)
        if person is None:
            scope["state"]["identity"] = None
            raise SignedOut(401, NOT_SIGNED_IN)
        if person != scope["state"]["identity"]:
            raise HTTPException(403, CHANGED)

    async def _may_still(self, scope: Scope) -> bool:
        return is_still_allowed(scope["state"], await self.sign_in.fetch(scope))
