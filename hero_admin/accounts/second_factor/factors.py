"""Factors: what users have beside their passwords."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from hero_admin.accounts.second_factor.authenticator import Authenticator, fetch_authenticator
from hero_admin.accounts.second_factor.passkeys import Passkey, fetch_passkeys
from hero_admin.accounts.second_factor.recovery_codes import count_codes
from hero_admin.web.texts import ngettext


@dataclass(frozen=True)
class Factors:
    """The second factors of a user, and how many recovery codes are left."""

    app: Authenticator | None
    passkeys: Sequence[Passkey]
    codes: int

    @property
    def count(self) -> int:
        return int(self.app is not None) + len(self.passkeys)

    @property
    def description(self) -> str:
        """What there is, "" for nothing."""
        return _description(len(self.passkeys), has_app=self.app is not None)

    def works_at(self, host: str) -> bool:
        """Whether there is a passkey for a host name."""
        return any(each.host == host for each in self.passkeys)


async def fetch_factors(session: AsyncSession, user_id: int) -> Factors:
    app = await fetch_authenticator(session, user_id)
    passkeys = await fetch_passkeys(session, user_id)
    return Factors(app, passkeys, await count_codes(session, user_id))


async def fetch_descriptions(session: AsyncSession) -> Mapping[int, str]:
    """Return what each user has, by id; those with nothing are left out."""
    apps = set(await session.scalars(select(col(Authenticator.user_id))))
    owner = col(Passkey.user_id)
    counted = await session.execute(select(owner, func.count()).group_by(owner))
    passkeys = Counter(dict(counted.all()))
    return {
        user_id: _description(passkeys[user_id], has_app=user_id in apps)
        for user_id in apps | set(passkeys)
    }


def _description(passkeys: int, *, has_app: bool) -> str:
    parts = ["Authenticator app"] if has_app else []
    if passkeys:
        parts.append(ngettext("1 passkey", "{n} passkeys", passkeys).format(n=passkeys))
    return ", ".join(parts)
