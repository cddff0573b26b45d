"""Guards: handlers require a signed-in user with a role."""

from collections.abc import Awaitable, Callable, Coroutine, Mapping
from functools import wraps
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from hero_admin.person import Person, Role
from hero_admin.rights import Permission, is_granted

Handler = Callable[[Request], Awaitable[Response]]
# What a handler requires: a role and those above it, or a permission.
Need = Role | Permission
# Returns the page that asks for a proof of identity, None if there was one lately.
AskProof = Callable[[Request], Awaitable[Response | None]]

NOT_SIGNED_IN = "Sign in to continue."
OPEN_THIS, DO_THIS = "open this page", "do this"


def identity_of(request: Request) -> Person:
    """Return who is asking; 401 if nobody is signed in."""
    identity: Person | None = request.state.identity
    if identity is None:
        raise HTTPException(401, NOT_SIGNED_IN)
    return identity


def refuse(identity: Person, need: Need, what: str = DO_THIS) -> None:
    """Raise 403 if a person may not do `what`."""
    needed = Permission(need, what) if isinstance(need, Role) else need
    if not needed.allows(identity):
        raise HTTPException(403, needed.refusal(identity))


# Any: the values of `request.state`.
def is_still_allowed(state: Mapping[str, Any], identity: Person | None) -> bool:
    """Whether the sender of a request, as they are now, may still have its answer."""
    need: Need = state["needed"]
    if identity is None or not is_granted(need if isinstance(need, Role) else need.grant, identity):
        return False
    # With other rights they may see other records.
    return identity == state["identity"] or not state.get("has_grants")


# Any: what coroutines yield and are sent.
def needs(need: Need, handler: Handler) -> Callable[[Request], Coroutine[Any, Any, Response]]:
    """Return the handler for users with at least this role or permission; 401 or 403 for others."""

    @wraps(handler)
    async def guarded(request: Request) -> Response:
        # It is checked again when something is written.
        request.state.needed = need
        is_page = request.method in ("GET", "HEAD")
        refuse(identity_of(request), need, OPEN_THIS if is_page else DO_THIS)
        return await handler(request)

    # For the test that every route requires one.
    guarded.needed = need  # type: ignore[attr-defined]
    return guarded


def proved(handler: Handler) -> Handler:
    """Return the handler for people who have proved lately who they are.

    Others are asked first, and what they sent goes on afterwards. The application outside asks for
    itself, where people sign in to that one.
    """

    @wraps(handler)
    async def asking(request: Request) -> Response:
        ask: AskProof | None = request.scope["state"].get("ask_proof")
        answer = await ask(request) if ask else None
        return answer or await handler(request)

    return asking
