"""Being signed in, for real: an account and a session in the database, and the cookie of it."""

import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlmodel import col, select

from hero_admin.accounts.auth import limits_for
from hero_admin.accounts.cookies import SESSION
from hero_admin.accounts.sessions import Limits, Visitor, start_session, token_digest
from hero_admin.accounts.users import User, fold_name
from hero_admin.database.engines import Database
from hero_admin.listing.search.connect import connect
from hero_admin.person import Role
from hero_admin.settings import Settings
from tests.page import Client

NAMES = {Role.OWNER: "Olive Owner", Role.EDITOR: "Edward Editor", Role.VIEWER: "Vera Viewer"}
LIMITS = Limits(idle=timedelta(hours=12), absolute=timedelta(days=14))
VISITOR = Visitor("127.0.0.1", "tests")
# As SQLite stores it.
MOMENT = "%Y-%m-%d %H:%M:%S.%f"


async def sign_in(client: Client, settings: Settings, role: Role) -> None:
    """Let a client be somebody of a role, who is made, or made so again, if there is none."""
    database = connect(settings)
    await sign_in_by(database, client, role, limits_for(settings))
    await database.close()


async def sign_in_by(
    database: Database, client: Client, role: Role, limits: Limits = LIMITS
) -> None:
    """The same by connections that are open already; to open them takes longer than to sign in."""
    async with database.session(is_read_only=False) as session:
        name = NAMES[role]
        found = select(User).where(col(User.name) == name)
        user = await session.scalar(found) or a_user(name, role)
        user.role, user.is_disabled = role, False
        session.add(user)
        await session.flush()
        assert user.id is not None
        token = await start_session(session, user.id, limits, VISITOR)
        await session.commit()
    # As the client keeps what the app sets itself.
    client.cookies.set(SESSION, token, domain="localhost.local")


def a_user(
    name: str,
    role: Role = Role.OWNER,
    password_hash: str | None = None,
    *,
    is_disabled: bool = False,
) -> User:
    """An account that is not stored yet."""
    return User(
        name=name,
        folded_name=fold_name(name),
        role=role,
        password_hash=password_hash,
        is_disabled=is_disabled,
        created_at=datetime.now(UTC),
    )


def write_session(file: Path, token: str, role: Role = Role.OWNER) -> None:
    """Store an account and its session in a SQLite file that has the tables already."""
    now = datetime.now(UTC)
    moment, end = now.strftime(MOMENT), (now + LIMITS.absolute).strftime(MOMENT)
    name = NAMES[role]
    with closing(sqlite3.connect(file)) as connection, connection:
        user_id = connection.execute(
            "INSERT INTO hero_admin_user (name, folded_name, role, is_disabled, created_at)"
            " VALUES (?, ?, ?, 0, ?)",
            (name, fold_name(name), role.value, moment),
        ).lastrowid
        connection.execute(
            "INSERT INTO hero_admin_session VALUES (?, ?, ?, ?, ?, 'tests', '127.0.0.1', '')",
            (token_digest(token), user_id, moment, moment, end),
        )
