"""The benchmarks' report: it says what was found, misses and failures included."""

from dataclasses import replace

from benchmarks.chart import draw_chart
from benchmarks.findings import Export, Findings, Sample, Weight
from benchmarks.report import write_report
from benchmarks.targets import TARGETS

SAMPLE = Sample(
    engine="sqlite",
    size="1k",
    target="hero",
    scenario="list",
    connections=1,
    round=0,
    answers=100,
    p50=0.002,
    p99=0.004,
    throughput=450.0,
    cpu=0.002,
    database_cpu=0.0,
    body_bytes=18_000.0,
    client_share=0.03,
)


def test_a_figure_is_the_median_of_its_rounds() -> None:
    rounds = [
        replace(SAMPLE, round=number, p50=p50) for number, p50 in enumerate((9, 0.005, 0.001))
    ]
    assert "| Hero Admin | 5.00 ms |" in _report(Findings("full", "today", samples=rounds))


def test_what_misses_its_mark_is_named_and_what_meets_it_too() -> None:
    slow = replace(SAMPLE, size="10m", p50=0.02)
    report = _report(Findings("full", "today", samples=[SAMPLE, slow]))
    assert (
        "| list p50 ÷ at 1 k, worst sort or end | ≤ 1.30 × | 1.10 × | 10.0 × (list) — **missed** |"
        in report
    )
    assert (
        "| list HTML, 25 rows, uncompressed | ≤ 30.0 kB | 20.0 kB | 18.0 kB — aim met |" in report
    )


def test_a_mark_for_another_size_is_not_judged() -> None:
    weight = Weight("sqlite", "1k", "hero", None, 500_000_000, Export(1.0, 10, 20), None)
    report = _report(Findings("quick", "today", samples=[SAMPLE], weights=[weight]))
    assert "| memory after the lists, 10 M | ≤ 120 MB |  | 500 MB, at 1k |" in report


def test_a_target_that_failed_is_named_with_its_reason() -> None:
    findings = Findings("full", "today", samples=[SAMPLE])
    findings.note("sqlite", "1k", "django", "list", "took longer than 30 s")
    report = _report(findings)
    assert "- Django admin, SQLite 1k, list: took longer than 30 s." in report


def test_a_run_that_found_nothing_still_has_a_report() -> None:
    assert "## What it must show" in _report(Findings("full", "today"))
    assert draw_chart(Findings("full", "today"), TARGETS).endswith("</svg>\n")


def test_the_chart_shows_each_target_that_was_measured() -> None:
    together = replace(SAMPLE, connections=32)
    chart = draw_chart(Findings("full", "today", samples=[SAMPLE, together]), TARGETS)
    assert "Hero Admin" in chart
    assert "sqladmin" not in chart


def _report(findings: Findings) -> str:
    return write_report(findings, TARGETS, "full.svg")
