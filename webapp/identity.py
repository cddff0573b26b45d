"""Identity: who is asking and what they may do, a frozen value in every request."""

from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from enum import StrEnum
from functools import wraps
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

Handler = Callable[[Request], Awaitable[Response]]

NOT_SIGNED_IN = "Sign in to continue."


class Role(StrEnum):
    """What a person may do; each role may do what those before it may."""

    VIEWER = "viewer"
    EDITOR = "editor"
    OWNER = "owner"

    def includes(self, other: "Role") -> bool:
        """Whether this role may do all that `other` may."""
        return RANKS[self] >= RANKS[other]


RANKS = {role: rank for rank, role in enumerate(Role)}


@dataclass(frozen=True)
class Identity:
    """Who is asking. `user_id` is None where nobody has an account: WEBAPP_AUTH=off, commands."""

    user_id: int | None
    name: str
    role: Role

    @property
    def can_edit(self) -> bool:
        return self.role.includes(Role.EDITOR)

    @property
    def is_owner(self) -> bool:
        return self.role is Role.OWNER

    @property
    def initials(self) -> str:
        words = self.name.split()
        return (words[0][:1] + words[-1][:1] if len(words) > 1 else self.name[:2]).upper()


# With WEBAPP_AUTH=off.
ANYONE = Identity(None, "Anyone", Role.OWNER)
# Who may run commands on the server may do everything.
COMMAND_LINE = Identity(None, "Command line", Role.OWNER)


def identity_of(request: Request) -> Identity:
    """Return who is asking; 401 if nobody is signed in."""
    identity: Identity | None = request.state.identity
    if identity is None:
        raise HTTPException(401, NOT_SIGNED_IN)
    return identity


def check_role(request: Request, role: Role) -> None:
    """Raise 401 if nobody is signed in, 403 if who is may not do what `role` may."""
    is_read = request.method in ("GET", "HEAD")
    refuse_role(identity_of(request), role, "open this page" if is_read else "do this")


def refuse_role(identity: Identity, role: Role, what: str = "do this") -> None:
    """Raise 403 if somebody may not do what `role` may."""
    if not identity.role.includes(role):
        article = "a" if identity.role is Role.VIEWER else "an"
        who = f"{article} {identity.role.value}"
        raise HTTPException(403, f"Only {role.value}s can {what}. You're signed in as {who}.")


# Any: what coroutines are sent and send is nobody's business.
def needs(role: Role, handler: Handler) -> Callable[[Request], Coroutine[Any, Any, Response]]:
    """Return the handler, closed to whoever has not at least this role."""

    @wraps(handler)
    async def guarded(request: Request) -> Response:
        # For whoever asks again, when there is something to be written, whether they still may.
        request.state.needed_role = role
        check_role(request, role)
        return await handler(request)

    # For the test that no route is open by mistake.
    guarded.needed_role = role  # type: ignore[attr-defined]
    return guarded
