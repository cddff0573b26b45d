"""Changes of tokens: each is recorded, as those of accounts are."""

from collections.abc import Collection
from datetime import UTC, datetime

from sqlalchemy.ext.asyncio import AsyncSession

from hero_admin.accounts import audit
from hero_admin.accounts.changes import lock_user
from hero_admin.accounts.sessions import token_digest
from hero_admin.accounts.tokens import (
    MAX_TOKENS,
    ApiToken,
    NewToken,
    check_token,
    fetch_token,
    fetch_tokens,
    made_token,
    make_api_token,
)
from hero_admin.accounts.users import User
from hero_admin.audit_log.changes import Operation
from hero_admin.web.errors import Invalid


async def add_token(
    session: AsyncSession,
    operation: Operation,
    user_id: int,
    new: NewToken,
    resources: Collection[str] | None = None,
) -> str:
    """Return a new token of a user, for some of these resources; raises Invalid."""
    user = await lock_user(session, user_id)
    name = check_token(user, new, resources)
    if len(await fetch_tokens(session, user_id)) >= MAX_TOKENS:
        raise Invalid({"name": f"You can have at most {MAX_TOKENS} tokens. Revoke one first."})
    token = make_api_token()
    made = made_token(user_id, name, new, token_digest(token), datetime.now(UTC))
    session.add(made)
    await audit.record(session, operation, "token_added", user, {"token": (None, made.description)})
    return token


async def revoke_token(
    session: AsyncSession, operation: Operation, user_id: int, token_id: int
) -> ApiToken | None:
    """Revoke a token of a user; None if there is no such token."""
    user = await lock_user(session, user_id)
    token = await fetch_token(session, user_id, token_id)
    if token is not None:
        await _revoke(session, operation, user, token)
    return token


async def revoke_tokens(session: AsyncSession, operation: Operation, user_id: int) -> int:
    """Revoke all tokens of a user; return how many."""
    user = await lock_user(session, user_id)
    tokens = await fetch_tokens(session, user_id)
    for token in tokens:
        await _revoke(session, operation, user, token)
    return len(tokens)


async def _revoke(session: AsyncSession, operation: Operation, user: User, token: ApiToken) -> None:
    await session.delete(token)
    values = {"token": (token.description, "revoked")}
    await audit.record(session, operation, "token_revoked", user, values)
