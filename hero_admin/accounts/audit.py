"""Audit: changes of accounts, in the audit log and the log; sign-ins, in the log."""

import logging

from sqlalchemy.ext.asyncio import AsyncSession

from hero_admin.accounts.users import User
from hero_admin.audit_log import changes
from hero_admin.audit_log.changes import Entry, Kind, Operation, Values
from hero_admin.web.access_log import quoted

# The name of accounts in the audit log.
RESOURCE = "people"

logger = logging.getLogger("hero_admin.accounts")


async def record(
    session: AsyncSession, operation: Operation, event: str, user: User, values: Values
) -> None:
    """Write a change of an account, and record it in its transaction."""
    await session.flush()
    kind = Kind.CREATED if event == "account_added" else Kind.CHANGED
    entry = Entry(RESOURCE, str(user.id), user.name, kind, values)
    await changes.record(session, operation, [entry])
    facts = {name: new for name, (_, new) in values.items()}
    logger.info("%s", _line(event, user=user.name, **facts, by=operation.by.name))


def note(event: str, **facts: object) -> None:
    """Log an event of signing in or out; none of the facts may be secret."""
    logger.info("%s", _line(event, **facts))


def _line(event: str, **facts: object) -> str:
    return " ".join(
        [f"event={event}", *(f"{name}={quoted(str(value))}" for name, value in facts.items())]
    )
