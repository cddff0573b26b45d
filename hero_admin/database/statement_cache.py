"""A cache of statements: SQLAlchemy takes longer to compile one than a database to execute it."""

from collections.abc import Callable
from functools import lru_cache
from typing import Any, TypeVar, cast

MAX_SHAPES = 256

Function = TypeVar("Function", bound=Callable[..., Any])


def statement_cache(write: Function) -> Function:
    """Cache what a function returns for a shape: a statement, its parts, the layout of its rows.

    The arguments are fields and kinds of filters, never a value that somebody sent. A shape takes
    40 to 60 kB, compiled, and the least recently used one is evicted: at most 15 MB a cache.
    """
    return cast("Function", lru_cache(maxsize=MAX_SHAPES)(write))
