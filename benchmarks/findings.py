"""Findings: the figures of a run, saved to a file between measuring and reporting."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

import click
from pydantic import TypeAdapter

CONNECTIONS = (1, 32)


@dataclass(frozen=True)
class Sample:
    """One target asked one thing in one round. Seconds, for each request."""

    engine: str
    size: str
    target: str
    scenario: str
    connections: int
    round: int
    answers: int
    p50: float
    p99: float
    throughput: float
    cpu: float
    database_cpu: float
    body_bytes: float
    # The part of the time in which the client was busy: near 1 it is the client that is measured.
    client_share: float


@dataclass(frozen=True)
class Export:
    """What an export took; `growth_bytes` is the most memory beyond what was used before."""

    seconds: float
    body_bytes: int
    growth_bytes: int


@dataclass(frozen=True)
class Visit:
    """What a browser with an empty cache asked for to show the list."""

    requests: int
    transferred_bytes: int


@dataclass(frozen=True)
class Weight:
    """What a target weighs. None: it has no such thing, or it was not looked at."""

    engine: str
    size: str
    target: str
    cold_start_seconds: float | None
    memory_bytes: int | None
    export: Export | None
    visit: Visit | None


@dataclass(frozen=True)
class Problem:
    """Why something has no figure: one sentence."""

    engine: str
    size: str
    target: str
    scenario: str
    sentence: str


@dataclass
class Findings:
    """All of a run."""

    mode: str
    began: str
    environment: dict[str, str] = field(default_factory=dict)
    load_before: str = ""
    load_after: str = ""
    data: dict[str, str] = field(default_factory=dict)
    samples: list[Sample] = field(default_factory=list)
    weights: list[Weight] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    @property
    def headline(self) -> str:
        """The scenario that counts: one list again and again where nothing else was measured."""
        has_mixed = any(sample.scenario == "mixed" for sample in self.samples)
        return "mixed" if has_mixed else "list"

    def note(self, engine: str, size: str, target: str, scenario: str, sentence: str) -> None:
        """Keep a problem, and tell it at once."""
        self.problems.append(Problem(engine, size, target, scenario, sentence))
        click.echo(f"  {target} {scenario}: {sentence}", err=True)

    def save(self, path: Path) -> None:
        path.write_bytes(TypeAdapter(Findings).dump_json(self, indent=1))

    @classmethod
    def load(cls, path: Path) -> "Findings":
        return TypeAdapter(cls).validate_json(path.read_bytes())


@dataclass(frozen=True)
class Figure:
    """The medians over the rounds of what `Sample` tells."""

    rounds: int
    p50: float
    p99: float
    throughput: float
    cpu: float
    database_cpu: float
    body_bytes: float
    client_share: float


def figure_of(samples: Iterable[Sample]) -> Figure | None:
    """The medians of the samples of one thing; None when there are none."""
    found = list(samples)
    if not found:
        return None
    return Figure(
        rounds=len(found),
        p50=median(sample.p50 for sample in found),
        p99=median(sample.p99 for sample in found),
        throughput=median(sample.throughput for sample in found),
        cpu=median(sample.cpu for sample in found),
        database_cpu=median(sample.database_cpu for sample in found),
        body_bytes=median(sample.body_bytes for sample in found),
        client_share=median(sample.client_share for sample in found),
    )
