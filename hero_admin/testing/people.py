"""People of a test: with an account and a session, or whom the application outside knows."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from sqlmodel import col, select
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Receive, Scope, Send

from hero_admin.accounts.cookies import SESSION
from hero_admin.accounts.sessions import Limits, Visitor, start_session
from hero_admin.accounts.users import User, fold_name
from hero_admin.database.engines import Database
from hero_admin.person import Person, Role
from hero_admin.testing.client import Client

NAMES = {Role.OWNER: "Olive Owner", Role.EDITOR: "Edward Editor", Role.VIEWER: "Vera Viewer"}
LIMITS = Limits(idle=timedelta(hours=12), absolute=timedelta(days=14))
VISITOR = Visitor("127.0.0.1", "tests")
# As the library calls it within another application.
MOUNTED_SESSION = f"hero_admin_{SESSION}"
# The key under which the scope of a request has who sends it.
PERSON = "hero_admin.testing.person"


def person_of(role: Role) -> Person:
    """Return somebody who has a role."""
    return Person(NAMES[role], role)


async def sign_in_by(
    database: Database,
    client: Client,
    who: Person | Role,
    limits: Limits = LIMITS,
    *,
    cookie: str = SESSION,
) -> Person:
    """Sign in to an account, which is made, or made so again, if there is none; return whose it is.

    cookie: what that of a session is called, which differs within another application.
    """
    person = person_of(who) if isinstance(who, Role) else who
    async with database.session(is_read_only=False) as session:
        found = select(User).where(col(User.name) == person.name)
        user = await session.scalar(found) or a_user(person.name)
        user.role, user.is_disabled = person.role, False
        session.add(user)
        await session.flush()
        assert user.id is not None
        token = await start_session(session, user.id, limits, VISITOR)
        await session.commit()
    # As the client keeps what the application sets itself.
    client.cookies.set(cookie, token, domain="localhost.local")
    return replace(person, user_id=user.id)


def a_user(
    name: str,
    role: Role = Role.OWNER,
    password_hash: str | None = None,
    *,
    is_disabled: bool = False,
) -> User:
    """Return an account that is not stored yet."""
    return User(
        name=name,
        folded_name=fold_name(name),
        role=role,
        password_hash=password_hash,
        is_disabled=is_disabled,
        created_at=datetime.now(UTC),
    )


async def known_person(request: HTTPConnection) -> Person | None:
    """Return who sends a request, as `Admin(authenticate=)` would."""
    person: Person | None = request.scope.get(PERSON)
    return person


class Known:
    """An application that knows who sends each request, as the one outside an Admin does."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.person: Person | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.app({**scope, PERSON: self.person}, receive, send)
