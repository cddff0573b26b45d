"""Throttle: guessing is slowed, for each account and for each address, from the fifth guess on."""

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import IPv6Address, ip_address
from math import ceil

from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import Field, SQLModel, col

from webapp.accounts.users import fold_name

FREE_GUESSES = 4
FIRST_DELAY = timedelta(seconds=1)
# Short for an account, so that nobody shuts its owner out.
LONGEST_ACCOUNT_DELAY = timedelta(minutes=1)
LONGEST_ADDRESS_DELAY = timedelta(minutes=15)
KEPT = timedelta(hours=24)
# Doubled so often a second is longer than any delay.
MOST_DOUBLINGS = 20


class Guesses(SQLModel, table=True):
    """The wrong passwords of late for one account, or from one address."""

    __tablename__ = "guesses"

    digest: str = Field(primary_key=True, max_length=64)
    count: int
    last_at: datetime = Field(index=True)
    blocked_until: datetime | None = None


@dataclass(frozen=True)
class Subject:
    """What is slowed; keyed, as people type a password where a name belongs."""

    digest: str
    longest_delay: timedelta


@dataclass(frozen=True)
class Attempt:
    """Whether a password is looked at now, and how long until the next one is."""

    is_allowed: bool
    wait_seconds: int


def subjects_of(secret_key: str, name: str, address: str) -> tuple[Subject, Subject]:
    """Return the account and the address of an attempt, in the order in which they are locked."""

    def digest(text: str) -> str:
        return hmac.new(secret_key.encode(), text.encode(), hashlib.sha256).hexdigest()

    return (
        Subject(digest(f"name {fold_name(name)}"), LONGEST_ACCOUNT_DELAY),
        Subject(digest(f"address {_network_of(address)}"), LONGEST_ADDRESS_DELAY),
    )


async def claim_attempt(session: AsyncSession, subjects: tuple[Subject, Subject]) -> Attempt:
    """Count a guess before it is looked at.

    The caller commits at once, so that a hundred guesses made at the same time are a hundred.
    """
    now = datetime.now(UTC)
    rows = [await _lock(session, subject, now) for subject in subjects]
    is_allowed = _seconds(rows, now) == 0
    if is_allowed:
        for subject, row in zip(subjects, rows, strict=True):
            row.count = row.count + 1 if row.last_at > now - KEPT else 1
            row.last_at = now
            row.blocked_until = _blocked_until(row.count, subject.longest_delay, now)
        await session.flush()
    return Attempt(is_allowed, _seconds(rows, now))


async def forgive(session: AsyncSession, subjects: tuple[Subject, Subject]) -> None:
    """Take back what `claim_attempt` counted, as it was no guess; the account begins anew."""
    account, address = [await _lock(session, each, datetime.now(UTC)) for each in subjects]
    await session.delete(account)
    # Others may guess from the same address: only this attempt is taken back.
    address.count = max(0, address.count - 1)
    address.blocked_until = None
    await session.flush()
    await _remove_old(session)


def _seconds(rows: Sequence[Guesses], now: datetime) -> int:
    waits = [row.blocked_until - now for row in rows if row.blocked_until is not None]
    return max(0, ceil(max(waits, default=timedelta()).total_seconds()))


def _blocked_until(count: int, longest_delay: timedelta, now: datetime) -> datetime | None:
    if count <= FREE_GUESSES:
        return None
    doublings = min(count - FREE_GUESSES - 1, MOST_DOUBLINGS)
    delay: timedelta = FIRST_DELAY * 2**doublings
    return now + min(delay, longest_delay)


async def _lock(session: AsyncSession, subject: Subject, now: datetime) -> Guesses:
    found = select(Guesses).where(col(Guesses.digest) == subject.digest).with_for_update()
    row = await session.scalar(found)
    if row is not None:
        return row
    row = Guesses(digest=subject.digest, count=0, last_at=now)
    try:
        async with session.begin_nested():
            session.add(row)
    except IntegrityError:
        # Another attempt has made it meanwhile.
        return (await session.scalars(found)).one()
    return row


async def _remove_old(session: AsyncSession) -> None:
    old = select(col(Guesses.digest)).where(col(Guesses.last_at) < datetime.now(UTC) - KEPT)
    old = old.with_for_update(skip_locked=True)
    await session.execute(delete(Guesses).where(col(Guesses.digest).in_(old)))


def _network_of(address: str) -> str:
    """Return the address, or of a newer one the network, all of which one person has."""
    try:
        # Behind “%” stands the card by which a neighbour came.
        parsed = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(parsed, IPv6Address):
        return str(parsed.ipv4_mapped or parsed.exploded[:19])
    return str(parsed)
