"""Prose: which texts are long where their columns have no length.

A model that has `name: str` beside a column of the type Text means a long one. Where all texts are
of that type, as in models that are generated from a database, their names tell.
"""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Column, Enum, String, Text
from sqlalchemy.dialects.postgresql import CITEXT

from hero_admin.model.labels import words_of
from hero_admin.model.storable import unwrapped_type

_PROSE = """
about answer article bio biography body comment comments content contents desc description details
excerpt feedback html instructions introduction markdown memo message note notes preface question
reason remark remarks review story summary text transcript
"""
PROSE = frozenset(_PROSE.split())


# Any: columns of any type.
def short_texts(columns: Mapping[str, Column[Any]]) -> frozenset[str]:
    """Return the names of the columns of the type Text that hold short texts."""
    texts = {
        name: column
        for name, column in columns.items()
        if isinstance(kind := unwrapped_type(column.type), String) and not isinstance(kind, Enum)
    }
    unlimited = {name for name, column in texts.items() if _is_unlimited(column)}
    # A code that is a key or leads to one is short in any case.
    told = {name for name, each in texts.items() if not (each.primary_key or each.foreign_keys)}
    if told - unlimited:
        return frozenset()
    return frozenset(name for name in unlimited if not _is_prose(name))


def _is_unlimited(column: Column[Any]) -> bool:
    kind = unwrapped_type(column.type)
    return isinstance(kind, Text) and not isinstance(kind, CITEXT) and kind.length is None


def _is_prose(name: str) -> bool:
    words = words_of(name)
    return bool(words) and words[-1].lower() in PROSE
