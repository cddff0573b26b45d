"""The commands: `python -m webapp --help` lists them."""

import asyncio
import sys
from dataclasses import dataclass
from pathlib import Path

import click
from sqlalchemy.exc import DBAPIError

from hero_admin.accounts.auth import limits_for
from hero_admin.accounts.one_time_links import Purpose, make_link
from hero_admin.accounts.sessions import bind_sessions
from hero_admin.accounts.users import has_users
from hero_admin.cli import server
from hero_admin.cli.database import DatabaseError, connected, is_read_only, ready
from hero_admin.cli.index_check import Finding, examine, mend
from hero_admin.cli.server import ListenError, address_of, listen
from hero_admin.cli.users import user_commands
from hero_admin.database.engines import Database
from hero_admin.database.errors import is_unavailable
from hero_admin.migrations import (
    SECOND_VERSION_TABLE,
    VERSION_TABLE,
    SchemaError,
    check_schema,
    check_tables,
    fetch_table_names,
    make_revision,
    migrate,
)
from hero_admin.model.resource import ResourceError
from hero_admin.settings import Settings, SettingsError, check_serving, load_settings
from webapp.resources import RESOURCES
from webapp.sample import MAX_TEAMS, add_sample, is_empty

FAILED = 2
# What a shell reports for a command ended by Ctrl+C.
INTERRUPTED = 130

# What `make run` starts with.
HEROES = 5_000
TEAMS = 20

READ_ONLY = "The database is read-only: nothing can be saved."
READ_ONLY_AND_SHUT = f"{READ_ONLY} Nobody can sign in; open sessions and tokens keep working."


def main() -> None:
    """Run a command and exit: 0 when it worked, 2 with one sentence when it cannot work."""
    try:
        sys.exit(commands(standalone_mode=False))
    except click.Abort:
        sys.exit(INTERRUPTED)
    except click.ClickException as error:
        _fail(error.format_message())
    except (SettingsError, ResourceError, SchemaError, ListenError, DatabaseError) as error:
        _fail(str(error))


@click.group(context_settings={"help_option_names": ["-h", "--help"], "show_default": True})
def commands() -> None:
    """Hero Admin: manage heroes and teams in the browser.

    Settings come from WEBAPP_* environment variables, WEBAPP_DATABASE_URL first of all.
    """


commands.add_command(user_commands)


@commands.command()
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
@click.option("--sample", is_flag=True, help="Fill an empty database with heroes and teams first.")
def serve(host: str | None, port: int | None, workers: int | None, sample: bool) -> None:
    """Start the server."""
    settings = check_serving(load_settings(host=host, port=port, workers=workers))
    with listen(settings.host, settings.port) as listener:
        start = asyncio.run(_prepare(settings, sample=sample))
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
        if not server.run(settings, listener, "\n".join(announcement)):
            raise click.exceptions.Exit(1)


@commands.command(name="migrate")
def migrate_command() -> None:
    """Migrate the database to the newest schema."""
    done = asyncio.run(_migrate(load_settings()))
    if done.tables:
        click.echo(f"Tables created: {', '.join(done.tables)}.")
    for finding in done.mended:
        click.echo(f"{finding.sentence}{' Fixed.' if finding.remedies else ''}")
    click.echo(
        f"Migrated the database to revision {done.revision}."
        if done.revision
        else "The database is up to date."
    )


@commands.command()
@click.option("--fix", is_flag=True, help="Create missing indexes and drop unused ones.")
def doctor(fix: bool) -> None:
    """Report missing, outdated and unused indexes.

    Exits with 1 if a problem remains.
    """
    found = asyncio.run(_doctor(load_settings(), is_mending=fix))
    for finding in found:
        is_mended = fix and finding.remedies
        click.echo(f"{finding.sentence}{' Fixed.' if is_mended else ''}")
    if not found:
        click.echo("All indexes are in place.")
    if any(finding.remedies for finding in found) and not fix:
        click.echo("Run `python -m webapp doctor --fix` to fix this.")
        raise click.exceptions.Exit(1)


@commands.command(name="sample")
@click.option("--heroes", type=click.IntRange(min=0), default=HEROES, help="Number of heroes.")
@click.option("--teams", type=click.IntRange(0, MAX_TEAMS), default=TEAMS, help="Number of teams.")
def sample_command(heroes: int, teams: int) -> None:
    """Fill an empty database with believable heroes and teams."""
    asyncio.run(_sample(load_settings(), heroes, teams))


@commands.command()
@click.argument("message")
def revision(message: str) -> None:
    """Write a migration for what the database lacks.

    MESSAGE describes it in a few words.
    """
    if not message.strip():
        raise click.BadParameter("describe the migration in a few words.", param_hint="MESSAGE")
    path = asyncio.run(_make_revision(load_settings(), message))
    click.echo(
        f"Written: {_shown(path)}. Check it, then run `python -m webapp migrate`."
        if path
        else "Nothing to migrate: the database matches the models."
    )


@dataclass(frozen=True)
class Start:
    """What there is to say of a database that is ready to be served.

    token: with which the first account is made, if there is none.
    """

    is_read_only: bool
    token: str = ""


async def _prepare(settings: Settings, *, sample: bool) -> Start:
    async with ready(settings) as database:
        await check_tables(database, {each.table: not each.read_only for each in RESOURCES})
        if await is_read_only(database):
            return Start(is_read_only=True)
        if sample and await is_empty(database):
            await add_sample(database, HEROES, TEAMS)
        if settings.auth == "off":
            return Start(is_read_only=False)
        await _bind_sessions(settings, database)
        return Start(is_read_only=False, token=await _make_first_link(database))


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


@dataclass(frozen=True)
class Migrated:
    """What migrating has done."""

    revision: str
    tables: list[str]
    mended: list[Finding]


async def _migrate(settings: Settings) -> Migrated:
    async with connected(settings) as database:
        before = await fetch_table_names(database)
        applied = await migrate(database)
        # One that a newer version migrated is left as it is.
        await check_schema(database)
        made = await fetch_table_names(database) - before - {VERSION_TABLE, SECOND_VERSION_TABLE}
        mended = await mend(database, RESOURCES)
        return Migrated(applied[-1] if applied else "", sorted(made), mended)


async def _doctor(settings: Settings, *, is_mending: bool) -> list[Finding]:
    async with connected(settings) as database:
        await check_schema(database)
        return await (mend if is_mending else examine)(database, RESOURCES)


async def _sample(settings: Settings, heroes: int, teams: int) -> None:
    async with ready(settings) as database:
        is_added = await is_empty(database)
        if is_added:
            is_hidden = not sys.stderr.isatty()
            with click.progressbar(
                length=heroes, label="Adding heroes", file=sys.stderr, hidden=is_hidden
            ) as bar:
                is_added = await add_sample(database, heroes, teams, bar.update)
    click.echo(
        f"Added {heroes:,} heroes and {teams:,} teams."
        if is_added
        else "Nothing added: there are already heroes or teams, and sample data is only for an"
        " empty database."
    )


async def _make_revision(settings: Settings, message: str) -> Path | None:
    async with ready(settings) as database:
        return await make_revision(database, message.strip().rstrip("."))


def _shown(path: Path) -> Path:
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path


def _fail(sentence: str) -> None:
    click.echo(sentence, err=True)
    sys.exit(FAILED)
