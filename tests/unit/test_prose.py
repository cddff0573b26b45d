"""Prose: which texts of a model are long."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Column, ForeignKey, MetaData, String, Table, Text
from sqlalchemy.dialects.postgresql import CITEXT
from sqlmodel import Field, SQLModel

from hero_admin.model.prose import PROSE, short_texts
from hero_admin.model.resource import Resource


class Shipper(SQLModel, table=True):
    """As generated from a database all of whose texts are of one type."""

    ShipperCode: str = Field(sa_column=Column("ShipperCode", Text, primary_key=True))
    CompanyName: str = Field(sa_column=Column("CompanyName", Text, nullable=False))
    Phone: str | None = Field(default=None, sa_column=Column("Phone", Text))
    InternalNotes: str | None = Field(default=None, sa_column=Column("InternalNotes", Text))


class Carrier(SQLModel, table=True):
    """As written by somebody who means a long text."""

    id: int | None = Field(default=None, primary_key=True)
    name: str
    terms: str | None = Field(default=None, sa_column=Column(Text))


def columns_of(*columns: Column[str]) -> dict[str, Column[str]]:
    Table("parcel", MetaData(), *columns)
    return {column.name: column for column in columns}


def test_generated_models_are_listed_searched_and_typed_on_one_line() -> None:
    shippers = Resource(Shipper)
    kinds = {field.name: field.input.kind for field in shippers.fields}
    assert kinds == {
        "ShipperCode": "text",
        "CompanyName": "text",
        "Phone": "text",
        "InternalNotes": "long_text",
    }
    found = ["ShipperCode", "CompanyName", "Phone"]
    assert [field.name for field in shippers.list_fields] == found
    assert [field.name for field in shippers.search_fields] == found


def test_a_text_beside_strings_is_long() -> None:
    kinds = [field.input.kind for field in Resource(Carrier).fields]
    assert kinds == ["integer", "text", "long_text"]


@pytest.mark.parametrize("kind", [String(20), String(), CITEXT()])
def test_a_string_that_is_no_key_tells_what_its_model_means(kind: String) -> None:
    code = Column("code", String(5), primary_key=True)
    maker = Column("maker", String(5), ForeignKey("maker.code"))
    terms = Column("terms", Text)
    assert short_texts(columns_of(code, maker, terms)) == {"terms"}
    assert short_texts(columns_of(Column("city", kind), Column("terms", Text))) == set()


@given(names=st.sets(st.sampled_from(sorted(PROSE | {"city", "phone", "title", "code"}))))
def test_names_tell_where_types_do_not(names: set[str]) -> None:
    columns = columns_of(*(Column(f"the_{name}", Text) for name in sorted(names)))
    assert short_texts(columns) == {f"the_{name}" for name in names - PROSE}
