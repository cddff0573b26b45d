"""A guess: a name and a password, counted as wrong before they are looked at."""

from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from hero_admin.accounts.auth import Auth
from hero_admin.accounts.passwords import is_too_long
from hero_admin.accounts.throttle import Guesser, claim_attempt, forgive, guesser_of, is_blocked
from hero_admin.accounts.users import User, fetch_user


@dataclass(frozen=True)
class Guess:
    """What came of it: whose password it is, None if it is wrong or was not looked at.

    account: the name of the account that was guessed at, "" if that is not known.
    """

    user: User | None
    account: str
    wait_seconds: int
    guesser: Guesser

    @property
    def wait_sentence(self) -> str:
        """What to do about it, "" if the next guess need not wait."""
        wait = "a second" if self.wait_seconds == 1 else f"{self.wait_seconds} seconds"
        return f"Too many attempts. Wait {wait}, then try again." * bool(self.wait_seconds)


async def make_guess(auth: Auth, name: str, password: str, address: str, device: str = "") -> Guess:
    """Count a guess and, if it need not wait, look at it; no connection is held meanwhile.

    device: what only a browser that has signed in to this account before can show.
    """
    now, guesser = datetime.now(UTC), guesser_of(auth.secret_key, name, address, device)
    async with auth.database.session(is_read_only=True) as session:
        attempt = await is_blocked(session, guesser, now)
    if attempt is None:
        # In a transaction of its own: what is counted stays counted, whatever becomes of the
        # request.
        async with auth.turns, auth.database.session(is_read_only=False) as session:
            attempt = await claim_attempt(session, guesser, now)
            await session.commit()
    is_looked_at = attempt.is_allowed and not is_too_long(password)
    known = await _fetch_known(auth, name) if is_looked_at else None
    is_right = is_looked_at and await _verify(auth, known, password)
    account = known.name if known else ""
    return Guess(known if is_right else None, account, attempt.wait_seconds, guesser)


async def accept(session: AsyncSession, guess: Guess) -> User | None:
    """Return whose password it is and take the count back; what follows is one with it.

    None if it is wrong, or if somebody disabled the account or changed its password meanwhile.
    """
    if guess.user is None or not await _is_still(session, guess.user):
        return None
    await forgive(session, guess.guesser)
    return guess.user


async def _fetch_known(auth: Auth, name: str) -> User | None:
    async with auth.database.session(is_read_only=True) as session:
        return await fetch_user(session, name)


async def _verify(auth: Auth, user: User | None, password: str) -> bool:
    """Whether it is the user's password; nobody's takes as long as anybody's."""
    password_hash = user.password_hash if user and not user.is_disabled else None
    return await auth.passwords.verify(password_hash, password)


async def _is_still(session: AsyncSession, user: User) -> bool:
    """Whether the account is as it was when the password was looked at; locks it."""
    found = select(col(User.password_hash)).where(
        col(User.id) == user.id, col(User.is_disabled).is_(False)
    )
    return await session.scalar(found.with_for_update()) == user.password_hash
