"""Sample data: the same every time, and like what people really type."""

import unicodedata
from collections.abc import Iterator
from itertools import islice

import pytest
from pydantic import TypeAdapter

from webapp.heroes import HeroCreate
from webapp.sample import MAX_TEAMS, Row, sample_heroes, sample_teams
from webapp.teams import TeamCreate

TEAM_IDS = range(1, 21)


@pytest.fixture(scope="module")
def heroes() -> list[Row]:
    return list(sample_heroes(20_000, TEAM_IDS))


def test_the_same_numbers_give_the_same_data() -> None:
    assert list(sample_teams(50)) == list(sample_teams(50))
    assert list(sample_heroes(500, TEAM_IDS)) == list(sample_heroes(500, TEAM_IDS))


def test_the_data_is_the_same_with_every_version() -> None:
    """Screenshots, benchmarks and bug reports refer to it; change this only on purpose."""
    assert next(sample_teams(20))["name"] == "Preventers"
    first = [hero["name"] for hero in islice(sample_heroes(5_000, TEAM_IDS), 3)]
    assert first == ["Distant Swiftlash", "General Hydra", "Royal Swordclaw"]


def test_sample_data_obeys_the_rules_of_the_models(heroes: list[Row]) -> None:
    TypeAdapter(list[HeroCreate]).validate_python(heroes)
    TypeAdapter(list[TeamCreate]).validate_python(list(sample_teams(3_000)))


def test_every_team_has_a_name_of_its_own_however_many_there_are() -> None:
    assert len({team["name"] for team in sample_teams(MAX_TEAMS)}) == MAX_TEAMS


def test_some_fields_are_empty(heroes: list[Row]) -> None:
    assert share(hero["age"] is None for hero in heroes) == pytest.approx(0.08, abs=0.01)
    assert share(hero["team_id"] is None for hero in heroes) == pytest.approx(0.1, abs=0.01)
    teams = list(sample_teams(2_000))
    assert share(team["headquarters"] is None for team in teams) == pytest.approx(0.1, abs=0.03)


def test_most_heroes_are_grown_up_and_some_are_centuries_old(heroes: list[Row]) -> None:
    ages = [age for hero in heroes if isinstance(age := hero["age"], int)]
    assert share(16 <= age <= 70 for age in ages) > 0.9
    assert share(age >= 100 for age in ages) == pytest.approx(0.033, abs=0.01)
    assert min(ages) >= 0
    assert max(ages) <= 120_000


def test_hardly_any_two_heroes_are_called_the_same(heroes: list[Row]) -> None:
    assert len({hero["name"] for hero in heroes}) > 0.75 * len(heroes)


def test_some_names_are_written_with_accents_and_in_other_alphabets(heroes: list[Row]) -> None:
    for column in ("name", "secret_name"):
        names = [str(hero[column]) for hero in heroes]
        assert share(not name.isascii() for name in names) > 0.01
        assert {"LATIN", "GREEK", "CYRILLIC"} <= {
            unicodedata.name(name[0]).partition(" ")[0] for name in names
        }


def test_every_team_has_heroes_and_some_have_more_than_others(heroes: list[Row]) -> None:
    sizes = [sum(hero["team_id"] == id for hero in heroes) for id in TEAM_IDS]
    assert min(sizes) > 0
    assert max(sizes) > 2 * min(sizes)


def test_heroes_without_any_team_are_alone() -> None:
    assert {hero["team_id"] for hero in sample_heroes(100, [])} == {None}


def test_nothing_is_made_of_nothing() -> None:
    assert list(sample_teams(0)) == []
    assert list(sample_heroes(0, TEAM_IDS)) == []


def share(answers: Iterator[bool]) -> float:
    counted = list(answers)
    return sum(counted) / len(counted)
