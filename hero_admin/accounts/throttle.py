"""Throttle: from the fifth failed attempt on, sign-ins are delayed, per account and per address.

An attack on an account must not lock its owner out. So a browser that has signed in to it before
has an allowance of its own; and an address that finds the account blocked by others waits for a
minute at most from its own attempt, which is then checked whatever they do.
"""

import hashlib
import hmac
from collections.abc import Sequence
from contextlib import suppress
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
from hero_admin.web.texts import ngettext

FREE_ATTEMPTS = 4
FIRST_DELAY = timedelta(seconds=1)
# Short for an account, so that nobody locks its owner out.
MAX_ACCOUNT_DELAY = timedelta(minutes=1)
MAX_ADDRESS_DELAY = timedelta(minutes=15)
# Long for codes, as whoever gets so far knows the password, and there are only a million.
MAX_CODE_DELAY = timedelta(hours=1)
RETENTION = timedelta(hours=24)
# A second doubled so often is longer than any delay.
MAX_DOUBLINGS = 20


class FailedAttempts(OwnTable, table=True):
    """The recent failed attempts at one account, or from one address."""

    __tablename__ = "hero_admin_throttle"

    digest: str = Field(primary_key=True, max_length=64)
    count: int
    last_at: datetime = Field(index=True)
    blocked_until: datetime | None = None


@dataclass(frozen=True)
class Subject:
    """What is delayed; a keyed digest, as people type a password into the name field."""

    digest: str
    max_delay: timedelta


@dataclass(frozen=True)
class Subjects:
    """What an attempt is counted for, in the order in which the rows are locked.

    device: a browser known to the account, which is then the only one.
    """

    address: Subject
    account: Subject
    address_at_account: Subject
    device: Subject | None = None


@dataclass(frozen=True)
class Allowance:
    """Whether a password or code is checked now, and the seconds until the next one is."""

    is_allowed: bool
    wait_seconds: int

    @property
    def wait_sentence(self) -> str:
        """The sentence that says how long to wait, "" if there is no need to."""
        wait = ngettext("a second", "{n} seconds", self.wait_seconds).format(n=self.wait_seconds)
        return f"Too many attempts. Wait {wait}, then try again." if self.wait_seconds else ""


def subjects_of(secret_key: str, name: str, address: str, device: str = "") -> Subjects:
    """Return the subjects of an attempt; `device` proves a browser known to the account."""
    name, network = fold_name(name), _network_of(address)

    def subject(text: str, max_delay: timedelta) -> Subject:
        return Subject(_digest(secret_key, text), max_delay)

    return Subjects(
        subject(f"address {network}", MAX_ADDRESS_DELAY),
        subject(f"name {name}", MAX_ACCOUNT_DELAY),
        subject(f"place {network} {name}", MAX_ACCOUNT_DELAY),
        subject(f"device {device}", MAX_ADDRESS_DELAY) if device else None,
    )


def second_subjects_of(secret_key: str, user_id: int, device: str = "") -> Subjects:
    """Return the subject of an attempt with a code: the account, whatever the address.

    A browser known to the account has an allowance of its own, as at the first step.
    """
    subject = Subject(_digest(secret_key, f"code {user_id} {device}"), MAX_CODE_DELAY)
    return Subjects(subject, subject, subject, subject)


async def is_blocked(session: AsyncSession, subjects: Subjects, now: datetime) -> Allowance | None:
    """Return the refusal of an attempt, None if it has to be counted; writes nothing."""
    subject = subjects.device or subjects.address
    row = await session.get(FailedAttempts, subject.digest)
    seconds = _seconds([row] if row else [], now)
    return Allowance(is_allowed=False, wait_seconds=seconds) if seconds else None


