"""Authentication: what signing in needs of the application."""

import asyncio
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from starlette.requests import Request

from hero_admin.accounts.passwords import Passwords
from hero_admin.accounts.sessions import Limits, Visitor, key_check_of
from hero_admin.audit_log.event_chain import chain_key_of
from hero_admin.audit_log.event_log import EventLog
from hero_admin.database.engines import Database
from hero_admin.person import Role
from hero_admin.settings import Settings


@dataclass(frozen=True)
class Auth:
    """What all pages of accounts share."""

    database: Database
    limits: Limits
    secret_key: str = field(repr=False)
    passwords: Passwords
    # The lowest role that has to have a second factor.
    second_factor: Role | None
    # Attempts wait for each other, on two connections at most.
    turns: asyncio.Semaphore
    events: EventLog
    # The tasks that mark sessions as seen after the response, by digest.
    marking: dict[str, asyncio.Task[None]] = field(default_factory=dict)
    # When each expired token was last told of, by digest.
    refused: dict[str, datetime] = field(default_factory=dict)

    async def close(self) -> None:
        """Wait for the tasks that outlive their response, before the database is closed."""
        self.passwords.close()
        await asyncio.gather(*self.marking.values(), return_exceptions=True)
        await self.events.close()


def limits_for(settings: Settings) -> Limits:
    return Limits(
        idle=timedelta(hours=settings.session_idle_hours),
        absolute=timedelta(days=settings.session_days),
        # Sessions survive a restart even where each start generates a key.
        key_check=key_check_of(settings.secret_key.get_secret_value()) if settings.has_key else "",
    )


def auth_for(settings: Settings, database: Database, *, has_tables: bool = True) -> Auth:
    """Return what the pages of accounts share; without tables events go to the log."""
    secret_key = settings.secret_key.get_secret_value()
    least = None if settings.second_factor == "off" else Role(settings.second_factor)
    turns = asyncio.Semaphore(2)
    events = EventLog(database, chain_key_of(secret_key) if has_tables else None)
    limits = limits_for(settings)
    return Auth(database, limits, secret_key, Passwords(), least, turns, events)


def auth_of(request: Request) -> Auth:
    auth: Auth = request.app.state.auth
    return auth


def visitor_of(request: Request) -> Visitor:
    """Return where a request came from."""
    address = request.client.host if request.client else ""
    return Visitor(address, request.headers.get("user-agent", ""))
