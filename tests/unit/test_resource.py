"""Resources: what is derived from a model, and what may be said instead."""

from pathlib import Path
from typing import Any

import pytest
from sqlmodel import Field, SQLModel

from hero_admin.admin import Admin
from hero_admin.model.arguments import ResourceError
from hero_admin.model.controls import Color, Control, Markdown
from hero_admin.model.fields import Field as ResourceField
from hero_admin.model.links import Link
from hero_admin.model.resource import Resource
from hero_admin.model.site import Site
from tests.gadgets import Gadget, Maker, Slot
from tests.playlists import Artist, Playlist, Track
from webapp.heroes import Hero, HeroCreate, heroes
from webapp.teams import Team, teams

gadgets, makers, slots = Resource(Gadget), Resource(Maker), Resource(Slot)


def names_of(fields: tuple[ResourceField, ...]) -> list[str]:
    return [field.name for field in fields]


def test_a_model_names_its_resource() -> None:
    assert (heroes.name, heroes.label, heroes.label_plural) == ("heroes", "hero", "heroes")
    assert Resource(SecretIdentity).name == "secret-identities"
    assert Resource(SecretIdentity).label == "secret identity"


def test_another_name_may_be_given() -> None:
    people = Resource(Hero, label="person", label_plural="people", name="staff")
    assert (people.name, people.label, people.label_plural) == ("staff", "person", "people")
    # The accounts are at /people.
    persons = Resource(Hero, label="person")
    assert (persons.label_plural, persons.name) == ("people", "persons")


class Extended(HeroCreate):
    agee: int


