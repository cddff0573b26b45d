"""The commands about accounts: `user --help` lists them."""

import sys
from contextlib import closing

import click
from sqlalchemy.ext.asyncio import AsyncSession

from hero_admin.accounts import changes
from hero_admin.accounts.one_time_links import Purpose, make_link
from hero_admin.accounts.passwords import Passwords
from hero_admin.accounts.second_factor import changes as second_factor
from hero_admin.accounts.users import fetch_users, id_of
from hero_admin.cli.account_commands import (
    current_admin,
    fetch_account,
    in_transaction,
    operation,
)
from hero_admin.cli.tokens import revoke, token, tokens
from hero_admin.person import Role

name_argument = click.argument("name")


@click.group(name="user")
def user_commands() -> None:
    """Accounts: who may sign in."""


for each in (token, tokens, revoke):
    user_commands.add_command(each)


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
    in_transaction(_add)(name, role, None if invite else _read_password())


@user_commands.command()
@name_argument
def password(name: str) -> None:
    """Set a password, read from standard input; all sessions of the user end."""
    in_transaction(_set_password)(name, _read_password())


@user_commands.command()
@name_argument
@in_transaction
async def disable(session: AsyncSession, name: str) -> str:
    """Disable an account: sign it out everywhere, at once."""
    user = await fetch_account(session, name)
    await changes.disable(session, operation(), id_of(user))
    return f"{user.name} can no longer sign in."


@user_commands.command()
@name_argument
@in_transaction
async def enable(session: AsyncSession, name: str) -> str:
    """Enable an account again."""
    user = await fetch_account(session, name)
    await changes.enable(session, operation(), id_of(user))
    return f"{user.name} can sign in again."


@user_commands.command()
@name_argument
@in_transaction
async def reset_second_factor(session: AsyncSession, name: str) -> str:
    """Remove the second factor of an account, for whoever has lost it."""
    user = await fetch_account(session, name)
    await second_factor.reset(session, operation(), id_of(user))
    return f"{user.name} can sign in with the password alone, and was signed out."


@user_commands.command(name="list")
@in_transaction
async def list_command(session: AsyncSession) -> str:
    """List the accounts with their roles."""
    users = await fetch_users(session)
    if not users:
        return "No accounts yet."
    width = max(len(user.name) for user in users)
    return "\n".join(f"{user.name:{width}}  {user.role:6}  {user.state}" for user in users)


async def _add(session: AsyncSession, name: str, role: str, password: str | None) -> str:
    password_hash = None if password is None else await _hash(password, name)
    user = await changes.add_user(session, operation(), name, Role(role), password_hash)
    if password_hash:
        return f"Added {user.name} as {role}."
    token = await make_link(session, Purpose.INVITE, user.id)
    return f"{user.name} can set a password at /welcome?token={token} on the server."


async def _set_password(session: AsyncSession, name: str, password: str) -> str:
    user = await fetch_account(session, name)
    password_hash = await _hash(password, user.name, user.password_hash)
    await changes.set_password(session, operation(), id_of(user), password_hash)
    return f"Changed the password of {user.name}, and signed them out."


async def _hash(password: str, name: str, old_hash: str | None = None) -> str:
    """Return the hash of a new password of an account; raises Invalid."""
    admin = current_admin()
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
