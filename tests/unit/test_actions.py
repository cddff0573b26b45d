"""Actions: how they are given, and the mistakes in them, in a sentence each."""

from dataclasses import replace
from typing import Any

import pytest
from pydantic import BaseModel
from sqlmodel import Field, SQLModel

from hero_admin import Action, Admin, Resource, ResourceError, Role, Run
from hero_admin.model.site import Site
from webapp.heroes import Hero, heroes
from webapp.teams import Team, teams


class Transfer(SQLModel):
    team_id: int = Field(foreign_key="team.id")


class Elsewhere(SQLModel):
    planet_id: int = Field(foreign_key="planet.id")


class Odd(BaseModel):
    what: list[dict[str, object]]


async def act(run: Run[Hero], data: Any = None) -> str:
    return ""


async def act_alone(run: Run[Hero]) -> str:
    return ""


def plain(run: Run[Hero]) -> str:
    return ""


# Any: what a type checker would not let pass.
MISTAKES: list[tuple[dict[str, Any], str]] = [
    ({"function": plain}, "takes a function with async def."),
    ({"function": act_alone, "form": Transfer}, "takes a function of (run, data)."),
    ({"form": dict}, "form= takes a class of pydantic or SQLModel, not <class 'dict'>."),
    ({"form": Odd}, "form= can't ask for what, whose type has no input."),
    ({"form": Elsewhere}, "form= refers to planet.id by planet_id, which no resource administers."),
    ({"on": ("row", "column")}, "on= takes some of ('row', 'selected', 'all'), such as ('row',)"),
    ({"on": "row"}, "such as ('row',) with a comma, not 'row'."),
    ({"role": "owner"}, "role= takes a Role, not 'owner'."),
    ({"confirm": "Retire {heroes}?"}, "confirm= takes a text with {count} or {records}, not"),
    ({"label": ""}, "needs a label of at most 80 characters."),
    ({"label": "!"}, "needs another name=, as '' is not a valid URL segment."),
    ({"label": "Delete"}, "needs another name=, as 'delete' is taken."),
]


@pytest.mark.parametrize(("arguments", "said"), MISTAKES)
def test_a_mistake_in_an_action_is_said_when_the_admin_is_made(
    arguments: dict[str, Any], said: str
) -> None:
    action = Action(**{"label": "Act", "function": act, **arguments})
    with pytest.raises(ResourceError) as refused:
        Site([replace(heroes, actions=(action,)), teams])
    assert f"action({action.label!r})" in str(refused.value)
    assert said in str(refused.value)


def test_two_actions_of_one_name_or_on_what_is_read_only_are_mistakes() -> None:
    twice = (Action("Act", act), Action("act", act))
    with pytest.raises(ResourceError, match=r"Resource\(Hero\): action\('act'\) is there twice"):
        Site([replace(heroes, actions=twice), teams])
    with pytest.raises(ResourceError, match="can't be offered where read_only=True"):
        Site([Resource(Team, read_only=True, actions=(Action("Act", act),))])
    with pytest.raises(ResourceError, match=r"actions= takes Action\(…\), not 7"):
        Site([Resource(Team, actions=(7,))])  # type: ignore[arg-type]


def test_a_decorated_function_becomes_an_action_and_stays_what_it_is() -> None:
    crews = Resource(Team)
    decorated = crews.action("Stand down!", on=("row",), role=Role.OWNER)(act_alone)
    assert decorated is act_alone
    # Also in what is made of the resource.
    (action,) = replace(crews, label="crew").actions
    assert (action.name, action.on, action.role) == ("stand-down", ("row",), Role.OWNER)
    assert action.question("3 crews", 3) == "Stand down! 3 crews?"
    assert Action("Act", act, confirm="{count} of {records}?").question("Ann", 1_000) == (
        "1,000 of Ann?"
    )


def test_a_decorator_without_a_label_is_a_mistake() -> None:
    with pytest.raises(ResourceError, match=r"takes a label first, as in @heroes.action"):
        Resource(Team).action(act_alone)  # type: ignore[arg-type]


def test_an_action_of_an_admin_is_checked_when_it_is_added() -> None:
    admin = Admin([heroes, teams])
    admin.action("Act", form=Transfer)(act)
    assert [action.name for action in admin.actions] == ["act"]
    with pytest.raises(ResourceError, match=r"Admin\(\): action\('Act'\) is there twice"):
        admin.action("Act")(act)
