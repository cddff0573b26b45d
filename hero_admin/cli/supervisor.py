"""Workers and their supervisor."""

import multiprocessing
import os
import signal
import socket
import threading
from multiprocessing.process import BaseProcess

import click
import uvicorn
from uvicorn.config import STARTUP_FAILURE
from uvicorn.supervisors import Multiprocess

# A machine that starts many workers at once is slow.
WORKER_START_SECONDS = 60


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


def end_with_supervisor() -> None:
    """Stop this process, if it is a worker, when its supervisor dies."""
    supervisor = multiprocessing.parent_process()
    if supervisor is not None:
        threading.Thread(target=_stop_after, args=(supervisor,), daemon=True).start()


def _stop_after(supervisor: BaseProcess) -> None:
    supervisor.join()
    os.kill(os.getpid(), signal.SIGTERM)
