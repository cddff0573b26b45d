"""Tokens: credentials of programs for the API, of which only digests are stored."""

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    Connection,
    Select,
    Text,
    bindparam,
    false,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import Field, col

from hero_admin.accounts.sessions import SEEN_EVERY, make_token
from hero_admin.accounts.users import MAX_NAME_CHARACTERS, User
from hero_admin.database.own_tables import OwnTable
from hero_admin.database.short_reads import fetch_few
from hero_admin.person import A_ROLE, Person, Role, TokenScope
from hero_admin.web.errors import Invalid

# Identifies a token to people and to scanners for leaked secrets.
PREFIX = "hero_"
LIFETIMES_DAYS = (7, 30, 90, 365)
# Far more than a person needs.
MAX_TOKENS = 50
PAGE_SIZE = 50


@dataclass(frozen=True)
class NewToken:
    """What somebody asks of a new token.

    resources: the names of those that it is for, None for all.
    """

    name: str
    role: Role
    days: int
    is_read_only: bool = False
    resources: tuple[str, ...] | None = None


class ApiToken(OwnTable, table=True):
    """A token: its owner, the highest role that it has, and what it is for.

    resources_json: a JSON list of the names of resources, None for all.
    """

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
    is_read_only: bool = Field(
        default=False, sa_column=Column(Boolean, nullable=False, server_default=false())
    )
    resources_json: str | None = Field(default=None, sa_column=Column(Text))
    created_at: datetime
    expires_at: datetime
    last_used_at: datetime | None = None

    @property
    def is_expired(self) -> bool:
        return self.expires_at <= datetime.now(UTC)

    @property
    def description(self) -> str:
        """Its description in the history."""
        limits = ["read-only"] if self.is_read_only else []
        limits += [f"only {', '.join(self.scope.resources)}"] if self.scope.resources else []
        parts = [self.role, *limits, f"until {self.expires_at:%Y-%m-%d}"]
        return f"{self.name} ({', '.join(parts)})"

    @property
    def scope(self) -> TokenScope:
        """What it may do of what its role may."""
        return _scope(self.name, self.is_read_only, self.resources_json, self.id)


