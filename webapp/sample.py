"""Sample data: believable heroes and teams, the same ones for the same numbers everywhere."""

import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from random import Random

from hero_admin import Count, Loader, SampleData
from webapp.heroes import heroes
from webapp.teams import teams

WORDS = Path(__file__).with_suffix(".toml")
# This many different names can be made without a long search for the next.
MAX_TEAMS = 100_000

# A row as it is inserted.
Row = dict[str, str | int | None]


async def add_sample(load: Loader, hero_count: int, team_count: int) -> None:
    """Add heroes and teams to a database without any."""
    await load.add(teams, sample_teams(team_count))
    await load.add(heroes, sample_heroes(hero_count, await load.fetch_keys(teams)))


SAMPLE = SampleData((Count(heroes, 5_000), Count(teams, 20, MAX_TEAMS)), add_sample)


def sample_teams(count: int) -> Iterator[Row]:
    """Teams, each with a name of its own; at most MAX_TEAMS."""
    random, words = Random(f"{count} teams"), _read_words()  # noqa: S311 - no secret
    for name in islice(_team_names(random, words), count):
        headquarters = None if random.random() < 0.1 else _headquarters(random, words)
        yield {"name": name, "headquarters": headquarters}


def sample_heroes(count: int, team_ids: Sequence[int | None]) -> Iterator[Row]:
    """Heroes; one in ten has no team, and some teams have more than others."""
    random, words = Random(f"{count} heroes in {len(team_ids)} teams"), _read_words()  # noqa: S311 - no secret
    for _ in range(count):
        is_alone = not team_ids or random.random() < 0.1
        yield {
            "name": _hero_name(random, words),
            "secret_name": _secret_name(random, words),
            "age": _age(random),
            "team_id": None if is_alone else team_ids[int(len(team_ids) * random.random() ** 1.6)],
        }


@dataclass(frozen=True)
class People:
    """How the people of one language are called, the family name first where they say it so."""

    first: list[str]
    last: list[str]
    has_initials: bool


@dataclass(frozen=True)
class Words:
    """What names are made of."""

    titles: list[str]
    adjectives: list[str]
    nouns: list[str]
    beginnings: list[str]
    endings: list[str]
    places: list[str]
    groups: list[str]
    causes: list[str]
    units: list[str]
    numbers: list[str]
    buildings: list[str]
    foreign_names: list[str]
    famous_teams: list[str]
    peoples: list[People]


def _read_words() -> Words:
    read = tomllib.loads(WORDS.read_text("utf-8"))
    peoples = [
        People(people["first"].split(), people["last"].split(), people["has_initials"])
        for people in read.pop("peoples")
    ]
    lists = {name: of.split() if isinstance(of, str) else of for name, of in read.items()}
    return Words(**lists, peoples=peoples)


def _hero_name(random: Random, words: Words) -> str:
    choose, chance = random.choice, random.random()
    if chance < 0.02:
        return choose(words.foreign_names)
    if chance < 0.27:
        return f"{choose(words.titles)} {choose(words.nouns)}"
    if chance < 0.47:
        return f"{choose(words.adjectives)} {choose(words.nouns)}"
    if chance < 0.55:
        return f"{choose(words.nouns)} of {choose(words.places)}"
    if chance < 0.63:
        return f"The {choose(words.adjectives)} {choose(words.nouns)}"
    compound = f"{choose(words.beginnings)}{choose(words.endings)}"
    if chance < 0.68:
        return compound
    return f"{choose(words.adjectives if chance < 0.88 else words.titles)} {compound}"


def _secret_name(random: Random, words: Words) -> str:
    people = random.choice(words.peoples)
    first, last = random.choice(people.first), random.choice(people.last)
    chance = random.random()
    if people.has_initials and chance < 0.15:
        return f"{first} {random.choice('ABCDEFGHIJKLMNOPRSTVW')}. {last}"
    if people.has_initials and chance < 0.2:
        other = random.choice(people.last)
        return f"{first} {last}" if other == last else f"{first} {last}-{other}"
    return f"{first} {last}"


def _age(random: Random) -> int | None:
    chance = random.random()
    if chance < 0.08:
        return None
    if chance < 0.11:
        return int(100 * 1200 ** random.random())
    if chance < 0.13:
        return random.randint(6, 15)
    if chance < 0.16:
        return random.randint(71, 99)
    return int(random.triangular(16, 71, 31))


def _team_names(random: Random, words: Words) -> Iterator[str]:
    """Names of teams, all different; longer ones when the short ones become rare."""
    yield from words.famous_teams
    seen = set(words.famous_teams)
    while True:
        name = _team_name(random, words, is_long=len(seen) > 2_000)
        if name not in seen:
            seen.add(name)
            yield name


def _team_name(random: Random, words: Words, *, is_long: bool) -> str:
    choose = random.choice
    group, place, adjective = choose(words.groups), choose(words.places), choose(words.adjectives)
    if is_long:
        return f"{place} {adjective} {group}"
    return choose(
        (
            f"{place} {group}",
            f"{adjective} {group}",
            f"{group} of {place}",
            f"{group} of {choose(words.causes)}",
            f"{choose('ABCDEFGHIJKLMNOPQRSTUVWXYZ')}-{choose(words.units)}",
            f"The {adjective} {choose(words.numbers)}",
        )
    )


def _headquarters(random: Random, words: Words) -> str:
    if random.random() < 0.25:
        return random.choice(words.places)
    building = f"{random.choice(words.adjectives)} {random.choice(words.buildings)}"
    return building if random.random() < 0.4 else f"{building}, {random.choice(words.places)}"
