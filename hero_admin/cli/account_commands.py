"""What all commands about accounts share: a transaction, and the account that they are about."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import wraps
from typing import Concatenate, ParamSpec

import click
from sqlalchemy.ext.asyncio import AsyncSession

from hero_admin.accounts.users import User, fetch_user
from hero_admin.admin import Admin
from hero_admin.audit_log.changes import Operation
from hero_admin.cli.database import ready
from hero_admin.person import COMMAND_LINE
from hero_admin.web.errors import Invalid

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
                said = await act(session, *arguments, **options)
                await session.commit()
                return said

        try:
            click.echo(asyncio.run(do()))
        except Invalid as invalid:
            raise click.ClickException(str(invalid)) from None

    return command


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
