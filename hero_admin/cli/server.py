"""The server process: uvicorn on a socket opened beforehand, its workers, and its log."""

import asyncio
import logging
import multiprocessing
import os
import signal
import socket
import sys
import threading
from multiprocessing.process import BaseProcess
from typing import Any

import click
import uvicorn
from pydantic import SecretStr
from starlette.applications import Starlette
from uvicorn.config import STARTUP_FAILURE
from uvicorn.supervisors import Multiprocess

from hero_admin.cli.exposure import check_exposure
from hero_admin.cli.loading import VARIABLE, load_admin
from hero_admin.cli.protocol import Protocol
from hero_admin.settings import PREFIX, Settings

APPLICATION = "hero_admin.cli.server:application"
# How long running requests may take after SIGTERM.
GRACE_SECONDS = 10
# A machine that starts many workers at once is slow.
WORKER_START_SECONDS = 60


class NotCancelled(logging.Filter):
    """Drops the traceback of a request that was cancelled by a shutdown."""

    def filter(self, record: logging.LogRecord) -> bool:
        return not (record.exc_info and isinstance(record.exc_info[1], asyncio.CancelledError))


# Any: what logging.config.dictConfig takes.
LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {
            "format": "%(asctime)s %(levelname)s %(name)s %(message)s",
            "datefmt": "%Y-%m-%dT%H:%M:%S%z",
        }
    },
    "filters": {"not_cancelled": {"()": NotCancelled}},
    "handlers": {
        "stderr": {
            "class": "logging.StreamHandler",
            "formatter": "line",
            "filters": ["not_cancelled"],
        }
    },
    "root": {"level": "WARNING", "handlers": ["stderr"]},
    # SQLAlchemy names the logger of a pool after our class, and logs routine events there.
    "loggers": {"hero_admin": {"level": "INFO"}, "hero_admin.database.pool": {"level": "WARNING"}},
}


def run(settings: Settings, listener: socket.socket, announcement: str) -> bool:
    """Serve until the process gets a signal to stop; return whether it served until then.

    The announcement is printed as soon as the first request would be answered.
    """
    _pass_on(settings)
    config = uvicorn.Config(
        APPLICATION,
        factory=True,
        http=Protocol,
        # A request for an upgrade is answered without it.
        ws="none",
        workers=settings.workers,
        forwarded_allow_ips=settings.trusted_proxies,
        access_log=False,
        server_header=False,
        log_config=LOGGING,
        timeout_graceful_shutdown=GRACE_SECONDS,
        timeout_worker_healthcheck=WORKER_START_SECONDS,
    )
    if settings.workers > 1:
        workers = Workers(config, [listener], announcement)
        workers.run()
        return not workers.has_failed()
    # uvicorn raises the signal that stopped it again when it is done.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: sys.exit())
    Server(config, announcement).run([listener])
    return True


def application() -> Starlette:
    """Return the application of this process's environment, for uvicorn's workers."""
    admin = load_admin(os.environ[VARIABLE])
    made = admin.application(check_exposure(admin.settings()), runs_jobs=True)
    _end_with_supervisor()
    return made


class Server(uvicorn.Server):
    """The server of a single process."""

    def __init__(self, config: uvicorn.Config, announcement: str) -> None:
        super().__init__(config)
        self.announcement = announcement

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if sockets and self.started:
            click.echo(self.announcement)


class Workers(Multiprocess):
    """Processes that share the socket."""

    def __init__(
        self, config: uvicorn.Config, sockets: list[socket.socket], announcement: str
    ) -> None:
        super().__init__(config, sockets)
        self.announcement = announcement

    def init_processes(self) -> None:
        super().init_processes()
        if all(process.wait_until_ready(WORKER_START_SECONDS) for process in self.processes):
            click.echo(self.announcement)

    def has_failed(self) -> bool:
        """Whether the server stopped because a worker could not start."""
        return any(process.exitcode == STARTUP_FAILURE for process in self.processes)


def _pass_on(settings: Settings) -> None:
    """Put the settings into the environment, from which every worker reads them."""
    for name, value in settings.model_dump().items():
        text = value.get_secret_value() if isinstance(value, SecretStr) else str(value)
        os.environ[PREFIX + name.upper()] = text


def _end_with_supervisor() -> None:
    """Stop this process, if it is a worker, when its supervisor dies."""
    supervisor = multiprocessing.parent_process()
    if supervisor is not None:
        threading.Thread(target=_stop_after, args=(supervisor,), daemon=True).start()


def _stop_after(supervisor: BaseProcess) -> None:
    supervisor.join()
    os.kill(os.getpid(), signal.SIGTERM)
