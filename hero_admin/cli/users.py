"""The commands about accounts: `user --help` lists them."""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from contextlib import closing
from functools import wraps
from typing import ParamSpec

import click
from sqlalchemy.ext.asyncio import AsyncSession

from hero_admin.accounts import changes
from hero_admin.accounts.one_time_links import Purpose, make_link
from hero_admin.accounts.passwords import Passwords, check_password
from hero_admin.accounts.tokens import LIFETIMES_DAYS
from hero_admin.accounts.users import User, fetch_user, fetch_users
from hero_admin.admin import Admin
from hero_admin.audit_log.changes import Operation
from hero_admin.cli.database import ready
from hero_admin.person import COMMAND_LINE, Role
from hero_admin.settings import load_settings
from hero_admin.web.errors import Invalid

Given = ParamSpec("Given")
name_argument = click.argument("name")


@click.group(name="user")
def user_commands() -> None:
    """Accounts: who may sign in."""


def _in_transaction(
    act: Callable[Given, Callable[[AsyncSession], Awaitable[str]]],
) -> Callable[Given, None]:
    """Run what a command returns in a transaction, and print its result."""

    @wraps(act)
    def command(*arguments: Given.args, **options: Given.kwargs) -> None:
        admin: Admin = click.get_current_context().obj
        settings, todo = load_settings(), act(*arguments, **options)

        async def do() -> str:
            async with (
                ready(admin, settings) as database,
                database.session(is_read_only=False) as session,
            ):
                said = await todo(session)
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
@_in_transaction
def add(name: str, role: str, invite: bool) -> Callable[[AsyncSession], Awaitable[str]]:
    """Add an account; the password is read from standard input."""
    password = None if invite else _read_password()

    async def do(session: AsyncSession) -> str:
        password_hash = await _hash(password) if password else None
        user = await changes.add_user(session, _operation(), name, Role(role), password_hash)
        if not invite:
            return f"Added {user.name} as {role}."
        token = await make_link(session, Purpose.INVITE, user.id)
        return f"{user.name} can set a password at /welcome?token={token} on the server."

    return do


@user_commands.command()
@name_argument
@_in_transaction
def password(name: str) -> Callable[[AsyncSession], Awaitable[str]]:
    """Set a password, read from standard input; all sessions of the user end."""
    given = _read_password()

    async def do(session: AsyncSession) -> str:
        user = await _fetch(session, name)
        password_hash = await _hash(given)
        await changes.set_password(session, _operation(), _id_of(user), password_hash)
        return f"Changed the password of {user.name}, and signed them out."

    return do


@user_commands.command()
@name_argument
@_in_transaction
def disable(name: str) -> Callable[[AsyncSession], Awaitable[str]]:
    """Disable an account: sign it out everywhere, at once."""

    async def do(session: AsyncSession) -> str:
        user = await _fetch(session, name)
        await changes.disable(session, _operation(), _id_of(user))
        return f"{user.name} can no longer sign in."

    return do


@user_commands.command()
@name_argument
@_in_transaction
def enable(name: str) -> Callable[[AsyncSession], Awaitable[str]]:
    """Enable an account again."""

    async def do(session: AsyncSession) -> str:
        user = await _fetch(session, name)
        await changes.enable(session, _operation(), _id_of(user))
        return f"{user.name} can sign in again."

    return do


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
def token(name: str, label: str, role: str, days: int) -> Callable[[AsyncSession], Awaitable[str]]:
    """Print a new token of a user for the API; it is not shown again."""

    async def do(session: AsyncSession) -> str:
        user_id = _id_of(await _fetch(session, name))
        made = await changes.add_token(session, _operation(), user_id, label, Role(role), days)
        assert made is not None
        return made

    return do


@user_commands.command(name="list")
@_in_transaction
def list_command() -> Callable[[AsyncSession], Awaitable[str]]:
    """List the accounts with their roles."""

    async def do(session: AsyncSession) -> str:
        users = await fetch_users(session)
        if not users:
            return "No accounts yet."
        width = max(len(user.name) for user in users)
        return "\n".join(f"{user.name:{width}}  {user.role:6}  {user.state}" for user in users)

    return do


def _operation() -> Operation:
    return Operation(COMMAND_LINE, "command")


async def _fetch(session: AsyncSession, name: str) -> User:
    user = await fetch_user(session, name)
    if user is None:
        raise Invalid({"name": f"Unknown account “{name}”."})
    return user


def _id_of(user: User) -> int:
    assert user.id is not None
    return user.id


async def _hash(password: str) -> str:
    with closing(Passwords()) as passwords:
        return await passwords.hash(password)


def _read_password() -> str:
    """Read one line; a terminal prompts for it, twice, without echo."""
    if sys.stdin.isatty():
        given: str = click.prompt("Password", hide_input=True, confirmation_prompt=True)
    else:
        given = sys.stdin.readline().rstrip("\r\n")
    try:
        check_password(given)
    except Invalid as invalid:
        raise click.ClickException(str(invalid)) from None
    return given
