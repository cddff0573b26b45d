"""The command that says what a person may do and see, and why."""

import asyncio
from collections.abc import Iterator

import click

from hero_admin.accounts.users import fetch_user
from hero_admin.admin import Admin
from hero_admin.cli.database import connected
from hero_admin.database.row_scopes import RowScopes, set_scopes
from hero_admin.migrations import check_schema
from hero_admin.model.rights_report import (
    RecordReport,
    RightsReport,
    report_of,
    report_record,
    role_sentence,
)
from hero_admin.model.site import Site
from hero_admin.person import Person

NO_ACCOUNTS = "People sign in to the application outside, so this command doesn't know them."


@click.command(name="rights")
@click.argument("name")
@click.argument("resource", required=False, default="")
@click.argument("record", required=False, default="")
@click.pass_obj
def rights_command(admin: Admin, name: str, resource: str, record: str) -> None:
    """Say what the account NAME may do, and why.

    RESOURCE is the name in the URL of a list, and RECORD the ID of one of its records.
    """
    if admin.sign_in is not None:
        raise click.ClickException(NO_ACCOUNTS)
    for line in asyncio.run(_lines(admin, name, resource, record)):
        click.echo(line)


async def _lines(admin: Admin, name: str, resource_name: str, key: str) -> list[str]:
    site = Site(admin.resources)
    chosen = site.named(resource_name) if resource_name else None
    if resource_name and chosen is None:
        known = ", ".join(each.name for each in site.resources)
        raise click.ClickException(f"There is no resource {resource_name}, only {known}.")
    async with connected(admin, admin.settings()) as database:
        await check_schema(database, admin.chain)
        async with database.session(is_read_only=True) as session:
            # Who runs commands may see everything.
            set_scopes(session, RowScopes({}))
            user = await fetch_user(session, name)
            if user is None:
                raise click.ClickException(f"There is no account named {name}.")
            person = user.identity
            lines = [role_sentence(person)]
            if user.is_disabled:
                lines.append("The account is disabled, so nothing of this is possible now.")
            for each in [chosen] if chosen else site.resources:
                lines += _told(report_of(session, each, person))
            if chosen and key:
                found = await report_record(session, chosen, person, key)
                if found is None:
                    raise click.ClickException(f"There is no {chosen.label} with the ID {key}.")
                lines += _told_of_record(found, person)
            return lines


def _told(report: RightsReport) -> Iterator[str]:
    yield f"\n{report.resource.label_plural}:"
    for right in (*report.verbs, *report.fields):
        yield f"  {'yes' if right.is_allowed else 'no '}  {right.what} ({right.rule})"
    yield f"  rows: {report.rows or 'all'}"


def _told_of_record(found: RecordReport, person: Person) -> Iterator[str]:
    yield f"\n{person.name} {'can' if found.is_seen else 'cannot'} see “{found.title}”."
    for label, text in found.values:
        yield f"  {label}: {text or 'nothing'}"
