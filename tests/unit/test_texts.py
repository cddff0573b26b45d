"""Texts: sentences with a number, and lists in a sentence."""

import pytest

from hero_admin.model.resource import Resource
from hero_admin.model.total import Total
from hero_admin.pages.deletion_sentences import consequence_sentence
from hero_admin.web.texts import listed
from hero_admin.writes.cascade import Consequence
from webapp.heroes import Hero


def test_a_list_in_a_sentence_ends_with_and() -> None:
    texts = [listed(parts) for parts in (["A"], ["A", "B"], ["A", "B", "C"])]
    assert texts == ["A", "A and B", "A, B and C"]


@pytest.mark.parametrize(
    ("total", "keys", "sentence"),
    [
        (Total(1), "1", "1 <b> needs this hero, so nothing can be deleted."),
        (Total(2), "1", "2 <b> need this hero, so nothing can be deleted."),
        (Total(1), "12", "1 <b> needs one of these heroes, so nothing can be deleted."),
        (
            Total(1, is_capped=True),
            "12",
            "1+ <b> need one of these heroes, so nothing can be deleted.",
        ),
    ],
)
def test_what_needs_records_is_told_in_its_number(total: Total, keys: str, sentence: str) -> None:
    needed = Consequence(f"{total} <b>", "mentor", total, "restricted")
    titles = [(key, "Nova") for key in keys]
    assert consequence_sentence(Resource(Hero), needed, titles).unescape() == sentence
