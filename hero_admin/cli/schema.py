"""The commands about the schema: migrate it, write a migration, and check its indexes."""

import asyncio
from dataclasses import dataclass
from pathlib import Path

import click

from hero_admin.admin import Admin
from hero_admin.cli.audit import audit_command
from hero_admin.cli.database import connected, ready
from hero_admin.cli.findings import Finding
from hero_admin.cli.index_check import check_indexes, check_tables, fix_indexes
from hero_admin.cli.rights import rights_command
from hero_admin.listing.search.sqlite_index import PREFIXES
from hero_admin.migrations import Applied, check_schema, fetch_table_names, make_revision, migrate
from hero_admin.migrations.chain import VERSION_TABLES
from hero_admin.settings import Settings


@click.command(name="migrate")
@click.pass_obj
def migrate_command(admin: Admin) -> None:
    """Migrate the database to the newest schema."""
    done = asyncio.run(_migrate(admin, admin.settings()))
    if done.tables:
        click.echo(f"Tables created: {', '.join(done.tables)}.")
    if done.renamed:
        click.echo(f"Tables renamed: {', '.join(done.renamed)}.")
    for finding in done.fixed:
        click.echo(f"{finding.sentence}{' Fixed.' if finding.fixes else ''}")
    if done.applied.library:
        click.echo(f"Migrated the tables of Hero Admin to revision {done.applied.library[-1]}.")
    if done.applied.application:
        click.echo(f"Migrated the database to revision {done.applied.application[-1]}.")
    if not done.applied:
        click.echo("The database is up to date.")
    if done.missing:
        click.echo(
            f"Indexes that lists and searches lack: {len(done.missing)}."
            f" `{admin.program} doctor` names them, and `doctor --fix` creates them."
        )


@click.command()
@click.argument("message")
@click.pass_obj
def revision(admin: Admin, message: str) -> None:
    """Write a migration for what the database lacks.

    MESSAGE describes it in a few words.
    """
    if not message.strip():
        raise click.BadParameter("describe the migration in a few words.", param_hint="MESSAGE")
    path = asyncio.run(_make_revision(admin, admin.settings(), message))
    click.echo(
        f"Written: {_shown(path)}. Check it, then run `{admin.program} migrate`."
        if path
        else "Nothing to migrate: the database matches the models."
    )


@click.group(invoke_without_command=True)
@click.option("--fix", is_flag=True, help="Create missing indexes and drop unused ones.")
@click.pass_context
def doctor(context: click.Context, fix: bool) -> None:
    """Report missing, outdated and unused indexes.

    Exits with 1 if a problem remains.
    """
    if context.invoked_subcommand:
        return
    admin: Admin = context.obj
    found = asyncio.run(_doctor(admin, admin.settings(), is_fixing=fix))
    for finding in found:
        is_fixed = fix and finding.fixes
        click.echo(f"{finding.sentence}{' Fixed.' if is_fixed else ''}")
    if not found:
        click.echo("All indexes are in place.")
    if any(finding.fixes for finding in found) and not fix:
        click.echo(f"Run `{admin.program} doctor --fix` to fix this.")
        raise click.exceptions.Exit(1)


doctor.add_command(rights_command)
doctor.add_command(audit_command)


@dataclass(frozen=True)
class Migrated:
    """What migrating has done, and what it left for the doctor to fix."""

    applied: Applied
    tables: list[str]
    renamed: list[str]
    fixed: list[Finding]
    missing: list[Finding]


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
        made = {
            name
            for name in after - before - VERSION_TABLES - renamed.keys()
            if not name.startswith(PREFIXES)
        }
        found = await (fix_indexes if admin.indexes else check_indexes)(database, admin.resources)
        fixed = found if admin.indexes else []
        missing = [] if admin.indexes else [finding for finding in found if finding.fixes]
        return Migrated(applied, sorted(made), sorted(renamed.values()), fixed, missing)


async def _make_revision(admin: Admin, settings: Settings, message: str) -> Path | None:
    async with ready(admin, settings) as database:
        return await make_revision(database, admin.chain, message.strip().rstrip("."))


def _shown(path: Path) -> Path:
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path


async def _doctor(admin: Admin, settings: Settings, *, is_fixing: bool) -> list[Finding]:
    async with connected(admin, settings) as database:
        await check_schema(database, admin.chain)
        lacking = await check_tables(database, admin.resources)
        found = await (fix_indexes if is_fixing else check_indexes)(database, admin.resources)
        return [*lacking, *found]
