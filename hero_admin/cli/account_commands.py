"""What all commands about accounts share: a transaction, and the account that they are about."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import wraps
from typing import Concatenate, ParamSpec

import click
from sqlalchemy.ext.asyncio import AsyncSession

from hero_admin.accounts.stored_key import fetch_key
from hero_admin.accounts.users import User, fetch_user
from hero_admin.admin import Admin
from hero_admin.audit_log.changes import Operation
from hero_admin.audit_log.event_chain import ChainKey, chain_key_of
from hero_admin.audit_log.event_log import EventLog
from hero_admin.audit_log.request_events import RequestEvents
from hero_admin.cli.database import ready
from hero_admin.database.engines import Database
from hero_admin.person import COMMAND_LINE
from hero_admin.settings import Settings, with_key
from hero_admin.web.errors import Invalid
from hero_admin.web.request_session import AT_END

NO_ACCOUNTS = (
    "This Admin uses the sign-in of the application that it is mounted in: it has no accounts."
)
Given = ParamSpec("Given")
# The work of a command in a session; returns its output.
Act = Callable[Concatenate[AsyncSession, Given], Awaitable[str]]


def in_transaction(act: Act[Given]) -> Callable[Given, None]:
    """Return the command that does this in a transaction, and prints its result."""

    @wraps(act)
    def command(*arguments: Given.args, **options: Given.kwargs) -> None:
        admin = current_admin()
        if admin.sign_in is not None:
            raise click.ClickException(NO_ACCOUNTS)
        settings = admin.settings()

        async def do() -> str:
            async with (
                ready(admin, settings) as database,
                database.session(is_read_only=False) as session,
            ):
                events = await events_of_command(database, settings, session)
                said = await act(session, *arguments, **options)
                await events.before_commit(session)
                await session.commit()
                return said

        try:
            click.echo(asyncio.run(do()))
        except Invalid as invalid:
            raise click.ClickException(str(invalid)) from None

    return command


async def events_of_command(
    database: Database, settings: Settings, session: AsyncSession
) -> RequestEvents:
    """Return the events of a command, which are told of in a session."""
    log = EventLog(database, await chain_key(database, settings))
    events = RequestEvents(log, address="", user_agent="", who=lambda: COMMAND_LINE)
    session.info[AT_END] = events
    return events


async def chain_key(database: Database, settings: Settings) -> ChainKey:
    """Return the key of the audit log, as a server with these settings has it."""
    secret_key = with_key(settings, await fetch_key(database)).secret_key
    return chain_key_of(secret_key.get_secret_value())


def current_admin() -> Admin:
    """Return what the commands are about."""
    admin: Admin = click.get_current_context().obj
    return admin


def operation() -> Operation:
    """Return the operation of the changes of a command."""
    return Operation(COMMAND_LINE, "command")


async def fetch_account(session: AsyncSession, name: str) -> User:
    """Return the account of a name; raises Invalid."""
    user = await fetch_user(session, name)
    if user is None:
        raise Invalid({"name": f"Unknown account “{name}”."})
    return user
