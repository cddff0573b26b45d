"""The rights of people as they are now, who have left something to be done in the background."""

from dataclasses import replace

from sqlalchemy.ext.asyncio import AsyncSession

from hero_admin.accounts.tokens import ApiToken
from hero_admin.accounts.users import User
from hero_admin.person import Person, Role, TokenScope


async def fetch_as_now(session: AsyncSession, person: Person) -> Person | None:
    """Return a person with their role of now, but no more than they had; None without an account.

    None also without the token that they have used, if they have revoked it or it has expired.
    Whoever has no account of the library is as they were: only the application outside knows them.
    """
    if person.user_id is None:
        return person
    user = await session.get(User, person.user_id, populate_existing=True)
    if user is None or user.is_disabled:
        return None
    if person.token is not None and not await _is_valid(session, person.token):
        return None
    role = Role(user.role)
    return person if role.includes(person.role) else replace(person, role=role)


async def _is_valid(session: AsyncSession, scope: TokenScope) -> bool:
    if scope.id is None:
        return False
    token = await session.get(ApiToken, scope.id, populate_existing=True)
    return token is not None and not token.is_expired
