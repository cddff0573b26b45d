"""Changes to accounts: every one is recorded, and an owner always remains."""

from datetime import UTC, datetime

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from webapp.accounts import trail
from webapp.accounts.links import void_links
from webapp.accounts.sessions import end_sessions
from webapp.accounts.users import User, fold_name, parse_name
from webapp.errors import Invalid
from webapp.history import Operation
from webapp.identity import Role

LAST_OWNER = "Somebody has to be an owner: make another one first."

DISABLED = {"is_disabled": ("false", "true")}
ENABLED = {"is_disabled": ("true", "false")}
# That it was, and nothing of what it is.
PASSWORD_SET = {"password": (None, None)}


async def add_user(
    session: AsyncSession,
    operation: Operation | None,
    name: str,
    role: Role,
    password_hash: str | None,
) -> User:
    """Add an account; without an operation it adds itself. Raises Invalid for `name`."""
    name = parse_name(name)
    user = User(
        name=name,
        folded_name=fold_name(name),
        role=role,
        password_hash=password_hash,
        created_at=datetime.now(UTC),
    )
    try:
        async with session.begin_nested():
            session.add(user)
    except IntegrityError:
        raise Invalid({"name": f"There is an account “{name}” already."}) from None
    await void_links(session, None)
    operation = operation or Operation(user.identity, "page")
    values = {"name": (None, name), "role": (None, str(role))}
    await trail.record(session, operation, "account_added", user, values)
    return user


async def change_role(
    session: AsyncSession, operation: Operation, user_id: int, role: Role
) -> User | None:
    """Give a user another role; None if there is no such user. Raises Invalid for `role`."""
    user = await _lock(session, user_id, "role", is_owner_still=role is Role.OWNER)
    if user is not None and user.role != role:
        values = {"role": (user.role, str(role))}
        user.role = role
        await session.flush()
        await trail.record(session, operation, "role_changed", user, values)
    return user


async def disable(session: AsyncSession, operation: Operation, user_id: int) -> User | None:
    """Shut a user out, at once and everywhere; None if there is none. Raises Invalid for ""."""
    user = await _lock(session, user_id, "", is_owner_still=False)
    if user is not None and not user.is_disabled:
        user.is_disabled = True
        await session.flush()
        await end_sessions(session, user_id)
        await void_links(session, user_id)
        await trail.record(session, operation, "account_disabled", user, DISABLED)
    return user


async def enable(session: AsyncSession, operation: Operation, user_id: int) -> User | None:
    """Let a user in again, who still has to sign in; None if there is no such user."""
    user = await _lock(session, user_id, "", is_owner_still=True)
    if user is not None and user.is_disabled:
        user.is_disabled = False
        await session.flush()
        await trail.record(session, operation, "account_enabled", user, ENABLED)
    return user


async def set_password(
    session: AsyncSession, operation: Operation, user_id: int, password_hash: str, *, but: str = ""
) -> User | None:
    """Set a password and end all sessions, but for the one with a digest; None if nobody's."""
    user = await _lock(session, user_id, "", is_owner_still=True)
    if user is not None:
        user.password_hash = password_hash
        await session.flush()
        await end_sessions(session, user_id, but=but)
        await void_links(session, user_id)
        await trail.record(session, operation, "password_set", user, PASSWORD_SET)
    return user


async def _lock(
    session: AsyncSession, user_id: int, field: str, *, is_owner_still: bool
) -> User | None:
    """Lock a user until the end; refuse what would leave no owner."""
    if not is_owner_still:
        owners = select(col(User.id)).where(
            col(User.role) == Role.OWNER, col(User.is_disabled).is_(False)
        )
        # All of them, in one order: two owners who remove each other take turns.
        locked = (await session.scalars(owners.order_by(col(User.id)).with_for_update())).all()
        if list(locked) == [user_id]:
            raise Invalid({field: LAST_OWNER})
    found = select(User).where(col(User.id) == user_id).with_for_update()
    return await session.scalar(found.execution_options(populate_existing=True))
