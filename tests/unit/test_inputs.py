"""Inputs: what is typed becomes a value, and `format` is the exact inverse."""

import enum
import string
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field

from webapp.admin.inputs import Input, check_json, input_for


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
    instant = input_for(datetime, is_aware=True)
    assert instant(instant.format(moment)) == moment


@given(st.datetimes())
def test_the_reading_of_a_clock_reads_back_the_same(moment: datetime) -> None:
    clock = input_for(datetime, is_aware=False)
    assert clock(clock.format(moment)) == moment


@given(st.text())
def test_any_text_is_a_value_or_refused_with_a_sentence(text: str) -> None:
    for kind in (*VALUES, str, datetime, EmailLike):
        sentence = refusal_of(kind, text) or "None."
        assert sentence.endswith(".")
        assert sentence[0].isupper()


def refusal_of(kind: object, text: str) -> str:
    """The sentence with which a text is refused, "" if it is a value."""
    try:
        input_for(kind)(text)
    except ValueError as error:
        return str(error)
    return ""


EmailLike = Annotated[str, Field(pattern="^.+@.+$")]


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
    assert input_for(datetime, is_aware=True)(typed) == moment
    assert input_for(datetime, is_aware=False)(typed) == moment.astimezone(UTC).replace(tzinfo=None)


@pytest.mark.parametrize(
    ("annotation", "kind"),
    [
        (str, "text"),
        (int, "integer"),
        (bool, "bool"),
        (datetime, "datetime"),
        (dict[str, Any], "json"),
        (list[int], "json"),
        (Any, "json"),
        (Rank, "choice"),
    ],
    ids=str,
)
def test_each_type_has_its_control(annotation: Any, kind: str) -> None:
    assert input_for(annotation).kind == kind


def test_a_choice_is_read_as_words() -> None:
    choice: Input = input_for(Rank)
    assert choice.choices == (("NONE", "None"), ("SENIOR_HERO", "Senior hero"))
