"""Facts: what the requests need to know of the data."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

ROWS_PER_PAGE = 25
DEEP_PAGE = 1_000
SOME_HEROES = 400
COMMON, ABSENT = "storm", "qzxwv"

# Any: values of any column.
Execute = Callable[[str], list[tuple[Any, ...]]]


@dataclass(frozen=True)
class Facts:
    """How many there are, and what is searched for."""

    heroes: int
    teams: int
    pages: int
    common: str
    common_hits: int
    rare: str
    rare_hits: int
    absent: str

    @property
    def deep_page(self) -> int:
        """Page 1,000, or the middle where there are not so many."""
        return min(DEEP_PAGE, self.pages // 2)

    @property
    def ids(self) -> list[int]:
        """The keys of some heroes, from the first to the last."""
        return list(range(1, self.heroes + 1, max(1, self.heroes // SOME_HEROES)))


def look(execute: Execute) -> Facts:
    """Find the facts of a database."""
    heroes = _number(execute, "SELECT count(*) FROM hero")
    rare = execute(
        f"SELECT secret_name FROM hero WHERE id >= {heroes // 2} AND secret_name LIKE '%-%'"
        " ORDER BY id LIMIT 1"
    )[0][0]
    return Facts(
        heroes=heroes,
        teams=_number(execute, "SELECT count(*) FROM team"),
        pages=-(-heroes // ROWS_PER_PAGE),
        common=COMMON,
        common_hits=_hits(execute, COMMON),
        rare=rare,
        rare_hits=_hits(execute, rare),
        absent=ABSENT,
    )


def _hits(execute: Execute, text: str) -> int:
    pattern = "'%" + text.lower().replace("'", "''") + "%'"
    return _number(
        execute,
        "SELECT count(*) FROM hero"
        f" WHERE lower(name) LIKE {pattern} OR lower(secret_name) LIKE {pattern}",
    )


def _number(execute: Execute, statement: str) -> int:
    number: int = execute(statement)[0][0]
    return number
