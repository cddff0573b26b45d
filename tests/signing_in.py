"""Being signed in, for real: an account and a session in the database, and the cookie of it."""

import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from hero_admin.accounts.auth import limits_for
from hero_admin.accounts.sessions import token_digest
from hero_admin.accounts.users import fold_name
from hero_admin.listing.search.connect import connect
from hero_admin.person import Role
from hero_admin.settings import Settings
from hero_admin.testing import Client
from hero_admin.testing.people import LIMITS, NAMES, VISITOR, a_user, sign_in_by

__all__ = ["LIMITS", "NAMES", "VISITOR", "a_user", "sign_in", "sign_in_by", "write_session"]

# As SQLite stores it.
MOMENT = "%Y-%m-%d %H:%M:%S.%f"


async def sign_in(client: Client, settings: Settings, role: Role) -> None:
    """Let a client be somebody of a role, who is made, or made so again, if there is none."""
    database = connect(settings)
    await sign_in_by(database, client, role, limits_for(settings))
    await database.close()


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
            "INSERT INTO hero_admin_session (digest, user_id, created_at, seen_at, proved_at,"
            " ends_at, user_agent, address, key_check)"
            " VALUES (?, ?, ?, ?, ?, ?, 'tests', '127.0.0.1', '')",
            (token_digest(token), user_id, moment, moment, moment, end),
        )
