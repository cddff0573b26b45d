"""Rounds: every target is asked everything once in each round, so that all see the same machine."""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from itertools import chain, cycle, islice, repeat
from math import ceil

import click
import uvloop

from benchmarks.databases import Database
from benchmarks.findings import CONNECTIONS, Findings, Sample
from benchmarks.load import Load, ask, ask_beside
from benchmarks.mixed import draw
from benchmarks.running import REQUEST_SECONDS, Running, TargetError
from benchmarks.scenarios import CROWD, SCENARIOS, Scenario
from benchmarks.targets.target import Paths
from benchmarks.writes import Writes

# Who takes longer is asked once only.
PATIENCE_SECONDS = 5.0
MIXED_WARM_UP_SECONDS = 3.0
SEEN, DONE = {200}, {302, 303}
CROWDED = tuple(each for each in SCENARIOS if each.is_crowd or each.readers)


@dataclass(frozen=True)
class Pace:
    """How long it is measured; what would take more than `crowd_seconds` together is not.

    `writes` are made at a time, by their connections: each needs a form, which is made beforehand.
    A crowd makes `crowd_saves`.
    """

    rounds: int
    seconds: float
    crowd_seconds: float
    writes: Mapping[int, int]
    crowd_saves: int


class Rounds:
    """The rounds on one database."""

    def __init__(
        self,
        database: Database,
        running: Sequence[Running],
        database_cpu_seconds: Callable[[], float],
        findings: Findings,
        pace: Pace,
    ) -> None:
        self.database = database
        self.running = list(running)
        self.database_cpu_seconds = database_cpu_seconds
        self.findings = findings
        self.pace = pace
        self.paths: dict[str, Paths] = {}
        self.writes = Writes(database)
        self.asks = draw(database.facts, database.execute)
        self._mixed: dict[tuple[str, str], Iterator[bytes]] = {}
        # What has a problem, or is so slow that once is enough.
        self._settled: set[tuple[str, str]] = set()
        self.memory_bytes: dict[str, int] = {}

    def run(self, scenarios: Sequence[Scenario]) -> None:
        """Measure; what goes wrong becomes a problem of the findings."""
        for running in self.running:
            try:
                self.paths[running.target.name] = running.target.paths(
                    running.client, self.database.facts
                )
            except Exception as error:  # noqa: BLE001 - whatever a target answers, the others go on
                self._settle(running, "", f"has no such pages: {error!r}")
        for scenario in scenarios:
            for running in self.running:
                self._warm_up(running, scenario)
        for number in range(self.pace.rounds):
            click.echo(f"  round {number + 1}", err=True)
            turn = number % max(1, len(self.running))
            for scenario in scenarios:
                for running in self.running[turn:] + self.running[:turn]:
                    self._measure_all(running, scenario, number)

    def _warm_up(self, running: Running, scenario: Scenario) -> None:
        """Ask for a moment; what takes very long is measured here once and for all."""
        if not self._has(running, scenario) or scenario.is_crowd or scenario.readers:
            return
        # Of each kind of list the first takes longer: its statement is written.
        seconds = MIXED_WARM_UP_SECONDS if scenario.kinds else 0.1
        sample = self._measure(running, scenario, _connections(scenario)[0], 0, seconds)
        if sample is not None and sample.p50 > PATIENCE_SECONDS:
            self.findings.samples.append(sample)
            self._settled.add((running.target.name, scenario.name))

    def _measure_all(self, running: Running, scenario: Scenario, number: int) -> None:
        for connections in _connections(scenario):
            if not self._has(running, scenario):
                return
            sample = self._measure(running, scenario, connections, number, self.pace.seconds)
            if sample is None:
                return
            self.findings.samples.append(sample)
            if sample.p50 * max(CONNECTIONS) > self.pace.crowd_seconds:
                if scenario.name == "mixed":
                    self._settled |= {(running.target.name, each.name) for each in CROWDED}
                break
        if scenario.name in {"list", "mixed"}:
            self.memory_bytes[running.target.name] = running.memory_bytes()

    def _measure(
        self, running: Running, scenario: Scenario, connections: int, number: int, seconds: float
    ) -> Sample | None:
        try:
            requests = self._requests(running, scenario, connections)
            before = running.cpu_seconds(), self.database_cpu_seconds()
            with self.writes.beside(running) if scenario.kinds else nullcontext():
                load = self._ask(running, scenario, requests, connections, seconds)
            after = running.cpu_seconds(), self.database_cpu_seconds()
            _check(load, DONE | SEEN if scenario.is_crowd else DONE if scenario.is_write else SEEN)
            if scenario.is_write or scenario.is_crowd:
                done = sum(load.statuses[status] for status in DONE)
                self.writes.check(done)
                self.writes.undo()
        except TargetError as error:
            self._settle(running, scenario.name, str(error))
            self._revive(running)
            with suppress(TargetError):
                self.writes.undo()
            return None
        answers = len(load.latencies)
        return Sample(
            engine=self.database.engine,
            size=self.database.size,
            target=running.target.name,
            scenario=scenario.name,
            connections=connections,
            round=number,
            answers=answers,
            p50=_quantile(load.latencies, 0.5),
            p99=_quantile(load.latencies, 0.99),
            throughput=answers / load.elapsed_seconds,
            cpu=(after[0] - before[0]) / answers,
            database_cpu=(after[1] - before[1]) / answers,
            body_bytes=load.body_bytes / answers,
            client_share=load.client_cpu_seconds / load.elapsed_seconds,
        )

    def _ask(
        self,
        running: Running,
        scenario: Scenario,
        requests: Iterator[bytes],
        connections: int,
        seconds: float,
    ) -> Load:
        if scenario.readers:
            asking = ask_beside(
                running.address,
                requests,
                self._mixed_of(running),
                scenario.readers,
                REQUEST_SECONDS,
            )
        else:
            seconds = float("inf") if scenario.is_crowd else seconds
            asking = ask(running.address, requests, connections, seconds, REQUEST_SECONDS)
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            return runner.run(asking)

    def _mixed_of(self, running: Running) -> Iterator[bytes]:
        mixed = next(scenario for scenario in SCENARIOS if scenario.name == "mixed")
        return self._requests(running, mixed, 1)

    def _crowd_requests(self, running: Running) -> Iterator[bytes]:
        """Return requests of which each fifth is a save, as long as there are forms for these."""
        saves = self.writes.changes(running, self.database.facts.ids[: self.pace.crowd_saves])
        mixed = self._mixed_of(running)
        return chain.from_iterable((save, *islice(mixed, 4)) for save in saves)

    def _requests(self, running: Running, scenario: Scenario, connections: int) -> Iterator[bytes]:
        target, ids = running.target, self.database.facts.ids
        if scenario.kinds:
            # From where the last round ended: no address is asked for twice.
            return self._mixed.setdefault(
                (target.name, scenario.name), self._mixed_requests(running, scenario)
            )
        if scenario.name == "edit":
            return cycle([running.page_request(target.edit_path.format(id=id)) for id in ids])
        if scenario.is_crowd:
            return self._crowd_requests(running)
        if scenario.is_write:
            writing = list(islice(cycle(ids), self.pace.writes[connections]))
            make = self.writes.changes if scenario.name == "save" else self.writes.creations
            return iter(make(running, writing))
        is_compressed = scenario.name == "list-compressed"
        path = self.paths[target.name][scenario.name]
        request = running.page_request(path, is_compressed=is_compressed)
        if scenario.is_changed:
            return self.writes.before_each(running, request)
        return repeat(request)

    def _mixed_requests(self, running: Running, scenario: Scenario) -> Iterator[bytes]:
        for shown in cycle([one for one in self.asks if one.kind in scenario.kinds]):
            yield running.page_request(running.target.mixed(shown))

    def _has(self, running: Running, scenario: Scenario) -> bool:
        target = running.target
        settled = {(target.name, ""), (target.name, scenario.name)}
        if settled & self._settled:
            return False
        if scenario.name in {"edit", "save", "crowd"}:
            return bool(target.edit_path)
        if scenario.name.startswith("create"):
            return bool(target.new_path)
        return bool(scenario.kinds) or scenario.name in self.paths[target.name]

    def _settle(self, running: Running, scenario: str, sentence: str) -> None:
        name = running.target.name
        self._settled.add((name, scenario))
        self.findings.note(self.database.engine, self.database.size, name, scenario, sentence)

    def _revive(self, running: Running) -> None:
        """Start it anew: it may be dead, or still at work on what nobody waits for."""
        try:
            running.restart()
        except TargetError as error:
            self._settle(running, "", str(error))


def _connections(scenario: Scenario) -> Sequence[int]:
    if scenario.is_crowd:
        return (CROWD,)
    return CONNECTIONS[:1] if scenario.is_changed or scenario.readers else CONNECTIONS


def _check(load: Load, wanted: set[int]) -> None:
    """Raise TargetError unless every answer came, and had a status that was wanted."""
    if load.timeouts:
        raise TargetError(f"took longer than {REQUEST_SECONDS:.0f} s")
    wrong = {status: count for status, count in load.statuses.items() if status not in wanted}
    if wrong:
        listed = ", ".join(f"{count} times {status}" for status, count in sorted(wrong.items()))
        raise TargetError(f"answered {listed} of {load.statuses.total()}")
    if load.broken or not load.latencies:
        raise TargetError("closed the connection without an answer")


def _quantile(values: Sequence[float], share: float) -> float:
    """The smallest value that this share of all does not exceed."""
    return sorted(values)[max(0, ceil(share * len(values)) - 1)]
