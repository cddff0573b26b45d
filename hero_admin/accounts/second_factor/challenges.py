"""Challenges: what a passkey signs, once, for one browser and purpose; in a cookie that expires."""

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import delete
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import Field, col
from starlette.requests import Request
from starlette.responses import Response

from hero_admin.accounts.auth import auth_of
from hero_admin.database.own_tables import OwnTable
from hero_admin.web.cookies import cookie_in, drop_cookie, set_cookie

CHALLENGE_COOKIE = "challenge"
SECONDS = 300


class UsedChallenge(OwnTable, table=True):
    """A challenge that a passkey has answered, until it expires."""

    __tablename__ = "hero_admin_used_challenge"

    digest: str = Field(primary_key=True, max_length=64)
    ends_at: datetime = Field(index=True)


@dataclass(frozen=True)
class Challenge:
    """A challenge, and the value of its cookie, of which it is the digest."""

    value: str

    @property
    def signed(self) -> bytes:
        return hashlib.sha256(self.value.encode()).digest()

    @property
    def ends_at(self) -> datetime:
        return datetime.fromtimestamp(int(self.value.partition(".")[0]), UTC)


def make_challenge(request: Request, purpose: str, user_id: int | None = None) -> Challenge:
    """Return a new challenge.

    purpose: what its answer is for. user_id: whose answer it has to be; None for anybody's.
    """
    ends_at = int(datetime.now(UTC).timestamp()) + SECONDS
    text = f"{ends_at}.{secrets.token_urlsafe(24)}"
    return Challenge(f"{text}.{_proof_of(request, purpose, user_id, text)}")


def set_challenge(request: Request, response: Response, challenge: Challenge) -> None:
    set_cookie(request, response, CHALLENGE_COOKIE, challenge.value, SECONDS)


def drop_challenge(request: Request, response: Response) -> None:
    drop_cookie(request, response, CHALLENGE_COOKIE)


def challenge_in(request: Request, purpose: str, user_id: int | None = None) -> Challenge | None:
    """Return the challenge of a browser for a purpose, None if it has none that is still valid."""
    value = cookie_in(request, CHALLENGE_COOKIE)
    text, _, proof = value.rpartition(".")
    expected = _proof_of(request, purpose, user_id, text)
    # What has our proof is a number and random characters.
    if not hmac.compare_digest(proof.encode(), expected.encode()):
        return None
    challenge = Challenge(value)
    return challenge if challenge.ends_at > datetime.now(UTC) else None


async def claim_challenge(session: AsyncSession, challenge: Challenge) -> bool:
    """Use up a challenge; False if it has been used before."""
    expired = col(UsedChallenge.ends_at) <= datetime.now(UTC)
    await session.execute(delete(UsedChallenge).where(expired))
    try:
        async with session.begin_nested():
            session.add(UsedChallenge(digest=challenge.signed.hex(), ends_at=challenge.ends_at))
    except IntegrityError:
        return False
    return True


def _proof_of(request: Request, purpose: str, user_id: int | None, text: str) -> str:
    signed = f"challenge {purpose} {user_id or ''} {text}"
    key = auth_of(request).secret_key.encode()
    return hmac.new(key, signed.encode(), hashlib.sha256).hexdigest()
