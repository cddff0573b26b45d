"""The command about the audit log: verify it, and remove old events."""

import asyncio
import re
from collections.abc import Sequence
from datetime import UTC, datetime

import click

from hero_admin.admin import Admin
from hero_admin.audit_log.event_chain import ChainKey, chain_key_of
from hero_admin.audit_log.event_retention import prune
from hero_admin.audit_log.event_verification import Verified, verify
from hero_admin.cli.account_commands import chain_key
from hero_admin.cli.database import connected
from hero_admin.database.engines import Database
from hero_admin.migrations import check_schema
from hero_admin.web.texts import ngettext

NO_LOG = "This Admin has no audit log: with history=False its events are in the log of the process."
ANCHOR = re.compile(r"(\d{1,18}):([0-9a-f]{64})")


class Anchor(click.ParamType[tuple[int, str]]):
    """An event that was noted elsewhere: its number and its hash."""

    name = "number:hash"

    def convert(
        self, value: str, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int, str]:
        found = ANCHOR.fullmatch(value)
        if found is None:
            self.fail(f"“{value}” is not what `doctor audit` prints.", param, ctx)
        return int(found[1]), found[2]


@click.command(name="audit")
@click.option(
    "--anchor",
    "anchors",
    multiple=True,
    type=Anchor(),
    help="An event that an earlier run has printed, which must still be there.",
)
@click.option(
    "--old-key",
    "old_keys",
    multiple=True,
    envvar="WEBAPP_OLD_SECRET_KEYS",
    help="A former WEBAPP_SECRET_KEY.  [default: WEBAPP_OLD_SECRET_KEYS, apart by spaces]",
)
@click.option(
    "--prune",
    "before",
    type=click.DateTime(["%Y-%m-%d"]),
    metavar="DATE",
    help="Then remove the events before this day.",
)
@click.pass_obj
def audit_command(
    admin: Admin,
    anchors: Sequence[tuple[int, str]],
    old_keys: Sequence[str],
    before: datetime | None,
) -> None:
    """Verify the audit log, and print an anchor to note elsewhere.

    Exits with 1 if an event was changed, removed or put in, or can't be verified.
    """
    if not admin.chain.has_history:
        raise click.ClickException(NO_LOG)
    if not asyncio.run(_audit(admin, dict(anchors), old_keys, before)):
        raise click.exceptions.Exit(1)


async def _audit(
    admin: Admin, anchors: dict[int, str], old_keys: Sequence[str], before: datetime | None
) -> bool:
    settings = admin.settings()
    async with connected(admin, settings) as database:
        await check_schema(database, admin.chain)
        key = await chain_key(database, settings)
        keys = [key, *map(chain_key_of, old_keys)]
        found = await _verified(database, keys, anchors)
        _report(found)
        is_good = not (found.broken or found.unknown_count or found.restarts)
        if before is None or not is_good:
            return is_good
        moment = before.replace(tzinfo=UTC)
        async with database.session(is_read_only=False) as session:
            count = await prune(session, keys, moment)
        events = ngettext("{n:,} event", "{n:,} events", count).format(n=count)
        click.echo(f"Removed {events} before {moment:%Y-%m-%d}.")
        if count:
            _report_anchor(await _verified(database, keys, {}))
        return True


async def _verified(
    database: Database, keys: Sequence[ChainKey], anchors: dict[int, str]
) -> Verified:
    async with database.session(is_read_only=True) as session:
        return await verify(session, keys, anchors)


def _report(found: Verified) -> None:
    if found.broken:
        click.echo(f"Broken: {found.broken} {found.count:,} events before it are as written.")
        return
    if not found.count:
        click.echo("No events yet.")
        return
    events = ngettext("{n:,} event", "{n:,} events", found.count).format(n=found.count)
    click.echo(f"{events} from {found.first_at:%Y-%m-%d} to {found.last_at:%Y-%m-%d}, unbroken.")
    if found.head.pruned_id:
        click.echo(f"Events up to {found.head.pruned_id:,} were pruned.")
    if found.unknown_count:
        click.echo(
            f"{found.unknown_count:,} of them, from {found.unknown_first_id:,} to"
            f" {found.unknown_last_id:,}, have another key and can't be verified: give it with"
            " --old-key."
        )
    for number in found.restarts:
        click.echo(f"Event {number:,} says that the head of the log was not as it had been left.")
    _report_anchor(found)


def _report_anchor(found: Verified) -> None:
    click.echo(f"Anchor: {found.head.last_id}:{found.head.last_hash}")
