"""Garbage: how often Python looks for some, which takes time that grows with all there is."""

import gc

# Python's own would look through everything every few requests.
THRESHOLDS = (20_000, 20, 50)


def look_seldom() -> None:
    gc.set_threshold(*THRESHOLDS)


def keep_all() -> None:
    """Take all there is by now for what stays, and never look through it again."""
    gc.collect()
    gc.freeze()
