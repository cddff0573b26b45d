"""The commands of any Admin: `--help` lists them."""

import asyncio
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import click
from sqlalchemy.exc import DBAPIError

from hero_admin.accounts.auth import limits_for
from hero_admin.accounts.one_time_links import Purpose, make_link
from hero_admin.accounts.sessions import bind_sessions
from hero_admin.accounts.users import has_users
from hero_admin.admin import Admin
from hero_admin.cli import server
from hero_admin.cli.database import DatabaseError, connected, is_read_only, ready
from hero_admin.cli.findings import Finding
from hero_admin.cli.index_check import examine, mend
from hero_admin.cli.listener import ListenError, address_of, listen
from hero_admin.cli.naming import NamingError, admin_named
from hero_admin.cli.users import user_commands
from hero_admin.database.engines import Database
from hero_admin.database.errors import is_unavailable
from hero_admin.migrations import (
    Applied,
    SchemaError,
    check_schema,
    check_tables,
    fetch_table_names,
    make_revision,
    migrate,
)
from hero_admin.migrations.chain import VERSION_TABLES
from hero_admin.model.resource import ResourceError
from hero_admin.sample import SampleData
from hero_admin.settings import Settings, SettingsError, check_serving, load_settings

FAILED = 2
# What a shell reports for a command ended by Ctrl+C.
INTERRUPTED = 130

READ_ONLY = "The database is read-only: nothing can be saved."
READ_ONLY_AND_SHUT = f"{READ_ONLY} Nobody can sign in; open sessions and tokens keep working."


def run_commands(name: str = "") -> NoReturn:
    """Run the command that the arguments of this process name, and exit.

    name: the Admin that it is about, as `package.module:name`; `--app` names another one.
    The exit code is 0 when it worked, 2 with one sentence when it cannot work.
    """
    try:
        sys.exit(commands(standalone_mode=False, obj=name))
    except click.Abort:
        sys.exit(INTERRUPTED)
    except click.ClickException as error:
        _fail(error.format_message())
    except (
        SettingsError,
        NamingError,
        ResourceError,
        SchemaError,
        ListenError,
        DatabaseError,
    ) as error:
        _fail(str(error))


class Commands(click.Group):
    """The commands; `sample` is among them where the application has sample data."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [*super().list_commands(ctx), *(["sample"] if _admin(ctx).sample else [])]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        sample = _admin(ctx).sample
        if cmd_name == "sample" and sample is not None:
            return _sample_command(sample)
        return super().get_command(ctx, cmd_name)


def _choose(context: click.Context, _: click.Parameter, name: str | None) -> None:
    context.obj = name or context.obj
    context.obj = _admin(context)


def _admin(context: click.Context) -> Admin:
    """Return what commands are about; until it is chosen, there is only its name."""
    if not isinstance(context.obj, str):
        admin: Admin = context.obj
        return admin
    if not context.obj:
        raise NamingError("Which application? Name its Admin: --app package.module:name.")
    return admin_named(context.obj)


@click.group(
    cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "show_default": True}
)
@click.option(
    "--app",
    metavar="MODULE:NAME",
    is_eager=True,
    expose_value=False,
    callback=_choose,
    help="The Admin that a command is about.",
)
def commands() -> None:
    """Hero Admin: manage data in the browser.

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
@click.option("--sample", is_flag=True, help="Fill an empty database with sample data first.")
@click.pass_obj
def serve(
    admin: Admin, host: str | None, port: int | None, workers: int | None, sample: bool
) -> None:
    """Start the server."""
    if sample and admin.sample is None:
        raise click.UsageError("This application has no sample data: leave out --sample.")
    settings = check_serving(load_settings(host=host, port=port, workers=workers))
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
        if not server.run(settings, listener, "\n".join(announcement)):
            raise click.exceptions.Exit(1)


@commands.command(name="migrate")
@click.pass_obj
def migrate_command(admin: Admin) -> None:
    """Migrate the database to the newest schema."""
    done = asyncio.run(_migrate(admin, load_settings()))
    if done.tables:
        click.echo(f"Tables created: {', '.join(done.tables)}.")
    if done.renamed:
        click.echo(f"Tables renamed: {', '.join(done.renamed)}.")
    for finding in done.mended:
        click.echo(f"{finding.sentence}{' Fixed.' if finding.remedies else ''}")
    if done.applied.library:
        click.echo(f"Migrated the tables of Hero Admin to revision {done.applied.library[-1]}.")
    if done.applied.application:
        click.echo(f"Migrated the database to revision {done.applied.application[-1]}.")
    if not done.applied:
        click.echo("The database is up to date.")


