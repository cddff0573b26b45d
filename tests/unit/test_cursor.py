"""Cursors: a position in a list survives a URL, and anything else is no cursor."""

import json
from base64 import urlsafe_b64encode
from datetime import UTC, datetime
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hero_admin.listing.cursors import Cursor, cursor_text, parse_cursor
from hero_admin.model.resource import Resource
from tests.gadgets import Gadget, Slot
from webapp.heroes import heroes

NAME, AGE = heroes.by_name["name"], heroes.by_name["age"]
gadgets, slots = Resource(Gadget), Resource(Slot)

ids = st.integers(1, 2**31 - 1)
positions = st.integers(0, 2**53 - 1)
characters = st.characters(exclude_categories=["Cs"], exclude_characters="\0\r")
names = st.text(characters, min_size=1, max_size=20).filter(
    lambda text: text.isprintable() and text.strip() == text
)


@given(names, ids, positions)
def test_a_place_by_name_comes_back(name: str, id_: int, position: int) -> None:
    cursor = Cursor("name", name, (id_,), position)
    text = cursor_text(cursor, NAME, heroes.key)
    assert quote(text, safe="") == text
    assert parse_cursor(text, "name", NAME, heroes.key) == cursor


@given(st.none() | st.integers(0, 150_000), ids)
def test_a_place_by_age_comes_back_and_so_does_one_without(age: int | None, id_: int) -> None:
    cursor = Cursor("-age", age, (id_,))
    text = cursor_text(cursor, AGE, heroes.key)
    assert parse_cursor(text, "-age", AGE, heroes.key) == cursor


@given(names, st.integers(-(2**31), 2**31 - 1))
def test_a_key_of_two_columns_comes_back(shelf: str, number: int) -> None:
    cursor = Cursor("shelf", shelf, (shelf, number))
    text = cursor_text(cursor, slots.key[0], slots.key)
    assert parse_cursor(text, "shelf", slots.key[0], slots.key) == cursor


def test_an_instant_comes_back_as_its_column_keeps_it() -> None:
    field = gadgets.by_name["seen_at"]
    moment = datetime(2026, 11, 23, 14, 30, 0, 1, tzinfo=UTC)
    cursor = Cursor("seen_at", moment, (Gadget(title="Robot").id,))
    text = cursor_text(cursor, field, gadgets.key)
    assert parse_cursor(text, "seen_at", field, gadgets.key) == cursor


def test_a_place_in_another_order_is_none() -> None:
    text = cursor_text(Cursor("name", "Nova", (1,)), NAME, heroes.key)
    for sort in ("-name", "secret_name", ""):
        assert parse_cursor(text, sort, NAME, heroes.key) is None


@pytest.mark.parametrize(
    "packed",
    [
        None,
        7,
        [],
        {},
        ["name"],
        ["name", "Nova", [1], 0],
        ["name", "Nova", ["1", "2"], 0],
        ["name", "Nova", ["x"], 0],
        ["name", "Nova", ["01x"], 0],
        ["name", "Nova", ["99999999999999999999"], 0],
        ["name", "Nova", [None], 0],
        ["name", "Nova", {"1": 1}, "x"],
        ["name", 7, ["1"], 0],
        ["name", ["Nova"], ["1"], 0],
        ["name", "\ud800", ["1"], 0],
        ["name", {"stored": [1]}, ["1"], 0],
        ["name", {"stored": {"bytes": "x"}}, ["1"], 0],
        ["name", {"stored": {"float": 1}}, ["1"], 0],
        ["name", {"text": "61"}, ["1"], 0],
        ["name", "Nova", ["1"], -1],
        ["name", "Nova", ["1"], 2**53],
        ["name", "Nova", ["1"], None],
        ["name", "Nova", ["1"], 1e999],
        ["name", "Nova", ["1"], float("nan")],
        ["name", "Nova", ["1"], 0, 0],
        [["name"], "Nova", ["1"], 0],
    ],
    ids=ascii,
)
def test_a_forged_place_is_none(packed: object) -> None:
    text = urlsafe_b64encode(json.dumps(packed).encode()).decode().rstrip("=")
    assert parse_cursor(text, "name", NAME, heroes.key) is None


@given(st.text() | st.binary().map(lambda raw: urlsafe_b64encode(raw).decode()))
def test_any_text_is_a_place_or_none(text: str) -> None:
    parse_cursor(text, "name", NAME, heroes.key)


def test_nesting_and_length_are_no_way_in() -> None:
    for raw in (b"[" * 14_000, b"[" * 1_000_000, b'["name",' + b"9" * 5_000 + b"]"):
        assert parse_cursor(urlsafe_b64encode(raw).decode(), "name", NAME, heroes.key) is None
