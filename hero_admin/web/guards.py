"""Guards: handlers require a signed-in user with a role."""

from collections.abc import Awaitable, Callable, Coroutine
from functools import wraps
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from hero_admin.person import A_ROLE, ROLE_PLURALS, Person, Role

Handler = Callable[[Request], Awaitable[Response]]
# Returns the page that asks for a proof of identity, None if there was one lately.
AskProof = Callable[[Request], Awaitable[Response | None]]

NOT_SIGNED_IN = "Sign in to continue."
NO_PAGE = "Only {roles} can open this page. You're signed in as {a_role}."
NOT_ALLOWED = "Only {roles} can do this. You're signed in as {a_role}."


def identity_of(request: Request) -> Person:
    """Return who is asking; 401 if nobody is signed in."""
    identity: Person | None = request.state.identity
    if identity is None:
        raise HTTPException(401, NOT_SIGNED_IN)
    return identity


def refuse_role(identity: Person, role: Role, sentence: str = NOT_ALLOWED) -> None:
    """Raise 403 if the role of a user does not include `role`."""
    if not identity.role.includes(role):
        who = {"roles": ROLE_PLURALS[role], "a_role": A_ROLE[identity.role]}
        raise HTTPException(403, sentence.format(**who))


# Any: what coroutines yield and are sent.
def needs(role: Role, handler: Handler) -> Callable[[Request], Coroutine[Any, Any, Response]]:
    """Return the handler for users with at least this role; 401 or 403 for others."""

    @wraps(handler)
    async def guarded(request: Request) -> Response:
        # The role is checked again when something is written.
        request.state.needed_role = role
        is_page = request.method in ("GET", "HEAD")
        refuse_role(identity_of(request), role, NO_PAGE if is_page else NOT_ALLOWED)
        return await handler(request)

    # For the test that every route requires a role.
    guarded.needed_role = role  # type: ignore[attr-defined]
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
