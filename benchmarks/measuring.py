"""Measuring: the databases of a plan one after the other, all targets at once on each."""

import os
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import click

from benchmarks.databases import Database, Engine, open_database, plain_copy, postgresql
from benchmarks.environments import describe, interpreter_for, load_average
from benchmarks.findings import Findings
from benchmarks.processes import Cores, cpu_seconds, tree_of
from benchmarks.rounds import Pace, Rounds
from benchmarks.running import Running, TargetError, make_folder
from benchmarks.scenarios import Scenario
from benchmarks.targets import Place, Target
from benchmarks.weighing import weigh
from tests.postgres import PostgresServer
from tests.server import free_port


@dataclass(frozen=True)
class Plan:
    """What a run measures."""

    mode: str
    cache: Path
    targets: Sequence[Target]
    scenarios: Sequence[Scenario]
    sizes: Sequence[str]
    engines: Sequence[Engine]
    pace: Pace
    cores: Cores


def measure(plan: Plan, path: Path) -> Findings:
    """Measure all of a plan; save the findings to a file after each database."""
    # This process is the client; the servers are put onto their own core.
    os.sched_setaffinity(0, plan.cores.asking)
    findings = Findings(plan.mode, datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"))
    interpreters = {target.name: interpreter_for(target, plan.cache) for target in plan.targets}
    with ExitStack() as stack:
        server = None
        if "postgresql" in plan.engines:
            server = stack.enter_context(postgresql(plan.cache))
            for pid in tree_of(server.pid):
                os.sched_setaffinity(pid, plan.cores.asking)
        findings.environment = describe(plan.targets, server)
        # All of them first: making one keeps the machine busy for a while.
        databases = [
            open_database(plan.cache, engine, size, server if engine == "postgresql" else None)
            for engine in plan.engines
            for size in plan.sizes
        ]
        findings.load_before = load_average()
        for database in databases:
            click.echo(f"{database.engine}, {database.size}", err=True)
            its_server = server if database.engine == "postgresql" else None
            _measure_on(database, plan, interpreters, its_server, findings)
            findings.load_after = load_average()
            # What was measured stays, whatever happens to the rest.
            findings.save(path)
    return findings


def _measure_on(
    database: Database,
    plan: Plan,
    interpreters: Mapping[str, Path],
    server: PostgresServer | None,
    findings: Findings,
) -> None:
    facts = database.facts
    findings.data[f"{database.engine} {database.size}"] = (
        f"{facts.heroes:,} heroes, {facts.teams:,} teams; “{facts.common}” {facts.common_hits:,}"
        f" times, “{facts.rare}” {facts.rare_hits:,} times, page {facts.deep_page:,}"
        f" of {facts.pages:,}"
    )
    plain = plain_copy(database)
    with ExitStack() as stack:
        running = []
        for target in plan.targets:
            its_own = database if target.kind == "ours" else plain
            folder = make_folder(plan.cache, target, database.engine, database.size)
            place = Place(interpreters[target.name], folder, its_own, free_port())
            one = Running(target, place, plan.cores)
            stack.callback(one.stop)
            try:
                one.begin()
            except TargetError as error:
                findings.note(database.engine, database.size, target.name, "", str(error))
            else:
                running.append(one)

        def database_cpu() -> float:
            return cpu_seconds(tree_of(server.pid)) if server else 0.0

        rounds = Rounds(database, running, database_cpu, findings, plan.pace)
        rounds.run(plan.scenarios)
        if any(scenario.name == "list" for scenario in plan.scenarios):
            weigh(database, running, rounds.memory_bytes, findings)
