"""Environments: one for each peer with the versions that it names, and what this machine is."""

import asyncio
import os
import platform
import sqlite3
import subprocess
import sys
import venv
from collections.abc import Sequence
from importlib.metadata import distributions
from pathlib import Path

import click

from benchmarks.targets import Target
from tests.postgres import PostgresServer

OURS = ("starlette", "uvicorn", "uvloop", "httptools", "sqlalchemy", "sqlmodel", "aiosqlite")
ALSO_OURS = ("asyncpg", "jinja2", "markupsafe", "starlette-compress")
PEERS_OWN = ("sqladmin", "starlette-admin", "django", "gunicorn", "sqlalchemy", "psycopg")


def interpreter_for(target: Target, cache: Path) -> Path:
    """The interpreter that runs a target; a peer's environment is made when it is not there."""
    if target.requirements is None:
        return Path(sys.executable)
    home = cache / "environments" / target.name
    python = home / "bin" / "python"
    stamp = home / "installed.txt"
    wanted = target.requirements.read_text()
    if not stamp.exists() or stamp.read_text() != wanted:
        click.echo(f"Installing {target.title} …", err=True)
        venv.create(home, clear=True, with_pip=True)
        install = ("-m", "pip", "install", "-qq", "--disable-pip-version-check", "-r")
        subprocess.run([python, *install, target.requirements], check=True)
        stamp.write_text(wanted)
    return python


def load_average() -> str:
    return " ".join(f"{load:.2f}" for load in os.getloadavg())


def describe(targets: Sequence[Target], server: PostgresServer | None) -> dict[str, str]:
    """What the figures depend on, by name."""
    facts = {
        "Processor": f"{_processor()}, {os.cpu_count()} cores",
        "Memory": f"{os.sysconf('SC_PHYS_PAGES') * os.sysconf('SC_PAGE_SIZE') / 2**30:.0f} GB",
        "System": f"{platform.system()} {platform.release()}",
        "Python": platform.python_version(),
        "SQLite": sqlite3.sqlite_version,
    }
    if server is not None:
        facts["PostgreSQL"] = asyncio.run(_version_of(server))
    installed = {found.name.lower(): found.version for found in distributions()}
    facts["Hero Admin"] = _listed(installed, (*OURS, *ALSO_OURS))
    for target in targets:
        if target.requirements is not None:
            pins = dict(
                line.lower().split("==") for line in target.requirements.read_text().splitlines()
            )
            facts[target.title] = _listed(pins, PEERS_OWN)
    return facts


def _listed(versions: dict[str, str], names: Sequence[str]) -> str:
    return ", ".join(f"{name} {versions[name]}" for name in names if name in versions)


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


async def _version_of(server: PostgresServer) -> str:
    async with server.connected() as connection:
        version: str = await connection.fetchval("SHOW server_version")
        return version
