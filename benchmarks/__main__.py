"""`python -m benchmarks`: measure, then write what was found into `benchmarks/results/`."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import click

from benchmarks.chart import draw_chart
from benchmarks.databases import ENGINES, SIZES
from benchmarks.findings import Findings
from benchmarks.measuring import Plan, measure
from benchmarks.processes import divide_cores
from benchmarks.report import write_report
from benchmarks.rounds import Pace
from benchmarks.scenarios import SCENARIOS, Scenario
from benchmarks.targets import TARGETS, Target
from benchmarks.targets.hero_admin import hero_admin
from tests.server import PROJECT

CACHE = PROJECT / "var" / "bench"
RESULTS = PROJECT / "benchmarks" / "results"
QUICK_SIZES = ("1k", "100k")
QUICK = Pace(rounds=3, seconds=0.2, crowd_seconds=2, writes={1: 10, 32: 32}, crowd_saves=100)
FULL = Pace(rounds=3, seconds=1, crowd_seconds=15, writes={1: 30, 32: 96}, crowd_saves=400)

Named = TypeVar("Named", Target, Scenario)
Text = TypeVar("Text", bound=str)


def _choice(known: Sequence[str]) -> str:
    return f"Of {', '.join(known)}, with commas between them."


@click.command()
@click.option("--full", is_flag=True, help="Every scenario and size, and more time for each.")
@click.option("--targets", default="", help=_choice([target.name for target in TARGETS]))
@click.option("--scenarios", default="", help=_choice([scenario.name for scenario in SCENARIOS]))
@click.option("--sizes", default="", help=_choice(list(SIZES)))
@click.option("--engines", default="", help=_choice(ENGINES))
@click.option("--rounds", type=click.IntRange(1), help="How often everything is asked.")
@click.option("--seconds", type=click.FloatRange(0.05), help="How long, each time.")
@click.option(
    "--cache",
    type=click.Path(path_type=Path, file_okay=False),
    default=CACHE,
    help="Where databases and the peers' environments stay for the next run.",
)
@click.option(
    "--beside",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    help="Another checkout of this project, measured as the target “beside”.",
)
@click.option("--report-only", is_flag=True, help="Write the report of the last such run again.")
def main(
    full: bool,
    targets: str,
    scenarios: str,
    sizes: str,
    engines: str,
    rounds: int | None,
    seconds: float | None,
    cache: Path,
    beside: Path | None,
    report_only: bool,
) -> None:
    """Measure this application beside its peers and its floors."""
    known: Sequence[Target] = TARGETS
    if beside is not None:
        known = (*TARGETS, hero_admin("beside", f"Hero Admin at {beside.name}", beside.absolute()))
    is_chosen = any((beside, targets, scenarios, sizes, engines))
    mode = "chosen" if is_chosen else "full" if full else "quick"
    pace = QUICK if mode == "quick" else FULL
    offered = [scenario for scenario in SCENARIOS if full or scenarios or scenario.is_quick]
    offered_sizes = list(SIZES) if full or sizes else QUICK_SIZES
    plan = Plan(
        mode=mode,
        cache=cache.absolute(),
        targets=_chosen(known, targets),
        scenarios=_chosen(offered, scenarios),
        sizes=_among(offered_sizes, sizes),
        engines=_among(ENGINES, engines),
        pace=replace(pace, rounds=rounds or pace.rounds, seconds=seconds or pace.seconds),
        cores=divide_cores(),
    )
    plan.cache.mkdir(parents=True, exist_ok=True)
    path = plan.cache / f"findings-{mode}.json"
    if report_only and not path.exists():
        raise click.UsageError(f"there is no {mode} run to report.")
    findings = Findings.load(path) if report_only else measure(plan, path)
    RESULTS.mkdir(exist_ok=True)
    chart = RESULTS / f"{mode}.svg"
    chart.write_text(draw_chart(findings, known))
    report = RESULTS / f"{mode}.md"
    report.write_text(write_report(findings, known, chart.name))
    click.echo(f"Written: {report.relative_to(PROJECT)} and {chart.name} beside it.")


def _chosen(known: Sequence[Named], wanted: str) -> list[Named]:
    names = _among([one.name for one in known], wanted)
    return [one for one in known if one.name in names]


def _among(known: Sequence[Text], wanted: str) -> list[Text]:
    """Return those of the known names that are wanted; all of them if none is."""
    names = [name.strip().lower() for name in wanted.split(",") if name.strip()]
    unknown = [name for name in names if name not in known]
    if unknown:
        raise click.UsageError(f"“{unknown[0]}” is not one of {', '.join(known)}.")
    return [name for name in known if not names or name in names]


if __name__ == "__main__":
    main()
