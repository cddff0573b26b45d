"""Weighing: the start, the memory, an export and a first visit of a running target."""

import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from statistics import median
from typing import Any

import click
import httpx
from playwright.sync_api import Browser, sync_playwright

from benchmarks.databases import Database
from benchmarks.findings import Export, Findings, Visit, Weight
from benchmarks.running import Running, TargetError
from hero_admin.testing.checks.accessibility import FLAGS, chromium

STARTS = 3
EXPORT_SECONDS = 900.0
LOOK_SECONDS = 0.02
# Peers gather a table in memory, which ends badly for a large one.
MAX_PEER_EXPORT = 100_000
# A process that takes more is not going to end well.
MAX_EXPORT_BYTES = 4 * 2**30


def weigh(
    database: Database,
    running: Sequence[Running],
    memory_bytes: Mapping[str, int],
    findings: Findings,
) -> None:
    """Weigh those that still run; `memory_bytes` were taken while they were at work."""
    engine = database.engine
    # Neither depends on how much data there is.
    is_first = not findings.weights
    is_first_here = all(weight.engine != engine for weight in findings.weights)
    seen = _visits([one for one in running if one.target.kind != "floor"]) if is_first else {}
    for one in running:
        if not one.is_alive():
            continue
        name = one.target.name
        exported = started = None
        is_ours = one.target.kind == "ours"
        try:
            if one.target.export_path and (is_ours or database.facts.heroes <= MAX_PEER_EXPORT):
                exported = _export(one)
            if is_first_here:
                started = _cold_start(one)
        except TargetError as error:
            findings.note(engine, database.size, name, "", str(error))
        findings.weights.append(
            Weight(
                engine=engine,
                size=database.size,
                target=name,
                cold_start_seconds=started,
                memory_bytes=memory_bytes.get(name),
                export=exported,
                visit=seen.get(name),
            )
        )


def _cold_start(running: Running) -> float:
    """Seconds from the start of the process to the list, the median of some. Raises TargetError."""
    return median(running.restart() for _ in range(STARTS))


def _export(running: Running) -> Export:
    """Download an export and watch the memory meanwhile. Raises TargetError."""
    before = running.memory_bytes()
    peak = before
    is_done = threading.Event()

    def watch() -> None:
        nonlocal peak
        while not is_done.wait(LOOK_SECONDS):
            peak = max(peak, running.memory_bytes())

    watcher = threading.Thread(target=watch)
    watcher.start()
    received, began = 0, time.perf_counter()
    try:
        with running.client.stream("GET", running.target.export_path, timeout=120) as answer:
            if answer.status_code != httpx.codes.OK:
                raise TargetError(f"answered the export with {answer.status_code}")
            for part in answer.iter_raw():
                received += len(part)
                if time.perf_counter() - began > EXPORT_SECONDS:
                    raise TargetError(f"exported for longer than {EXPORT_SECONDS:.0f} s")
                if peak - before > MAX_EXPORT_BYTES:
                    raise TargetError("took more than 4 GB of memory for an export")
    except httpx.HTTPError as error:
        raise TargetError(f"broke off the export: {error!r}") from error
    finally:
        is_done.set()
        watcher.join()
    return Export(time.perf_counter() - began, received, peak - before)


def _visits(running: Sequence[Running]) -> dict[str, Visit]:
    """Visit the list of each target for the first time; nothing where there is no browser."""
    program = chromium()
    if program is None:
        click.echo("No Chromium found: first visits are left out.", err=True)
        return {}
    found = {}
    with (
        sync_playwright() as playwright,
        playwright.chromium.launch(executable_path=program, args=list(FLAGS)) as browser,
    ):
        for one in running:
            with suppress(TargetError):
                found[one.target.name] = _visit(browser, one)
    return found


def _visit(browser: Browser, running: Running) -> Visit:
    base = str(running.client.base_url).rstrip("/")
    context = browser.new_context(base_url=base)
    for cookie in running.client.cookies.jar:
        context.add_cookies([{"name": cookie.name, "value": cookie.value or "", "url": base}])
    page = context.new_page()
    requests, transferred = 0, 0

    def count(_: object) -> None:
        nonlocal requests
        requests += 1

    # Any: an event of the browser's protocol.
    def weigh(event: dict[str, Any]) -> None:
        nonlocal transferred
        transferred += round(event["encodedDataLength"])

    session = context.new_cdp_session(page)
    session.on("Network.requestWillBeSent", count)
    session.on("Network.loadingFinished", weigh)
    session.send("Network.enable")
    page.goto(running.target.home, wait_until="networkidle")
    context.close()
    return Visit(requests, transferred)
