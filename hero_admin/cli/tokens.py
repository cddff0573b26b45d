"""The commands about API tokens, which are among those about accounts."""

import click
from sqlalchemy.ext.asyncio import AsyncSession

from hero_admin.accounts import token_changes
from hero_admin.accounts.tokens import (
    LIFETIMES_DAYS,
    ApiToken,
    NewToken,
    fetch_every_token,
    fetch_tokens,
)
from hero_admin.accounts.users import id_of
from hero_admin.cli.account_commands import current_admin, fetch_account, in_transaction, operation
from hero_admin.person import Role
from hero_admin.web.errors import Invalid
from hero_admin.web.texts import ngettext


@click.command()
@click.argument("name")
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
@click.option("--read-only", is_flag=True, help="The token can't change anything.")
@click.option(
    "--resource",
    "resources",
    multiple=True,
    metavar="NAME",
    help="What the token is for, such as heroes; repeat it for several.  [default: everything]",
)
@in_transaction
async def token(
    session: AsyncSession,
    name: str,
    label: str,
    role: str,
    days: int,
    read_only: bool,
    resources: tuple[str, ...],
) -> str:
    """Print a new token of a user for the API; it is not shown again."""
    user_id = id_of(await fetch_account(session, name))
    known = [each.name for each in current_admin().resources]
    new = NewToken(label, Role(role), days, read_only, resources or None)
    return await token_changes.add_token(session, operation(), user_id, new, known)


@click.command()
@click.argument("name", required=False)
@in_transaction
async def tokens(session: AsyncSession, name: str | None) -> str:
    """List the tokens of a user, or of everybody, with their numbers."""
    if name:
        user = await fetch_account(session, name)
        found = [(user, each) for each in await fetch_tokens(session, id_of(user))]
    else:
        found = await fetch_every_token(session)
    if not found:
        return "No tokens."
    return "\n".join(
        f"{token.id:>5}  {user.name}  {token.description}  {_last_use(token)}"
        for user, token in found
    )


@click.command()
@click.argument("name")
@click.argument("number", type=int, required=False)
@click.option("--all", "is_all", is_flag=True, help="Revoke all tokens of the user.")
@in_transaction
async def revoke(session: AsyncSession, name: str, number: int | None, is_all: bool) -> str:
    """Revoke a token of a user by its number, which `tokens` lists."""
    if (number is None) != is_all:
        raise Invalid({"": "Give the number of a token, or --all."})
    user = await fetch_account(session, name)
    if number is None:
        count = await token_changes.revoke_tokens(session, operation(), id_of(user))
        return f"Revoked {ngettext('{n} token', '{n} tokens', count).format(n=count)}."
    token = await token_changes.revoke_token(session, operation(), id_of(user), number)
    if token is None:
        raise Invalid({"": f"{user.name} has no token {number}."})
    return f"Revoked {token.name}."


def _last_use(token: ApiToken) -> str:
    if token.is_expired:
        return "expired"
    return f"last used {token.last_used_at:%Y-%m-%d}" if token.last_used_at else "never used"