@commands.command()
@click.option("--fix", is_flag=True, help="Create missing indexes and drop unused ones.")
@click.pass_obj
def doctor(admin: Admin, fix: bool) -> None:
    """Report missing, outdated and unused indexes.

    Exits with 1 if a problem remains.
    """
    found = asyncio.run(_doctor(admin, load_settings(), is_mending=fix))
    for finding in found:
        is_mended = fix and finding.remedies
        click.echo(f"{finding.sentence}{' Fixed.' if is_mended else ''}")
    if not found:
        click.echo("All indexes are in place.")
    if any(finding.remedies for finding in found) and not fix:
        click.echo(f"Run `{admin.program} doctor --fix` to fix this.")
        raise click.exceptions.Exit(1)


def _sample_command(sample: SampleData) -> click.Command:
    """Return the command that adds sample data, with an option for each of its numbers."""
    options = [
        click.Option(
            [f"--{each.resource.name}"],
            type=click.IntRange(0, each.maximum),
            default=each.default,
            help=f"Number of {each.resource.label_plural}.",
        )
        for each in sample.counts
    ]
    labels = " and ".join(each.resource.label_plural for each in sample.counts)

    def add(**numbers: int) -> None:
        asyncio.run(
            _sample(click.get_current_context().obj, sample, load_settings(), [*numbers.values()])
        )

    return click.Command(
        "sample",
        params=[*options],
        callback=add,
        help=f"Fill an empty database with believable {labels}.",
    )


@commands.command()
@click.argument("message")
@click.pass_obj
def revision(admin: Admin, message: str) -> None:
    """Write a migration for what the database lacks.

    MESSAGE describes it in a few words.
    """
    if not message.strip():
        raise click.BadParameter("describe the migration in a few words.", param_hint="MESSAGE")
    path = asyncio.run(_make_revision(admin, load_settings(), message))
    click.echo(
        f"Written: {_shown(path)}. Check it, then run `{admin.program} migrate`."
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


async def _prepare(admin: Admin, settings: Settings, *, sample: bool) -> Start:
    async with ready(admin, settings) as database:
        await check_tables(database, admin.chain)
        if await is_read_only(database):
            return Start(is_read_only=True)
        if sample and admin.sample and await admin.sample.is_wanted(database):
            await admin.sample.add(database, [each.default for each in admin.sample.counts])
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

    applied: Applied
    tables: list[str]
    renamed: list[str]
    mended: list[Finding]


async def _migrate(admin: Admin, settings: Settings) -> Migrated:
    async with connected(admin, settings) as database:
        before = await fetch_table_names(database)
        applied = await migrate(database, admin.chain)
        # One that a newer version migrated is left as it is.
        await check_schema(database, admin.chain)
        after = await fetch_table_names(database)
        renamed = {
            new: f"{old} to {new}"
            for (_, old), (_, new) in admin.chain.renamed_tables()
            if old in before - after and new in after - before
        }
        made = after - before - VERSION_TABLES - renamed.keys()
        mended = await mend(database, admin.resources)
        return Migrated(applied, sorted(made), sorted(renamed.values()), mended)


async def _doctor(admin: Admin, settings: Settings, *, is_mending: bool) -> list[Finding]:
    async with connected(admin, settings) as database:
        await check_schema(database, admin.chain)
        return await (mend if is_mending else examine)(database, admin.resources)


async def _sample(
    admin: Admin, sample: SampleData, settings: Settings, numbers: Sequence[int]
) -> None:
    longest = max(range(len(numbers)), key=numbers.__getitem__)
    shown = sample.counts[longest].resource
    async with ready(admin, settings) as database:
        is_added = await sample.is_wanted(database)
        if is_added:
            is_hidden = not sys.stderr.isatty()
            with click.progressbar(
                length=numbers[longest],
                label=f"Adding {shown.label_plural}",
                file=sys.stderr,
                hidden=is_hidden,
            ) as bar:
                is_added = await sample.add(
                    database,
                    numbers,
                    lambda resource, count: bar.update(count) if resource is shown else None,
                )
    labels = [each.resource.label_plural for each in sample.counts]
    added = (f"{number:,} {label}" for number, label in zip(numbers, labels, strict=True))
    click.echo(
        f"Added {' and '.join(added)}."
        if is_added
        else f"Nothing added: there are already {' or '.join(labels)}, and sample data is only for"
        " an empty database."
    )


async def _make_revision(admin: Admin, settings: Settings, message: str) -> Path | None:
    async with ready(admin, settings) as database:
        return await make_revision(database, admin.chain, message.strip().rstrip("."))


def _shown(path: Path) -> Path:
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path


def _fail(sentence: str) -> NoReturn:
    click.echo(sentence, err=True)
    sys.exit(FAILED)
