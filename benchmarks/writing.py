"""Writing figures so that people can compare them: three digits, one unit, and tables."""

from collections.abc import Sequence

NOTHING = "–"


def milliseconds(seconds: float | None) -> str:
    """Return a time in ms, or in s from ten seconds on."""
    if seconds is None:
        return NOTHING
    if seconds >= 10:
        return f"{seconds:.1f} s"
    return f"{_digits(seconds * 1000)} ms"


def factor(value: float | None) -> str:
    """Return how many times."""
    return NOTHING if value is None else f"{_digits(value)} ×"


def megabytes(size: float | None) -> str:
    return NOTHING if size is None else f"{_digits(size / 1e6)} MB"


def kilobytes(size: float | None) -> str:
    return NOTHING if size is None else f"{_digits(size / 1e3)} kB"


def table(heads: Sequence[str], rows: Sequence[Sequence[str]], *, is_text: bool = False) -> str:
    """Return a table in Markdown; all columns but the first are of numbers, unless it is text."""
    ruler = ["---", *("---" if is_text else "---:" for _ in heads[1:])]
    return "\n".join(f"| {' | '.join(row)} |" for row in (heads, ruler, *rows))


def _digits(value: float) -> str:
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"
