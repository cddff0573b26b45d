"""Weak passwords: what attackers try first is refused, and long ones of one's own are not."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from hero_admin.accounts.weak_passwords import OWN_NAME, TOO_COMMON, TOO_UNIFORM, weakness_of

NAMES = ("Zoë Smith", "Hero Admin")
# Of the thousand most common ones.
COMMON = ("password", "qwerty", "iloveyou", "dragon", "letmein", "monkey", "trustno1", "football")

cases = st.sampled_from([str.lower, str.upper, str.title])
added = st.text("0123456789!?.-_ #", max_size=12)
spelt = st.sampled_from([{}, {"a": "@"}, {"o": "0"}, {"s": "$", "e": "3"}, {"l": "1"}, {"i": "!"}])


@given(st.sampled_from(COMMON), cases, added, added, spelt, st.booleans())
def test_a_common_password_is_refused_however_it_is_varied(
    word: str, case: object, before: str, after: str, letters: dict[str, str], is_reversed: bool
) -> None:
    assert callable(case)
    varied = case(word).translate(str.maketrans(letters))
    varied = varied[::-1] if is_reversed else varied
    assert weakness_of(f"{before}{varied}{after}", ()) == TOO_COMMON


@pytest.mark.parametrize(
    ("password", "sentence"),
    [
        ("passwordpassword", TOO_COMMON),
        ("abcdefghijkl", TOO_COMMON),
        ("qwerty123456", TOO_COMMON),
        ("1qaz2wsx3edc", TOO_COMMON),
        ("987654321098", TOO_COMMON),
        ("smith-password-1", TOO_COMMON),
        ("zoe.smith.2026", OWN_NAME),
        ("ZOËSMITHZOËSMITH", OWN_NAME),
        ("5m1th_Zoe_5m1th", OWN_NAME),
        ("Hero Admin #1 !!", OWN_NAME),
        ("aaaaaaaaaaaa", TOO_UNIFORM),
        ("abababababababab", TOO_UNIFORM),
    ],
)
def test_a_password_that_takes_a_few_guesses_is_refused(password: str, sentence: str) -> None:
    assert weakness_of(password, NAMES) == sentence


@pytest.mark.parametrize(
    "password",
    [
        "correct horse battery",
        "Zoe Smith likes her horses",
        "battery staple",
        "der Hund bellt laut",
        "Zürich im Winter",
        "k7#Xq9$mL2@vPw",
        "84729183470925",
    ],
)
def test_what_is_long_and_ones_own_is_allowed(password: str) -> None:
    assert weakness_of(password, NAMES) == ""


@given(st.text(min_size=1, max_size=1024), st.lists(st.text(max_size=80), max_size=2))
@example("\u0300" * 1024, ["\u0300" * 80])
@example("ß" * 1024, [""])
def test_any_text_has_an_answer(password: str, names: list[str]) -> None:
    assert weakness_of(password, names) in ("", TOO_COMMON, OWN_NAME, TOO_UNIFORM)
