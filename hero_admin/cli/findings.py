"""Findings: what is wrong with an index, and what mends it."""

from dataclasses import dataclass

NOT_FINISHED = "The index {} is incomplete."


@dataclass(frozen=True)
class Finding:
    """What is amiss: a sentence, and the statements that mend it, if any can."""

    sentence: str
    remedies: tuple[str, ...] = ()


@dataclass(frozen=True)
class ExistingIndex:
    """An index of all rows of a table, and what it holds of each, as the doctor would write it."""

    name: str
    parts: tuple[str, ...]
    is_unique: bool
    is_finished: bool = True
