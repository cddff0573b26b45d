"""Who is asking and what they may do: a frozen value in every request."""

from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """What a person may do; each role may do what those before it may."""

    VIEWER = "viewer"
    EDITOR = "editor"
    OWNER = "owner"

    def includes(self, other: "Role") -> bool:
        """Whether this role may do all that `other` may."""
        return RANKS[self] >= RANKS[other]


RANKS = {role: rank for rank, role in enumerate(Role)}
# In sentences.
A_ROLE = {Role.VIEWER: "a viewer", Role.EDITOR: "an editor", Role.OWNER: "an owner"}
ROLE_PLURALS = {Role.VIEWER: "viewers", Role.EDITOR: "editors", Role.OWNER: "owners"}


@dataclass(frozen=True)
class Person:
    """Who is asking: the name that the history records, and what they may do.

    user_id: the id of an account of the library, None for anybody else.
    """

    name: str
    role: Role
    user_id: int | None = None

    @property
    def can_edit(self) -> bool:
        return self.role.includes(Role.EDITOR)

    @property
    def is_owner(self) -> bool:
        return self.role is Role.OWNER

    @property
    def initials(self) -> str:
        words = self.name.split()
        return (words[0][:1] + words[-1][:1] if len(words) > 1 else self.name[:2]).upper()


# With WEBAPP_AUTH=off.
ANYONE = Person("Anyone", Role.OWNER)
# Who may run commands on the server may do everything.
COMMAND_LINE = Person("Command line", Role.OWNER)
