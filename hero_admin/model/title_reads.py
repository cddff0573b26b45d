"""Title reads: which fields a function reads, in order, to make the title of a record."""

from collections.abc import Callable
from contextlib import suppress
from inspect import getattr_static
from types import FunctionType, MethodType
from typing import Any

from sqlmodel import SQLModel


# Any: the record is of a model that is known at run time only, and the function is not ours.
def names_read(
    function: Callable[[Any], Any], model: type[SQLModel], names: frozenset[str]
) -> tuple[str, ...]:
    """Return the `names` that a function reads from a record whose values are all None.

    It is called once. Where it fails, what it has read before is returned.
    """
    record = _Record(model, names)
    with suppress(Exception):
        function(record)
    return tuple(record.__dict__["_read"])


class _Record:
    """Stands for a record without values, and notes which of them are read."""

    def __init__(self, model: type[SQLModel], names: frozenset[str]) -> None:
        # A dict keeps the order.
        self.__dict__.update(_model=model, _names=names, _read={})

    # Any: whatever the model has.
    def __getattr__(self, name: str) -> Any:
        model = self.__dict__["_model"]
        if name in self.__dict__["_names"]:
            self.__dict__["_read"].setdefault(name)
            return None
        found = getattr_static(model, name)
        if isinstance(found, property) and found.fget:
            return found.fget(self)
        return MethodType(found, self) if isinstance(found, FunctionType) else getattr(model, name)