# Run for every request with a token, so it is built once.
SELECT_IDENTITY = (
    select(
        col(User.id),
        col(User.name),
        col(User.role),
        col(ApiToken.role),
        col(ApiToken.last_used_at),
        col(ApiToken.name),
        col(ApiToken.is_read_only),
        col(ApiToken.resources_json),
        col(ApiToken.id),
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


def check_token(owner: User, new: NewToken, resources: Collection[str] | None) -> str:
    """Return the name as it is stored.

    resources: the names of those that there are, None where nobody knows. Raises Invalid for
    `name`, `role`, `days` and `resources`.
    """
    name, errors = " ".join(new.name.split()), {}
    if not name:
        errors["name"] = "Enter a name, such as what it's for."
    elif len(name) > MAX_NAME_CHARACTERS:
        errors["name"] = f"Use at most {MAX_NAME_CHARACTERS} characters."
    elif not name.isprintable():
        errors["name"] = "Use only visible characters."
    if not Role(owner.role).includes(new.role):
        errors["role"] = f"A token can't do more than its owner, who is {A_ROLE[Role(owner.role)]}."
    if not 1 <= new.days <= max(LIFETIMES_DAYS):
        errors["days"] = "Choose when it expires."
    unknown = [each for each in new.resources or () if each not in (resources or ())]
    if new.resources is not None and not new.resources:
        errors["resources"] = "Tick at least one, or choose all records."
    elif unknown and resources is not None:
        errors["resources"] = f"Unknown records: {', '.join(unknown)}."
    if errors:
        raise Invalid(errors)
    return name


def made_token(user_id: int, name: str, new: NewToken, digest: str, now: datetime) -> ApiToken:
    """Return the row of a new token, whose request was checked."""
    resources = None if new.resources is None else json.dumps(new.resources)
    return ApiToken(
        digest=digest,
        user_id=user_id,
        name=name,
        role=new.role,
        is_read_only=new.is_read_only,
        resources_json=resources,
        created_at=now,
        expires_at=now + timedelta(days=new.days),
    )


async def fetch_token_identity(
    session: AsyncSession, digest: str, now: datetime
) -> tuple[Person, datetime | None] | None:
    """Return the identity of a valid token, and when it was last marked as used.

    Its role is the lower one of the token's and its owner's present roles.
    """
    found = await fetch_few(session, SELECT_IDENTITY, {"digest": digest, "now": now})
    if not found:
        return None
    return _identity(found[0]), found[0][4]


def lock_token_identity(connection: Connection, digest: str, now: datetime) -> Person | None:
    """Return the identity of a valid token, locked until the transaction ends."""
    row = connection.execute(LOCK_IDENTITY, {"digest": digest, "now": now}).first()
    return _identity(row) if row else None


async def fetch_expiry(session: AsyncSession, digest: str) -> tuple[Person, datetime] | None:
    """Return whose a token is and when it expires or has expired; None for an unknown one."""
    found = _select_with_users().where(col(ApiToken.digest) == digest)
    row = (await session.execute(found)).first()
    if row is None:
        return None
    user, token = row
    return replace(user.identity, token=token.scope), token.expires_at


async def fetch_tokens(session: AsyncSession, user_id: int) -> Sequence[ApiToken]:
    """Return the tokens of a user, newest first, also expired ones."""
    found = select(ApiToken).where(col(ApiToken.user_id) == user_id)
    return (await session.scalars(found.order_by(col(ApiToken.id).desc()))).all()


async def fetch_token(session: AsyncSession, user_id: int, token_id: int) -> ApiToken | None:
    return await session.scalar(
        select(ApiToken).where(col(ApiToken.user_id) == user_id, col(ApiToken.id) == token_id)
    )


async def fetch_all_tokens(
    session: AsyncSession, after_id: int | None = None
) -> tuple[Sequence[tuple[User, ApiToken]], int | None]:
    """Return a page of the tokens of everybody, newest first, and the id after which the next is.

    None after the last page.
    """
    found = _select_with_users().limit(PAGE_SIZE + 1)
    if after_id is not None:
        found = found.where(col(ApiToken.id) < after_id)
    rows = [(row[0], row[1]) for row in await session.execute(found)]
    return rows[:PAGE_SIZE], rows[PAGE_SIZE - 1][1].id if len(rows) > PAGE_SIZE else None


async def fetch_every_token(session: AsyncSession) -> list[tuple[User, ApiToken]]:
    """Return the tokens of everybody, newest first."""
    return [(row[0], row[1]) for row in await session.execute(_select_with_users())]


async def mark_used(session: AsyncSession, digest: str, now: datetime) -> bool:
    """Mark a token as used, unless another request has just done so; True for the first use."""
    last, used = col(ApiToken.last_used_at), update(ApiToken).values(last_used_at=now)
    used = used.where(col(ApiToken.digest) == digest)
    first = used.where(last.is_(None)).returning(col(ApiToken.id))
    if await session.scalar(first) is not None:
        return True
    await session.execute(used.where(last <= now - SEEN_EVERY))
    return False


def _select_with_users() -> Select[User, ApiToken]:
    found = select(User, ApiToken).join(ApiToken, col(ApiToken.user_id) == col(User.id))
    return found.order_by(col(ApiToken.id).desc())


# Any: the values of a row.
def _identity(row: Sequence[Any]) -> Person:
    user_id, name, own, given, _, *scope = row
    lower = Role(given if Role(own).includes(Role(given)) else own)
    return Person(name, lower, user_id, _scope(*scope))


def _scope(name: str, is_read_only: bool, resources_json: str | None, id: int | None) -> TokenScope:
    resources = None if resources_json is None else tuple(json.loads(resources_json))
    return TokenScope(name, is_read_only, resources, id)
