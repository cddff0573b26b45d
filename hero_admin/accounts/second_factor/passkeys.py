"""Passkeys: public keys, whose private ones stay in the devices of their users (WebAuthn)."""

import hashlib
from base64 import urlsafe_b64encode
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import BigInteger, Column, LargeBinary, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import Field, col
from starlette.requests import Request

from hero_admin.accounts.users import MAX_NAME_CHARACTERS, User
from hero_admin.database.own_tables import OwnTable
from hero_admin.web.errors import Invalid

# A credential has at most 1,023 bytes.
MAX_ID_CHARACTERS = 1364
MAX_HOST_CHARACTERS = 255
# Far more than a person has devices.
MAX_PASSKEYS = 20


class Passkey(OwnTable, table=True):
    """A passkey of a user, which works at one host name.

    sign_count: how often its device has signed, 0 for one that does not count.
    """

    __tablename__ = "hero_admin_passkey"

    id: int | None = Field(default=None, primary_key=True)
    user_id: int = Field(foreign_key="hero_admin_user.id", ondelete="CASCADE", index=True)
    # As Base64 for URLs.
    credential_id: str = Field(unique=True, max_length=MAX_ID_CHARACTERS)
    public_key: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    sign_count: int = Field(sa_column=Column(BigInteger, nullable=False))
    host: str = Field(max_length=MAX_HOST_CHARACTERS)
    name: str = Field(max_length=MAX_NAME_CHARACTERS)
    created_at: datetime
    last_used_at: datetime | None = None


def host_of(request: Request) -> str:
    """Return the host name that passkeys are for, without a port."""
    return (request.url.hostname or "").lower()


def origin_of(request: Request) -> str:
    """Return the origin of the page that a request came from, as browsers sign it."""
    return f"{request.url.scheme}://{request.url.netloc}".lower()


def handle_of(user: User) -> bytes:
    """Return what a device knows a user by: it tells nothing about them."""
    # Both databases give the time back as it was, but for its zone.
    added = user.created_at.replace(tzinfo=None).isoformat()
    return hashlib.sha256(f"hero_admin user {user.id} {added}".encode()).digest()


def handle_text(user: User) -> str:
    """Return the same as browsers write it."""
    return urlsafe_b64encode(handle_of(user)).decode().rstrip("=")


def parse_passkey_name(text: str) -> str:
    """Return a name as it is stored; raises Invalid for `name`."""
    name = " ".join(text.split())
    if not name:
        raise Invalid({"name": "Enter a name, such as where it's kept."})
    if len(name) > MAX_NAME_CHARACTERS:
        raise Invalid({"name": f"Use at most {MAX_NAME_CHARACTERS} characters."})
    if not name.isprintable():
        raise Invalid({"name": "Use only visible characters."})
    return name


async def fetch_passkeys(session: AsyncSession, user_id: int) -> Sequence[Passkey]:
    """Return the passkeys of a user, the first one first."""
    found = select(Passkey).where(col(Passkey.user_id) == user_id)
    return (await session.scalars(found.order_by(col(Passkey.id)))).all()


async def fetch_passkey(session: AsyncSession, user_id: int, passkey_id: int) -> Passkey | None:
    return await session.scalar(
        select(Passkey).where(col(Passkey.user_id) == user_id, col(Passkey.id) == passkey_id)
    )


async def has_passkeys(session: AsyncSession, host: str) -> bool:
    """Whether anybody has a passkey for a host name."""
    found = select(col(Passkey.id)).where(col(Passkey.host) == host).limit(1)
    return await session.scalar(found) is not None
