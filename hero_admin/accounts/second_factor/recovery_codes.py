"""Recovery codes: each signs in once instead of a second factor; only digests are stored."""

import hashlib
import secrets

from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import Field, col

from hero_admin.database.own_tables import OwnTable

CODES = 10
# As random as 66 bits, so that a plain digest tells nothing.
DIGITS = 20
GROUP = 4


class RecoveryCode(OwnTable, table=True):
    """A code that has not been used yet."""

    __tablename__ = "hero_admin_recovery_code"

    digest: str = Field(primary_key=True, max_length=64)
    user_id: int = Field(foreign_key="hero_admin_user.id", ondelete="CASCADE", index=True)


async def replace_codes(session: AsyncSession, user_id: int) -> list[str]:
    """Return new codes of a user; those before are invalid."""
    await remove_codes(session, user_id)
    codes = ["".join(secrets.choice("0123456789") for _ in range(DIGITS)) for _ in range(CODES)]
    session.add_all(RecoveryCode(digest=_digest(user_id, each), user_id=user_id) for each in codes)
    await session.flush()
    return [_grouped(code) for code in codes]


async def remove_codes(session: AsyncSession, user_id: int) -> None:
    await session.execute(delete(RecoveryCode).where(col(RecoveryCode.user_id) == user_id))


async def claim_code(session: AsyncSession, user_id: int, code: str) -> bool:
    """Use up a code; False if it is wrong or has been used."""
    used = delete(RecoveryCode).where(col(RecoveryCode.digest) == _digest(user_id, code))
    return await session.scalar(used.returning(col(RecoveryCode.digest))) is not None


async def count_codes(session: AsyncSession, user_id: int) -> int:
    """Return how many codes a user has left."""
    counted = select(func.count()).where(col(RecoveryCode.user_id) == user_id)
    return (await session.execute(counted)).scalar_one()


def _digest(user_id: int, code: str) -> str:
    return hashlib.sha256(f"recovery code {user_id} {code}".encode()).hexdigest()


def _grouped(code: str) -> str:
    return " ".join(code[start : start + GROUP] for start in range(0, DIGITS, GROUP))
