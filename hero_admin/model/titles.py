"""Titles that are made: by a function of a record, or by the `__str__` of its model."""

import logging
from collections.abc import Callable, Mapping
from typing import Any

from sqlmodel import SQLModel

MAX_CHARACTERS = 200
LIBRARIES = ("builtins", "pydantic", "sqlmodel", "sqlalchemy")

# Any: the record is of a model that is known at run time only, and the function is not ours.
Titler = Callable[[Any], Any]

logger = logging.getLogger("hero_admin.model")


def own_text_of(model: type[SQLModel]) -> Titler | None:
    """Return the `__str__` of a model; None if it leaves that to pydantic."""
    owner = next(each for each in model.__mro__ if "__str__" in vars(each))
    is_own = owner.__module__.partition(".")[0] not in LIBRARIES
    return model.__str__ if is_own else None


def made_title(titler: Titler, model: type[SQLModel], values: Mapping[str, Any]) -> str:
    """Return the title of a record of these values on one line; "" where the function makes none.

    Whatever it does about a value that it did not expect, no page is lost for it.
    """
    try:
        record = model()
        for name, value in values.items():
            setattr(record, name, value)
        made = titler(record)
        text = "" if made is None else str(made)
    except Exception:
        logger.debug("The title of a %s could not be made", model.__name__, exc_info=True)
        return ""
    # What no database could keep would keep a change from being recorded.
    text = text.replace("\0", "").encode(errors="replace").decode()
    return " ".join(text.split())[:MAX_CHARACTERS]
