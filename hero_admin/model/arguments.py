"""Arguments: those of a resource, whose names are checked when it is made."""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from difflib import get_close_matches
from typing import Any

# Arguments of earlier versions.
RENAMED = {"money": "money= is now show={…: formats.money}, by `from hero_admin import formats`."}


class ResourceError(TypeError):
    """A mistake in a resource: one sentence that names the resource and the argument."""


# Any: a dataclass, and arguments of any type.
def check_arguments(cls: Any, given: Sequence[Any], named: Mapping[str, Any]) -> None:
    """Raise ResourceError for an unknown argument or a missing model."""
    known = [argument.name for argument in fields(cls)]
    for name in named.keys() - set(known):
        model = next(iter(given), named.get("model"))
        if name in RENAMED:
            raise ResourceError(f"Resource({name_of(model)}): {RENAMED[name]}")
        meant = get_close_matches(name, known, n=1)
        hint = f"; did you mean {meant[0]}=?" if meant else "."
        raise ResourceError(f"Resource({name_of(model)}): there is no argument {name}={hint}")
    if not given and "model" not in named:
        raise ResourceError("Resource(): name the model to administer, as in Resource(Hero).")


def name_of(model: Any) -> str:
    """Return the name of a model, or the repr of what is none."""
    return getattr(model, "__name__", None) or repr(model)
