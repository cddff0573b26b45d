"""Account names: none may look like another one.

Source: Unicode Technical Standard 39 (https://www.unicode.org/reports/tr39/), with the confusable
letters of the alphabets in which whole words consist of them.
"""

from collections.abc import Iterable
from itertools import groupby
from unicodedata import category, name, normalize

from hero_admin.person import ANYONE, COMMAND_LINE

# Names in the history of what no account has done.
RESERVED = (COMMAND_LINE.name, ANYONE.name, "System")
# Invisible, or like a space, though letters, marks or symbols to Unicode.
BLANK = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0\U0001d159") | {
    chr(code)
    for codes in (range(0x180B, 0x1810), range(0xFE00, 0xFE10), range(0xE0100, 0xE01F0))
    for code in codes
}
# Alphabets in daily use, by the first word of their letters' names; others have more confusables.
ALPHABETS = frozenset(
    {"ARABIC", "ARMENIAN", "BENGALI", "BOPOMOFO", "CJK", "CYRILLIC", "DEVANAGARI", "ETHIOPIC"}
    | {"GEORGIAN", "GREEK", "GUJARATI", "GURMUKHI", "HANGUL", "HEBREW", "HIRAGANA", "KANNADA"}
    | {"KATAKANA", "KHMER", "LAO", "LATIN", "MALAYALAM", "MYANMAR", "ORIYA", "SINHALA", "TAMIL"}
    | {"TELUGU", "THAANA", "THAI", "TIBETAN"}
)
# Alphabets that are mixed, and have no confusables among each other.
TOGETHER = (
    {"LATIN", "CJK", "HIRAGANA", "KATAKANA"},
    {"LATIN", "CJK", "HANGUL"},
    {"LATIN", "CJK", "BOPOMOFO"},
)
# Enough for names: Vietnamese has two on a letter.
MAX_MARKS = 2
SHARED_LETTERS = ("MODIFIER", "IDEOGRAPHIC", "FEMININE", "MASCULINE")

# Cyrillic, Greek and Armenian letters, and rare Latin ones.
LOOKALIKES = str.maketrans(
    "авгекмнопрстухьѕіјһӏԁԛԝү"
    "АВЕІЈКМНОРСТУХЅӀԌԚԜҮ"
    "αβγεηικνορστυχωϲϳ"
    "ΑΒΕΖΗΙΚΜΝΟΡΤΥΧϹ"
    "հոսօցզՕՏՍ"
    "ıɑɡɩɪʀʏǀȷ",
    "abrekmhonpctyxbsijhldqwy"
    "ABEIJKMHOPCTYXSIGQWY"
    "abyenikvopotuxwcj"
    "ABEZHIKMNOPTYXC"
    "hnuogqOSU"
    "iagiirylj",
)
IN_ONE_CASE = str.maketrans({"I": "l", "1": "l", "|": "l", "0": "O"})
RUN_TOGETHER = {"rn": "m", "vv": "w"}


def problem_of(text: str) -> str:
    """Return the sentence that says why a name is not allowed, "" if it is."""
    plain = normalize("NFKC", text)
    if not text.isprintable() or not plain.isprintable() or BLANK & set(text):
        return "Use only visible characters."
    if not any(character.isalnum() for character in plain):
        return "Use at least one letter."
    alphabets = {alphabet for character in plain if (alphabet := _alphabet(character))}
    is_one = len(alphabets) <= 1 or any(alphabets <= together for together in TOGETHER)
    if not is_one or not alphabets <= ALPHABETS or _has_many_marks(plain):
        return "Use plain letters from one alphabet."
    if any(_letters(text) == _letters(reserved) for reserved in RESERVED):
        return f"“{text}” is reserved for the program itself."
    return ""


def same_looking(text: str, others: Iterable[str]) -> str | None:
    """Return the first of the other names that looks the same, None if there is none."""
    shape, letters = _shape(text), _small(text)
    return next(
        (other for other in others if _shape(other) == shape or _small(other) == letters), None
    )


def _shape(text: str) -> str:
    """Return the skeleton of a name, the same for names that look alike: I is like l."""
    return _plain(normalize("NFKC", text)).translate(IN_ONE_CASE)


def _small(text: str) -> str:
    """Return the skeleton of a name in lower case."""
    return _plain(normalize("NFKC", text).casefold())


def _plain(text: str) -> str:
    text = normalize("NFD", text).translate(LOOKALIKES)
    for pair, letter in RUN_TOGETHER.items():
        text = text.replace(pair, letter)
    return text


def _letters(text: str) -> str:
    return "".join(filter(str.isalnum, _shape(text).casefold())).replace("l", "i")


def _alphabet(character: str) -> str:
    """Return the alphabet of a letter or digit, "" for characters that all share."""
    if category(character)[0] not in "LN" or (character.isascii() and not character.isalpha()):
        return ""
    called = name(character, "UNKNOWN")
    if "SMALL CAPITAL" in called:
        # Phonetic letters look like plain ones.
        return called
    first = called.partition(" ")[0].partition("-")[0]
    return "" if first in SHARED_LETTERS else first


def _has_many_marks(text: str) -> bool:
    decomposed = normalize("NFD", text)
    runs = groupby(decomposed, lambda character: category(character) in {"Mn", "Me"})
    return any(is_mark and len(list(run)) > MAX_MARKS for is_mark, run in runs)