# Any: what a type checker would not let pass.
MISTAKES: list[tuple[dict[str, Any], str]] = [
    ({"model": HeroCreate}, "Resource(HeroCreate): the model needs table=True to be administered."),
    ({"sort": "agee"}, "sort='agee' is not a column of the model; did you mean 'age'?"),
    ({"sort": "-"}, "sort='-' is not a column of the model."),
    ({"sort": Hero.age}, "sort= takes a text such as 'age', not Hero.age."),
    ({"columns": (Hero.name, Team.name)}, "columns= takes columns of the model, and Team.name is"),
    ({"columns": ("name",)}, "columns= takes columns of the model: write Hero.name, not 'name'."),
    ({"columns": ("nam",)}, "columns= takes columns of the model, and 'nam' isn't one."),
    ({"columns": (Hero.team,)}, "columns= takes columns of the model, and Hero.team isn't one."),
    ({"columns": Hero.name}, "columns= takes several columns, such as (Model.name,) with a comma."),
    ({"check": "age"}, "check= takes a function of a record, or of a record and a session, and"),
    ({"check": lambda: None}, "check= takes a function of a record"),
    ({"check": Hero}, "check= takes a function of a record"),
    ({"before": 1}, "before= takes a function of a change, or of a change and a session, and 1"),
    ({"after_commit": lambda change, session: None}, "after_commit= takes a function of a change"),
    ({"check": names_of, "read_only": True}, "check= is never called where read_only=True."),
    ({"search": Hero.name}, "search= takes several columns"),
    ({"search": (Hero.age,)}, "search= takes text columns, and age isn't one."),
    ({"search": (Hero.name, Hero.name)}, "search= names name twice."),
    ({"filters": (Hero.age, Hero.age)}, "filters= names age twice."),
    ({"filters": (Hero.name,)}, "filters= can't filter by name, as it has too many values."),
    (
        {"title": Team.name},
        "title= takes a column of the model or a function of a record, and Team.name is neither.",
    ),
    (
        {"title": "name"},
        "title= takes a column of the model or a function of a record, and 'name' is neither.",
    ),
    ({"masked": (Team.name,)}, "masked= takes columns of the model, and Team.name isn't one."),
    ({"create": "HeroCreate"}, "create= takes a schema, not 'HeroCreate'."),
    ({"create": Extended}, "create= has the field agee, which the model doesn't have."),
    ({"money": (Hero.age,)}, "money= is now show={…: formats.money}, by `from hero_admin import"),
    ({"links": Hero.team}, "links= takes several links, such as (Link(Playlist.tracks),) with a"),
    ({"links": (Hero.team,)}, "links= takes links: write Link(Hero.team), not Hero.team."),
    ({"links": (Link(Hero.name),)}, "Link(Playlist.tracks), and Hero.name isn't one."),
    ({"links": (Link("team"),)}, "Link(Playlist.tracks), and 'team' isn't one."),
    ({"links": (Link(Team.heroes),)}, "Link(Playlist.tracks), and Team.heroes isn't one."),
    ({"links": (Link(Hero.team),)}, "links= takes many-to-many relationships, and team isn't one"),
    (
        {"model": Playlist, "links": (Link(Playlist.tracks), Link(Playlist.tracks))},
        "Resource(Playlist): links= names tracks twice.",
    ),
    (
        {"model": Playlist, "links": (Link(Playlist.tracks),), "read_only": True},
        "Resource(Playlist): links= can't be changed where read_only=True.",
    ),
    ({"clumns": (Hero.name,)}, "there is no argument clumns=; did you mean columns=?"),
    ({"sections": (Hero.name,)}, "sections= takes a dict, such as {"),
    (
        {"sections": {"A": Hero.name}},
        "sections= takes columns for 'A', such as (Hero.name,) with a",
    ),
    (
        {"sections": {"A": (Team.name,)}},
        "sections= takes columns of the model, and Team.name isn't",
    ),
    ({"sections": {"A": (Hero.age,), "B": (Hero.age,)}}, "sections= names age twice."),
    ({"tabs": True}, "tabs= needs sections= with at least two."),
    (
        {"show": {Hero.age: "{} years"}},
        "show= takes a function of a value for age, not '{} years'.",
    ),
    ({"show": {Hero.team_id: str}}, "show= can't format team_id, which is shown as a link."),
    (
        {"show": {Hero.secret_name: str}, "masked": (Hero.secret_name,)},
        "show= can't format secret_name, which is masked.",
    ),
    ({"inputs": {Hero.age: Markdown}}, "not <class 'hero_admin.model.controls.Markdown'>; did you"),
    ({"inputs": {Hero.team_id: Color()}}, "inputs= can't replace the control of team_id, only"),
    (
        {"inputs": {Hero.age: Control(depends_on=Team.name)}},
        "inputs= lets age depend on Team.name, which isn't of the model.",
    ),
    ({"inputs": {Hero.age: Control(depends_on=Hero.age)}}, "inputs= lets age depend on itself."),
    (
        {"inputs": {Hero.age: Control(depends_on=(Hero.team_id,))}},
        "inputs= lets age depend on values, but names none.",
    ),
    (
        {"inputs": {Hero.team_id: Control(depends_on=(Hero.age, 7, "old"))}},
        "inputs= lets team_id depend on 'old', which age never is.",
    ),
    (
        {"inputs": {Hero.team_id: Control(placeholder="Avengers")}},
        "inputs= has a placeholder for team_id, which isn't typed.",
    ),
    ({"hidden": (Hero.name,)}, "hidden= names name, without which nothing can be created."),
    (
        {"read_only_fields": (Hero.age,), "create": HeroCreate},
        "read_only_fields= names age, which create= takes.",
    ),
    ({"hidden": (Hero.age,), "columns": (Hero.age,)}, "hidden= names age, which columns= shows."),
    ({"group": None}, "group= takes a text, not None."),
    ({"zzz": ()}, "there is no argument zzz=."),
    ({"name": "a/b"}, "name='a/b' is not a valid URL segment, such as team-sizes."),
    ({"icon": "heroe"}, "icon='heroe' is none of the symbols: alert, api, audit, cart, "),
    ({"name": "history"}, "/history is taken, so give it another name=."),
    ({"name": "teams"}, "/teams is taken, so give it another name=."),
]


@pytest.mark.parametrize(("arguments", "said"), MISTAKES)
def test_a_mistake_is_said_in_a_sentence(arguments: dict[str, Any], said: str) -> None:
    model = arguments.get("model", Hero)
    with pytest.raises(ResourceError) as refused:
        Site((teams, Resource(**{"model": Hero, **arguments})))
    assert str(refused.value).startswith(f"Resource({model.__name__}): ")
    assert said in str(refused.value)


def test_what_is_no_resource_is_said_in_a_sentence() -> None:
    # Any: what a type checker would not let pass.
    model: Any = Hero
    without_model: Any = Resource
    with pytest.raises(ResourceError, match=r"^Resource\(\): name the model to administer"):
        without_model()
    with pytest.raises(ResourceError, match="is not a Resource: wrap the model"):
        Site((teams, model))
    with pytest.raises(ResourceError, match="takes a class, such as Hero"):
        Site((teams, Resource(model(name="Nova", secret_name="Sam"))))


@pytest.mark.parametrize("resources", [Resource(Hero), None])
def test_a_forgotten_comma_is_said_in_a_sentence(resources: Any) -> None:
    with pytest.raises(ResourceError, match=r"^Admin\(\): resources= takes a sequence, such as"):
        Admin(resources, migrations=Path())


