"""The server as operators run it: a process of its own on a free port."""

import ctypes
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

PROJECT = Path(__file__).parent.parent
WEBAPP = (sys.executable, "-m", "webapp")
# A slow machine is no busy database.
PATIENT = {"WEBAPP_REQUEST_TIMEOUT_SECONDS": "60"}
START_SECONDS = 60.0
STOP_SECONDS = 15.0
# Linux's number for it, see prctl(2).
PR_SET_PDEATHSIG = 1
# Opened beforehand: between fork and exec nothing may wait for a lock.
LIBC = ctypes.CDLL(None)


@dataclass(frozen=True)
class Server:
    url: str
    process: subprocess.Popen[bytes]
    log: Path

    def stop(self) -> int:
        """Ask it to stop, wait until it has, and return its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(STOP_SECONDS)


@contextmanager
def running_server(
    log: Path,
    environment: Mapping[str, str],
    *options: str,
    port: int | None = None,
    program: Sequence[str] = (*WEBAPP, "serve"),
    health: str = "/healthz",
) -> Iterator[Server]:
    """`python -m webapp serve`, answering; the environment holds its WEBAPP_ variables.

    health: what it is asked until it answers.
    """
    port = port or free_port()
    with log.open("ab") as output:
        process = subprocess.Popen(
            [*program, f"--port={port}", *options],
            cwd=PROJECT,
            env={**os.environ, **PATIENT, **environment},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            preexec_fn=end_with_parent,  # noqa: PLW1509 - it takes no lock
        )
    server = Server(f"http://127.0.0.1:{port}", process, log)
    try:
        _wait_until_it_answers(server, health)
        yield server
    finally:
        if process.poll() is None:
            process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def run_command(environment: Mapping[str, str], *arguments: str) -> str:
    """`python -m webapp …`: what it prints. Fails with its error output when it fails."""
    done = subprocess.run(
        [*WEBAPP, *arguments],
        check=False,
        cwd=PROJECT,
        env=os.environ | environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, f"{' '.join(arguments)} failed:\n{done.stdout}{done.stderr}"
    return done.stdout


def end_with_parent() -> None:
    """Run in a new process: when the tests are killed and can stop nothing, it is killed too."""
    if sys.platform == "linux":
        LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def _wait_until_it_answers(server: Server, health: str) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            with urllib.request.urlopen(f"{server.url}{health}", timeout=5):
                return
        except OSError:
            is_over = server.process.poll() is not None or time.monotonic() > deadline
            if is_over:
                raise RuntimeError(
                    f"The server does not start:\n{server.log.read_text()}"
                ) from None
        time.sleep(0.02)
