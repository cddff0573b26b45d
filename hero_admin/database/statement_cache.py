"""A cache of statements, as SQLAlchemy takes longer to write one than a database to answer it."""

from collections.abc import Callable
from functools import lru_cache
from typing import Any, TypeVar, cast

MAX_SHAPES = 256

Function = TypeVar("Function", bound=Callable[..., Any])


def statement_cache(write: Function) -> Function:
    """Cache what a function writes for a shape: a statement, its parts, the layout of its rows.

    The arguments are fields and kinds of filters, never a value that somebody sent. A shape takes
    40 to 60 kB, compiled; what nobody asked for longest goes, so each cache ends at some 15 MB.
    """
    return cast("Function", lru_cache(maxsize=MAX_SHAPES)(write))
