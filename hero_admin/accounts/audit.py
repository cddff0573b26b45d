"""Audit: changes of accounts, in the history; these and sign-ins, as events and in the log."""

import logging

from sqlalchemy.ext.asyncio import AsyncSession

from hero_admin.accounts.users import User
from hero_admin.audit_log import changes
from hero_admin.audit_log.changes import Entry, Kind, Operation, Values
from hero_admin.audit_log.events import EventKind
from hero_admin.audit_log.request_events import note, note_failure
from hero_admin.person import Person
from hero_admin.web.access_log import quoted

# The name of accounts in the history and in the audit log.
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
    details = {name: new for name, new in facts.items() if new is not None}
    told = {"resource": RESOURCE, "key": str(user.id), "title": user.name, "details": details}
    note(session, event, operation.by, **told)
    logger.info("%s", _line(event, user=user.name, **facts, by=operation.by.name))


def note_sign_in(session: AsyncSession, event: str, by: Person, address: str) -> None:
    """Tell of somebody who has signed in or out, or proved who they are."""
    note(session, event, by)
    logger.info("%s", _line(event, user=by.name, address=address))


def note_failed_sign_in(
    session: AsyncSession,
    account: str,
    address: str,
    event: str = EventKind.SIGN_IN_FAILED,
    *,
    is_counted: bool = True,
) -> None:
    """Tell of a failed attempt; one that was refused before the password was checked is no event.

    account: the name of the account, never what was typed: people type a password there.
    """
    if is_counted:
        note_failure(session, event, by_name=account, by_id=None)
    logger.info("%s", _line(event, user=account, address=address))


def _line(event: str, **facts: object) -> str:
    return " ".join(
        [f"event={event}", *(f"{name}={quoted(str(value))}" for name, value in facts.items())]
    )
