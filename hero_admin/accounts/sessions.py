"""Sessions: the browser has a token, the database only its digest."""

import hashlib
import hmac
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, bindparam, delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import Field, col

from hero_admin.accounts.users import User
from hero_admin.database.own_tables import OwnTable
from hero_admin.database.short_reads import fetch_few
from hero_admin.person import Person, Role
from hero_admin.web.user_agents import device_of

TOKEN_BYTES = 32
MAX_AGENT_CHARACTERS = 200
KEY_CHECK_CHARACTERS = 16
# A session is marked as seen at most this often.
SEEN_EVERY = timedelta(minutes=1)


class UserSession(OwnTable, table=True):
    """A browser in which a user is signed in.

    key_check: identifies the secret key of the server; "" for a generated one, and None for a
    session of an earlier version, until the next start. proved_at: when the user last proved who
    they are; None for a session of an earlier version.
    """

    __tablename__ = "hero_admin_session"

    digest: str = Field(primary_key=True, max_length=64)
    user_id: int = Field(foreign_key="hero_admin_user.id", ondelete="CASCADE", index=True)
    created_at: datetime
    seen_at: datetime
    ends_at: datetime
    user_agent: str = Field(max_length=MAX_AGENT_CHARACTERS)
    address: str = Field(max_length=64)
    key_check: str | None = Field(default=None, max_length=KEY_CHECK_CHARACTERS)
    proved_at: datetime | None = None

    @property
    def device(self) -> str:
        return device_of(self.user_agent)


@dataclass(frozen=True)
class Limits:
    """The limits of a session: idle, in total, and its secret key (see UserSession)."""

    idle: timedelta
    absolute: timedelta
    key_check: str = ""


@dataclass(frozen=True)
class Visitor:
    """The address and the browser of a request."""

    address: str
    user_agent: str


# Run for every request, so it is built once, of columns: entities take twice as long.
_users = User.__table__.c  # type: ignore[attr-defined]  # SQLModel does not declare it
_sessions = UserSession.__table__.c  # type: ignore[attr-defined]  # nor here
SELECT_IDENTITY = select(
    _users.id, _users.name, _users.role, _sessions.seen_at, _users.has_second_factor
).where(
    _sessions.user_id == _users.id,
    _sessions.digest == bindparam("digest"),
    _sessions.ends_at > bindparam("now"),
    _sessions.seen_at > bindparam("idle_since"),
    _users.is_disabled.is_(False),
    _sessions.key_check.is_(None) | (_sessions.key_check == bindparam("key_check")),
)
# The account first, in the order in which disabling it locks both.
LOCK_IDENTITY = SELECT_IDENTITY.with_for_update(read=True, of=[User, UserSession])


def make_token() -> str:
    return secrets.token_urlsafe(TOKEN_BYTES)


def token_digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def key_check_of(secret_key: str) -> str:
    """Return a digest that identifies a secret key."""
    # An earlier name of the table; another text would end all sessions.
    found = hmac.new(secret_key.encode(), b"user_session.key_check", hashlib.sha256).hexdigest()
    return found[:KEY_CHECK_CHARACTERS]


async def fetch_identity(
    session: AsyncSession, digest: str, limits: Limits, now: datetime
) -> tuple[Person, datetime, bool] | None:
    """Return the identity of an open session, when it was last marked as seen, and whether there
    is a second factor.
    """
    found = await fetch_few(session, SELECT_IDENTITY, _given(digest, limits, now))
    if not found:
        return None
    user_id, name, role, seen_at, has_second_factor = found[0]
    return Person(name, Role(role), user_id), seen_at, bool(has_second_factor)


def lock_identity(
    connection: Connection, digest: str, limits: Limits, now: datetime
) -> Person | None:
    """Return the identity of an open session, locked until the transaction ends."""
    row = connection.execute(LOCK_IDENTITY, _given(digest, limits, now)).first()
    return Person(row[1], Role(row[2]), row[0]) if row else None


