"""Inputs: what is typed becomes a value, and `format` is the exact inverse."""

import enum
import string
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Any, Literal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import AnyUrl, EmailStr, NaiveDatetime
from sqlalchemy import (
    ARRAY,
    JSON,
    Boolean,
    Date,
    DateTime,
    Enum,
    Float,
    Integer,
    Interval,
    LargeBinary,
    Numeric,
    PickleType,
    String,
    Text,
    Time,
)
from sqlalchemy.dialects import postgresql
from sqlalchemy.types import NullType, TypeEngine

from hero_admin.model.choices import choice_of_members
from hero_admin.model.column_types import input_for as input_for_column
from hero_admin.model.inputs import Input, datetime_input, input_of_python
from hero_admin.model.json_values import check_json


class Rank(enum.Enum):
    NONE = 0
    SENIOR_HERO = "senior"


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**50), 10**50)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(string.printable), inner),
    max_leaves=10,
)
VALUES: dict[Any, st.SearchStrategy[Any]] = {
    int: st.integers(-(2**63), 2**63 - 1),
    float: st.floats(allow_nan=False, allow_infinity=False),
    Decimal: st.decimals(allow_nan=False, allow_infinity=False, places=4, max_value=10**15),
    bool: st.booleans(),
    date: st.dates(),
    time: st.times(),
    timedelta: st.timedeltas(timedelta(days=-700_000), timedelta(days=700_000)),
    UUID: st.uuids(),
    Rank: st.sampled_from(Rank),
    dict: json_values,
}


@pytest.mark.parametrize("kind", VALUES, ids=lambda kind: kind.__name__)
@given(st.data())
def test_what_is_written_reads_back_the_same(kind: type, data: st.DataObject) -> None:
    value = data.draw(VALUES[kind])
    given_input = input_for(kind)
    text = given_input.format(value)
    assert given_input(text) == value
    assert given_input.format(given_input(text)) == text


@given(st.datetimes(timezones=st.just(UTC)))
def test_an_instant_reads_back_the_same(moment: datetime) -> None:
    instant = datetime_input(is_aware=True)
    assert instant(instant.format(moment)) == moment


@given(st.datetimes())
def test_the_reading_of_a_clock_reads_back_the_same(moment: datetime) -> None:
    clock = datetime_input(is_aware=False)
    assert clock(clock.format(moment)) == moment


@given(st.text())
def test_any_text_is_a_value_or_refused_with_a_sentence(text: str) -> None:
    for kind in (*VALUES, str, datetime):
        sentence = refusal_of(kind, text) or "None."
        assert sentence.endswith(".")
        assert sentence[0].isupper()


def input_for(kind: type) -> Input:
    return choice_of_members(kind) if issubclass(kind, enum.Enum) else input_of_python(kind)


def refusal_of(kind: type, text: str) -> str:
    """The sentence with which a text is refused, "" if it is a value."""
    try:
        input_for(kind)(text)
    except ValueError as error:
        return str(error)
    return ""


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        (int, "+7", 7),
        (int, "-0", 0),
        (float, ".5", 0.5),
        (float, "1e3", 1000.0),
        (Decimal, "5.", Decimal(5)),
        (bool, "Yes", True),
        (bool, "off", False),
        (date, "20261123", date(2026, 11, 23)),
        (time, "14:30", time(14, 30)),
        (time, "14:30+02:00", time(14, 30)),
        (timedelta, "3 days", timedelta(days=3)),
        (timedelta, "3d 4:30", timedelta(days=3, hours=4, minutes=30)),
        (timedelta, "1 day, 00:00:01.5", timedelta(days=1, seconds=1.5)),
        (timedelta, "-2 days 01:00", -timedelta(days=2, hours=1)),
        (Rank, "SENIOR_HERO", Rank.SENIOR_HERO),
    ],
    ids=str,
)
def test_people_may_type_in_their_own_way(kind: type, text: str, value: object) -> None:
    assert input_for(kind)(text) == value


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (int, "1.0"),
        (int, "1 000"),
        (int, "1_000"),
        (int, "٣"),
        (int, "0x1"),
        (int, "9" * 101),
        (float, "nan"),
        (float, "inf"),
        (float, "1e999"),
        (float, "1,5"),
        (float, "0x1p3"),
        (Decimal, "1e5"),
        (Decimal, "sNaN"),
        (Decimal, "9" * 101),
        (bool, "2"),
        (date, "2026-13-01"),
        (date, "2026-11-23T00:00"),
        (time, "24:00:01"),
        (timedelta, ""),
        (timedelta, "3 weeks"),
        (UUID, "{123e4567-e89b-12d3-a456-426614174000}"),
        (Rank, "senior"),
        (Rank, "__class__"),
        (dict, "{'a': 1}"),
        (dict, "[NaN]"),
        (dict, "[1e999]"),
        (dict, "[-Infinity]"),
        (dict, '["\\ud800"]'),
        (dict, '{"\\u0000": 1}'),
        (dict, "[" * 102 + "]" * 102),
        (dict, "[" * 100_000),
        (dict, "9" * 5_000),
    ],
    ids=lambda value: str(value)[:30] + str(len(str(value))),
)
def test_what_is_no_value_is_refused(kind: type, text: str) -> None:
    with pytest.raises(ValueError, match=r"^(Enter|Choose|Remove) .*\.$"):
        input_for(kind)(text)


def test_a_backslash_in_json_is_no_invisible_character() -> None:
    assert input_for(dict)('["\\\\u0000"]') == ["\\u0000"]


