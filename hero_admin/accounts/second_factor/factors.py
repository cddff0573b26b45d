"""Factors: what users have beside their passwords."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from hero_admin.accounts.second_factor.authenticator import Authenticator, fetch_authenticator
from hero_admin.accounts.second_factor.recovery_codes import count_codes


@dataclass(frozen=True)
class Factors:
    """The second factors of a user, and how many recovery codes are left."""

    app: Authenticator | None
    codes: int

    @property
    def count(self) -> int:
        return int(self.app is not None)

    @property
    def description(self) -> str:
        """What there is, "" for nothing."""
        return _description(has_app=self.app is not None)


async def fetch_factors(session: AsyncSession, user_id: int) -> Factors:
    app = await fetch_authenticator(session, user_id)
    return Factors(app, await count_codes(session, user_id))


async def fetch_descriptions(session: AsyncSession) -> Mapping[int, str]:
    """Return what each user has, by id; those with nothing are left out."""
    apps = await session.scalars(select(col(Authenticator.user_id)))
    return {user_id: _description(has_app=True) for user_id in apps}


def _description(*, has_app: bool) -> str:
    return "Authenticator app" if has_app else ""
