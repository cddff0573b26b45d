"""Title reads: a list is sorted by what the titles in it begin with."""

from collections.abc import Callable
from datetime import datetime
from operator import attrgetter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlmodel import Field, SQLModel

from hero_admin.model.resource import Resource
from hero_admin.model.title_reads import names_read


class Parcel(SQLModel, table=True):
    """Fields with an order and without one, and ways to read them."""

    id: int | None = Field(default=None, primary_key=True)
    sender_id: int | None = Field(default=None, foreign_key="parcel.id")
    is_sent: bool = False
    street: str = Field(max_length=80)
    city: str = Field(max_length=80)
    sent_at: datetime | None = None
    pin: str = Field(default="", max_length=4)

    @property
    def place(self) -> str:
        return self.in_capitals()

    def in_capitals(self) -> str:
        return f"{self.city.upper()}, {self.street}"


class Letter(SQLModel, table=True):
    """A model with a text of its own."""

    id: int | None = Field(default=None, primary_key=True)
    street: str = Field(max_length=80)
    city: str = Field(max_length=80)

    def __str__(self) -> str:
        return f"{self.city}: {self.street}"


@pytest.mark.parametrize(
    ("title", "name"),
    [
        pytest.param(lambda parcel: f"Parcel {parcel.id}", "id", id="number"),
        pytest.param(
            lambda parcel: f"{parcel.sent_at:%Y}: {parcel.street}", "sent_at", id="moment"
        ),
        pytest.param(lambda parcel: parcel.place, "city", id="property"),
        pytest.param(attrgetter("city"), "city", id="getter"),
        # Neither a relation nor yes and no is an order that anybody expects.
        pytest.param(
            lambda parcel: f"{parcel.sender_id} {parcel.is_sent} {parcel.city}",
            "city",
            id="relation",
        ),
        # The order would disclose it.
        pytest.param(lambda parcel: f"{parcel.pin} {parcel.city}", "city", id="masked"),
        pytest.param(lambda _: "Parcel", "street", id="constant"),
        pytest.param(lambda parcel: vars(parcel)["city"], "street", id="vars"),
        pytest.param(lambda parcel: parcel.nothing, "street", id="unknown"),
    ],
)
def test_made_titles_are_sorted_by_the_first_column_that_they_consist_of(
    title: Callable[[Parcel], str], name: str
) -> None:
    resource = Resource(Parcel, title=title, masked=(Parcel.pin,))
    assert (resource.titles.field.name, resource.default_sort) == (name, name)


def test_so_are_those_of_a_models_own_text() -> None:
    assert Resource(Letter).default_sort == "city"


@given(read=st.lists(st.sampled_from(sorted(Parcel.model_fields))))
def test_all_that_a_function_reads_is_noted_in_its_order(read: list[str]) -> None:
    def title(parcel: Parcel) -> str:
        return " ".join(str(getattr(parcel, name)) for name in read) + parcel.street.upper()

    names = names_read(title, Parcel, frozenset(Parcel.model_fields))
    assert names == tuple(dict.fromkeys([*read, "street"]))