async def claim_attempt(session: AsyncSession, subjects: Subjects, now: datetime) -> Allowance:
    """Count an attempt as failed before its password is checked.

    The caller commits at once, so that a hundred concurrent attempts count as a hundred.
    """
    own = subjects.device or subjects.address
    row = await _lock(session, own, now)
    if _seconds([row], now):
        return Allowance(is_allowed=False, wait_seconds=_seconds([row], now))
    _count(row, own, now)
    if subjects.device:
        await session.flush()
        return Allowance(is_allowed=True, wait_seconds=_seconds([row], now))
    account = await _lock(session, subjects.account, now)
    turn = await session.get(
        FailedAttempts, subjects.address_at_account.digest, with_for_update=True
    )
    is_allowed = not _seconds([account], now) or bool(turn and not _seconds([turn], now))
    if is_allowed:
        _count(account, subjects.account, now)
    # A refused address waits for no longer than the block that it met.
    if account.blocked_until is not None and (is_allowed or turn is None):
        turn = turn or await _lock(session, subjects.address_at_account, now)
        turn.last_at, turn.blocked_until = now, account.blocked_until
    await session.flush()
    return Allowance(is_allowed, _seconds([row, turn] if turn else [row, account], now))


async def forgive(session: AsyncSession, subjects: Subjects) -> None:
    """Uncount a successful attempt; the account starts from zero."""
    if subjects.device:
        await _forget(session, subjects.device)
        return
    address = await _lock(session, subjects.address, datetime.now(UTC))
    # Others may fail from the same address: only this attempt is uncounted.
    address.count = max(0, address.count - 1)
    address.blocked_until = None
    await session.flush()
    await _forget(session, subjects.account, subjects.address_at_account)


def _digest(secret_key: str, text: str) -> str:
    return hmac.new(secret_key.encode(), text.encode(), hashlib.sha256).hexdigest()


def _count(row: FailedAttempts, subject: Subject, now: datetime) -> None:
    row.count = row.count + 1 if row.last_at > now - RETENTION else 1
    row.last_at = now
    row.blocked_until = _blocked_until(row.count, subject.max_delay, now)


def _seconds(rows: Sequence[FailedAttempts], now: datetime) -> int:
    waits = [row.blocked_until - now for row in rows if row.blocked_until is not None]
    return max(0, ceil(max(waits, default=timedelta()).total_seconds()))


def _blocked_until(count: int, max_delay: timedelta, now: datetime) -> datetime | None:
    if count <= FREE_ATTEMPTS:
        return None
    doublings = min(count - FREE_ATTEMPTS - 1, MAX_DOUBLINGS)
    delay: timedelta = FIRST_DELAY * 2**doublings
    return now + min(delay, max_delay)


async def _lock(session: AsyncSession, subject: Subject, now: datetime) -> FailedAttempts:
    found = (
        select(FailedAttempts).where(col(FailedAttempts.digest) == subject.digest).with_for_update()
    )
    while True:
        row = await session.scalar(found)
        if row is not None:
            return row
        await _remove_old(session)
        row = FailedAttempts(digest=subject.digest, count=0, last_at=now)
        # Another attempt may insert it meanwhile, and delete it as soon as it has succeeded.
        with suppress(IntegrityError):
            async with session.begin_nested():
                session.add(row)
            return row


async def _forget(session: AsyncSession, *subjects: Subject) -> None:
    digests = [subject.digest for subject in subjects]
    await session.execute(delete(FailedAttempts).where(col(FailedAttempts.digest).in_(digests)))


async def _remove_old(session: AsyncSession) -> None:
    # Write the counts first: a row counted just now is not old.
    await session.flush()
    old = select(col(FailedAttempts.digest)).where(
        col(FailedAttempts.last_at) < datetime.now(UTC) - RETENTION
    )
    old = old.with_for_update(skip_locked=True)
    await session.execute(delete(FailedAttempts).where(col(FailedAttempts.digest).in_(old)))


def _network_of(address: str) -> str:
    """Return an IPv4 address, or the /64 network of an IPv6 address, which one person has."""
    try:
        # The scope id follows “%”.
        parsed = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(parsed, IPv6Address):
        return str(parsed.ipv4_mapped or parsed.exploded[:19])
    return str(parsed)
