"""Schemas: derived from a model, they check what comes in and say in sentences what is wrong."""

from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import AwareDatetime, BaseModel, PastDate, ValidationError, create_model
from sqlmodel import Field, SQLModel

from hero_admin.model.schemas import Schema, derive, dumped, partial
from hero_admin.model.sentences import sentences_of
from hero_admin.model.texts import clean_text
from webapp.heroes import Hero, HeroCreate, HeroUpdate

LABELS = {"name": "name", "secret_name": "secret name", "age": "age"}


class Weapon(SQLModel, table=True):
    """A model with limits of every kind, which is never stored."""

    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(min_length=2, max_length=5)
    damage: float = Field(gt=0, lt=10)
    uses: int = Field(default=1, ge=1, le=1_000)


def declared_in(model: type[SQLModel]) -> dict[str, Any]:
    return {name: info.annotation for name, info in model.model_fields.items()}


WeaponCreate = derive(Weapon, "WeaponCreate", {"name": str, "damage": float, "uses": int})


def sentences(schema: type[SQLModel], **values: object) -> dict[str, str]:
    with pytest.raises(ValidationError) as caught:
        schema.model_validate(values)
    return sentences_of(caught.value, schema, LABELS)


def test_a_derived_schema_has_the_fields_and_the_limits_of_its_model() -> None:
    assert list(WeaponCreate.model_fields) == ["name", "damage", "uses"]
    valid = WeaponCreate.model_validate({"name": " Axe ", "damage": 3})
    assert valid.model_dump() == {"name": "Axe", "damage": 3.0, "uses": 1}


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("name", "x", "Use at least 2 characters."),
        ("name", "x" * 6, "Use at most 5 characters."),
        ("name", 7, "Enter some text."),
        ("damage", 0, "Enter more than 0."),
        ("damage", 10, "Enter less than 10."),
        ("damage", "much", "Enter a number."),
        ("uses", 0, "Enter 1 or more."),
        ("uses", 1_001, "Enter 1,000 or less."),
        ("uses", 1.5, "Enter a whole number."),
        ("uses", None, "Enter a whole number."),
    ],
)
def test_a_limit_is_put_into_a_sentence(name: str, value: object, sentence: str) -> None:
    given_values = {"name": "Axe", "damage": 3, name: value}
    assert sentences(WeaponCreate, **given_values) == {name: sentence}


def test_every_bad_field_has_a_sentence_of_its_own() -> None:
    assert sentences(HeroCreate, age=-1) == {
        "name": "Enter a name.",
        "secret_name": "Enter a secret name.",
        "age": "Enter 0 or more.",
    }


@pytest.mark.parametrize("blank", ["", " ", "\t\r\n", "\u200b", "\u00a0\u2003", "\u202e\u2060"])
def test_a_text_that_shows_nothing_is_empty(blank: str) -> None:
    assert sentences(HeroCreate, name=blank, secret_name="x") == {"name": "Enter a name."}


def test_an_update_needs_nothing_and_takes_nothing_away() -> None:
    assert HeroUpdate.model_validate({}).model_dump(exclude_unset=True) == {}
    changed = HeroUpdate.model_validate({"age": None})
    assert changed.model_dump(exclude_unset=True) == {"age": None}
    assert sentences(HeroUpdate, name=None) == {"name": "Enter some text."}
    assert sentences(HeroUpdate, name=" ") == {"name": "Enter a name."}


def test_a_partial_schema_is_a_class_of_its_own() -> None:
    update = partial(WeaponCreate, "WeaponUpdate")
    assert update.__name__ == "WeaponUpdate"
    assert not any(info.is_required() for info in update.model_fields.values())
    assert "required" not in update.model_json_schema()
    assert issubclass(update, Schema)


def test_the_model_itself_is_not_changed_by_what_is_derived_from_it() -> None:
    assert Hero.model_fields["name"].is_required()
    assert HeroCreate.model_fields["name"].is_required()


@given(st.text())
def test_any_text_is_cleaned_or_refused_and_cleaned_once(text: str) -> None:
    try:
        cleaned = clean_text(text)
    except ValueError:
        assert "\0" in text
        return
    cleaned.encode()
    assert "\0" not in cleaned
    assert clean_text(cleaned) == cleaned


def test_a_great_many_carriage_returns_are_no_more_work_than_other_text() -> None:
    assert clean_text("a" + "\r" * 500_000) == "a" + "\r" * 500_000
    assert clean_text("a" + "\r" * 500_000 + "\n") == "a\n"


class Kinds(SQLModel):
    """A value of each kind that JSON knows, and of those that it has no form for."""

    whole: int | None = None
    real: float | None = None
    exact: Decimal | None = None
    text: str | None = None
    yes: bool | None = None
    day: date | None = None
    moment: datetime | None = None
    instant: AwareDatetime | None = None
    past: PastDate | None = None
    hour: time | None = None
    many: list[int] | None = None
    anything: Any = None


KINDS = derive(Kinds, "KindsCreate", declared_in(Kinds))


@pytest.mark.parametrize(
    ("value", "names"),
    [
        (True, {"yes", "anything"}),
        (1, {"whole", "real", "exact", "anything"}),
        (1.5, {"real", "exact", "anything"}),
        (0, {"whole", "real", "exact", "anything"}),
        ([True], {"anything"}),
        ([1], {"many", "anything"}),
        ("2026-01-02", {"text", "day", "moment", "past", "anything"}),
        ("2026-01-02T03:04:05Z", {"text", "moment", "instant", "anything"}),
        # Of which pydantic would make moments of 1970.
        ("20260102", {"whole", "real", "exact", "text", "anything"}),
        ("5", {"whole", "real", "exact", "text", "anything"}),
        ("0.0", {"whole", "real", "exact", "text", "anything"}),
    ],
)
def test_a_value_is_taken_for_no_other_kind_of_value(value: object, names: set[str]) -> None:
    taken = set()
    for name in KINDS.model_fields:
        try:
            KINDS.model_validate({name: value})
        except ValidationError:
            continue
        taken.add(name)
    assert taken == names


class Place(BaseModel):
    city: str


class Described(SQLModel):
    data: dict[str, int] | None = None
    tags: list[str] | None = None
    place: Place | None = None


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("data", [], 'Enter a JSON object like {"name": "value"}.'),
        ("data", 5, 'Enter a JSON object like {"name": "value"}.'),
        ("tags", {}, 'Enter a JSON list like ["one", "two"].'),
        ("place", "x", 'Enter a JSON object like {"name": "value"}.'),
        ("place", {}, "“city” is missing."),
    ],
)
def test_what_json_has_to_be_is_said_in_words(name: str, value: object, sentence: str) -> None:
    schema = derive(Described, "DescribedCreate", declared_in(Described))
    assert sentences(schema, **{name: value}) == {name: sentence}


def test_a_number_is_read_out_in_digits_however_small_it_is() -> None:
    for text in ("0E-12", "1E-12", "1E+12", "1.50"):
        read = dumped(KINDS, {"exact": Decimal(text)})["exact"]
        assert read == f"{Decimal(text):f}"


@given(required=st.sets(st.sampled_from("abcdef")))
def test_a_record_is_read_out_in_the_order_of_its_fields(required: set[str]) -> None:
    fields: dict[str, Any] = {
        name: (int, ...) if name in required else (int | None, None) for name in "fabdec"
    }
    schema = create_model("Ordered", __base__=Schema, **fields)
    read = dumped(schema, dict.fromkeys("abcdef", 7))
    assert list(read.items()) == [(name, 7) for name in "fabdec"]
