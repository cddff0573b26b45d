"""The commands about accounts: `user --help` lists them."""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from contextlib import closing
from functools import wraps
from typing import Concatenate, ParamSpec

import click
from sqlalchemy.ext.asyncio import AsyncSession

from hero_admin.accounts import changes
from hero_admin.accounts.one_time_links import Purpose, make_link
from hero_admin.accounts.passwords import Passwords
from hero_admin.accounts.tokens import LIFETIMES_DAYS
from hero_admin.accounts.users import User, fetch_user, fetch_users, id_of
from hero_admin.admin import Admin
from hero_admin.audit_log.changes import Operation
from hero_admin.cli.database import ready
from hero_admin.person import COMMAND_LINE, Role
from hero_admin.web.errors import Invalid

NO_ACCOUNTS = (
    "This Admin uses the sign-in of the application that it is mounted in: it has no accounts."
)
Given = ParamSpec("Given")
name_argument = click.argument("name")


@click.group(name="user")
def user_commands() -> None:
    """Accounts: who may sign in."""


# The work of a command in a session; returns its output.
Act = Callable[Concatenate[AsyncSession, Given], Awaitable[str]]


def _in_transaction(act: Act[Given]) -> Callable[Given, None]:
    """Return the command that does this in a transaction, and prints its result."""

    @wraps(act)
    def command(*arguments: Given.args, **options: Given.kwargs) -> None:
        admin: Admin = click.get_current_context().obj
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


@user_commands.command()
@name_argument
@click.option(
    "--role",
    type=click.Choice([role.value for role in Role]),
    default=Role.VIEWER.value,
    help="Role of the user.",
)
@click.option(
    "--invite", is_flag=True, help="Print an invitation link instead of reading a password."
)
def add(name: str, role: str, invite: bool) -> None:
    """Add an account; the password is read from standard input."""
    _in_transaction(_add)(name, role, None if invite else _read_password())


@user_commands.command()
@name_argument
def password(name: str) -> None:
    """Set a password, read from standard input; all sessions of the user end."""
    _in_transaction(_set_password)(name, _read_password())


@user_commands.command()
@name_argument
@_in_transaction
async def disable(session: AsyncSession, name: str) -> str:
    """Disable an account: sign it out everywhere, at once."""
    user = await _fetch(session, name)
    await changes.disable(session, _operation(), id_of(user))
    return f"{user.name} can no longer sign in."


@user_commands.command()
@name_argument
@_in_transaction
async def enable(session: AsyncSession, name: str) -> str:
    """Enable an account again."""
    user = await _fetch(session, name)
    await changes.enable(session, _operation(), id_of(user))
    return f"{user.name} can sign in again."


@user_commands.command()
@name_argument
@click.option("--name", "label", required=True, help="Name of the token, such as what it's for.")
@click.option(
    "--role",
    type=click.Choice([role.value for role in Role]),
    default=Role.VIEWER.value,
    help="Role of the token, at most that of the user.",
)
@click.option(
    "--days",
    type=click.IntRange(1, max(LIFETIMES_DAYS)),
    default=LIFETIMES_DAYS[1],
    help="Days until it expires.",
)
@_in_transaction
async def token(session: AsyncSession, name: str, label: str, role: str, days: int) -> str:
    """Print a new token of a user for the API; it is not shown again."""
    user_id = id_of(await _fetch(session, name))
    return await changes.add_token(session, _operation(), user_id, label, Role(role), days)


@user_commands.command(name="list")
@_in_transaction
async def list_command(session: AsyncSession) -> str:
    """List the accounts with their roles."""
    users = await fetch_users(session)
    if not users:
        return "No accounts yet."
    width = max(len(user.name) for user in users)
    return "\n".join(f"{user.name:{width}}  {user.role:6}  {user.state}" for user in users)


async def _add(session: AsyncSession, name: str, role: str, password: str | None) -> str:
    password_hash = None if password is None else await _hash(password, name)
    user = await changes.add_user(session, _operation(), name, Role(role), password_hash)
    if password_hash:
        return f"Added {user.name} as {role}."
    token = await make_link(session, Purpose.INVITE, user.id)
    return f"{user.name} can set a password at /welcome?token={token} on the server."


async def _set_password(session: AsyncSession, name: str, password: str) -> str:
    user = await _fetch(session, name)
    password_hash = await _hash(password, user.name, user.password_hash)
    await changes.set_password(session, _operation(), id_of(user), password_hash)
    return f"Changed the password of {user.name}, and signed them out."


def _operation() -> Operation:
    return Operation(COMMAND_LINE, "command")


async def _fetch(session: AsyncSession, name: str) -> User:
    user = await fetch_user(session, name)
    if user is None:
        raise Invalid({"name": f"Unknown account “{name}”."})
    return user


async def _hash(password: str, name: str, old_hash: str | None = None) -> str:
    """Return the hash of a new password of an account; raises Invalid."""
    admin: Admin = click.get_current_context().obj
    with closing(Passwords()) as passwords:
        return await passwords.hash_new(password, (name, admin.title), old_hash)


def _read_password() -> str:
    """Read one line; a terminal prompts for it, twice, without echo."""
    # An invalid setting is reported before the prompt.
    click.get_current_context().obj.settings()
    if sys.stdin.isatty():
        given: str = click.prompt("Password", hide_input=True, confirmation_prompt=True)
        return given
    return sys.stdin.readline().rstrip("\r\n")
