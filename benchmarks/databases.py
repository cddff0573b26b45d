"""Databases: one for each engine and size, created once and cached for later runs."""

import asyncio
import json
import os
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Literal

import asyncpg
import click

from benchmarks.facts import Facts, look
from hero_admin.database.folding import fold
from tests.postgres import SUPERUSER, UNPRIVILEGED, PostgresServer
from tests.server import PROJECT, WEBAPP

Engine = Literal["sqlite", "postgresql"]
ENGINES: tuple[Engine, ...] = ("sqlite", "postgresql")
SIZES = {"1k": 1_000, "100k": 100_000, "1m": 1_000_000, "10m": 10_000_000}

HEROES_PER_TEAM = 1_000
MIN_TEAMS = 20

MEMORY_MB = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2**20
# Defaults but for the size of caches and the log, and for a disk without a moving head.
POSTGRESQL_OPTIONS = {
    "shared_buffers": f"{min(2048, MEMORY_MB // 4)}MB",
    "effective_cache_size": f"{MEMORY_MB // 2}MB",
    "random_page_cost": "1.1",
    "max_wal_size": "4GB",
    "max_connections": "200",
    # The query of a client that has gone away does not go on in the next measurement.
    "client_connection_check_interval": "1s",
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "timezone": "UTC",
}


@dataclass(frozen=True)
class Database:
    """A database full of heroes; `address` is the path of a file or begins with postgresql://."""

    engine: Engine
    size: str
    address: str
    facts: Facts

    def url(self, driver: str) -> str:
        """The address as SQLAlchemy takes it."""
        if self.engine == "sqlite":
            return f"{driver}:///{self.address}"
        return self.address.replace("postgresql", driver, 1)

    @property
    def webapp_url(self) -> str:
        return _webapp_url(self.engine, self.address)

    # Any: values of any column.
    def execute(self, statement: str) -> list[tuple[Any, ...]]:
        """Execute one statement past all servers, and return its rows."""
        return _execute(self.engine, self.address, statement)


@contextmanager
def postgresql(cache: Path) -> Iterator[PostgresServer]:
    """A running server whose data stay in the cache."""
    home = cache / "postgresql"
    home.mkdir(parents=True, exist_ok=True)
    if os.geteuid() == 0:
        shutil.chown(home, UNPRIVILEGED)
    server = PostgresServer(home, POSTGRESQL_OPTIONS)
    server.start()
    try:
        yield server
    finally:
        server.stop()


def open_database(
    cache: Path, engine: Engine, size: str, server: PostgresServer | None
) -> Database:
    """Return the database of this size with the newest schema; make it if it is not there."""
    notes = cache / f"{engine}-{size}.json"
    if engine == "sqlite":
        address = str((cache / f"{engine}-{size}.db").absolute())
    else:
        assert server is not None
        address = f"postgresql://{SUPERUSER}@127.0.0.1:{server.port}/heroes_{size}"
    if not notes.exists():
        _make(engine, size, address, server)
    elif "brought" in run_webapp(_webapp_url(engine, address), "migrate"):
        _analyze(engine, address)
        _remove_file(_plain(address))
    if not notes.exists():
        notes.write_text(
            json.dumps(asdict(look(partial(_execute, engine, address))), ensure_ascii=False)
        )
    return Database(engine, size, address, Facts(**json.loads(notes.read_text())))


def plain_copy(database: Database) -> Database:
    """Return the database for peers and floors; for a SQLite file, a copy without its triggers.

    These note changed rows for the search index, which would cost others an extra write per save.
    """
    if database.engine != "sqlite":
        return database
    copy = replace(database, address=_plain(database.address))
    if not Path(copy.address).exists():
        being_made = replace(copy, address=f"{copy.address}.new")
        _remove_file(being_made.address)
        database.execute(f"VACUUM INTO '{being_made.address}'")
        being_made.execute("PRAGMA journal_mode = WAL")
        for (name,) in being_made.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'"):
            being_made.execute(f'DROP TRIGGER "{name}"')
        Path(being_made.address).rename(copy.address)
    return copy


def run_webapp(url: str, *arguments: str, given: str = "") -> str:
    """Run a command of the application and return what it prints. Raises RuntimeError."""
    done = subprocess.run(
        [*WEBAPP, *arguments],
        check=False,
        cwd=PROJECT,
        env=os.environ | {"WEBAPP_DATABASE_URL": url},
        input=given,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise RuntimeError(f"{' '.join(arguments)} failed: {done.stderr.strip()}")
    return done.stdout


def _webapp_url(engine: Engine, address: str) -> str:
    if engine == "sqlite":
        return f"sqlite+aiosqlite:///{address}"
    return address.replace("postgresql", "postgresql+asyncpg", 1)


def _make(engine: Engine, size: str, address: str, server: PostgresServer | None) -> None:
    heroes = SIZES[size]
    teams = max(MIN_TEAMS, heroes // HEROES_PER_TEAM)
    click.echo(f"Making {heroes:,} heroes in {teams:,} teams for {engine} …", err=True)
    if server is not None:
        name = address.rpartition("/")[2]
        asyncio.run(server.drop_database(name))
        asyncio.run(server.create_database(name))
    else:
        _remove_file(address)
        _remove_file(_plain(address))
    url = _webapp_url(engine, address)
    run_webapp(url, "migrate")
    run_webapp(url, "sample", f"--heroes={heroes}", f"--teams={teams}")
    _analyze(engine, address)


def _plain(address: str) -> str:
    return address.removesuffix(".db") + "-plain.db"


def _remove_file(address: str) -> None:
    """Remove a SQLite database, and what it keeps beside it."""
    for leftover in Path(address).parent.glob(f"{Path(address).name}*"):
        leftover.unlink()


def _analyze(engine: Engine, address: str) -> None:
    _execute(engine, address, "VACUUM ANALYZE" if engine == "postgresql" else "ANALYZE")


# Any: values of any column.
def _execute(engine: Engine, address: str, statement: str) -> list[tuple[Any, ...]]:
    if engine == "postgresql":
        return asyncio.run(_fetch(address, statement))
    with closing(sqlite3.connect(address, isolation_level=None, timeout=60)) as connection:
        # The trigger of a search index created by an earlier version may call it.
        connection.create_function("fold", 1, lambda text: text and fold(text), deterministic=True)
        return connection.execute(statement).fetchall()


# Any: values of any column.
async def _fetch(address: str, statement: str) -> list[tuple[Any, ...]]:
    connection = await asyncpg.connect(address)
    try:
        return [tuple(row) for row in await connection.fetch(statement, timeout=3600)]
    finally:
        await connection.close()
