"""Login attempts: counted as failed before the password is checked."""

from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from hero_admin.accounts.auth import Auth
from hero_admin.accounts.passwords import is_too_long
from hero_admin.accounts.throttle import (
    Allowance,
    Subjects,
    claim_attempt,
    forgive,
    is_blocked,
    subjects_of,
)
from hero_admin.accounts.users import User, fetch_user


@dataclass(frozen=True)
class LoginAttempt:
    """The outcome of an attempt: the user, None if the password is wrong or was not checked.

    account: the name of the account, "" for an unknown one.
    """

    user: User | None
    account: str
    allowance: Allowance
    subjects: Subjects

    @property
    def wait_seconds(self) -> int:
        return self.allowance.wait_seconds

    @property
    def wait_sentence(self) -> str:
        return self.allowance.wait_sentence


async def attempt_login(
    auth: Auth, name: str, password: str, address: str, device: str = ""
) -> LoginAttempt:
    """Count an attempt and, unless it is delayed, check its password; holds no connection then.

    device: the proof of a browser that has signed in to this account before.
    """
    subjects = subjects_of(auth.secret_key, name, address, device)
    allowance = await claim(auth, subjects)
    is_checked = allowance.is_allowed and not is_too_long(password)
    known = await _fetch_known(auth, name) if is_checked else None
    is_right = is_checked and await _verify(auth, known, password)
    account = known.name if known else ""
    return LoginAttempt(known if is_right else None, account, allowance, subjects)


async def claim(auth: Auth, subjects: Subjects) -> Allowance:
    """Count an attempt as failed, unless it is refused."""
    now = datetime.now(UTC)
    async with auth.database.session(is_read_only=True) as session:
        blocked = await is_blocked(session, subjects, now)
    if blocked is not None:
        return blocked
    # In a transaction of its own, as the count outlives a failed request.
    async with auth.turns, auth.database.session(is_read_only=False) as session:
        allowance = await claim_attempt(session, subjects, now)
        await session.commit()
    return allowance


async def accept(
    session: AsyncSession, attempt: LoginAttempt, *, needs_second: bool = False
) -> User | None:
    """Return the user of a successful attempt and uncount it, in the caller's transaction.

    None if the password is wrong, or the account was disabled or its password changed meanwhile.
    An attempt that a second step follows is uncounted after that.
    """
    if attempt.user is None or not await is_still(session, attempt.user):
        return None
    if not (needs_second and attempt.user.has_second_factor):
        await forgive(session, attempt.subjects)
    return attempt.user


async def renew_hash(auth: Auth, user: User, password: str) -> None:
    """Hash a password again that was hashed with other parameters."""
    fresh_hash = await auth.passwords.rehash(user.password_hash, password)
    if fresh_hash is None:
        return
    is_same = (col(User.id) == user.id) & (col(User.password_hash) == user.password_hash)
    renewed = update(User).where(is_same).values(password_hash=fresh_hash)
    # In a transaction of its own: a second step, to which the hash belongs, may be no success yet.
    async with auth.turns, auth.database.session(is_read_only=False) as session:
        await session.execute(renewed)
        await session.commit()
    user.password_hash = fresh_hash


async def _fetch_known(auth: Auth, name: str) -> User | None:
    async with auth.database.session(is_read_only=True) as session:
        return await fetch_user(session, name)


async def _verify(auth: Auth, user: User | None, password: str) -> bool:
    """Whether it is the user's password; takes as long where there is no such user."""
    password_hash = user.password_hash if user and not user.is_disabled else None
    return await auth.passwords.verify(password_hash, password)


async def is_still(session: AsyncSession, user: User) -> bool:
    """Whether the account has not changed since the password was checked; locks it."""
    found = select(col(User.password_hash)).where(
        col(User.id) == user.id, col(User.is_disabled).is_(False)
    )
    return await session.scalar(found.with_for_update()) == user.password_hash
