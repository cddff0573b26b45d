"""After the commit: what is called once a transaction is committed, and never otherwise."""

import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session, SessionTransaction

Callback = Callable[[], Awaitable[None]]
# A callback, and the savepoints it depends on.
Waiting = tuple[Callback, list[SessionTransaction]]

KEY = "after commit"

logger = logging.getLogger("hero_admin.database")


def call_after_commit(session: AsyncSession, callback: Callback) -> None:
    """Call a function after the transaction, unless that or a savepoint now open is rolled back."""
    if KEY not in session.info:
        session.info[KEY] = []
        event.listen(session.sync_session, "after_soft_rollback", _forget)
    savepoints = []
    nested = session.sync_session.get_nested_transaction()
    while nested is not None:
        savepoints.append(nested)
        nested = nested.parent
    session.info[KEY].append((callback, savepoints))


async def commit(session: AsyncSession) -> None:
    """Commit, then call what waits for it."""
    await session.commit()
    await call_all(take_waiting(session))


def take_waiting(session: AsyncSession) -> Sequence[Callback]:
    """Return what waits for the commit of a session, which is done."""
    waiting: list[Waiting] = session.info.pop(KEY, [])
    return [callback for callback, _ in waiting]


async def call_all(callbacks: Sequence[Callback]) -> None:
    """Call functions one after the other; an error is logged, as what they follow is done."""
    for callback in callbacks:
        try:
            await callback()
        except Exception:
            logger.exception("What follows a commit failed")


def _forget(session: Session, transaction: SessionTransaction) -> None:
    # Any: SQLAlchemy's `info` has values of any type.
    waiting: list[Any] = session.info.get(KEY, [])
    waiting[:] = [each for each in waiting if transaction.nested and transaction not in each[1]]
