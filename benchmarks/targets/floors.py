"""The floors, served by a bare uvicorn."""

import httpx

from benchmarks.facts import Facts
from benchmarks.mixed import Ask
from benchmarks.processes import Command
from benchmarks.targets.starting import url
from benchmarks.targets.target import Paths, Place, Target
from tests.server import PROJECT


def _floor(name: str, title: str, module: str) -> Target:
    def command(place: Place) -> Command:
        application = f"benchmarks.floors.{module}:application"
        options = ("--no-access-log", "--log-level=warning", f"--port={place.port}")
        return Command(
            (str(place.python), "-m", "uvicorn", application, *options),
            PROJECT,
            {"BENCHMARK_DATABASE": place.database.address},
        )

    return Target(name, title, "floor", "/", command, paths=_paths, mixed=_mixed)


def _paths(_: httpx.Client, __: Facts) -> Paths:
    return {"list": "/"}


def _mixed(ask: Ask) -> str:
    params: dict[str, str | int] = {"sort": ask.ordering, "size": ask.size}
    if ask.hero is not None:
        params |= {"value": getattr(ask.hero, ask.sort), "id": ask.hero.id}
    return url("/", **params)


FLOORS = (
    _floor("d", "floor d: a constant body", "constant"),
    _floor("a", "floor a: driver, f-string", "raw"),
    _floor("aj", "floor aj: driver, Jinja", "raw_jinja"),
    _floor("b", "floor b: SQLAlchemy Core, Jinja", "core_jinja"),
)