async def start_session(
    session: AsyncSession, user_id: int, limits: Limits, visitor: Visitor
) -> str:
    """Start a session and return its token; delete expired sessions."""
    now = datetime.now(UTC)
    await _remove_ended(session, limits, now)
    token = make_token()
    session.add(
        UserSession(
            digest=token_digest(token),
            user_id=user_id,
            created_at=now,
            seen_at=now,
            ends_at=now + limits.absolute,
            user_agent=visitor.user_agent[:MAX_AGENT_CHARACTERS],
            address=visitor.address[:64],
            key_check=limits.key_check,
            proved_at=now,
        )
    )
    await session.flush()
    await session.execute(update(User).where(col(User.id) == user_id).values(seen_at=now))
    return token


async def fetch_proved_at(session: AsyncSession, digest: str) -> datetime | None:
    """Return when the user of a session last proved who they are."""
    return await session.scalar(
        select(col(UserSession.proved_at)).where(col(UserSession.digest) == digest)
    )


async def renew_session(session: AsyncSession, digest: str) -> str:
    """Record a proof of identity; return the new token of the session.

    Copies of the old token are invalid: whoever has one has proved nothing.
    """
    token = make_token()
    renewed = update(UserSession).where(col(UserSession.digest) == digest)
    await session.execute(renewed.values(digest=token_digest(token), proved_at=datetime.now(UTC)))
    return token


async def end_session(session: AsyncSession, digest: str) -> None:
    """End a session; copies of its token are invalid, too."""
    await session.execute(delete(UserSession).where(col(UserSession.digest) == digest))


async def end_sessions(
    session: AsyncSession, user_id: int, *, but: str = "", only: str = ""
) -> int:
    """End the sessions of a user, all but or only the one with a digest; return how many."""
    ended = delete(UserSession).where(
        col(UserSession.user_id) == user_id, col(UserSession.digest) != but
    )
    if only:
        ended = ended.where(col(UserSession.digest) == only)
    return len((await session.scalars(ended.returning(col(UserSession.digest)))).all())


async def fetch_sessions(
    session: AsyncSession, user_id: int, limits: Limits
) -> Sequence[UserSession]:
    """Return the open sessions of a user, the last used first."""
    now = datetime.now(UTC)
    found = select(UserSession).where(
        col(UserSession.user_id) == user_id,
        col(UserSession.ends_at) > now,
        col(UserSession.seen_at) > now - limits.idle,
        col(UserSession.key_check).is_(None) | (col(UserSession.key_check) == limits.key_check),
    )
    return (await session.scalars(found.order_by(col(UserSession.seen_at).desc()))).all()


async def bind_sessions(session: AsyncSession, limits: Limits) -> None:
    """Bind the sessions of an earlier version, which have no key, to the present key."""
    unbound = update(UserSession).where(col(UserSession.key_check).is_(None))
    await session.execute(unbound.values(key_check=limits.key_check))


async def mark_seen(session: AsyncSession, digest: str, now: datetime, limits: Limits) -> None:
    """Mark a session as seen, unless another request has just done so."""
    stale = (col(UserSession.digest) == digest) & (col(UserSession.seen_at) <= now - SEEN_EVERY)
    # The account first, in the order in which disabling it locks both.
    whose = select(col(UserSession.user_id)).where(stale).scalar_subquery()
    await session.execute(update(User).where(col(User.id) == whose).values(seen_at=now))
    key_check = func.coalesce(col(UserSession.key_check), limits.key_check)
    await session.execute(update(UserSession).where(stale).values(seen_at=now, key_check=key_check))


def _given(digest: str, limits: Limits, now: datetime) -> dict[str, object]:
    return {
        "digest": digest,
        "now": now,
        "idle_since": now - limits.idle,
        "key_check": limits.key_check,
    }


async def _remove_ended(session: AsyncSession, limits: Limits, now: datetime) -> None:
    ended = select(col(UserSession.digest)).where(
        (col(UserSession.ends_at) <= now) | (col(UserSession.seen_at) <= now - limits.idle)
    )
    # Do not wait for another sign-in that deletes the same rows.
    ended = ended.with_for_update(skip_locked=True)
    await session.execute(delete(UserSession).where(col(UserSession.digest).in_(ended)))
