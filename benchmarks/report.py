"""The report: what was found, as Markdown, misses included."""

from collections.abc import Callable, Iterator, Sequence

from benchmarks.figures import Figures
from benchmarks.findings import CONNECTIONS, Export, Figure, Findings, Visit
from benchmarks.scenarios import CROWD, SCENARIOS, Name, Scenario
from benchmarks.targets import Target
from benchmarks.verdicts import MARKS
from benchmarks.writing import NOTHING, factor, kilobytes, megabytes, milliseconds, table

TITLES = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}
MOST = max(CONNECTIONS)
CREATED: tuple[tuple[Name, str], ...] = (
    ("create", "create"),
    ("create-beside-8", "beside 8"),
    ("create-beside-60", "beside 60"),
)
EXPLAINED = (
    "The median, and in parentheses as a multiple of our own. – means that it was not asked; a"
    " floor has one page only."
)


def write_report(findings: Findings, targets: Sequence[Target], chart: str) -> str:
    """Return the report as Markdown; `chart` is the name of the picture beside it."""
    figures = Figures(findings, targets)
    parts = [
        f"# Benchmarks: the {findings.mode} run of {findings.began}",
        "How it is measured, and how to do it again: [benchmarks/README.md](../README.md).",
        f"![Time of a list by size, and lists a second]({chart})",
        "## What it must show",
        *_marks(figures),
        "## What it ran on",
        *_environment(findings),
        "## Mixed: each time another list",
        *_mixed(figures),
        "## Many at once",
        *_crowds(figures),
        "## Time of a request, one at a time",
        EXPLAINED,
        *_times(figures),
        "## Footnote: one list again and again",
        *_throughput(figures, "list"),
        "## Weight",
        *_weights(figures),
        *_problems(figures),
        "## Every figure",
        *_everything(figures),
    ]
    return "\n\n".join(parts) + "\n"


def _marks(figures: Figures) -> Iterator[str]:
    rows = [
        (mark.what, *mark.limits, *(mark.judge(figures, engine) for engine in figures.engines))
        for mark in MARKS
    ]
    yield table(("", "at least", "aim", *(TITLES[engine] for engine in figures.engines)), rows)
    yield "A figure at another size than the mark is for is not judged. Ratios are of one run."


def _environment(findings: Findings) -> Iterator[str]:
    facts = {**findings.environment, "Load before": findings.load_before}
    facts |= {"Load after": findings.load_after}
    facts |= {f"Data, {name}": data for name, data in findings.data.items()}
    yield table(("", ""), list(facts.items()), is_text=True)


def _times(figures: Figures) -> Iterator[str]:
    for scenario in SCENARIOS:
        rows = [
            (target.title, *_times_of(figures, target, scenario))
            for target in figures.targets
            if figures.has(target.name, scenario.name)
        ]
        if not rows:
            continue
        yield f"### {scenario.title}"
        yield table(("", *_columns(figures)), rows)


def _columns(figures: Figures) -> Iterator[str]:
    for engine in figures.engines:
        yield from (f"{TITLES[engine]} {size}" for size in figures.sizes)
        if len(figures.sizes) > 1:
            yield f"{figures.sizes[-1]} ÷ {figures.sizes[0]}"


def _times_of(figures: Figures, target: Target, scenario: Scenario) -> Iterator[str]:
    for engine in figures.engines:
        for size in figures.sizes:
            figure = figures.of(engine, size, target.name, scenario.name, 1)
            ours = figures.of(engine, size, figures.ours, scenario.name, 1)
            problem = figures.problem(engine, size, target.name, scenario.name)
            if figure is None:
                yield "failed" if problem else "–"
            elif ours is None or target.name == figures.ours:
                yield milliseconds(figure.p50)
            else:
                yield f"{milliseconds(figure.p50)} ({factor(figure.p50 / ours.p50)})"
        if len(figures.sizes) > 1:
            ends = figures.sizes[0], figures.sizes[-1]
            yield factor(figures.growth(engine, *ends, target.name, scenario.name))


def _mixed(figures: Figures) -> Iterator[str]:
    yield (
        "CPU of a request, and in parentheses as a multiple of floor aj’s. Nobody asks twice for an"
        " address, and somebody saves every second. Floors know no filters and searches."
    )
    for engine in figures.engines:
        for size in figures.sizes:
            rows = [
                (f"{scenario.title}, {connections} at once", *cells)
                for scenario in SCENARIOS
                for connections in CONNECTIONS
                if scenario.kinds
                and any(cells := _multiples(figures, engine, size, scenario, connections))
            ]
            if rows:
                yield f"### {TITLES[engine]}, {size}"
                yield table(("", *(target.title for target in figures.targets)), rows)
    yield from _throughput(figures, "mixed")


