"""Processes: servers started on a core of their own, and what they use of CPU and memory."""

import os
import subprocess
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.server import end_with_parent

STOP_SECONDS = 10.0


@dataclass(frozen=True)
class Cores:
    """Which cores serve and which ask, so that neither takes the other's time."""

    serving: frozenset[int]
    asking: frozenset[int]


def divide_cores() -> Cores:
    """One core for the server under test, the rest for the client and PostgreSQL."""
    available = sorted(os.sched_getaffinity(0))
    if len(available) == 1:
        return Cores(frozenset(available), frozenset(available))
    return Cores(frozenset(available[:1]), frozenset(available[1:]))


DONT_COMPILE = "PYTHONDONTWRITEBYTECODE"


@dataclass(frozen=True)
class Command:
    """How a process is started."""

    arguments: Sequence[str]
    directory: Path
    environment: Mapping[str, str]


def start(command: Command, log: Path, cores: Iterable[int]) -> subprocess.Popen[bytes]:
    """Start a process on these cores; it ends with this one at the latest."""
    chosen = frozenset(cores)

    def prepare() -> None:
        end_with_parent()
        os.sched_setaffinity(0, chosen)

    with log.open("ab") as output:
        return subprocess.Popen(
            command.arguments,
            cwd=command.directory,
            env={**_as_installed(os.environ), **command.environment},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            preexec_fn=prepare,  # noqa: PLW1509 - it takes no lock
        )


def _as_installed(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the environment without what keeps Python from compiling a program only once."""
    return {name: value for name, value in environment.items() if name != DONT_COMPILE}


def stop(process: subprocess.Popen[bytes]) -> None:
    """End a process, politely at first."""
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        # What it started may be stuck as well.
        for pid in reversed(tree_of(process.pid)):
            os.kill(pid, 9)
        process.wait()


def tree_of(root: int) -> list[int]:
    """A process and all that descend from it."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").glob("[0-9]*"):
        pid = int(entry.name)
        fields = _status_of(pid)
        if fields:
            children.setdefault(int(fields[1]), []).append(pid)
    found = [root]
    for pid in found:
        found.extend(children.get(pid, []))
    return found


def cpu_seconds(pids: Iterable[int]) -> float:
    """The CPU time that processes and their ended children have used, user and system.

    It is utime + stime + cutime + cstime of /proc/PID/stat, but that of the living comes from a
    clock that is finer than its hundredths.
    """
    return sum(_clock_of(pid) + _ended_seconds(pid) for pid in pids)


def memory_bytes(pids: Iterable[int]) -> int:
    """The resident memory of processes; what they share is counted for each."""
    return sum(_resident(pid) for pid in pids)


def _clock_of(pid: int) -> float:
    # CPUCLOCK_SCHED of a process, as clock_getcpuclockid(3) makes it.
    try:
        return time.clock_gettime((~pid << 3) | 2)
    except OSError:
        return 0.0


def _ended_seconds(pid: int) -> float:
    fields = _status_of(pid)
    return (int(fields[13]) + int(fields[14])) / os.sysconf("SC_CLK_TCK") if fields else 0.0


def _status_of(pid: int) -> list[str]:
    """The fields of /proc/PID/stat behind the name, from the state on; none if it has ended."""
    try:
        # The name in parentheses may hold anything, spaces and parentheses too.
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return []


def _resident(pid: int) -> int:
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE")
