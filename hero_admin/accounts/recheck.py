"""Recheck: identity and rights, checked again when a request begins to write.

Its body may have taken minutes to arrive, in which its sender may have lost access.
"""

from collections.abc import Callable, MutableMapping
from functools import wraps
from typing import Any

from sqlalchemy import Connection, event
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session, SessionTransaction
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from hero_admin.database import transactions
from hero_admin.person import Person
from hero_admin.web.guards import Handler, Need, refuse

# An arbitrary key for the advisory lock of this library.
ACCOUNTS_LOCK = 5_214_002

CHANGED = "Your permissions have just changed. Reload the page."
# The identity as of now, locked until the transaction ends; None if its session has ended.
Lock = Callable[[Connection], Person | None]


class SignedOut(HTTPException):
    """A request whose sender was signed out or disabled while its body arrived."""


# Any: the values of `request.state`.
def recheck_writes(
    session: AsyncSession, state: MutableMapping[str, Any], lock: Lock, gone: SignedOut
) -> None:
    """Check again at the beginning of each transaction of a session; raise 401 or 403.

    The check takes a lock for which disabling an account waits, so it holds until the commit. A
    change of the sender's own account takes effect with the next request.
    """

    def ask(_: Session, transaction: SessionTransaction, connection: Connection) -> None:
        need: Need | None = state.get("needed")
        if transaction.nested or need is None:
            return
        if state.get("is_about_accounts"):
            transactions.take_turn(connection, ACCOUNTS_LOCK)
        identity = lock(connection)
        if identity is None:
            raise gone
        if identity != state["identity"] and state.get("has_grants"):
            raise HTTPException(403, CHANGED)
        state["identity"] = identity
        refuse(identity, need)

    event.listen(session.sync_session, "after_begin", ask)


async def take_turn(session: AsyncSession) -> None:
    """Wait until nobody else changes accounts, before locking any.

    Otherwise two owners who disable each other would deadlock.
    """
    await (await session.connection()).run_sync(transactions.take_turn, ACCOUNTS_LOCK)


def about_accounts(handler: Handler) -> Handler:
    """Return the handler, whose transactions take turns from their beginning."""

    @wraps(handler)
    async def marked(request: Request) -> Response:
        request.state.is_about_accounts = True
        return await handler(request)

    return marked
