"""Findings: problems of indexes, and their fixes."""

from dataclasses import dataclass

INCOMPLETE = "The index {} is incomplete."


@dataclass(frozen=True)
class Finding:
    """What is wrong: a sentence, and the statements that fix it, if any can."""

    sentence: str
    fixes: tuple[str, ...] = ()


@dataclass(frozen=True)
class ExistingIndex:
    """An index of all rows of a table; its parts as the doctor would write them."""

    name: str
    parts: tuple[str, ...]
    is_unique: bool
    is_complete: bool = True
