"""The command that starts the server."""

import asyncio
from dataclasses import dataclass

import click
from sqlalchemy.exc import DBAPIError

from hero_admin.accounts.auth import limits_for
from hero_admin.accounts.one_time_links import Purpose, make_link
from hero_admin.accounts.sessions import bind_sessions
from hero_admin.accounts.stored_key import fetch_key
from hero_admin.accounts.users import has_users
from hero_admin.admin import Admin
from hero_admin.cli import server
from hero_admin.cli.database import is_read_only, ready
from hero_admin.cli.exposure import check_exposure
from hero_admin.cli.listener import address_of, listen
from hero_admin.database.engines import Database
from hero_admin.database.errors import is_unavailable
from hero_admin.migrations import check_tables
from hero_admin.settings import Settings, with_key

READ_ONLY = "The database is read-only: nothing can be saved."
READ_ONLY_AND_SHUT = f"{READ_ONLY} Nobody can sign in; open sessions and tokens keep working."


@click.command()
@click.option("--host", help="Address to listen on.  [default: WEBAPP_HOST or 127.0.0.1]")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    help="Port to listen on; 0 takes a free one.  [default: WEBAPP_PORT or 8000]",
)
@click.option(
    "--workers",
    type=click.IntRange(1, 256),
    help="Number of processes.  [default: WEBAPP_WORKERS or 1]",
)
@click.option("--sample", is_flag=True, help="Fill an empty database with sample data first.")
@click.pass_obj
def serve(
    admin: Admin, host: str | None, port: int | None, workers: int | None, sample: bool
) -> None:
    """Start the server."""
    if admin.sign_in is not None:
        raise click.UsageError(
            "This Admin uses the sign-in of the application that it is mounted in: start that"
            " application."
        )
    if sample and admin.sample is None:
        raise click.UsageError("This application has no sample data: leave out --sample.")
    settings = check_exposure(admin.settings(host=host, port=port, workers=workers))
    with listen(settings.host, settings.port) as listener:
        start = asyncio.run(_prepare(admin, settings, sample=sample))
        address = address_of(listener)
        announcement = [f"Hero Admin is running at {address} (press Ctrl+C to stop)"]
        if settings.auth == "off":
            announcement.append("Anyone can use it without signing in (WEBAPP_AUTH=off).")
        if start.is_read_only:
            announcement.append(READ_ONLY if settings.auth == "off" else READ_ONLY_AND_SHUT)
        if start.token:
            announcement.append(
                f"Create the first account at {address}/welcome?token={start.token}"
            )
        if not server.run(with_key(settings, start.key), listener, "\n".join(announcement)):
            raise click.exceptions.Exit(1)


@dataclass(frozen=True)
class Start:
    """The state of a database that is ready to be served.

    key: its secret key. token: that of the first account's link, if there is no account.
    """

    key: str
    is_read_only: bool = False
    token: str = ""


async def _prepare(admin: Admin, settings: Settings, *, sample: bool) -> Start:
    async with ready(admin, settings) as database:
        await check_tables(database, admin.chain)
        key = await fetch_key(database)
        if await is_read_only(database):
            return Start(key, is_read_only=True)
        if sample and admin.sample and await admin.sample.is_wanted(database):
            await admin.sample.add(database, [each.default for each in admin.sample.counts])
        if settings.auth == "off":
            return Start(key)
        await _bind_sessions(settings, database)
        return Start(key, token=await _make_first_link(database))


async def _bind_sessions(settings: Settings, database: Database) -> None:
    try:
        async with database.session(is_read_only=False) as session:
            await bind_sessions(session, limits_for(settings))
            await session.commit()
    # A later start does it, or each of them is bound when it is next marked as seen.
    except Exception as error:
        if not is_unavailable(error) and not isinstance(error, DBAPIError):
            raise


async def _make_first_link(database: Database) -> str:
    async with database.session(is_read_only=True) as session:
        if await has_users(session):
            return ""
    async with database.session(is_read_only=False) as session:
        token = await make_link(session, Purpose.FIRST_OWNER)
        await session.commit()
        return token
