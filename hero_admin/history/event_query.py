"""Event query: the state of the page of the audit log in its URL."""

from dataclasses import dataclass, replace
from datetime import timedelta
from urllib.parse import urlencode

from sqlalchemy import ColumnElement
from sqlmodel import col
from starlette.datastructures import QueryParams

from hero_admin.audit_log.events import StoredEvent
from hero_admin.history.parameters import Parameters, start_of_day


@dataclass(frozen=True)
class EventQuery:
    """Which events a page shows; `before` and `after` are ids."""

    by: str = ""
    kind: str = ""
    resource: str = ""
    since: str = ""
    until: str = ""
    before: int | None = None
    after: int | None = None
    problems: tuple[str, ...] = ()

    @property
    def narrowing(self) -> str:
        """The filters as a query string, "" without any."""
        names = ("by", "kind", "resource", "since", "until")
        return urlencode({name: value for name in names if (value := getattr(self, name))})

    @property
    def text(self) -> str:
        """The filters and the position as a query string."""
        position = {"before": self.before, "after": self.after}
        given = urlencode({name: value for name, value in position.items() if value is not None})
        return "&".join(filter(None, (self.narrowing, given)))

    def first(self) -> "EventQuery":
        """Return the newest page of these events."""
        return replace(self, before=None, after=None)

    def predicates(self) -> list[ColumnElement[bool]]:
        """Return the predicates of the filters."""
        found: list[ColumnElement[bool]] = []
        for name in ("by", "kind", "resource"):
            value = getattr(self, name)
            if value:
                found.append(col(getattr(StoredEvent, COLUMNS[name])) == value)
        if self.since:
            found.append(col(StoredEvent.at) >= start_of_day(self.since))
        if self.until:
            found.append(col(StoredEvent.at) < start_of_day(self.until) + timedelta(days=1))
        return found


COLUMNS = {"by": "by_name", "kind": "kind", "resource": "resource"}


def parse_events(params: QueryParams) -> EventQuery:
    """Read the state of a page from its URL; `problems` names what is invalid and left out."""
    given = Parameters(params)
    query = EventQuery(
        by=given.name("by"),
        kind=given.name("kind"),
        resource=given.name("resource"),
        since=given.day("since"),
        until=given.day("until"),
        before=given.id("before"),
        after=given.id("after"),
    )
    return replace(query, problems=tuple(dict.fromkeys(given.problems)))
