"""Changes of second factors, recorded as those of the account."""

from datetime import UTC, datetime

from sqlalchemy import delete
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from hero_admin.accounts import audit
from hero_admin.accounts.changes import lock_user
from hero_admin.accounts.second_factor.authenticator import Authenticator
from hero_admin.accounts.second_factor.factors import fetch_factors
from hero_admin.accounts.second_factor.passkeys import Passkey
from hero_admin.accounts.second_factor.recovery_codes import (
    claim_code,
    count_codes,
    remove_codes,
    replace_codes,
)
from hero_admin.accounts.sessions import end_sessions
from hero_admin.accounts.users import User, id_of
from hero_admin.audit_log.changes import Operation
from hero_admin.person import Role
from hero_admin.web.errors import Invalid

REQUIRED = "Your role requires a second factor. Add another one before you remove this one."
APP_BEFORE = "You already have an authenticator app. Remove it first."
APP = "authenticator app"


def is_required(role: Role, least: Role | None) -> bool:
    """Whether a role has to have a second factor; `least` is the lowest one that has to."""
    return least is not None and role.includes(least)


async def add_app(
    session: AsyncSession, operation: Operation, user_id: int, sealed_secret: str, step: int
) -> list[str]:
    """Add an authenticator app; return recovery codes if it is the first factor.

    step: that of the code that has shown that it works. Raises Invalid for "".
    """
    user = await lock_user(session, user_id)
    if await session.get(Authenticator, user_id) is not None:
        raise Invalid({"": APP_BEFORE})
    now = datetime.now(UTC)
    session.add(
        Authenticator(user_id=user_id, sealed_secret=sealed_secret, last_step=step, created_at=now)
    )
    return await added(session, operation, user, APP)


async def remove_app(
    session: AsyncSession, operation: Operation, user_id: int, least: Role | None
) -> None:
    """Remove an authenticator app; raises Invalid for "" if the role needs it."""
    user = await lock_user(session, user_id)
    app = await session.get(Authenticator, user_id)
    if app is not None:
        await check_removal(session, user, least)
        await session.delete(app)
        await removed(session, operation, user, APP)


async def make_codes(session: AsyncSession, operation: Operation, user_id: int) -> list[str]:
    """Return new recovery codes; raises Invalid for "" if there is no second factor."""
    user = await lock_user(session, user_id)
    if not user.has_second_factor:
        raise Invalid({"": "Set up a second factor first."})
    left = await count_codes(session, user_id)
    codes = await replace_codes(session, user_id)
    values = {"recovery codes": (f"{left} left", f"{len(codes)} new")}
    await audit.record(session, operation, "recovery_codes_made", user, values)
    return codes


async def use_recovery_code(session: AsyncSession, user: User, code: str) -> int | None:
    """Use up a recovery code; return how many are left, None if it is wrong."""
    if not await claim_code(session, id_of(user), code):
        return None
    left = await count_codes(session, id_of(user))
    values = {"recovery codes": (f"{left + 1} left", f"{left} left")}
    by = Operation(user.identity, "page")
    await audit.record(session, by, "recovery_code_used", user, values)
    return left


async def reset(session: AsyncSession, operation: Operation, user_id: int) -> User:
    """Remove all second factors of a user, and end all sessions."""
    user = await lock_user(session, user_id)
    await session.execute(delete(Authenticator).where(col(Authenticator.user_id) == user_id))
    await session.execute(delete(Passkey).where(col(Passkey.user_id) == user_id))
    await remove_codes(session, user_id)
    await end_sessions(session, user_id)
    if user.has_second_factor:
        user.has_second_factor = False
        values = {"second factor": ("on", "reset")}
        await audit.record(session, operation, "second_factor_reset", user, values)
    return user


async def added(session: AsyncSession, operation: Operation, user: User, factor: str) -> list[str]:
    """Record a new factor; return recovery codes if it is the first one."""
    is_first, user.has_second_factor = not user.has_second_factor, True
    values = {"second factor": (None, factor)}
    await audit.record(session, operation, "second_factor_added", user, values)
    return await replace_codes(session, id_of(user)) if is_first else []


async def removed(session: AsyncSession, operation: Operation, user: User, factor: str) -> None:
    """Record that a factor has been removed, and remove the recovery codes with the last one."""
    await session.flush()
    if not (await fetch_factors(session, id_of(user))).count:
        user.has_second_factor = False
        await remove_codes(session, id_of(user))
    values = {"second factor": (factor, "removed")}
    await audit.record(session, operation, "second_factor_removed", user, values)


async def check_removal(session: AsyncSession, user: User, least: Role | None) -> None:
    """Raise Invalid for "" if a user has to keep the last factor."""
    factors = await fetch_factors(session, id_of(user))
    if factors.count == 1 and is_required(Role(user.role), least):
        raise Invalid({"": REQUIRED})
