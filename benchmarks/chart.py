"""The chart: how long a list takes at each size, and how many are served, as one SVG."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from itertools import cycle
from math import ceil, floor, log10

from benchmarks.databases import SIZES
from benchmarks.findings import Findings, figure_of
from benchmarks.targets import Target

WIDTH, PANEL_WIDTH, PANEL_HEIGHT, TOP = 960, 380, 300, 64
LEFT_EDGES = (70, 550)
BAR_HEIGHT = 22
# Told apart without colour by their labels and dashes.
COLORS = ("#0b5fff", "#b3261e", "#8a5a00", "#1b7a3d", "#6b7280", "#6b7280", "#6b7280", "#6b7280")
TITLES = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}
STYLE = """
text { font: 12px system-ui, sans-serif; fill: #1d2129 }
.title { font-size: 15px; font-weight: 600 } .small { font-size: 11px; fill: #5b616e }
.grid { stroke: #d9dce3 } .page { fill: #fff }
"""


@dataclass(frozen=True)
class Line:
    """One target's values at positions of the horizontal axis."""

    title: str
    color: str
    is_floor: bool
    values: Sequence[tuple[int, float]]


def draw_chart(findings: Findings, targets: Sequence[Target]) -> str:
    """Return an SVG: above the median time of a list by size, below the lists a second."""
    engines = [engine for engine in TITLES if any(s.engine == engine for s in findings.samples)]
    bar_top = TOP + PANEL_HEIGHT + 110
    height = bar_top + len(targets) // 2 * BAR_HEIGHT + 10
    width = WIDTH if len(engines) > 1 else WIDTH // 2
    label = "Time of a list by size, and lists a second"
    size = f'viewBox="0 0 {width} {height}"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" aria-label="{label}">',
        f"<style>{STYLE}</style>",
        f'<rect class="page" width="{width}" height="{height}"/>',
    ]
    for left, engine in zip(LEFT_EDGES, engines, strict=False):
        lines = list(_lines(findings, targets, engine))
        if lines:
            parts.append(_text(left, 28, f"{TITLES[engine]}: a list, one at a time", "title"))
            parts.append(_text(left, 46, "median, logarithmic; by number of heroes", "small"))
            parts += _draw_lines(left, lines)
        parts += _draw_bars(left, bar_top, findings, targets, engine)
    return "\n".join([*parts, "</svg>", ""])


def _lines(findings: Findings, targets: Sequence[Target], engine: str) -> Iterator[Line]:
    for target, color in zip(targets, cycle(COLORS), strict=False):
        values = []
        for place, size in enumerate(SIZES):
            figure = figure_of(
                sample
                for sample in findings.samples
                if (sample.engine, sample.size) == (engine, size)
                and (sample.target, sample.scenario) == (target.name, findings.headline)
                and sample.connections == 1
            )
            if figure is not None:
                values.append((place, figure.p50 * 1000))
        if values:
            yield Line(target.title, color, target.kind == "floor", values)


def _draw_lines(left: int, lines: Sequence[Line]) -> Iterator[str]:
    every = [value for line in lines for _, value in line.values]
    low, high = floor(log10(min(every))), ceil(log10(max(every)))
    high = max(high, low + 1)
    bottom = TOP + PANEL_HEIGHT

    def x(place: int) -> float:
        return left + 20 + place * (PANEL_WIDTH - 150) / (len(SIZES) - 1)

    def y(value: float) -> float:
        return bottom - (log10(value) - low) / (high - low) * PANEL_HEIGHT

    for power in range(low, high + 1):
        level = y(10**power)
        yield (
            f'<line class="grid" x1="{left}" x2="{left + PANEL_WIDTH - 110}"'
            f' y1="{level:.1f}" y2="{level:.1f}"/>'
        )
        yield _text(left - 8, level + 4, _milliseconds(10**power), "small", anchor="end")
    for place, size in enumerate(SIZES):
        yield _text(
            x(place), bottom + 20, size.replace("m", " M").replace("k", " k"), anchor="middle"
        )
    taken: list[float] = []
    for line in sorted(lines, key=lambda line: -line.values[-1][1]):
        points = " ".join(f"{x(place):.1f},{y(value):.1f}" for place, value in line.values)
        dash = ' stroke-dasharray="4 4"' if line.is_floor else ""
        yield (
            f'<polyline points="{points}" fill="none" stroke="{line.color}"'
            f' stroke-width="{1.5 if line.is_floor else 2.5}"{dash}/>'
        )
        for place, value in line.values:
            yield f'<circle cx="{x(place):.1f}" cy="{y(value):.1f}" r="3" fill="{line.color}"/>'
        level = y(line.values[-1][1])
        while any(abs(level - other) < 14 for other in taken):
            level += 1
        taken.append(level)
        title = line.title.partition(":")[0]
        yield _text(x(line.values[-1][0]) + 9, level + 4, title, color=line.color)


def _draw_bars(
    left: int, top: int, findings: Findings, targets: Sequence[Target], engine: str
) -> Iterator[str]:
    sizes = [size for size in SIZES if any(s.size == size for s in findings.samples)]
    if not sizes:
        return
    rates = []
    for target, color in zip(targets, cycle(COLORS), strict=False):
        figure = figure_of(
            sample
            for sample in findings.samples
            if (sample.engine, sample.size) == (engine, sizes[0])
            and (sample.target, sample.scenario) == (target.name, findings.headline)
            and sample.connections > 1
        )
        # Beside the floors the others would be too short to tell apart.
        if figure is not None and target.kind != "floor":
            rates.append((target.title, color, figure.throughput))
    if not rates:
        return
    yield _text(left, top - 32, f"{TITLES[engine]}: lists a second, {sizes[0]} heroes", "title")
    yield _text(left, top - 14, "32 connections, one process, one core", "small")
    most = max(rate for _, _, rate in rates)
    for place, (title, color, rate) in enumerate(rates):
        line = top + place * BAR_HEIGHT
        width = max(1.0, rate / most * (PANEL_WIDTH - 190))
        yield _text(left + 105, line + 13, title.partition(":")[0], anchor="end")
        yield (
            f'<rect x="{left + 112}" y="{line + 1}" width="{width:.1f}" height="{BAR_HEIGHT - 6}"'
            f' rx="2" fill="{color}"/>'
        )
        yield _text(left + 118 + width, line + 13, f"{rate:,.0f}")


def _text(
    x: float, y: float, text: str, kind: str = "", *, anchor: str = "start", color: str = ""
) -> str:
    given = f' class="{kind}"' if kind else ""
    # A presentation attribute would yield to the style sheet.
    fill = f' style="fill: {color}"' if color else ""
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{given}{fill}>{escape(text)}</text>'
    )


def _milliseconds(value: float) -> str:
    return f"{value / 1000:g} s" if value >= 1000 else f"{value:g} ms"
