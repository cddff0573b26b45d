"""The server process: uvicorn on a socket opened beforehand, its workers, and its log."""

import asyncio
import errno
import logging
import multiprocessing
import os
import signal
import socket
import threading
from multiprocessing.process import BaseProcess
from typing import Any, NoReturn

import click
import uvicorn
from pydantic import SecretStr
from starlette.applications import Starlette
from uvicorn.config import STARTUP_FAILURE
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.supervisors import Multiprocess

from hero_admin.cli.naming import VARIABLE, admin_named
from hero_admin.gc_tuning import keep_all, look_seldom
from hero_admin.settings import PREFIX, Settings, check_serving, load_settings
from hero_admin.web.security_headers import HEADERS, NOT_KEPT

APPLICATION = "hero_admin.cli.server:application"
# How long requests under way have when the server is told to stop.
GRACE_SECONDS = 10
# A machine that starts many workers at once is slow.
WORKER_START_SECONDS = 60
WAITING_CONNECTIONS = 2048
# Far more than the application takes, and than one read of a socket brings.
MOST_KEPT_BYTES = 2**20
# How long the headers of a request may take, from when they could come; and what nobody reads of
# a body that was refused, whose sender does not look at the answer before.
HEADERS_SECONDS = 30.0
UNREAD_SECONDS = 300.0

# What an address that stands for all of them is called in a browser.
ANY_ADDRESS = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - it is what is looked out for


class ListenError(Exception):
    """The address cannot be listened on: one sentence that says why."""


class NotCancelled(logging.Filter):
    """Drops the traceback of a request that was ended because the server stops."""

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
    # SQLAlchemy names the log of a pool after our class and tells of its daily business there.
    "loggers": {"hero_admin": {"level": "INFO"}, "hero_admin.database.pool": {"level": "WARNING"}},
}


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens on an address; port 0 takes a free one. Raises ListenError."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        # A name such as localhost has several; the older family is the one that everybody has.
        family, _, _, _, address = min(found, key=lambda info: info[0])
        return socket.create_server(address, family=family, backlog=WAITING_CONNECTIONS)
    except (socket.gaierror, UnicodeError):
        raise ListenError(f"There is no address “{host}”: choose another --host.") from None
    except PermissionError:
        raise ListenError(f"This user may not use port {port}: choose another --port.") from None
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise ListenError(
                f"Port {port} of {host} is in use: stop what uses it, or choose another --port."
            ) from None
        raise ListenError(
            f"The server cannot listen on port {port} of {host}: {os.strerror(error.errno or 0)}."
        ) from None


def address_of(listener: socket.socket) -> str:
    """Return what to open in a browser on this machine."""
    host, port, *_ = listener.getsockname()
    host = ANY_ADDRESS.get(host, host)
    host = f"[{host}]" if ":" in host else host
    return f"http://{host}:{port}"


def run(settings: Settings, listener: socket.socket, announcement: str) -> bool:
    """Serve until the process is told to stop; return whether it worked until then.

    The announcement is printed as soon as the first request would be answered.
    """
    _pass_on(settings)
    config = uvicorn.Config(
        APPLICATION,
        factory=True,
        http=Protocol,
        # Whoever asks for one gets the answer to the same request without it.
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
    # uvicorn sends itself again the signal that stopped it, once all is done.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _leave)
    Server(config, announcement).run([listener])
    return True


def application() -> Starlette:
    """Return the application of this process's environment, for uvicorn's workers."""
    admin = admin_named(os.environ[VARIABLE])
    made = admin.application(check_serving(load_settings()))
    # Looking through it again and again makes some requests late.
    look_seldom()
    keep_all()
    end_with_supervisor()
    return made


class Protocol(HttpToolsProtocol):
    """HTTP; what cannot be read as such is refused with the headers of every other answer.

    A connection that brings nothing in time is closed.

    kept_bytes: how much came since there was anything to pass on; the parser keeps all of it.
    unanswered: how many requests have no whole answer yet.
    """

    kept_bytes = 0
    unanswered = 0
    waiting: asyncio.TimerHandle | None = None

    # Any: the transport is asyncio's own.
    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._wait(HEADERS_SECONDS)

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_waiting()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self.kept_bytes += len(data)
        if self.kept_bytes > MOST_KEPT_BYTES:
            self.send_400_response("The headers of this request are too long.")
        else:
            super().data_received(data)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._wait(HEADERS_SECONDS)

    def on_headers_complete(self) -> None:
        self.kept_bytes = 0
        self.unanswered += 1
        self._stop_waiting()
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self.kept_bytes = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        self.kept_bytes = 0
        self._stop_waiting()
        super().on_message_complete()

    def on_response_complete(self) -> None:
        self.unanswered -= 1
        super().on_response_complete()
        if self.cycle.more_body:
            self._wait(UNREAD_SECONDS)

    def _unsupported_upgrade_warning(self) -> None:
        """Nobody here misses it, and whoever asks for it shall not fill the log."""

    def send_400_response(self, msg: str) -> None:
        headers = {
            **HEADERS,
            "Cache-Control": NOT_KEPT.decode(),
            "Content-Type": "text/plain; charset=utf-8",
            "Content-Length": str(len(msg)),
            "Connection": "close",
        }
        lines = ["HTTP/1.1 400 Bad Request", *(f"{name}: {text}" for name, text in headers.items())]
        self.transport.write("\r\n".join([*lines, "", msg]).encode("ascii"))
        self.transport.close()

    def _wait(self, seconds: float) -> None:
        if self.waiting is None:
            self.waiting = self.loop.call_later(seconds, self.give_up, seconds)

    def give_up(self, seconds: float) -> None:
        """Close the connection, unless it waits for an answer of ours."""
        self.waiting = None
        # What is under way goes on, whatever its client has begun to ask next.
        if self.unanswered:
            self._wait(seconds)
        else:
            self.transport.close()

    def _stop_waiting(self) -> None:
        if self.waiting is not None:
            self.waiting.cancel()
            self.waiting = None


class Server(uvicorn.Server):
    """The only process."""

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


def end_with_supervisor() -> None:
    """Stop this worker, if it is one, when the process that started it is gone without a word."""
    supervisor = multiprocessing.parent_process()
    if supervisor is not None:
        threading.Thread(target=_stop_after, args=(supervisor,), daemon=True).start()


def _stop_after(supervisor: BaseProcess) -> None:
    supervisor.join()
    os.kill(os.getpid(), signal.SIGTERM)


def _pass_on(settings: Settings) -> None:
    """Put the settings into the environment, where the application reads them in every process."""
    for name, value in settings.model_dump().items():
        text = value.get_secret_value() if isinstance(value, SecretStr) else str(value)
        os.environ[PREFIX + name.upper()] = text


def _leave(*_: object) -> NoReturn:
    raise SystemExit(0)
