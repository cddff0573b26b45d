"""`python -m webapp …` in forked processes that have its modules imported already.

To read them takes a second, and many tests run a command.
"""

import os
import runpy
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from multiprocessing import get_context
from pathlib import Path

from tests.server import end_with_parent

END_SECONDS = 60.0
FORKING = get_context("forkserver")
FORKING.set_forkserver_preload(
    ["tests.forking", "hero_admin.cli.main", "alembic.command", "aiosqlite", "asyncpg"]
)
STREAMS = ("stdin", "stdout", "stderr")


def run_forked(
    arguments: tuple[str, ...], environment: Mapping[str, str], typed: str = ""
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "stdin").write_text(typed)
        process = FORKING.Process(target=_run, args=(folder, arguments, dict(environment)))
        process.start()
        process.join(END_SECONDS)
        if process.is_alive():
            process.kill()
            process.join()
            raise subprocess.TimeoutExpired(arguments, END_SECONDS)
        code = folder / "code"
        return subprocess.CompletedProcess(
            arguments,
            int(code.read_text()) if code.exists() else 1,
            (folder / "stdout").read_text(),
            (folder / "stderr").read_text(),
        )


def _run(folder: Path, arguments: tuple[str, ...], environment: dict[str, str]) -> None:
    end_with_parent()
    os.environ.clear()
    os.environ.update(environment)
    for number, name in enumerate(STREAMS):
        mode = "w" if number else "r"
        with (folder / name).open(mode) as file:
            os.dup2(file.fileno(), number)
        setattr(sys, name, os.fdopen(number, mode, buffering=1, closefd=False))
    sys.argv = ["webapp", *arguments]
    # Written here: who waits for a process in several threads may miss its exit code.
    with suppress(SystemExit):
        try:
            runpy.run_module("webapp", run_name="__main__", alter_sys=True)
        except SystemExit as end:
            (folder / "code").write_text(str(end.code or 0))
            raise
