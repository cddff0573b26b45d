"""The command that runs jobs, and serves nothing."""

import asyncio
import logging.config
import signal

import click

from hero_admin.accounts.rights_now import fetch_as_now
from hero_admin.admin import Admin
from hero_admin.audit_log.event_log import EventLog
from hero_admin.cli.account_commands import chain_key
from hero_admin.cli.database import ready
from hero_admin.cli.server import LOGGING
from hero_admin.jobs.worker import Worker
from hero_admin.model.seen_sites import SeenSites
from hero_admin.model.site import Site
from hero_admin.settings import Settings


@click.command()
@click.option("--once", is_flag=True, help="Stop when no job is left.")
@click.pass_obj
def worker(admin: Admin, once: bool) -> None:
    """Run jobs until stopped, beside servers with WEBAPP_JOBS=off or others."""
    if not admin.chain.has_history:
        raise click.UsageError("This Admin keeps no history, and so has no jobs.")
    logging.config.dictConfig(LOGGING)
    asyncio.run(_work(admin, admin.settings(), once=once))


async def _work(admin: Admin, settings: Settings, *, once: bool) -> None:
    async with ready(admin, settings) as database:
        seen_sites = SeenSites(Site(admin.resources, actions=admin.actions))
        log = EventLog(database, await chain_key(database, settings))
        made = Worker(database, seen_sites, fetch_as_now, log)
        if once:
            while await made.run_next():
                pass
            return
        stopped = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, stopped.set)
        made.start()
        click.echo("Running jobs (press Ctrl+C to stop)")
        await stopped.wait()
        await made.stop()
