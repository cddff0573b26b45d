"""Models whose fields have the names of what forms, URLs and scripts use themselves."""

from typing import Any

from pydantic import create_model
from sqlalchemy import Column, String
from sqlmodel import Field, Relationship, SQLModel
from starlette.applications import Starlette

from hero_admin.application import create_app
from hero_admin.model.field_names import FORM_PROPERTIES
from hero_admin.model.resource import Resource
from hero_admin.settings import load_settings
from tests.gadgets import Condition


class Oddity(SQLModel, table=True):
    """Fields of every kind of filter, each called like something else."""

    number: int = Field(primary_key=True)
    title: str
    name: str | None = None
    size: int | None = None
    sort: bool | None = None
    q: bool | None = None
    count: int | None = None
    after: Condition | None = None
    limit: Condition | None = None
    back: bool | None = None
    then: int | None = None
    elements: bool | None = None
    method: Condition | None = None
    length: int | None = None
    id: int | None = None
    cls: int | None = None
    self: int | None = None
    age: int | None = None
    age_min: int | None = None
    age_max: bool | None = None
    team: Condition | None = None
    team_id: int | None = Field(default=None, foreign_key="oddity.number")
    children_id: int | None = Field(default=None, foreign_key="oddity.number")
    class_: str | None = Field(default=None, sa_column=Column("class", String, nullable=True))
    submit: list["Oddity"] = Relationship(
        sa_relationship_kwargs={"lazy": "raise", "foreign_keys": "Oddity.team_id"}
    )


class Villager(SQLModel, table=True):
    """Fields that programs know by another name, and methods of rows that are fields here."""

    id: int | None = Field(default=None, primary_key=True)
    full_name: str = Field(alias="fullName", min_length=2)
    home: str = Field(default="", validation_alias="homeIn", serialization_alias="homeOut")
    index: int = 0
    t: int = 0
    # Each is the alias of the other one.
    left: int | None = Field(default=None, alias="right")
    right: int | None = Field(default=None, alias="left")


# Any: pydantic's own way to say what a field is.
PROPERTIES: dict[str, Any] = {
    name: (str, "")
    for name in sorted(FORM_PROPERTIES | {"id", "name", "title"})
    if not name.startswith("_")
}
# A text for every property of a form that a script asks for.
Shadow = create_model(
    "Shadow",
    __base__=SQLModel,
    __module__=__name__,
    __cls_kwargs__={"table": True},
    number=(int, Field(primary_key=True)),
    **PROPERTIES,
)


def app() -> Starlette:
    """An admin of them, for uvicorn."""
    return create_app(load_settings(), [Resource(Shadow)])
