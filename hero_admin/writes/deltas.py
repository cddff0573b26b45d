"""Deltas: what people add to the links of a record, and what they remove."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

# Returns a hashable value, the same for those that a foreign key treats as equal.
Same = Callable[[Any], Any]


@dataclass(frozen=True)
class Delta:
    """The records to link and those to unlink, by the values that an association refers to.

    What is in both stays as it is.
    """

    # Any: values of any field.
    added: tuple[Any, ...] = ()
    removed: tuple[Any, ...] = ()

    def settled(self, same: Same) -> "Delta":
        """Return it without what is added and removed, and without anything twice."""
        added = {same(value): value for value in self.added}
        removed = {same(value): value for value in self.removed}
        return Delta(
            tuple(value for same, value in added.items() if same not in removed),
            tuple(value for same, value in removed.items() if same not in added),
        )
