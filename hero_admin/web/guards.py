"""Guards: handlers require a signed-in user with a role."""

from collections.abc import Awaitable, Callable, Coroutine
from functools import wraps
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from hero_admin.person import Identity, Role

Handler = Callable[[Request], Awaitable[Response]]

NOT_SIGNED_IN = "Sign in to continue."


def identity_of(request: Request) -> Identity:
    """Return who is asking; 401 if nobody is signed in."""
    identity: Identity | None = request.state.identity
    if identity is None:
        raise HTTPException(401, NOT_SIGNED_IN)
    return identity


def refuse_role(identity: Identity, role: Role, what: str = "do this") -> None:
    """Raise 403 if the role of a user does not include `role`."""
    if not identity.role.includes(role):
        article = "a" if identity.role is Role.VIEWER else "an"
        who = f"{article} {identity.role.value}"
        raise HTTPException(403, f"Only {role.value}s can {what}. You're signed in as {who}.")


# Any: what coroutines yield and are sent.
def needs(role: Role, handler: Handler) -> Callable[[Request], Coroutine[Any, Any, Response]]:
    """Return the handler for users with at least this role; 401 or 403 for others."""

    @wraps(handler)
    async def guarded(request: Request) -> Response:
        # The role is checked again when something is written.
        request.state.needed_role = role
        what = "open this page" if request.method in ("GET", "HEAD") else "do this"
        refuse_role(identity_of(request), role, what)
        return await handler(request)

    # For the test that every route requires a role.
    guarded.needed_role = role  # type: ignore[attr-defined]
    return guarded
