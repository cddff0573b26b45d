"""What the peers' targets have in common: their folder, their server, their addresses."""

from pathlib import Path

import httpx

from benchmarks.processes import Command
from benchmarks.targets.target import SECRET, Place
from tests.server import PROJECT

PEERS_HOME = PROJECT / "benchmarks" / "peers"


def uvicorn(folder: Path, place: Place) -> Command:
    """The command that serves `app.py` of a peer."""
    return Command(
        (str(place.program_folder / "uvicorn"), "app:app", f"--port={place.port}"),
        folder,
        {
            "BENCHMARK_DATABASE_URL": place.database.url(
                "sqlite" if place.database.engine == "sqlite" else "postgresql+psycopg"
            ),
            "BENCHMARK_SECRET": SECRET,
        },
    )


def url(path: str, **params: str | int) -> str:
    """A path with parameters."""
    return str(httpx.URL(path, params=params))
