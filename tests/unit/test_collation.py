"""Collation: which columns lists sort by a key of their text."""

import pytest
from sqlalchemy import Column, String, Text
from sqlalchemy.dialects.postgresql import CITEXT
from sqlmodel import Field, SQLModel

from hero_admin.listing.collation import is_collated
from hero_admin.model.resource import Resource
from tests.gadgets import Gadget, Maker, Slot


class Saying(SQLModel, table=True):
    """Texts that a database sorts by rules of their own, and others."""

    id: int | None = Field(default=None, primary_key=True)
    text: str = Field(max_length=40)
    long: str = Field(sa_column=Column(Text, nullable=False))
    binary: str = Field(sa_column=Column(String(40, collation="C"), nullable=False))
    citext: str = Field(sa_column=Column(CITEXT, nullable=False))


@pytest.mark.parametrize(
    ("resource", "names"),
    [
        (Resource(Saying), {"text", "long"}),
        (Resource(Gadget), {"title", "note"}),
        (Resource(Maker), {"code", "motto"}),
        (Resource(Slot), {"shelf"}),
    ],
)
def test_texts_without_a_collation_of_their_own_are_sorted_by_a_key(
    resource: Resource, names: set[str]
) -> None:
    assert {field.name for field in resource.fields if is_collated(field)} == names
