"""A real PgBouncer for the tests, which shares few connections among many clients."""

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager

from tests.postgres import SUPERUSER, PostgresServer, as_unprivileged, unprivileged_home
from tests.server import end_with_parent, free_port

START_SECONDS = 30.0
# Fewer than any test has clients, so that each transaction may get another one.
CONNECTIONS = 3
SETTINGS = """
[databases]
* = host=127.0.0.1 port={server_port}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = trust
auth_file = {home}/users
pool_mode = transaction
default_pool_size = {connections}
"""


@contextmanager
def pgbouncer(server: PostgresServer) -> Iterator[int]:
    """The port of a pooler in transaction mode, in front of a server."""
    # Debian keeps it where only administrators look.
    program = shutil.which("pgbouncer") or "/usr/sbin/pgbouncer"
    port = free_port()
    with unprivileged_home() as home:
        settings = SETTINGS.format(
            server_port=server.port, port=port, home=home, connections=CONNECTIONS
        )
        (home / "settings.ini").write_text(settings)
        (home / "users").write_text(f'"{SUPERUSER}" ""\n')
        with (home / "log").open("wb") as log:
            process = subprocess.Popen(
                [program, home / "settings.ini"],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                preexec_fn=end_with_parent,  # noqa: PLW1509 - it takes no lock
                **as_unprivileged(),
            )
        try:
            deadline = time.monotonic() + START_SECONDS
            while not _listens(port):
                if process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError(f"PgBouncer does not start:\n{(home / 'log').read_text()}")
                time.sleep(0.01)
            yield port
        finally:
            process.terminate()
            process.wait()


def _listens(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0
