"""Tokens: credentials of programs for the API, of which only digests are stored."""

from collections.abc import Sequence
from datetime import UTC, datetime

from sqlalchemy import CheckConstraint, Connection, bindparam, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import Field, col

from hero_admin.accounts.sessions import SEEN_EVERY, make_token
from hero_admin.accounts.users import MAX_NAME_CHARACTERS, User
from hero_admin.database.own_tables import OwnTable
from hero_admin.database.short_reads import fetch_few
from hero_admin.person import A_ROLE, Person, Role
from hero_admin.web.errors import Invalid

# Identifies a token to people and to scanners for leaked secrets.
PREFIX = "hero_"
LIFETIMES_DAYS = (7, 30, 90, 365)
# Far more than a person needs.
MAX_TOKENS = 50


class ApiToken(OwnTable, table=True):
    """A token: its owner, and the highest role that it has."""

    __tablename__ = "hero_admin_token"
    __table_args__ = (
        CheckConstraint(
            "role IN ('viewer', 'editor', 'owner')", name="hero_admin_token_has_a_role"
        ),
    )

    id: int | None = Field(default=None, primary_key=True)
    digest: str = Field(unique=True, max_length=64)
    user_id: int = Field(foreign_key="hero_admin_user.id", ondelete="CASCADE", index=True)
    name: str = Field(max_length=MAX_NAME_CHARACTERS)
    role: str = Field(max_length=10)
    created_at: datetime
    expires_at: datetime
    last_used_at: datetime | None = None

    @property
    def is_expired(self) -> bool:
        return self.expires_at <= datetime.now(UTC)

    @property
    def description(self) -> str:
        """Its description in the audit log."""
        return f"{self.name} ({self.role}, until {self.expires_at:%Y-%m-%d})"


# Run for every request with a token, so it is built once.
SELECT_IDENTITY = (
    select(
        col(User.id), col(User.name), col(User.role), col(ApiToken.role), col(ApiToken.last_used_at)
    )
    .join(ApiToken, col(ApiToken.user_id) == col(User.id))
    .where(
        col(ApiToken.digest) == bindparam("digest"),
        col(ApiToken.expires_at) > bindparam("now"),
        col(User.is_disabled).is_(False),
    )
)
LOCK_IDENTITY = SELECT_IDENTITY.with_for_update(read=True, of=[User, ApiToken])


def make_api_token() -> str:
    return PREFIX + make_token()


def check_token(owner: User, name: str, role: Role, days: int) -> str:
    """Return the name as it is stored; raises Invalid for `name`, `role` and `days`."""
    name, errors = " ".join(name.split()), {}
    if not name:
        errors["name"] = "Enter a name, such as what it's for."
    elif len(name) > MAX_NAME_CHARACTERS:
        errors["name"] = f"Use at most {MAX_NAME_CHARACTERS} characters."
    elif not name.isprintable():
        errors["name"] = "Use only visible characters."
    if not Role(owner.role).includes(role):
        errors["role"] = f"A token can't do more than its owner, who is {A_ROLE[Role(owner.role)]}."
    if not 1 <= days <= max(LIFETIMES_DAYS):
        errors["days"] = "Choose when it expires."
    if errors:
        raise Invalid(errors)
    return name


async def fetch_token_identity(
    session: AsyncSession, digest: str, now: datetime
) -> tuple[Person, datetime | None] | None:
    """Return the identity of a valid token, and when it was last marked as used.

    Its role is the lower one of the token's and its owner's present roles.
    """
    found = await fetch_few(session, SELECT_IDENTITY, {"digest": digest, "now": now})
    if not found:
        return None
    user_id, name, own, given, last_used_at = found[0]
    return Person(name, _lower(own, given), user_id), last_used_at


def lock_token_identity(connection: Connection, digest: str, now: datetime) -> Person | None:
    """Return the identity of a valid token, locked until the transaction ends."""
    row = connection.execute(LOCK_IDENTITY, {"digest": digest, "now": now}).first()
    return Person(row[1], _lower(row[2], row[3]), row[0]) if row else None


async def fetch_tokens(session: AsyncSession, user_id: int) -> Sequence[ApiToken]:
    """Return the tokens of a user, newest first, also expired ones."""
    found = select(ApiToken).where(col(ApiToken.user_id) == user_id)
    return (await session.scalars(found.order_by(col(ApiToken.id).desc()))).all()


async def fetch_token(session: AsyncSession, user_id: int, token_id: int) -> ApiToken | None:
    return await session.scalar(
        select(ApiToken).where(col(ApiToken.user_id) == user_id, col(ApiToken.id) == token_id)
    )


async def mark_used(session: AsyncSession, digest: str, now: datetime) -> None:
    """Mark a token as used, unless another request has just done so."""
    last = col(ApiToken.last_used_at)
    await session.execute(
        update(ApiToken)
        .where(col(ApiToken.digest) == digest, last.is_(None) | (last <= now - SEEN_EVERY))
        .values(last_used_at=now)
    )


def _lower(own: str, given: str) -> Role:
    return Role(given if Role(own).includes(Role(given)) else own)