def _crowds(figures: Figures) -> Iterator[str]:
    yield (
        "How long one client takes to create a hero, alone and beside readers of mixed lists, and"
        f" {CROWD} clients at once, each fifth of whose requests is a save. Who refuses one fails."
    )
    heads = ("", *(title for _, title in CREATED), f"{CROWD} at once", "p50", "p99")
    for engine in figures.engines:
        for size in figures.sizes:
            rows = []
            for target in figures.targets:
                alone, *beside = (
                    figures.of(engine, size, target.name, name, 1) for name, _ in CREATED
                )
                crowd = figures.of(engine, size, target.name, "crowd", CROWD)
                if not any((*beside, crowd)):
                    continue
                cells = [
                    f"{milliseconds(each.p50)} ({factor(each.p50 / alone.p50)})"
                    if each and alone
                    else NOTHING
                    for each in (alone, *beside)
                ]
                cells.append(f"{crowd.throughput:,.0f} a second" if crowd else NOTHING)
                cells += [
                    *(
                        milliseconds(each)
                        for each in ((crowd.p50, crowd.p99) if crowd else (None, None))
                    )
                ]
                rows.append((target.title, *cells))
            if rows:
                yield f"### {TITLES[engine]}, {size}"
                yield table(heads, rows)


def _multiples(
    figures: Figures, engine: str, size: str, scenario: Scenario, connections: int
) -> list[str]:
    """Return what each target takes; nothing if none was measured."""
    floor = figures.of(engine, size, "aj", scenario.name, connections)
    found = [
        figures.of(engine, size, target.name, scenario.name, connections)
        for target in figures.targets
    ]
    if not any(found):
        return []
    return [
        f"{milliseconds(figure.cpu)} ({factor(figure.cpu / floor.cpu if floor else None)})"
        if figure
        else NOTHING
        for figure in found
    ]


def _throughput(figures: Figures, scenario: Name) -> Iterator[str]:
    heads: dict[str, Callable[[Figure], str]] = {
        "lists/s": lambda figure: f"{figure.throughput:,.0f}",
        "CPU": lambda figure: milliseconds(figure.cpu),
        "database’s CPU": lambda figure: milliseconds(figure.database_cpu or None),
        "p50": lambda figure: milliseconds(figure.p50),
        "p99": lambda figure: milliseconds(figure.p99),
        "p99 ÷ p50": lambda figure: factor(figure.p99 / figure.p50),
        "bytes": lambda figure: f"{figure.body_bytes:,.0f}",
        "client busy": lambda figure: f"{figure.client_share:.0%}",
    }
    yield (
        f"With {MOST} connections, one process on one core. CPU is what the server’s processes"
        " used for each request; on SQLite the database is part of it."
    )
    for engine in figures.engines:
        for size in figures.sizes:
            rows = []
            floor = figures.of(engine, size, "aj", scenario, MOST)
            for target in figures.targets:
                figure = figures.of(engine, size, target.name, scenario, MOST)
                if figure is not None:
                    ratio = factor(figure.cpu / floor.cpu if floor else None)
                    rows.append((target.title, *(write(figure) for write in heads.values()), ratio))
            if rows:
                yield f"### {TITLES[engine]}, {size}, {MOST} at once"
                yield table(("", *heads, "CPU ÷ aj"), rows)


def _weights(figures: Figures) -> Iterator[str]:
    yield (
        "Memory is resident, of all processes of the server, after the last round of lists;"
        " an export’s is what came on top of that while it ran. A cold start is from the"
        " start of the process to the list. The first visit is Chromium’s, with an empty cache."
    )
    heads = ("", "data", "cold start", "memory", "export’s memory", "export", "first visit")
    rows = [
        (
            figures.title(weight.target),
            f"{TITLES[weight.engine]} {weight.size}",
            milliseconds(weight.cold_start_seconds),
            megabytes(weight.memory_bytes),
            f"+ {megabytes(weight.export.growth_bytes)}" if weight.export else NOTHING,
            _exported(weight.export),
            _visited(weight.visit),
        )
        for weight in figures.findings.weights
    ]
    yield table(heads, rows)


def _exported(export: Export | None) -> str:
    if export is None:
        return NOTHING
    return f"{megabytes(export.body_bytes)} in {milliseconds(export.seconds)}"


def _visited(visit: Visit | None) -> str:
    if visit is None:
        return NOTHING
    return f"{kilobytes(visit.transferred_bytes)} in {visit.requests} requests"


def _problems(figures: Figures) -> Iterator[str]:
    if figures.findings.problems:
        yield "## What did not work"
        yield "\n".join(
            f"- {figures.title(problem.target)}, {TITLES[problem.engine]} {problem.size}"
            f"{', ' + problem.scenario if problem.scenario else ''}: {problem.sentence}."
            for problem in figures.findings.problems
        )


def _everything(figures: Figures) -> Iterator[str]:
    heads = ("", "at once", "p50", "p99", "a second", "CPU", "database’s CPU", "bytes", "rounds")
    for engine in figures.engines:
        for size in figures.sizes:
            rows = []
            for scenario in SCENARIOS:
                for target in figures.targets:
                    for connections in CONNECTIONS:
                        figure = figures.of(engine, size, target.name, scenario.name, connections)
                        if figure is not None:
                            what = f"{scenario.name}, {target.title.partition(':')[0]}"
                            rows.append((what, str(connections), *_details(figure)))
            if rows:
                title = f"<summary>{TITLES[engine]}, {size}</summary>"
                yield f"<details>{title}\n\n{table(heads, rows)}\n\n</details>"


def _details(figure: Figure) -> tuple[str, ...]:
    return (
        milliseconds(figure.p50),
        milliseconds(figure.p99),
        f"{figure.throughput:,.1f}",
        milliseconds(figure.cpu),
        milliseconds(figure.database_cpu or None),
        f"{figure.body_bytes:,.0f}",
        str(figure.rounds),
    )
