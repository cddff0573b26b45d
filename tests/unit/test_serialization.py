"""Snapshots: the texts of a record, from which the very same values can be made again."""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hero_admin.model.resource import Resource
from hero_admin.model.serialization import keyed_digest, recorded, restored_values, snapshot_of
from hero_admin.model.stored_values import hashable
from tests.gadgets import Condition, Gadget

GADGETS = Resource(Gadget)

characters = st.characters(exclude_categories=["Cs"], exclude_characters="\0")
texts = st.text(characters)
finite = st.floats(allow_nan=False, allow_infinity=False)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | finite | texts,
    lambda inner: st.lists(inner) | st.dictionaries(texts, inner),
    max_leaves=8,
)
# What each column can hold, be it none or as hostile as it may be.
COLUMNS: dict[str, st.SearchStrategy[Any]] = {
    "id": st.uuids(),
    "title": texts,
    "note": st.none() | texts | st.sampled_from(["", " ", "\r\n", "null", '"', "a\r\r\nb"]),
    "count": st.integers(-(2**31), 2**31 - 1),
    "rank": st.none() | st.integers(1, 10),
    "weight": st.none() | finite,
    "price": st.decimals(-(10**8), 10**8, places=2),
    "is_secret": st.booleans(),
    "is_licensed": st.none() | st.booleans(),
    "made_on": st.none() | st.dates(),
    "seen_at": st.datetimes(timezones=st.just(UTC)),
    "checked_at": st.none() | st.datetimes(),
    "opens_at": st.none() | st.times(),
    "lasts": st.none() | st.timedeltas(timedelta(days=-700_000), timedelta(days=700_000)),
    "condition": st.sampled_from(Condition),
    "serial": st.none() | st.uuids(),
    "data": st.dictionaries(texts, json_values),
    "extra": st.none() | st.lists(json_values),
    "maker_code": st.none() | texts,
}
gadgets = st.fixed_dictionaries(COLUMNS)


@given(gadgets)
def test_every_record_comes_back_the_same(values: dict[str, Any]) -> None:
    # As the history keeps it.
    snapshot = json.loads(json.dumps(snapshot_of(GADGETS, values), ensure_ascii=False))
    back = restored_values(GADGETS, snapshot)
    assert back == values
    assert {name: type(value) for name, value in back.items()} == {
        name: type(hashable(value)) for name, value in values.items()
    }
    # JSON tells 1 from 1.0 and from true.
    assert json.dumps([back["data"], back["extra"]]) == json.dumps(
        [values["data"], values["extra"]]
    )


@given(gadgets)
def test_a_snapshot_of_what_came_back_is_the_same(values: dict[str, Any]) -> None:
    snapshot = snapshot_of(GADGETS, values)
    assert snapshot_of(GADGETS, restored_values(GADGETS, snapshot)) == snapshot


def test_no_column_is_left_out_here() -> None:
    assert set(COLUMNS) == {field.name for field in GADGETS.fields}


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("1.50", "1.5"),
        ("1.5000000000", "1.5"),
        ("2.00", "2"),
        ("-0.00", "0"),
        ("100", "100"),
        ("1E+3", "1000"),
        ("0.0010", "0.001"),
        ("-1.10", "-1.1"),
    ],
)
def test_a_number_has_one_text_however_many_zeros_a_database_adds(value: str, text: str) -> None:
    assert recorded(GADGETS.by_name["price"], Decimal(value)) == text


def test_an_instant_has_one_text_whether_a_database_keeps_its_zone_or_not() -> None:
    moment = datetime(2026, 11, 23, 14, 30, 0, 1000, UTC)
    field = GADGETS.by_name["seen_at"]
    assert recorded(field, moment) == recorded(field, moment.replace(tzinfo=None))


def test_a_text_that_is_no_value_any_more_is_refused() -> None:
    for name, text in {"count": "many", "condition": "LOST", "data": "{", "serial": "7"}.items():
        with pytest.raises(ValueError, match=r"\w"):
            restored_values(GADGETS, {name: text})


def test_fields_that_are_gone_are_left_out() -> None:
    assert restored_values(GADGETS, {"count": "7", "color": "red"}) == {"count": 7}


def test_a_digest_needs_the_key_and_tells_all_its_parts_apart() -> None:
    digests = {
        keyed_digest("key", "a", "b"),
        keyed_digest("other key", "a", "b"),
        keyed_digest("key", "ab"),
        keyed_digest("key", "a", "b", ""),
        keyed_digest("key", ["a", "b"]),
        keyed_digest("key", None),
        keyed_digest("key", "None"),
    }
    assert len(digests) == 7
    assert keyed_digest("key", "a", "b") in digests
