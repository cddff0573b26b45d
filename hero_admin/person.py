"""Who is asking and what they may do: a frozen value in every request."""

from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """What a person may do; each role may do what those before it may."""

    VIEWER = "viewer"
    EDITOR = "editor"
    OWNER = "owner"

    def __init__(self, _: str) -> None:
        self.rank = len(type(self).__members__)

    def includes(self, other: "Role") -> bool:
        """Whether this role may do all that `other` may."""
        return self.rank >= other.rank


# In sentences.
A_ROLE = {Role.VIEWER: "a viewer", Role.EDITOR: "an editor", Role.OWNER: "an owner"}
ROLE_PLURALS = {Role.VIEWER: "viewers", Role.EDITOR: "editors", Role.OWNER: "owners"}


@dataclass(frozen=True)
class TokenScope:
    """What an API token may do of what its owner may.

    resources: the names of those that it is for, None for all. id: that of the stored token.
    """

    name: str
    is_read_only: bool = False
    resources: tuple[str, ...] | None = None
    id: int | None = None

    def includes(self, resource: str) -> bool:
        """Whether the token is for a resource."""
        return self.resources is None or resource in self.resources


@dataclass(frozen=True)
class Person:
    """Who is asking: the name that the history records, and what they may do.

    An application with a sign-in of its own may return a subclass with more attributes, for the
    `rows=` of its resources.

    user_id: the id of an account of the library, None for anybody else.
    token: what the API token may do that a program has sent, None for a person.
    """

    name: str
    role: Role
    user_id: int | None = None
    token: TokenScope | None = None

    @property
    def id(self) -> int | None:
        """The id of an account, for conditions such as `Customer.support_rep_id == person.id`."""
        return self.user_id

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
