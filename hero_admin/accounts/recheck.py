"""Recheck: who asks, and that they still may, settled again where a request begins to write.

Its body may have taken minutes to arrive, in which its sender was shut out.
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
from hero_admin.person import Identity, Role
from hero_admin.web.guards import Handler, refuse_role

# Any number that no other application of the same database takes for its own lock.
ACCOUNTS_LOCK = 5_214_002

# Who it is as of now, locked until the transaction ends; None if they are in no longer.
Lock = Callable[[Connection], Identity | None]


class SignedOut(HTTPException):
    """A request whose sender was signed out or shut out while its body was under way."""


# Any: what `request.state` holds.
def recheck_writes(
    session: AsyncSession, state: MutableMapping[str, Any], lock: Lock, gone: SignedOut
) -> None:
    """Ask again at the beginning of each transaction of a session: 401 or 403 if they may not.

    It is asked with a lock that whoever shuts somebody out has to wait for. So it holds up to the
    commit, and what the request itself does to its own sender counts from the next one on.
    """

    def ask(_: Session, transaction: SessionTransaction, connection: Connection) -> None:
        role: Role | None = state.get("needed_role")
        if transaction.nested or role is None:
            return
        if state.get("is_about_accounts"):
            transactions.take_turn(connection, ACCOUNTS_LOCK)
        identity = lock(connection)
        if identity is None:
            raise gone
        state["identity"] = identity
        refuse_role(identity, role)

    event.listen(session.sync_session, "after_begin", ask)


async def take_turn(session: AsyncSession) -> None:
    """Wait until nobody else changes accounts, before any of them is locked.

    Two owners who disable each other would each have locked themselves and wait for the other.
    """
    await (await session.connection()).run_sync(transactions.take_turn, ACCOUNTS_LOCK)


def about_accounts(handler: Handler) -> Handler:
    """Return the handler, whose transactions take turns from their beginning."""

    @wraps(handler)
    async def marked(request: Request) -> Response:
        request.state.is_about_accounts = True
        return await handler(request)

    return marked
