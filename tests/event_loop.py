"""A watchdog of the event loop: how much work each of its steps is."""

import time
from asyncio import events
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

MAX_SECONDS = 0.05
# How long the work of `_work` takes on the machine that the limit is meant for.
WORK_SECONDS = 0.01


@contextmanager
def watched_event_loop() -> Iterator[float]:
    """Fail if a step of the loop, which keeps everybody else waiting, is over 50 ms of work.

    What counts is the processor's time of this thread, on a slow machine as much more of it as the
    machine takes for anything: the seconds that are given.
    """
    too_long: list[str] = []
    max_seconds = MAX_SECONDS * _slowness()
    run = events.Handle._run  # noqa: SLF001 - where each step begins and ends

    def run_and_measure(handle: events.Handle) -> None:
        start = time.thread_time()
        run(handle)
        seconds = time.thread_time() - start
        if seconds > max_seconds:
            too_long.append(f"{seconds * 1000:.0f} ms: {handle!r}")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(events.Handle, "_run", run_and_measure)
        yield max_seconds
    assert not too_long, "\n".join(too_long)


def _slowness() -> float:
    """How many times as long this machine takes, as busy as it is; 1 at least."""
    start = time.thread_time()
    _work()
    return max(1.0, (time.thread_time() - start) / WORK_SECONDS)


def _work() -> None:
    found = {}
    for number in range(50_000):
        found[number % 1000] = str(number)
