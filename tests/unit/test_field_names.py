"""Names: no filter is mistaken for another one, or for the rest of the state of a list."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from pydantic.fields import FieldInfo
from sqlalchemy import Boolean, Column, Integer
from sqlmodel import SQLModel
from starlette.datastructures import FormData, QueryParams

from hero_admin.listing.filters import Filter
from hero_admin.listing.query_parser import parse_filter
from hero_admin.model.column_types import input_for
from hero_admin.model.field_names import (
    FORM_PROPERTIES,
    FORM_STATE,
    LIST_STATE,
    control_name,
    filter_names,
    sent_to,
)
from hero_admin.model.fields import Field
from hero_admin.model.relations import Relation

STEMS = sorted({"age", "team", "method", "constructor"} | LIST_STATE | FORM_STATE)
ENDS = ("", "_id", "_min", "_max", "_min_min", "_id_id")


def a_field(name: str, *, is_range: bool, is_relation: bool, is_optional: bool) -> Field:
    kind = int if is_range else bool
    column = Column(name, Integer if is_range else Boolean, nullable=is_optional)
    return Field(
        name=name,
        label=name,
        column=column,
        info=FieldInfo(annotation=kind),
        input=input_for(column.type, kind),
        relation=Relation(SQLModel, "id", None) if is_relation else None,
        is_key=False,
        is_generated=False,
    )


fields = st.lists(
    st.builds(
        a_field,
        st.builds(lambda stem, end: stem + end, st.sampled_from(STEMS), st.sampled_from(ENDS)),
        is_range=st.booleans(),
        is_relation=st.booleans(),
        is_optional=st.booleans(),
    ),
    unique_by=lambda field: field.name,
)


def asked_of(data: st.DataObject, field: Field, name: str) -> Filter:
    """Anything that a filter can ask for."""
    numbers = st.none() | st.integers(-9, 9)
    has_none = field.is_optional and data.draw(st.booleans())
    if field.input.is_range and not field.relation:
        low, high = data.draw(numbers), data.draw(numbers)
        return Filter(field, name, has_none=has_none, minimum=low, maximum=high)
    one = st.integers(-9, 9) if field.input.is_range else st.booleans()
    values: list[Any] = data.draw(st.lists(one, unique=True))
    return Filter(field, name, tuple(values), has_none=has_none)


@given(fields, st.lists(st.tuples(st.sampled_from(sorted(LIST_STATE)), st.text())), st.data())
def test_what_is_asked_of_a_list_is_read_as_it_was_written(
    fields: list[Field], state: list[tuple[str, str]], data: st.DataObject
) -> None:
    names = filter_names(fields)
    asked = [asked_of(data, field, names[field.name].name) for field in fields]
    pairs = [*state, *(pair for filter in asked for pair in filter.params())]
    params = QueryParams(pairs)
    assert not {name for name, _ in pairs[len(state) :]} & FORM_PROPERTIES
    for filter in asked:
        assert parse_filter(filter.field, names[filter.field.name], params) == (filter, [])
    for name in LIST_STATE:
        assert params.getlist(name) == [text for known, text in state if known == name]


@given(st.lists(st.sampled_from(sorted(FORM_PROPERTIES | FORM_STATE | {"age", "q"})), unique=True))
def test_what_is_sent_to_each_control_is_read_of_its_field(names: list[str]) -> None:
    form = FormData([(control_name(name), f"for {name}") for name in names])
    for name in names:
        assert sent_to(name, form) == [f"for {name}"]
