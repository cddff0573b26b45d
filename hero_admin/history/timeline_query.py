"""Timeline query: the state of a history page in its URL."""

from dataclasses import dataclass, replace
from datetime import timedelta
from urllib.parse import urlencode

from sqlalchemy import ColumnElement
from sqlmodel import col
from starlette.datastructures import QueryParams

from hero_admin.audit_log.changes import IN_TIMELINE, Change, Kind
from hero_admin.audit_log.operation_changes import is_of_operation
from hero_admin.history.parameters import Parameters, start_of_day


@dataclass(frozen=True)
class TimelineQuery:
    """Which changes a page shows; `key` is that of one record of `resource`.

    operation: the changes of one operation, each in a line of its own.
    """

    path: str
    by: str = ""
    resource: str = ""
    key: str | None = None
    kind: str = ""
    operation: str = ""
    since: str = ""
    until: str = ""
    before: int | None = None
    after: int | None = None
    # Resources that this reader may not see.
    hidden: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()

    @property
    def is_narrowed(self) -> bool:
        shown = self.resource if self.key is None else ""
        return bool(self.by or shown or self.kind or self.operation or self.since or self.until)

    @property
    def url(self) -> str:
        given = {
            "by": self.by,
            "resource": self.resource if self.key is None else "",
            "kind": self.kind,
            "operation": self.operation,
            "since": self.since,
            "until": self.until,
            "before": self.before,
            "after": self.after,
        }
        pairs = [(name, value) for name, value in given.items() if value]
        return f"{self.path}?{urlencode(pairs)}" if pairs else self.path

    def first(self) -> "TimelineQuery":
        """Return the newest page of this state."""
        return replace(self, before=None, after=None)

    def predicates(self) -> list[ColumnElement[bool]]:
        """Return the predicates of the changes shown, without the cursor."""
        found: list[ColumnElement[bool]] = []
        if self.hidden:
            found.append(col(Change.resource).not_in(self.hidden))
        if self.by:
            found.append(col(Change.by_name) == self.by)
        if self.resource:
            found.append(col(Change.resource) == self.resource)
        if self.key is not None:
            found.append(col(Change.key) == self.key)
        if self.operation:
            found.append(is_of_operation(self.operation))
        elif self.key is None:
            found.append(IN_TIMELINE)
        if self.kind:
            found.append(_is_kind(self.kind))
        if self.since:
            found.append(col(Change.at) >= start_of_day(self.since))
        if self.until:
            found.append(col(Change.at) < start_of_day(self.until) + timedelta(days=1))
        return found


def _is_kind(kind: str) -> ColumnElement[bool]:
    if kind != Kind.LOADED:
        return col(Change.kind) == kind
    # A small load has an entry for each of its records, but is one line.
    is_created = (col(Change.kind) == Kind.CREATED) & (col(Change.via) == "command")
    return (col(Change.kind) == kind) | (is_created & (col(Change.group_size) > 1))


def parse_timeline(
    path: str,
    params: QueryParams,
    resource: str = "",
    key: str | None = None,
    hidden: tuple[str, ...] = (),
) -> TimelineQuery:
    """Read the state of a page from its URL; `problems` names what is invalid and left out."""
    given = Parameters(params)
    query = TimelineQuery(
        path,
        by=given.name("by"),
        resource=resource or given.name("resource"),
        key=key,
        kind=_kind(given),
        operation=params.get("operation", "").replace("\0", ""),
        since=given.day("since"),
        until=given.day("until"),
        before=given.id("before"),
        after=given.id("after"),
        hidden=hidden,
    )
    return replace(query, problems=tuple(dict.fromkeys(given.problems)))


def _kind(given: Parameters) -> str:
    kind = given.params.get("kind", "")
    if not kind or kind in list(Kind):
        return kind
    given.problems.append("Unknown kind of change.")
    return ""
