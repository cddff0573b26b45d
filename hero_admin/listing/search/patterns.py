"""Search patterns: LIKE patterns that find each word of a search in any of the columns.

Case, accents and the order of the words do not matter. “Jane Peacock” finds a record whose first
and last name are two columns.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import ColumnElement, String, and_, bindparam, false, or_, true
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from hero_admin.database.fold_function import folded_sql
from hero_admin.database.folding import fold

# SQLite refuses patterns longer than 50,000 bytes.
MAX_PATTERN_BYTES = 40_000
# Enough for a first name, a last name and a city.
MAX_WORDS = 6
ESCAPE = "/"


def can_match(text: str) -> bool:
    """Whether a stored text may contain this one, and its pattern is not too long."""
    return "\0" not in text and len(_pattern(text).encode()) <= MAX_PATTERN_BYTES


def words_of(text: str) -> list[str]:
    """Return the words of a text, at most `MAX_WORDS`; the last one is the rest of the text."""
    return text.split(maxsplit=MAX_WORDS - 1)


def begins_in_any(columns: Iterable[ColumnElement[str]]) -> ColumnElement[bool]:
    """Return the predicate that a word in one of the columns begins with the searched text."""
    found: list[ColumnElement[bool]] = [false()]
    for column in columns:
        for name in ("first_word", "later_word"):
            word = bindparam(name, type_=String)
            found.append(folded(column).like(word, escape=ESCAPE))
    return or_(*found)


def matches_words(columns: Sequence[ColumnElement[str]], count: int) -> ColumnElement[bool]:
    """Return the predicate that each of `count` words is in one of the columns."""
    words = [bindparam(f"word{number}", type_=String) for number in range(count)]
    return and_(
        true(),
        *(
            or_(false(), *(folded(column).like(word, escape=ESCAPE) for column in columns))
            for word in words
        ),
    )


def word_parameters(words: Iterable[str]) -> dict[str, Any]:
    """Return the parameters of `matches_words`."""
    return {f"word{number}": _pattern(word) for number, word in enumerate(words)}


def search_parameters(text: str) -> dict[str, Any]:
    """Return the parameters of `matches_words` and `begins_in_any` for a text."""
    beginning = _pattern(text)[1:]
    words = word_parameters(words_of(text))
    return {**words, "first_word": beginning, "later_word": f"% {beginning}"}


def _pattern(text: str) -> str:
    needle = fold(text)
    for special in (ESCAPE, "%", "_"):
        needle = needle.replace(special, ESCAPE + special)
    return f"%{needle}%"


class folded(FunctionElement[str]):  # noqa: N801 - as SQLAlchemy calls functions
    """The folded text of a column."""

    type = String()
    inherit_cache = True


@compiles(folded)
def compile_folded(element: folded, compiler: SQLCompiler, **options: Any) -> str:
    return folded_sql(compiler.dialect, compiler.process(element.clauses, **options))
