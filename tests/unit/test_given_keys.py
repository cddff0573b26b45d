"""Given keys: the form asks for a key that neither the model nor the database makes."""

from datetime import date
from uuid import UUID, uuid4

import pytest
from sqlalchemy import BigInteger, Column, Identity, Integer, Sequence, String, func
from sqlalchemy.dialects import sqlite
from sqlalchemy.schema import CreateTable
from sqlmodel import Field, SQLModel

from hero_admin.model.resource import Resource
from tests.gadgets import Gadget, Maker, Slot
from webapp.heroes import Hero


class GivenNumber(SQLModel, table=True):
    key: int = Field(primary_key=True)


class GivenOrNone(SQLModel, table=True):
    key: int | None = Field(
        default=None, primary_key=True, sa_column_kwargs={"autoincrement": False}
    )


class GivenDay(SQLModel, table=True):
    key: date = Field(primary_key=True)


class GivenLarge(SQLModel, table=True):
    key: int = Field(sa_column=Column(BigInteger, primary_key=True))


class OneToOne(SQLModel, table=True):
    key: int | None = Field(default=None, primary_key=True, foreign_key="givennumber.key")


class WithDefault(SQLModel, table=True):
    key: str = Field(default="main", primary_key=True)


class Counted(SQLModel, table=True):
    key: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": True})


class NoneAllowed(SQLModel, table=True):
    key: int | None = Field(primary_key=True)


class Identified(SQLModel, table=True):
    key: int = Field(sa_column=Column(Integer, Identity(always=True), primary_key=True))


class Sequenced(SQLModel, table=True):
    key: int = Field(sa_column=Column(Integer, Sequence("numbers"), primary_key=True))


class MadeByColumn(SQLModel, table=True):
    key: UUID | None = Field(default=None, primary_key=True, sa_column_kwargs={"default": uuid4})


class MadeByDatabase(SQLModel, table=True):
    key: UUID | None = Field(
        default=None,
        primary_key=True,
        sa_column_kwargs={"server_default": func.gen_random_uuid()},
    )


class OrByDatabase(SQLModel, table=True):
    key: str = Field(sa_column=Column(String, primary_key=True, server_default="main"))


class PartCounted(SQLModel, table=True):
    tenant: int = Field(primary_key=True)
    key: int | None = Field(
        default=None, primary_key=True, sa_column_kwargs={"autoincrement": True}
    )


@pytest.mark.parametrize(
    ("model", "asked", "demanded"),
    [
        (GivenNumber, ["key"], ["key"]),
        (GivenOrNone, ["key"], ["key"]),
        (GivenDay, ["key"], ["key"]),
        (GivenLarge, ["key"], ["key"]),
        (OneToOne, ["key"], ["key"]),
        (Maker, ["code"], ["code"]),
        (Slot, ["shelf", "number"], ["shelf", "number"]),
        (WithDefault, ["key"], []),
        (OrByDatabase, ["key"], []),
        (PartCounted, ["tenant"], ["tenant"]),
        (Hero, [], []),
        (Gadget, [], []),
        (Counted, [], []),
        (NoneAllowed, [], []),
        (Identified, [], []),
        (Sequenced, [], []),
        (MadeByColumn, [], []),
        (MadeByDatabase, [], []),
    ],
)
def test_a_key_that_nothing_makes_is_asked_for(
    model: type[SQLModel], asked: list[str], demanded: list[str]
) -> None:
    resource = Resource(model)
    assert [
        field.name for field in resource.key if field in resource.schemas.create_fields
    ] == asked
    required = resource.schemas.create.model_json_schema().get("required", [])
    assert [field.name for field in resource.key if field.name in required] == demanded
    assert not [field for field in resource.schemas.edit_fields if field.is_key]


def test_sqlite_is_told_to_count_only_where_it_can() -> None:
    created = CreateTable(Resource(GivenLarge).table).compile(dialect=sqlite.dialect())
    assert "AUTOINCREMENT" not in str(created)
