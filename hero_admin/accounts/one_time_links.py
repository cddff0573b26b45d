"""One-time links: to add the first account, to accept an invitation, to reset a password."""

from datetime import UTC, datetime, timedelta
from enum import StrEnum

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import Field, col

from hero_admin.accounts.sessions import make_token, token_digest
from hero_admin.database.own_tables import OwnTable


class Purpose(StrEnum):
    FIRST_OWNER = "first owner"
    INVITE = "invite"
    RESET = "reset"


LIFETIMES = {
    Purpose.FIRST_OWNER: timedelta(days=7),
    Purpose.INVITE: timedelta(days=7),
    Purpose.RESET: timedelta(days=1),
}


class OneTimeLink(OwnTable, table=True):
    """An unused link; only the digest of its token is stored."""

    __tablename__ = "hero_admin_one_time_link"

    digest: str = Field(primary_key=True, max_length=64)
    purpose: str = Field(max_length=20)
    # None for the first owner, who has no account.
    user_id: int | None = Field(
        default=None, foreign_key="hero_admin_user.id", ondelete="CASCADE", index=True
    )
    expires_at: datetime


async def make_link(session: AsyncSession, purpose: Purpose, user_id: int | None = None) -> str:
    """Return the token of a new link; an earlier one for the same purpose is invalid."""
    await void_links(session, user_id)
    token = make_token()
    expires_at = datetime.now(UTC) + LIFETIMES[purpose]
    session.add(
        OneTimeLink(
            digest=token_digest(token), purpose=purpose, user_id=user_id, expires_at=expires_at
        )
    )
    await session.flush()
    return token


async def fetch_link(session: AsyncSession, token: str) -> OneTimeLink | None:
    """Return the link of a valid token, without using it up."""
    return await session.scalar(
        select(OneTimeLink).where(
            col(OneTimeLink.digest) == token_digest(token),
            col(OneTimeLink.expires_at) > datetime.now(UTC),
        )
    )


async def claim_link(session: AsyncSession, token: str) -> bool:
    """Use up a link; False if another request was faster or it has expired.

    It is valid again if the transaction is rolled back.
    """
    used = (
        delete(OneTimeLink)
        .where(
            col(OneTimeLink.digest) == token_digest(token),
            col(OneTimeLink.expires_at) > datetime.now(UTC),
        )
        .returning(col(OneTimeLink.digest))
    )
    return await session.scalar(used) is not None


async def void_links(session: AsyncSession, user_id: int | None) -> None:
    """Delete the links of a user; None for those of the first owner."""
    await session.execute(
        delete(OneTimeLink).where(col(OneTimeLink.user_id).is_not_distinct_from(user_id))
    )
