"""A watchdog of the event loop: how much work each of its steps is."""

import time
from asyncio import events
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

MOST_SECONDS = 0.05


@contextmanager
def watched_event_loop() -> Iterator[None]:
    """Fail if a step of the loop, which keeps everybody else waiting, is over 50 ms of work.

    What counts is the processor's time of this thread: a loaded machine makes no step longer.
    """
    too_long: list[str] = []
    run = events.Handle._run  # noqa: SLF001 - where each step begins and ends

    def run_and_measure(handle: events.Handle) -> None:
        start = time.thread_time()
        run(handle)
        seconds = time.thread_time() - start
        if seconds > MOST_SECONDS:
            too_long.append(f"{seconds * 1000:.0f} ms: {handle!r}")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(events.Handle, "_run", run_and_measure)
        yield
    assert not too_long, "\n".join(too_long)
