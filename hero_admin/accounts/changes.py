"""Changes of accounts: every one is recorded, and an owner always remains."""

from datetime import UTC, datetime

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col
from starlette.exceptions import HTTPException

from hero_admin.accounts import audit
from hero_admin.accounts.names import same_looking
from hero_admin.accounts.one_time_links import Purpose, make_link, void_links
from hero_admin.accounts.recheck import take_turn
from hero_admin.accounts.sessions import end_sessions
from hero_admin.accounts.users import User, fetch_names, fold_name, parse_name
from hero_admin.audit_log.changes import Operation
from hero_admin.person import Role
from hero_admin.web.errors import Invalid

NOBODY = "This account doesn't exist."
LAST_OWNER = "There has to be an owner: make someone else an owner first."
SHUT_OUT = "This account is disabled. Enable it first."

# Recorded without a value.
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
    # Two accounts that are added concurrently may look alike, too.
    await take_turn(session)
    other = same_looking(name, await fetch_names(session))
    if other is not None and fold_name(other) != fold_name(name):
        raise Invalid({"name": f"This looks too much like “{other}”, who already has an account."})
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
        raise Invalid({"name": f"The name “{name}” is already taken."}) from None
    await void_links(session, None)
    operation = operation or Operation(user.identity, "page")
    values = {"name": (None, name), "role": (None, str(role))}
    await audit.record(session, operation, "account_added", user, values)
    return user


async def change_role(
    session: AsyncSession, operation: Operation, user_id: int, role: Role
) -> None:
    """Set the role of a user; raises Invalid for `role`."""
    user = await lock_user(session, user_id, removed=None if role is Role.OWNER else "role")
    if user.role != role:
        values = {"role": (user.role, str(role))}
        user.role = role
        await audit.record(session, operation, "role_changed", user, values)


async def disable(session: AsyncSession, operation: Operation, user_id: int) -> None:
    """Disable a user and end all sessions; raises Invalid for ""."""
    user = await lock_user(session, user_id, removed="")
    if not user.is_disabled:
        before, user.is_disabled = user.state, True
        await end_sessions(session, user_id)
        await void_links(session, user_id)
        await audit.record(session, operation, "account_disabled", user, _state(before, user))


async def enable(session: AsyncSession, operation: Operation, user_id: int) -> None:
    """Enable a user, who still has to sign in."""
    user = await lock_user(session, user_id)
    if user.is_disabled:
        before, user.is_disabled = user.state, False
        await audit.record(session, operation, "account_enabled", user, _state(before, user))


async def set_password(
    session: AsyncSession, operation: Operation, user_id: int, password_hash: str
) -> None:
    """Set a password and end all sessions."""
    user = await lock_user(session, user_id)
    user.password_hash = password_hash
    await end_sessions(session, user_id)
    await void_links(session, user_id)
    await audit.record(session, operation, "password_set", user, PASSWORD_SET)


async def hand_out_link(
    session: AsyncSession, operation: Operation, user_id: int
) -> tuple[User, Purpose, str]:
    """Return the token of a link to set a password.

    Until it is used nothing changes for the user; earlier links are invalid. Raises Invalid for "".
    """
    user = await lock_user(session, user_id)
    if user.is_disabled:
        raise Invalid({"": SHUT_OUT})
    purpose = Purpose.RESET if user.password_hash else Purpose.INVITE
    token = await make_link(session, purpose, user_id)
    values = {"link": (None, str(purpose))}
    await audit.record(session, operation, "link_handed_out", user, values)
    return user, purpose, token


async def sign_out(
    session: AsyncSession, operation: Operation, user_id: int, *, but: str = "", only: str = ""
) -> int:
    """End the sessions of a user, all but or only the one with a digest; return how many."""
    user = await lock_user(session, user_id)
    count = await end_sessions(session, user_id, but=but, only=only)
    if count:
        values = {"sessions": (f"{count} open", "ended")}
        await audit.record(session, operation, "sessions_ended", user, values)
    return count


async def lock_user(session: AsyncSession, user_id: int, *, removed: str | None = None) -> User:
    """Lock a user until the transaction ends; raises 404.

    removed: the field that makes the user no owner; raises Invalid for it if none would be left.
    """
    await take_turn(session)
    if removed is not None:
        owners = select(col(User.id), col(User.password_hash).is_not(None)).where(
            col(User.role) == Role.OWNER, col(User.is_disabled).is_(False)
        )
        # All owners, in one order: two who remove each other never deadlock.
        locked = (await session.execute(owners.order_by(col(User.id)).with_for_update())).all()
        is_one = any(id == user_id for id, _ in locked)
        # Invited owners may never sign in.
        if is_one and not any(can_sign_in for id, can_sign_in in locked if id != user_id):
            raise Invalid({removed: LAST_OWNER})
    found = select(User).where(col(User.id) == user_id).with_for_update()
    user = await session.scalar(found.execution_options(populate_existing=True))
    if user is None:
        raise HTTPException(404, NOBODY)
    return user


def _state(before: str, user: User) -> dict[str, tuple[str, str]]:
    return {"state": (before, user.state)}
