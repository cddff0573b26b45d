"""The rights of people as they are now, who have left something to be done in the background."""

from dataclasses import replace

from sqlalchemy.ext.asyncio import AsyncSession

from hero_admin.accounts.users import User
from hero_admin.person import Person, Role


async def fetch_as_now(session: AsyncSession, person: Person) -> Person | None:
    """Return a person with their role of now, but no more than they had; None without an account.

    Whoever has no account of the library is as they were: only the application outside knows them.
    """
    if person.user_id is None:
        return person
    user = await session.get(User, person.user_id, populate_existing=True)
    if user is None or user.is_disabled:
        return None
    role = Role(user.role)
    return person if role.includes(person.role) else replace(person, role=role)
