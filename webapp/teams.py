"""Teams: the model, its schemas, and how it is administered."""

from typing import TYPE_CHECKING

from sqlalchemy import CheckConstraint
from sqlmodel import Field, Relationship

from hero_admin import Resource, Schema, partial

if TYPE_CHECKING:
    from webapp.heroes import Hero


class TeamBase(Schema):
    name: str = Field(min_length=1, max_length=200, unique=True)
    headquarters: str | None = Field(default=None, max_length=200)


class Team(TeamBase, table=True):
    __tablename__ = "team"
    __table_args__ = (
        CheckConstraint("length(trim(name)) BETWEEN 1 AND 200", name="team_name_is_not_blank"),
        CheckConstraint("length(headquarters) <= 200", name="team_headquarters_is_short"),
    )

    id: int | None = Field(default=None, primary_key=True)
    heroes: list["Hero"] = Relationship(
        back_populates="team", sa_relationship_kwargs={"lazy": "raise"}
    )


class TeamCreate(TeamBase):
    """What creating a team takes."""


TeamUpdate = partial(TeamCreate, "TeamUpdate")


class TeamRead(TeamBase):
    """What reading a team gives."""

    id: int


teams = Resource(
    model=Team,
    create=TeamCreate,
    update=TeamUpdate,
    read=TeamRead,
    search=(Team.name, Team.headquarters),
    icon="team",
)
