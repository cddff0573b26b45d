"""Keys: every primary key has one spelling in a URL, and every other spelling is none."""

from urllib.parse import quote, unquote, urljoin
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hero_admin.model.primary_keys import RESERVED, key_of, key_text, parse_key
from hero_admin.model.resource import Resource
from tests.gadgets import Gadget, Maker, Slot
from webapp.app import admin
from webapp.heroes import heroes

gadgets, makers, slots = Resource(Gadget), Resource(Maker), Resource(Slot)

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
# As a form and the API would store them.
stored_texts = texts.map(lambda text: text.strip().replace("\r\n", "\n")).filter(
    lambda text: any(character.isprintable() and not character.isspace() for character in text)
)


@given(st.integers(-(2**31), 2**31 - 1))
def test_a_number_is_spelt_as_it_is_read(number: int) -> None:
    assert key_text(heroes, (number,)) == str(number)
    assert parse_key(heroes, str(number)) == (number,)


@given(st.uuids())
def test_a_uuid_is_spelt_in_lower_case_with_dashes(value: UUID) -> None:
    assert parse_key(gadgets, key_text(gadgets, (value,))) == (value,)
    assert parse_key(gadgets, value.hex) is None


@given(stored_texts)
def test_any_text_is_a_segment_of_a_url(code: str) -> None:
    text = key_text(makers, (code,))
    assert parse_key(makers, text) == (code,)
    # Nothing in it means anything to a browser, a server or a template.
    assert quote(text, safe="~,:") == text == unquote(text)
    assert urljoin("http://testserver/makers/x", f"/makers/{text}").endswith(f"/makers/{text}")


@given(stored_texts, st.integers(-(2**31), 2**31 - 1))
def test_two_columns_are_told_apart(shelf: str, number: int) -> None:
    text = key_text(slots, (shelf, number))
    assert text.count(",") == 1
    assert parse_key(slots, text) == (shelf, number)


@pytest.mark.parametrize("word", sorted(RESERVED))
def test_a_word_that_stands_where_a_key_may_stand_is_escaped(word: str) -> None:
    text = key_text(makers, (word,))
    assert text not in RESERVED
    assert parse_key(makers, text) == (word,)
    assert parse_key(makers, word) is None


def test_every_word_that_a_route_has_in_the_place_of_a_key_is_reserved() -> None:
    assert {"new", "delete", "options"} <= RESERVED


@pytest.mark.parametrize(
    "text",
    ["", "abc", "+7", "07", "-0", " 7", "7 ", "7\n", "7.0", "1e3", "1_0", "٧", "7,8", "~37", "~"],
    ids=ascii,
)
def test_what_does_not_spell_a_number_is_no_key(text: str) -> None:
    assert parse_key(heroes, text) is None


@pytest.mark.parametrize("text", [str(2**63), str(-(2**63) - 1), "9" * 5_000], ids=len)
def test_a_number_that_no_column_holds_is_no_key(text: str) -> None:
    assert parse_key(heroes, text) is None


@pytest.mark.parametrize(
    "text", ["a b", "~61", "~e9", "~C3", "é", "a~", "~2", "~~x", "~~1~", "~~~7B~7D"]
)
def test_what_is_no_spelling_of_a_text_is_no_key(text: str) -> None:
    assert parse_key(makers, text) is None


@given(st.text())
def test_any_text_is_one_key_or_none(text: str) -> None:
    for resource in (*admin.resources, gadgets, makers, slots):
        key = parse_key(resource, text)
        assert key is None or key_text(resource, key) == text


def test_a_record_has_the_key_of_its_columns() -> None:
    assert key_of(slots, {"shelf": "a,b", "number": -1, "gadget_id": UUID(int=0)}) == "a~2Cb,-1"
