"""Rights: what a person may do with the records of a resource, and with single fields.

Rights to rows are SQL conditions, `rows=` of a resource, which its sessions add to each statement
(`database/row_scopes.py`). A field that somebody may not read is no field of the site that they
see (`model/seen_sites.py`). What they may do is asked by routes and again by `writes`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from hero_admin.person import A_ROLE, COMMAND_LINE, ROLE_PLURALS, Person, Role

# Who may do something: a role and those above it, or a function of the person.
Grant = Role | Callable[[Person], bool]

# What can be done with the records of a resource, who may do it by default, and how it is called.
DEFAULT_GRANTS: Final[dict[str, Role]] = {
    "read": Role.VIEWER,
    "export": Role.VIEWER,
    "create": Role.EDITOR,
    "change": Role.EDITOR,
    "delete": Role.EDITOR,
    "reveal": Role.EDITOR,
}
# The verbs of actions: `action:retire`.
ACTION = "action:"
NOT_ALLOWED = "You don't have permission to {what}."
ONLY_ROLES = "Only {roles} can {what}. You're signed in as {a_role}."


@dataclass(frozen=True)
class Rights:
    """Who may read and change a field: a role and those above it, or a function of the person.

    read: for all others the field does not exist. change: all others see it, but cannot set it.
    """

    read: Grant = Role.VIEWER
    change: Grant = Role.VIEWER


@dataclass(frozen=True)
class Permission:
    """The right to do something; `what` names it, as in “Only owners can export heroes”."""

    grant: Grant
    what: str

    def allows(self, person: Person) -> bool:
        return is_granted(self.grant, person)

    def refusal(self, person: Person) -> str:
        """Return why a person may not do it."""
        if isinstance(self.grant, Role) and not person.role.includes(self.grant):
            return ONLY_ROLES.format(
                roles=ROLE_PLURALS[self.grant], what=self.what, a_role=A_ROLE[person.role]
            )
        return NOT_ALLOWED.format(what=self.what)


def is_granted(grant: Grant, person: Person) -> bool:
    """Whether a person is one of those whom a grant is for; who runs commands always is."""
    if person is COMMAND_LINE:
        return True
    return person.role.includes(grant) if isinstance(grant, Role) else bool(grant(person))
