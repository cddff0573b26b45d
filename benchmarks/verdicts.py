"""Verdicts: what the list must show, and what it showed."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from benchmarks.figures import Figures
from benchmarks.findings import CONNECTIONS, Weight
from benchmarks.scenarios import Name
from benchmarks.writing import NOTHING, factor, kilobytes, megabytes, milliseconds

MOST = max(CONNECTIONS)
SMALL, LARGE = "1k", "10m"
MIXED: tuple[tuple[Name, float, float], ...] = (
    ("mixed-pages", 2.5, 2),
    ("mixed-filters", 5, 4),
    ("mixed-searches", 5, 4),
)
LISTS: tuple[Name, ...] = ("list", "sort-name", "sort-team", "page-1000", "page-last")

Unit = Callable[[float | None], str]


@dataclass(frozen=True)
class Shown:
    """What was measured on one engine, and what it is besides a number."""

    value: float
    note: str = ""


# What an engine showed at a size; None where it was not measured.
Look = Callable[[Figures, str, str], Shown | None]


@dataclass(frozen=True)
class Mark:
    """What is asked for at one size of the data."""

    what: str
    at_least: float
    aim: float
    unit: Unit
    size: str
    look: Look
    is_more_better: bool = False

    def judge(self, figures: Figures, engine: str) -> str:
        """Return what was measured, and whether it is enough if it was at that size."""
        # The nearest there is, which is not judged.
        size = figures.sizes[0 if self.size == SMALL else -1]
        shown = self.look(figures, engine, size)
        if shown is None:
            return NOTHING
        words = self.unit(shown.value) + (f" ({shown.note})" if shown.note else "")
        if size != self.size:
            return f"{words}, at {size}"
        return f"{words} — {self._grade(shown.value)}"

    def _grade(self, value: float) -> str:
        sign = -1 if self.is_more_better else 1
        if value * sign <= self.aim * sign:
            return "aim met"
        return "met" if value * sign <= self.at_least * sign else "**missed**"

    @property
    def limits(self) -> tuple[str, str]:
        """The two marks in words."""
        sign = "≥" if self.is_more_better else "≤"
        aim = self.unit(self.aim) if self.aim != self.at_least else ""
        return f"{sign} {self.unit(self.at_least)}", aim


def _growth(figures: Figures, engine: str, size: str) -> Shown | None:
    small = figures.sizes[0]
    growths = [
        (growth, scenario)
        for scenario in LISTS
        if (growth := figures.growth(engine, small, size, figures.ours, scenario)) is not None
    ]
    if not growths or small == size:
        return None
    worst, scenario = max(growths)
    return Shown(worst, scenario)


def _lead(figures: Figures, engine: str, size: str) -> Shown | None:
    ours = figures.throughput(engine, size, figures.ours)
    best = figures.best_peer(engine, size)
    if ours is None or best is None:
        return None
    title, rate = best
    return Shown(ours / rate, title)


def _above_floor(scenario: Name) -> Look:
    def look(figures: Figures, engine: str, size: str) -> Shown | None:
        ours = figures.of(engine, size, figures.ours, scenario, MOST)
        floor = figures.of(engine, size, "aj", scenario, MOST)
        return Shown(ours.cpu / floor.cpu) if ours and floor else None

    return look


def _search(scenario: Name) -> Look:
    def look(figures: Figures, engine: str, size: str) -> Shown | None:
        figure = figures.of(engine, size, figures.ours, scenario, 1)
        return Shown(figure.p50) if figure else None

    return look


def _bytes(figures: Figures, engine: str, size: str) -> Shown | None:
    figure = figures.of(engine, size, figures.ours, "list", 1)
    return Shown(figure.body_bytes) if figure else None


def _spread(figures: Figures, engine: str, size: str) -> Shown | None:
    figure = figures.of(engine, size, figures.ours, "list", MOST)
    return Shown(figure.p99 / figure.p50) if figure else None


def _weight(read: Callable[[Weight], float | None]) -> Look:
    def look(figures: Figures, engine: str, size: str) -> Shown | None:
        weight = figures.weight(engine, size, figures.ours)
        value = read(weight) if weight else None
        return None if value is None else Shown(value)

    return look


MARKS: Sequence[Mark] = (
    *(
        Mark(
            f"CPU of {scenario} ÷ floor aj, {size}", most, aim, factor, size, _above_floor(scenario)
        )
        for scenario, most, aim in MIXED
        for size in (SMALL, LARGE)
    ),
    Mark("list p50 ÷ at 1 k, worst sort or end", 1.3, 1.1, factor, LARGE, _growth),
    Mark("lists a second ÷ best peer, 1 k", 4, 10, factor, SMALL, _lead, is_more_better=True),
    Mark("lists a second ÷ best peer, 10 M", 100, 300, factor, LARGE, _lead, is_more_better=True),
    Mark(
        "search, common: whole request", 0.02, 0.02, milliseconds, LARGE, _search("search-common")
    ),
    Mark(
        "search, absent: whole request", 0.02, 0.02, milliseconds, LARGE, _search("search-absent")
    ),
    Mark("search, rare: whole request", 0.06, 0.03, milliseconds, LARGE, _search("search-rare")),
    Mark("list HTML, 25 rows, uncompressed", 30e3, 20e3, kilobytes, SMALL, _bytes),
    Mark("list p99 ÷ p50, 32 connections, 1 k", 4, 2.5, factor, SMALL, _spread),
    Mark(
        "memory after the lists, 10 M",
        120e6,
        120e6,
        megabytes,
        LARGE,
        _weight(lambda weight: weight.memory_bytes),
    ),
    Mark(
        "memory on top during an export, 10 M",
        20e6,
        20e6,
        megabytes,
        LARGE,
        _weight(lambda weight: weight.export.growth_bytes if weight.export else None),
    ),
    Mark(
        "cold start to first page",
        0.6,
        0.4,
        milliseconds,
        SMALL,
        _weight(lambda weight: weight.cold_start_seconds),
    ),
)
