"""Folding: two texts that differ in case and accents only become one."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hero_admin.database.folding import fold


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("Zoë Łukasz", "zoe lukasz"),
        ("Straße", "strasse"),
        ("ÆON œuvre", "aeon oeuvre"),
        ("Þór Đorđe", "thor dorde"),
        ("İstanbul ısı", "istanbul isi"),
        ("ΟΔΥΣΣΕΎΣ", "οδυσσευσ"),
        ("Ｎｏｖａ ２", "nova 2"),
        ("ﬁre", "fire"),
        ("e\u0301", "e"),
        ("100% _under_ \\", "100% _under_ \\"),
        ("🦸 بطل", "🦸 بطل"),
        ("", ""),
    ],
)
def test_case_and_accents_fall_away(text: str, folded: str) -> None:
    assert fold(text) == folded


@given(st.text())
def test_folding_twice_changes_nothing_more(text: str) -> None:
    assert fold(fold(text)) == fold(text)


@given(st.text())
def test_it_does_not_matter_how_a_text_was_composed(text: str) -> None:
    for form in ("NFC", "NFD", "NFKC", "NFKD"):
        assert fold(unicodedata.normalize(form, text)) == fold(text)


@given(st.text(alphabet=st.characters(max_codepoint=0x24F)))
def test_upper_and_lower_case_fold_to_the_same(text: str) -> None:
    assert fold(text.lower()) == fold(text)


@given(st.text(), st.text(alphabet=st.characters(max_codepoint=0x24F)), st.text())
def test_what_a_text_contains_its_folding_contains(before: str, part: str, after: str) -> None:
    assert fold(part) in fold(f"{before} {part} {after}")


def test_a_great_many_marks_in_a_row_are_no_more_work_than_other_text() -> None:
    assert fold("a" + "\u05b0\u0327" * 150_000) == "a" + "\u05b0" * 150_000
