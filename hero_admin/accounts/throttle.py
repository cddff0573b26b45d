"""Throttle: guessing is slowed, for each account and for each address, from the fifth guess on.

Whoever guesses at an account shall not keep its owner out. So a browser that has signed in to it
before has an allowance of its own; and an address that finds the account blocked by others waits
for a minute at most, counted from its own try, and is then looked at whatever they do.
"""

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
from sqlmodel import Field, col

from hero_admin.accounts.users import fold_name
from hero_admin.database.own_tables import OwnTable

FREE_GUESSES = 4
FIRST_DELAY = timedelta(seconds=1)
# Short for an account, so that nobody shuts its owner out.
LONGEST_ACCOUNT_DELAY = timedelta(minutes=1)
LONGEST_ADDRESS_DELAY = timedelta(minutes=15)
KEPT = timedelta(hours=24)
# Doubled so often a second is longer than any delay.
MAX_DOUBLINGS = 20


class Guesses(OwnTable, table=True):
    """The wrong passwords of late for one account, or from one address."""

    __tablename__ = "hero_admin_throttle"

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
class Guesser:
    """Who guesses at what, in the order in which they are locked.

    place: the turn of this address at this account. device: a browser known to the account, which
    is then all that counts.
    """

    address: Subject
    account: Subject
    place: Subject
    device: Subject | None = None


@dataclass(frozen=True)
class Attempt:
    """Whether a password is looked at now, and how long until the next one is."""

    is_allowed: bool
    wait_seconds: int


def guesser_of(secret_key: str, name: str, address: str, device: str = "") -> Guesser:
    """Return who guesses at the account of a name; `device` is proof of a browser known to it."""

    def digest(text: str) -> str:
        return hmac.new(secret_key.encode(), text.encode(), hashlib.sha256).hexdigest()

    name, network = fold_name(name), _network_of(address)
    return Guesser(
        Subject(digest(f"address {network}"), LONGEST_ADDRESS_DELAY),
        Subject(digest(f"name {name}"), LONGEST_ACCOUNT_DELAY),
        Subject(digest(f"place {network} {name}"), LONGEST_ACCOUNT_DELAY),
        Subject(digest(f"device {device}"), LONGEST_ADDRESS_DELAY) if device else None,
    )


async def is_blocked(session: AsyncSession, guesser: Guesser, now: datetime) -> Attempt | None:
    """Return how long to wait if that is sure without writing anything, None if it is not."""
    subject = guesser.device or guesser.address
    row = await session.get(Guesses, subject.digest)
    seconds = _seconds([row] if row else [], now)
    return Attempt(is_allowed=False, wait_seconds=seconds) if seconds else None


async def claim_attempt(session: AsyncSession, guesser: Guesser, now: datetime) -> Attempt:
    """Count a guess before it is looked at.

    The caller commits at once, so that a hundred guesses made at the same time are a hundred.
    """
    own = guesser.device or guesser.address
    row = await _lock(session, own, now)
    if _seconds([row], now):
        return Attempt(is_allowed=False, wait_seconds=_seconds([row], now))
    _count(row, own, now)
    if guesser.device:
        await session.flush()
        return Attempt(is_allowed=True, wait_seconds=_seconds([row], now))
    account = await _lock(session, guesser.account, now)
    turn = await session.get(Guesses, guesser.place.digest, with_for_update=True)
    is_allowed = not _seconds([account], now) or bool(turn and not _seconds([turn], now))
    if is_allowed:
        _count(account, guesser.account, now)
    # Whoever is refused waits for no more than the block that they met.
    if account.blocked_until is not None and (is_allowed or turn is None):
        turn = turn or await _lock(session, guesser.place, now)
        turn.last_at, turn.blocked_until = now, account.blocked_until
    await session.flush()
    return Attempt(is_allowed, _seconds([row, turn] if turn else [row, account], now))


async def forgive(session: AsyncSession, guesser: Guesser) -> None:
    """Take back what `claim_attempt` counted, as it was no guess; the account begins anew."""
    if guesser.device:
        await _forget(session, guesser.device)
        return
    address = await _lock(session, guesser.address, datetime.now(UTC))
    # Others may guess from the same address: only this attempt is taken back.
    address.count = max(0, address.count - 1)
    address.blocked_until = None
    await session.flush()
    await _forget(session, guesser.account, guesser.place)


def _count(row: Guesses, subject: Subject, now: datetime) -> None:
    row.count = row.count + 1 if row.last_at > now - KEPT else 1
    row.last_at = now
    row.blocked_until = _blocked_until(row.count, subject.longest_delay, now)


def _seconds(rows: Sequence[Guesses], now: datetime) -> int:
    waits = [row.blocked_until - now for row in rows if row.blocked_until is not None]
    return max(0, ceil(max(waits, default=timedelta()).total_seconds()))


def _blocked_until(count: int, longest_delay: timedelta, now: datetime) -> datetime | None:
    if count <= FREE_GUESSES:
        return None
    doublings = min(count - FREE_GUESSES - 1, MAX_DOUBLINGS)
    delay: timedelta = FIRST_DELAY * 2**doublings
    return now + min(delay, longest_delay)


async def _lock(session: AsyncSession, subject: Subject, now: datetime) -> Guesses:
    found = select(Guesses).where(col(Guesses.digest) == subject.digest).with_for_update()
    row = await session.scalar(found)
    if row is not None:
        return row
    await _remove_old(session)
    row = Guesses(digest=subject.digest, count=0, last_at=now)
    try:
        async with session.begin_nested():
            session.add(row)
    except IntegrityError:
        # Another attempt has made it meanwhile.
        return (await session.scalars(found)).one()
    return row


async def _forget(session: AsyncSession, *subjects: Subject) -> None:
    digests = [subject.digest for subject in subjects]
    await session.execute(delete(Guesses).where(col(Guesses.digest).in_(digests)))


async def _remove_old(session: AsyncSession) -> None:
    # One that was counted just now is not old.
    await session.flush()
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
