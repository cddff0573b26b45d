"""Users: the accounts, and their names."""

from collections.abc import Sequence
from datetime import datetime
from unicodedata import normalize

from sqlalchemy import CheckConstraint, false, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import Field, col

from hero_admin.accounts.names import problem_of
from hero_admin.database.own_tables import OwnTable
from hero_admin.person import Person, Role
from hero_admin.web.errors import Invalid

MAX_NAME_CHARACTERS = 80
# With decomposed letters, and more spaces than are stored.
MAX_WRITTEN_CHARACTERS = 4 * MAX_NAME_CHARACTERS


class User(OwnTable, table=True):
    """A person. Without a hash there is no password yet, and only a one-time link signs in."""

    __tablename__ = "hero_admin_user"
    __table_args__ = (
        CheckConstraint("role IN ('viewer', 'editor', 'owner')", name="hero_admin_user_has_a_role"),
    )

    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(max_length=MAX_NAME_CHARACTERS)
    # Ann and ANN are the same person.
    folded_name: str = Field(unique=True)
    role: str = Field(max_length=10)
    password_hash: str | None = Field(default=None, max_length=200, repr=False)
    is_disabled: bool = False
    created_at: datetime
    # Whether there is any; which ones are in tables of their own.
    has_second_factor: bool = Field(default=False, sa_column_kwargs={"server_default": false()})
    # When one of their sessions was last marked as seen; ended sessions are deleted.
    seen_at: datetime | None = None

    @property
    def state(self) -> str:
        """One of “active”, “invited” and “disabled”."""
        if self.is_disabled:
            return "disabled"
        return "active" if self.password_hash else "invited"

    @property
    def identity(self) -> Person:
        return Person(self.name, Role(self.role), self.id)


def id_of(user: User) -> int:
    """Return the id of a stored account."""
    assert user.id is not None
    return user.id


def parse_name(text: str) -> str:
    """Return a name as it is stored; raises Invalid for the field `name`."""
    name = " ".join(text.split())
    if not name:
        raise Invalid({"name": "Enter a name."})
    if len(name) > MAX_NAME_CHARACTERS:
        raise Invalid({"name": f"Use at most {MAX_NAME_CHARACTERS} characters."})
    problem = problem_of(name)
    if problem:
        raise Invalid({"name": problem})
    return name


def fold_name(name: str) -> str:
    """Return the folded form of a name, the same for all its spellings; "" if it is too long."""
    # Normalizing many marks in a row takes quadratic time.
    if len(name) > MAX_WRITTEN_CHARACTERS:
        return ""
    return normalize("NFKC", " ".join(name.split())).casefold()


async def fetch_user(session: AsyncSession, name: str) -> User | None:
    """Return the account of a name, in any spelling."""
    folded = fold_name(name)
    # PostgreSQL refuses some characters.
    if not folded.isprintable():
        folded = ""
    return await session.scalar(select(User).where(col(User.folded_name) == folded))


async def fetch_users(session: AsyncSession) -> Sequence[User]:
    return (await session.scalars(select(User).order_by(col(User.folded_name)))).all()


async def fetch_names(session: AsyncSession) -> Sequence[str]:
    return (await session.scalars(select(col(User.name)))).all()


async def has_users(session: AsyncSession) -> bool:
    return await session.scalar(select(col(User.id)).limit(1)) is not None


async def is_last_owner(session: AsyncSession, user: User) -> bool:
    """Whether nobody else is an owner who can sign in."""
    others = select(col(User.id)).where(
        col(User.role) == Role.OWNER,
        col(User.is_disabled).is_(False),
        col(User.password_hash).is_not(None),
        col(User.id) != user.id,
    )
    is_owner = user.role == Role.OWNER and not user.is_disabled
    return is_owner and await session.scalar(others.limit(1)) is None
