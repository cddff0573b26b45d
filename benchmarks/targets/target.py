"""A target: how it is started, signed in to and asked."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import httpx

from benchmarks.databases import Database
from benchmarks.facts import Facts
from benchmarks.mixed import Ask
from benchmarks.processes import Command
from benchmarks.scenarios import Name

Kind = Literal["ours", "peer", "floor"]

USER = "benchmark"
PASSWORD = "correct horse battery staple"  # noqa: S105 - its accounts are the benchmark's own
SECRET = "not-a-secret-" * 5

Paths = Mapping[Name, str]


@dataclass(frozen=True)
class Place:
    """Where a target runs: its interpreter, a folder for what it makes, its data and its port."""

    python: Path
    folder: Path
    database: Database
    port: int

    @property
    def program_folder(self) -> Path:
        """Where the programs of its environment are."""
        return self.python.parent


def do_nothing(*_: object) -> None:
    """What a target does that needs no preparation, or no sign-in."""


@dataclass(frozen=True)
class Target:
    """`home` is its list as it opens; `mixed` is the address of any list as near as it has one.

    The paths of forms take an `id`.

    Without `requirements` it runs in the project's own environment.
    """

    name: str
    title: str
    kind: Kind
    home: str
    command: Callable[[Place], Command]
    paths: Callable[[httpx.Client, Facts], Paths]
    mixed: Callable[[Ask], str]
    requirements: Path | None = None
    edit_path: str = ""
    new_path: str = ""
    export_path: str = ""
    prepare: Callable[[Place], None] = field(default=do_nothing)
    sign_in: Callable[[httpx.Client, Place], None] = field(default=do_nothing)