def test_json_that_a_database_could_not_return_is_refused() -> None:
    for value in ([float("nan")], {"a": ["\0"]}, {"\ud800": 1}):
        with pytest.raises(ValueError, match=r"\.$"):
            check_json(value)


@pytest.mark.parametrize(
    ("typed", "moment"),
    [
        ("2026-11-23T14:30", datetime(2026, 11, 23, 14, 30, tzinfo=UTC)),
        ("2026-11-23 14:30:05.5Z", datetime(2026, 11, 23, 14, 30, 5, 500_000, tzinfo=UTC)),
        (
            "2026-11-23T14:30+05:30",
            datetime(2026, 11, 23, 14, 30, tzinfo=timezone(timedelta(hours=5.5))),
        ),
    ],
)
def test_an_instant_without_a_zone_is_in_utc(typed: str, moment: datetime) -> None:
    assert datetime_input(is_aware=True)(typed) == moment
    assert datetime_input(is_aware=False)(typed) == moment.astimezone(UTC).replace(tzinfo=None)


@pytest.mark.parametrize(
    ("column", "annotation", "kind"),
    [
        (String(), str, "text"),
        (Text(), str, "long_text"),
        (String(501), str | None, "long_text"),
        (postgresql.CITEXT(), str, "text"),
        (String(), EmailStr, "text"),
        (String(), AnyUrl | EmailStr | None, "text"),
        (String(), Literal["a", "b"], "choice"),
        (String(), Rank | None, "choice"),
        (Enum("a", "b"), str, "choice"),
        (Integer(), int, "integer"),
        (Integer(), bool, "bool"),
        (Integer(), Rank, "choice"),
        (Date(), datetime, "date"),
        (DateTime(), date, "datetime"),
        (DateTime(), NaiveDatetime, "datetime"),
        (Time(timezone=True), time, "time"),
        (Interval(), Any, "duration"),
        (postgresql.INTERVAL(), timedelta, "duration"),
        (JSON(), dict[str, Any], "json"),
        (ARRAY(Integer), list[int], "json"),
        (postgresql.HSTORE(), dict[str, str], "json"),
        (LargeBinary(), bytes, "bytes"),
        (PickleType(), dict[str, Any], "bytes"),
        (postgresql.TSVECTOR(), Any, "text"),
        (NullType(), str, "other"),
    ],
    ids=str,
)
def test_each_type_of_column_has_its_control(
    column: TypeEngine[Any], annotation: Any, kind: str
) -> None:
    assert input_for_column(column, annotation).kind == kind


class Grade(enum.Enum):
    def __str__(self) -> str:
        return f"Grade {self.value}"

    A = 1


class Unit(enum.StrEnum):
    KG = "kg"
    IN_USE = "in use"
    OLD = "out_of_use"
    PHONE = "iPhone"


class Known(enum.IntEnum):
    PG = 1
    NC_17 = 2
    ON_LEAVE = 3


class Named(enum.Enum):
    label: str

    def __init__(self, value: int, label: str) -> None:
        self.label = label

    US = 1, "United States"


@pytest.mark.parametrize(
    ("options", "titles"),
    [
        (Grade, ["Grade 1"]),
        (Unit, ["kg", "In use", "out_of_use", "iPhone"]),
        (Known, ["PG", "NC 17", "On leave"]),
        (Named, ["United States"]),
    ],
)
def test_an_option_is_called_as_people_call_it(options: type[enum.Enum], titles: list[str]) -> None:
    assert [title for _, title in choice_of_members(options).choices] == titles


@pytest.mark.parametrize(
    ("item", "text", "value"),
    [
        (Integer(), "[1, null, 3]", [1, None, 3]),
        (Text(), '["a", "b\\n"]', ["a", "b\n"]),
        (Date(), '["2026-11-23"]', [date(2026, 11, 23)]),
        (Float(), "[1, 2.5]", [1.0, 2.5]),
        (Numeric(4, 2), '["1.50"]', [Decimal("1.5")]),
        (Boolean(), "[true]", [True]),
        (Integer(), "[[1, 2], [3, 4]]", [[1, 2], [3, 4]]),
        (Enum(Rank), '["SENIOR_HERO"]', [Rank.SENIOR_HERO]),
    ],
    ids=str,
)
def test_an_array_is_typed_and_written_as_json(
    item: TypeEngine[Any], text: str, value: object
) -> None:
    array = input_for_column(ARRAY(item), list)
    assert array(text) == value
    assert array(array.format(value)) == value


@pytest.mark.parametrize(
    ("item", "text"),
    [
        (Integer(), '["many"]'),
        (Integer(), "[1.5]"),
        (Integer(), "[true]"),
        (Integer(), "[2147483648]"),
        (Integer(), "{}"),
        (Integer(), "1"),
        (Integer(), "[[1], 2]"),
        (Integer(), "[[1], [2, 3]]"),
        (Integer(), '[{"a": 1}]'),
        (Text(), "[1]"),
        (String(2), '["long"]'),
        (Date(), "[20261123]"),
        (Date(), '["today"]'),
        (Numeric(4, 2), '["1.555"]'),
        (Enum(Rank), '["senior"]'),
    ],
    ids=str,
)
def test_what_an_array_cannot_hold_is_refused(item: TypeEngine[Any], text: str) -> None:
    with pytest.raises(ValueError, match=r"^[A-Z{].*\.$"):
        input_for_column(ARRAY(item), list)(text)


def test_a_choice_is_read_as_words() -> None:
    choice = choice_of_members(Rank)
    assert choice.choices == (("NONE", "None"), ("SENIOR_HERO", "senior"))
