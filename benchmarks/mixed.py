"""Mixed: ten thousand addresses of lists, drawn with a fixed seed, none asked twice in a row.

Whoever asks for one address again and again measures what a server remembers of it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import cycle
from random import Random
from typing import Literal

from benchmarks.facts import Execute, Facts

SEED = 20_261_128
ADDRESSES = 10_000

Kind = Literal["sort", "place", "filter", "search"]
Sort = Literal["name", "age", "team_id"]

# Interleaved, so that each part of the list of URLs has the same mix.
KINDS: tuple[Kind, ...] = ("sort", "place", "filter", "place", "search")
SORTS: tuple[Sort, ...] = ("name", "age", "team_id")
SIZES = (25, 25, 25, 50, 100)
MIN_SEARCH_CHARACTERS = 3


@dataclass(frozen=True)
class Hero:
    """A hero that a page comes after."""

    id: int
    name: str
    age: int
    team_id: int
    team: str


@dataclass(frozen=True)
class Ask:
    """What a list shows. `hero` stands before the page, and `page` is its number, from 1.

    Each target makes an address of it as far as it can: some have no cursors, some no filters.
    """

    kind: Kind
    sort: Sort
    is_descending: bool
    size: int
    page: int = 1
    hero: Hero | None = None
    team_id: int | None = None
    ages: tuple[int, int] | None = None
    text: str = ""

    @property
    def ordering(self) -> str:
        return f"{'-' if self.is_descending else ''}{self.sort}"


def draw(facts: Facts, execute: Execute) -> Sequence[Ask]:
    """Return what is asked of a database, always the same of the same data."""
    random = Random(SEED)  # noqa: S311 - nothing secret
    heroes = _heroes(random, facts, execute)
    return [_ask(random, kind, facts, heroes) for kind, _ in zip(cycle(KINDS), range(ADDRESSES))]


def _heroes(random: Random, facts: Facts, execute: Execute) -> Sequence[Hero]:
    chosen = random.sample(range(1, facts.heroes + 1), min(facts.heroes, ADDRESSES))
    found = execute(
        "SELECT hero.id, hero.name, age, team_id, team.name FROM hero JOIN team"
        f" ON team.id = team_id WHERE age IS NOT NULL AND hero.id IN ({str(chosen)[1:-1]})"
        " ORDER BY hero.id"
    )
    return [Hero(*row) for row in found]


def _ask(random: Random, kind: Kind, facts: Facts, heroes: Sequence[Hero]) -> Ask:
    hero = random.choice(heroes)
    sort, is_descending = random.choice(SORTS), random.random() < 0.5
    size = random.choice(SIZES)
    if kind == "place":
        page = random.randint(1, facts.pages)
        return Ask(kind, sort, is_descending, size, page=page, hero=hero)
    if kind == "filter":
        team_id = hero.team_id if random.random() < 0.7 else None
        ages = (hero.age, hero.age + random.choice((0, 5, 20))) if random.random() < 0.5 else None
        team_id = hero.team_id if ages is None else team_id
        return Ask(kind, sort, is_descending, size, team_id=team_id, ages=ages)
    if kind == "search":
        # As much of a word as somebody has typed when the search begins.
        word = max(hero.name.split(), key=len).lower()
        text = word[: random.randint(MIN_SEARCH_CHARACTERS, max(MIN_SEARCH_CHARACTERS, len(word)))]
        return Ask(kind, sort, is_descending, size, text=text)
    return Ask(kind, sort, is_descending, size)
