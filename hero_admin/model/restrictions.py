"""Restrictions: the arguments of a resource that say who may see and do what."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from sqlalchemy import ColumnElement

from hero_admin.rights import Grant, Rights


@dataclass(frozen=True, eq=False, kw_only=True)
class Restrictions:
    """Who may see and do what with the records of a resource.

    rows: which records a person may see, `lambda person: Customer.rep_id == person.id`; None for
        all. Every other one is as if it did not exist, on every path.
    rights: who may read and change single fields, `{Hero.salary: Rights(read=Role.OWNER)}`.
    may: who may do what, `{"delete": Role.OWNER}`: “read”, “create”, “change”, “delete”, “export”,
        “reveal”, or “action:retire”; a role, or a function of the person. By default viewers read
        and export, and editors do the rest.
    """

    # Any: the application's own Person, and attributes of the model.
    rows: Callable[[Any], ColumnElement[bool] | bool | None] | None = None
    rights: Mapping[Any, Rights] = field(default_factory=dict)
    may: Mapping[str, Grant] = field(default_factory=dict)
    # As a person sees the resource: the names of what they may not read, and may not change, and
    # the resource with everything.
    unseen: frozenset[str] = field(default=frozenset(), repr=False)
    fixed: frozenset[str] = field(default=frozenset(), repr=False)
    whole: Self | None = field(default=None, repr=False)

    @property
    def entire(self) -> Self:
        """The resource with all its fields, whoever sees which of them."""
        return self.whole or self


def has_row_rights(resource: Restrictions) -> bool:
    """Whether not everybody may see all rows of a resource."""
    return resource.rows is not None or "read" in resource.may
