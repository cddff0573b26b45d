"""Figures: the medians of a run, looked up by what they are of."""

from collections.abc import Sequence

from benchmarks.databases import ENGINES, SIZES
from benchmarks.findings import Figure, Findings, Problem, Sample, Weight, figure_of
from benchmarks.targets import Target


class Figures:
    """The figures of the targets that took part."""

    def __init__(self, findings: Findings, targets: Sequence[Target]) -> None:
        self.findings = findings
        self._titles = {target.name: target.title for target in targets}
        seen = {sample.target for sample in findings.samples}
        self.targets = [target for target in targets if target.name in seen]
        self.ours = next((target.name for target in targets if target.kind == "ours"), "")
        self.engines = [
            engine for engine in ENGINES if any(s.engine == engine for s in findings.samples)
        ]
        self.sizes = [size for size in SIZES if any(s.size == size for s in findings.samples)]
        self._samples: dict[tuple[str, str, str, str, int], list[Sample]] = {}
        for s in findings.samples:
            key = (s.engine, s.size, s.target, s.scenario, s.connections)
            self._samples.setdefault(key, []).append(s)

    def of(
        self, engine: str, size: str, target: str, scenario: str, connections: int
    ) -> Figure | None:
        """The medians of one target doing one thing."""
        return figure_of(self._samples.get((engine, size, target, scenario, connections), []))

    def growth(
        self, engine: str, small: str, large: str, target: str, scenario: str
    ) -> float | None:
        """How much longer one request takes at the larger size."""
        before = self.of(engine, small, target, scenario, 1)
        after = self.of(engine, large, target, scenario, 1)
        return after.p50 / before.p50 if before and after else None

    def has(self, target: str, scenario: str) -> bool:
        """Whether this was measured, or tried."""
        return any(key[2:4] == (target, scenario) for key in self._samples) or any(
            (problem.target, problem.scenario) == (target, scenario)
            for problem in self.findings.problems
        )

    def problem(self, engine: str, size: str, target: str, scenario: str) -> Problem | None:
        for problem in self.findings.problems:
            if (problem.engine, problem.size, problem.target) == (
                engine,
                size,
                target,
            ) and problem.scenario in {"", scenario}:
                return problem
        return None

    def weight(self, engine: str, size: str, target: str) -> Weight | None:
        for weight in self.findings.weights:
            if (weight.engine, weight.size, weight.target) == (engine, size, target):
                return weight
        return None

    def title(self, target: str) -> str:
        return self._titles[target]

    def throughput(self, engine: str, size: str, target: str) -> float | None:
        """Lists a second: together, or one at a time where together would take too long."""
        found = [
            self.of(engine, size, target, self.findings.headline, number) for number in (32, 1)
        ]
        return max((figure.throughput for figure in found if figure), default=None)

    def best_peer(self, engine: str, size: str) -> tuple[str, float] | None:
        """The title and the throughput of the peer that serves the most lists."""
        rates = [
            (rate, target.title)
            for target in self.targets
            if target.kind == "peer"
            and (rate := self.throughput(engine, size, target.name)) is not None
        ]
        if not rates:
            return None
        rate, title = max(rates)
        return title, rate