def test_a_record_is_known_by_its_name_its_title_or_its_first_text() -> None:
    assert Resource(Hero).titles.field.name == "name"
    assert gadgets.titles.field.name == "title"
    assert makers.titles.field.name == "code"
    assert Resource(Hero, title=Hero.secret_name).titles.field.name == "secret_name"
    assert Resource(Number).titles.field.name == "id"


def test_a_record_without_a_title_says_so() -> None:
    assert teams.titles.of({"name": ""}) == "(empty)"
    assert gadgets.titles.of({"title": "Robot"}) == "Robot"


def test_a_list_has_few_columns_and_the_title_first() -> None:
    shown = ["name", "secret_name", "age", "team_id", "retired_on"]
    assert names_of(Resource(Hero).list_fields) == shown
    assert names_of(gadgets.list_fields)[0] == "title"
    assert len(gadgets.list_fields) == 7
    assert not {"id", "note", "data", "extra"} & set(names_of(gadgets.list_fields))


def test_short_texts_are_searched_and_what_can_be_chosen_is_filtered() -> None:
    assert names_of(Resource(Hero).search_fields) == ["name", "secret_name"]
    assert names_of(Resource(Hero).filter_fields) == ["age", "team_id", "retired_on"]
    assert names_of(heroes.filter_fields) == ["team_id", "age"]
    assert not {"title", "note", "serial", "data"} & set(names_of(gadgets.filter_fields))
    assert {"is_secret", "condition", "made_on", "maker_code"} <= set(
        names_of(gadgets.filter_fields)
    )


def test_nothing_is_searched_when_that_is_asked_for() -> None:
    silent = Resource(Hero, search=(), filters=())
    assert (silent.search_fields, silent.filter_fields) == ((), ())


def test_a_form_has_every_field_but_a_key_that_makes_itself() -> None:
    assert names_of(heroes.schemas.create_fields) == ["name", "secret_name", "age", "team_id"]
    assert "id" not in names_of(gadgets.schemas.create_fields)
    assert names_of(slots.schemas.create_fields) == ["shelf", "number", "gadget_id"]
    assert names_of(slots.schemas.edit_fields) == ["gadget_id"]
    assert names_of(makers.schemas.edit_fields) == ["motto"]


def test_the_schemas_of_the_api_are_those_given_or_derived() -> None:
    assert heroes.schemas.create is HeroCreate
    assert gadgets.schemas.create.__name__ == "GadgetCreate"
    assert gadgets.schemas.update.__name__ == "GadgetUpdate"
    assert list(gadgets.schemas.read.model_fields) == list(Gadget.model_fields)


def test_what_must_be_unique_is_known() -> None:
    assert [names_of(fields) for fields in teams.unique_sets] == [["name"]]
    assert [names_of(fields) for fields in slots.unique_sets] == [["shelf", "number"]]
    assert [names_of(fields) for fields in makers.unique_sets] == [["code"]]
    assert [names_of(fields) for fields in gadgets.unique_sets] == [["serial"]]


def test_a_column_that_points_elsewhere_is_a_relation() -> None:
    relation = heroes.by_name["team_id"].relation
    assert relation is not None
    assert (relation.target, relation.target_column, relation.back_name) == (Team, "id", "heroes")
    assert heroes.by_name["team_id"].label == "Team"
    assert gadgets.by_name["maker_code"].relation is not None


def test_the_site_knows_who_points_at_whom() -> None:
    site = Site((heroes, teams, gadgets, makers, slots))
    assert [referrer.name for referrer in site.referrers(teams)] == ["heroes"]
    assert [referrer.name for referrer in site.referrers(makers)] == ["gadgets"]
    assert site.referrers(heroes) == ()
    assert site.of(Team) is teams
    assert site.target_of(heroes.by_name["team_id"]) is teams


def test_two_columns_that_point_at_the_same_model_have_two_names() -> None:
    duels = Resource(Duel)
    names = [referrer.name for referrer in Site((heroes, teams, duels)).referrers(teams)]
    assert len(names) == len(set(names)) == 3


class SecretIdentity(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    name: str


class Number(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    value: float


class Duel(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    attacker_id: int = Field(foreign_key="team.id")
    defender_id: int = Field(foreign_key="team.id")


def test_many_to_many_relations_are_found_by_themselves() -> None:
    found = {model: Resource(model).many_to_many for model in (Playlist, Track, Artist)}
    assert [link.name for link in found[Playlist]] == ["tracks"]
    assert [(link.name, link.label) for link in found[Track]] == [
        ("playlists", "Playlists"),
        ("artists", "Artists"),
    ]
    assert found[Artist] == ()
    assert [link.other_names for link in found[Track]] == [(), ("role",)]
    assert Resource(Playlist, links=()).many_to_many == ()
