"""Search patterns: each word that a person typed, literally, in any of the columns.

Case and accents do not matter, nor does the order of the words: whoever reads “Jane Peacock” in a
list finds her by that, though first and last name have columns of their own.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import ColumnElement, String, and_, bindparam, false, or_, true
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from hero_admin.database.folding import fold
from hero_admin.database.own_tables import FOLD_FUNCTION

# Some databases refuse longer patterns.
MAX_PATTERN_BYTES = 40_000
# Enough for a first name, a last name and a city.
MAX_WORDS = 6
ESCAPE = "/"


def can_match(text: str) -> bool:
    """Whether there may be a text that contains this one."""
    return "\0" not in text and len(_pattern(text).encode()) <= MAX_PATTERN_BYTES


def words_of(text: str) -> list[str]:
    """Return the words of a text; what is beyond `MAX_WORDS` stays together in the last one."""
    return text.split(maxsplit=MAX_WORDS - 1)


def begins_in_any(columns: Iterable[ColumnElement[str]]) -> ColumnElement[bool]:
    """Return the predicate that a word of one of them begins with the searched text."""
    found: list[ColumnElement[bool]] = [false()]
    for column in columns:
        for name in ("first_word", "later_word"):
            word = bindparam(name, type_=String)
            found.append(folded(column).like(word, escape=ESCAPE))
    return or_(*found)


def matches_words(columns: Sequence[ColumnElement[str]], count: int) -> ColumnElement[bool]:
    """Return the predicate that each word of `word_parameters` is in one of the columns."""
    words = [bindparam(f"word{number}", type_=String) for number in range(count)]
    return and_(
        true(),
        *(
            or_(false(), *(folded(column).like(word, escape=ESCAPE) for column in columns))
            for word in words
        ),
    )


def word_parameters(words: Iterable[str]) -> dict[str, Any]:
    """Return the parameters of that predicate."""
    return {f"word{number}": _pattern(word) for number, word in enumerate(words)}


def search_parameters(text: str) -> dict[str, Any]:
    """Return the parameters of the predicates above for a text."""
    beginning = _pattern(text)[1:]
    words = word_parameters(words_of(text))
    return {**words, "first_word": beginning, "later_word": f"% {beginning}"}


def _pattern(text: str) -> str:
    needle = fold(text)
    for special in (ESCAPE, "%", "_"):
        needle = needle.replace(special, ESCAPE + special)
    return f"%{needle}%"


class folded(FunctionElement[str]):  # noqa: N801 - as SQLAlchemy calls functions
    """A column, folded."""

    type = String()
    inherit_cache = True


@compiles(folded)
def compile_folded(element: folded, compiler: SQLCompiler, **options: Any) -> str:
    return f"{FOLD_FUNCTION}({compiler.process(element.clauses, **options)})"
