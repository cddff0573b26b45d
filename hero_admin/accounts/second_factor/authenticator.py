"""Authenticator apps: time-based one-time passwords (RFC 6238), each accepted once."""

from datetime import UTC, datetime
from hmac import compare_digest

import pyotp
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import Field, col

from hero_admin.accounts.second_factor.sealed import seal, unseal
from hero_admin.database.own_tables import OwnTable

DIGITS = 6
STEP_SECONDS = 30
# A clock may be half a minute slow or fast.
DRIFT_STEPS = (0, -1, 1)
# How long a page that shows a new secret may stay open.
SETUP_SECONDS = 3600


class Authenticator(OwnTable, table=True):
    """The authenticator app of a user; its secret is sealed.

    last_step: that of the last code, before which none is accepted.
    """

    __tablename__ = "hero_admin_totp"

    user_id: int = Field(primary_key=True, foreign_key="hero_admin_user.id", ondelete="CASCADE")
    sealed_secret: str = Field(max_length=300, repr=False)
    last_step: int
    created_at: datetime


def make_secret() -> str:
    """Return a new secret, as an app takes it."""
    return pyotp.random_base32()


def uri_of(secret: str, name: str, title: str) -> str:
    """Return what a QR code tells an app: the secret, and whose it is for which site."""
    # A colon parts the two, and an app shows both.
    return pyotp.TOTP(secret).provisioning_uri(
        name=name.replace(":", " "), issuer_name=title.replace(":", " ")
    )


def present_step() -> int:
    """Return the time step of now."""
    return int(datetime.now(UTC).timestamp()) // STEP_SECONDS


def step_of(secret: str, code: str, after: int = 0) -> int | None:
    """Return the time step of a code, None if it is wrong or not after the last one."""
    if len(code) != DIGITS or not (code.isascii() and code.isdigit()):
        return None
    totp, present = pyotp.TOTP(secret), present_step()
    steps = [present + drift for drift in DRIFT_STEPS]
    matching = [step for step in steps if compare_digest(totp.generate_otp(step), code)]
    return next((step for step in matching if step > after), None)


def sealed_for(secret_key: str, user_id: int, secret: str) -> str:
    """Return a secret that is sealed for one user."""
    return seal(secret_key, f"authenticator {user_id}", secret)


def unsealed_for(secret_key: str, user_id: int, sealed: str, max_seconds: int | None = None) -> str:
    """Return the secret, "" if it cannot be read any more."""
    return unseal(secret_key, f"authenticator {user_id}", sealed, max_seconds)


async def fetch_authenticator(session: AsyncSession, user_id: int) -> Authenticator | None:
    return await session.get(Authenticator, user_id)


async def use_code(session: AsyncSession, secret_key: str, user_id: int, code: str) -> bool:
    """Whether a code is right; it is not a second time."""
    found = select(Authenticator).where(col(Authenticator.user_id) == user_id).with_for_update()
    app = await session.scalar(found.execution_options(populate_existing=True))
    secret = unsealed_for(secret_key, user_id, app.sealed_secret) if app else ""
    if app is None or not secret:
        return False
    step = step_of(secret, code, app.last_step)
    if step is None:
        return False
    app.last_step = step
    await session.flush()
    return True
