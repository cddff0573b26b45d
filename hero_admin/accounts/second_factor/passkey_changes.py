"""Changes of passkeys, recorded as those of the account."""

from datetime import UTC, datetime

from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from hero_admin.accounts import audit
from hero_admin.accounts.changes import lock_user
from hero_admin.accounts.second_factor.changes import added, check_removal, removed
from hero_admin.accounts.second_factor.passkeys import (
    MAX_HOST_CHARACTERS,
    MAX_ID_CHARACTERS,
    MAX_PASSKEYS,
    Passkey,
    fetch_passkey,
    fetch_passkeys,
    parse_passkey_name,
)
from hero_admin.audit_log.changes import Operation
from hero_admin.person import Role
from hero_admin.web.errors import Invalid

KNOWN = "This passkey is already registered."
TOO_MANY = f"You can have at most {MAX_PASSKEYS} passkeys. Remove one first."


async def add_passkey(
    session: AsyncSession,
    operation: Operation,
    user_id: int,
    name: str,
    host: str,
    credential: tuple[str, bytes, int],
) -> list[str]:
    """Add a passkey; return recovery codes if it is the first factor; raises Invalid for "".

    credential: its id, its public key, and how often it has signed.
    """
    user = await lock_user(session, user_id)
    credential_id, public_key, sign_count = credential
    is_short = len(credential_id) <= MAX_ID_CHARACTERS and len(host) <= MAX_HOST_CHARACTERS
    if len(await fetch_passkeys(session, user_id)) >= MAX_PASSKEYS or not is_short:
        raise Invalid({"": TOO_MANY})
    try:
        async with session.begin_nested():
            session.add(
                Passkey(
                    user_id=user_id,
                    credential_id=credential_id,
                    public_key=public_key,
                    sign_count=sign_count,
                    host=host,
                    name=name,
                    created_at=datetime.now(UTC),
                )
            )
    except IntegrityError:
        raise Invalid({"": KNOWN}) from None
    return await added(session, operation, user, f"passkey {name}")


async def rename_passkey(
    session: AsyncSession, operation: Operation, user_id: int, passkey_id: int, name: str
) -> Passkey | None:
    """Rename a passkey; None if there is none; raises Invalid for `name`."""
    user = await lock_user(session, user_id)
    passkey = await fetch_passkey(session, user_id, passkey_id)
    if passkey is not None:
        before, passkey.name = passkey.name, parse_passkey_name(name)
        values = {"passkey": (before, passkey.name)}
        await audit.record(session, operation, "passkey_renamed", user, values)
    return passkey


async def remove_passkey(
    session: AsyncSession, operation: Operation, user_id: int, passkey_id: int, least: Role | None
) -> Passkey | None:
    """Remove a passkey; None if there is none; raises Invalid for "" if the role needs it."""
    user = await lock_user(session, user_id)
    passkey = await fetch_passkey(session, user_id, passkey_id)
    if passkey is not None:
        await check_removal(session, user, least)
        await session.delete(passkey)
        await removed(session, operation, user, f"passkey {passkey.name}")
    return passkey
