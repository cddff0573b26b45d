"""Weak passwords: common ones and one's own names, also with trivial variations.

Variations are other cases and accents, letters written as digits or signs, separators, up to three
more letters and any number of digits and signs, repetition, and the reverse.
"""

import gzip
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from hero_admin.database.folding import fold

# The list of Django, from the most common one on.
COMMON = Path(__file__).with_name("common-passwords.txt.gz")
TOO_COMMON = "This is too close to a common password. Choose another one."
OWN_NAME = "Don't use your name or the name of this site."
TOO_UNIFORM = "Use more different characters."

MIN_DIFFERENT = 5
# Shorter words stand in good passwords by chance.
MIN_WORD_CHARACTERS = 4
MIN_NAME_CHARACTERS = 3
# What is added to a word in a variation of it: as many letters, and any digits and signs.
MAX_ADDED_LETTERS = 3
# Longer ones than any variation of a word, unless they repeat something.
MAX_CHARACTERS = 64

# Neighbours in the alphabet, among the digits and on keyboards.
ROWS = (
    *("abcdefghijklmnopqrstuvwxyz", "01234567890", "qwertyuiop", "asdfghjkl", "zxcvbnm"),
    *("qwertzuiop", "azertyuiop", "1qaz2wsx3edc4rfv5tgb6yhn7ujm"),
)
STEPS = frozenset(
    row[start : start + 2]
    for line in ROWS
    for row in (line, line[::-1])
    for start in range(len(row) - 1)
)
MIN_RUN_CHARACTERS = 4

# Signs and digits that stand for letters; a 1 is an i or an l.
SPELT = str.maketrans({"@": "a", "4": "a", "3": "e", "0": "o", "$": "s", "5": "s", "7": "t"})
SPELT_WITH_I = SPELT | str.maketrans({"1": "i", "!": "i"})
SPELT_WITH_L = SPELT | str.maketrans({"1": "l", "!": "l"})


def weakness_of(password: str, names: Iterable[str]) -> str:
    """Return the sentence that says why a password is easy to guess, "" if it is not.

    names: those of its owner and of the site.
    """
    folded = _repeated(fold(password))
    if len(set(folded)) < MIN_DIFFERENT:
        return TOO_UNIFORM
    if len(folded) > MAX_CHARACTERS:
        return ""
    spellings, words = list(_spellings(folded)), _words_of(names)
    rests = [_without(each, words) for each in spellings]
    if any(rest != each and rest.is_short for rest, each in zip(rests, spellings, strict=True)):
        return OWN_NAME
    parts = {part for rest in rests for part in _parts(rest.text)}
    common = [word for word in _fetch_common() if word in parts]
    if any(_is_run(rest.text) or any(_is_varied(rest, word) for word in common) for rest in rests):
        return TOO_COMMON
    return ""


@dataclass(frozen=True)
class _Spelling:
    """A text with signs and digits read as letters, and what was typed, character by character."""

    text: str
    typed: str

    @property
    def is_short(self) -> bool:
        """Whether there are few letters, and any number of digits and signs."""
        return sum(map(str.isalpha, self.typed)) <= MAX_ADDED_LETTERS


def _spellings(typed: str) -> Iterator[_Spelling]:
    # Digits alone spell nothing.
    readings = (SPELT_WITH_I, SPELT_WITH_L) if any(map(str.isalpha, typed)) else ()
    for text in (typed, *map(typed.translate, readings)):
        pairs = [pair for pair in zip(text, typed, strict=True) if pair[0].isalnum()]
        yield _Spelling("".join(pair[0] for pair in pairs), "".join(pair[1] for pair in pairs))


def _without(spelling: _Spelling, words: Iterable[str]) -> _Spelling:
    text, typed = spelling.text, spelling.typed
    for word in words:
        while (start := text.find(word)) >= 0:
            text = text[:start] + text[start + len(word) :]
            typed = typed[:start] + typed[start + len(word) :]
    return _Spelling(text, typed)


def _fetch_common() -> Iterator[str]:
    """Yield the common passwords, and their reverses."""
    with gzip.open(COMMON, "rt", encoding="utf-8") as lines:
        for line in lines:
            word = line.strip()
            yield word
            yield word[::-1]


def _parts(text: str) -> Iterator[str]:
    """Yield all parts of a text that may be words."""
    for start in range(len(text)):
        for end in range(start + MIN_WORD_CHARACTERS, len(text) + 1):
            yield text[start:end]


def _is_varied(spelling: _Spelling, word: str) -> bool:
    """Whether a text is a word with little more."""
    rest = _without(spelling, [word])
    # Digits beside digits are no variation, they are what is to be guessed.
    is_short = len(rest.text) <= MAX_ADDED_LETTERS if word.isdigit() else rest.is_short
    return rest != spelling and is_short


def _is_run(text: str) -> bool:
    """Whether a text goes along rows of a keyboard, the alphabet or the digits, or nearly so."""
    outside, run = 0, 1
    for pair in [text[start : start + 2] for start in range(len(text))]:
        if pair in STEPS and len(pair) == 2:
            run += 1
            continue
        outside += run if run < MIN_RUN_CHARACTERS else 0
        run = 1
    return outside <= MAX_ADDED_LETTERS < len(text)


def _words_of(names: Iterable[str]) -> list[str]:
    """Return the names and their parts, the longest first."""
    texts = [fold(name) for name in names]
    parts = [part for text in texts for part in re.split(r"[\W_]+", text)]
    words = {_letters(text) for text in [*texts, *parts]}
    return sorted((word for word in words if len(word) >= MIN_NAME_CHARACTERS), key=len)[::-1]


def _repeated(text: str) -> str:
    """Return what a text repeats, itself if nothing."""
    return text[: (text + text).find(text, 1)]


def _letters(text: str) -> str:
    return "".join(filter(str.isalnum, text))
