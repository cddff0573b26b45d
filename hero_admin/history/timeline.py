"""Timeline: what was done, newest first, in words, filtered and paged by cursor."""

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from urllib.parse import urlencode

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.engine import Dialect
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col
from starlette.datastructures import QueryParams

from hero_admin.audit_log.changes import IS_TOLD, Change, Kind, Recorded
from hero_admin.model.fields import Field
from hero_admin.model.formatting import MASK, revealed, shortened
from hero_admin.model.labels import label_of
from hero_admin.model.primary_keys import is_any_of
from hero_admin.model.resource import Resource
from hero_admin.model.serialization import BLOB, read_again, recorded, restored
from hero_admin.model.site import Site

PAGE_SIZE = 50
MAX_PEOPLE = 100
# No name is longer, of a person or of records.
MAX_FILTER_CHARACTERS = 200
MAX_ID = 2**63 - 1


@dataclass(frozen=True)
class TimelineQuery:
    """Which changes a page shows; `key` is that of one record of `resource`.

    `operation`: all that one request did, each change in a line of its own.
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
    # Resources whose changes are not for this reader.
    hidden: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()

    @property
    def is_narrowed(self) -> bool:
        shown = self.resource if self.key is None else ""
        return bool(self.by or shown or self.kind or self.operation or self.since or self.until)

    @property
    def url(self) -> str:
        """The address of this very state."""
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
        """Return what every change shown fulfils, but for the cursor."""
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
            found.append(col(Change.operation) == self.operation)
        elif self.key is None:
            found.append(IS_TOLD)
        if self.kind:
            found.append(_is_kind(self.kind))
        if self.since:
            found.append(col(Change.at) >= _day(self.since))
        if self.until:
            found.append(col(Change.at) < _day(self.until) + timedelta(days=1))
        return found


def _is_kind(kind: str) -> ColumnElement[bool]:
    if kind != Kind.LOADED:
        return col(Change.kind) == kind
    # A small load has an entry for each of its records, and is one line all the same.
    is_created = (col(Change.kind) == Kind.CREATED) & (col(Change.via) == "command")
    return (col(Change.kind) == kind) | (is_created & (col(Change.group_size) > 1))


@dataclass(frozen=True)
class Difference:
    """One field of a change in words."""

    label: str
    old: str
    new: str
    # Where the files can be had that are called so.
    old_url: str = ""
    new_url: str = ""


@dataclass(frozen=True)
class Line:
    """One change in words; `resource` is None if it is administered no longer."""

    change: Change
    resource: Resource | None
    differences: tuple[Difference, ...]
    # Of how many changes it tells.
    count: int = 1

    @property
    def verb(self) -> str:
        """What was done, before the name of the record."""
        match Kind(self.change.kind):
            case Kind.REVEALED:
                return "viewed"
            case Kind.CHANGED if self.change.via == "restore":
                return "restored an earlier version of"
            case Kind.CREATED if self.count > 1 and self.change.via == "command":
                return "loaded"
        return self.change.kind

    @property
    def noun(self) -> str:
        """What it is about: “hero”, or “5,000 heroes”."""
        if self.count == 1:
            return self.resource.label if self.resource else ""
        plural = self.resource.label_plural if self.resource else self.change.resource
        return f"{self.count:,} {plural}"


@dataclass(frozen=True)
class Timeline:
    """One page of changes."""

    query: TimelineQuery
    lines: tuple[Line, ...]
    older: TimelineQuery | None
    newer: TimelineQuery | None


def parse_timeline(
    path: str,
    params: QueryParams,
    resource: str = "",
    key: str | None = None,
    hidden: tuple[str, ...] = (),
) -> TimelineQuery:
    """Read the state of a page from its URL; what cannot be read is left out and named."""
    problems: list[str] = []

    def parsed_day(name: str) -> str:
        text = params.get(name, "").strip()
        try:
            return _day(text).date().isoformat() if text else ""
        except (ValueError, OverflowError):
            problems.append("Enter a day like 2026-11-23.")
            return ""

    def parsed_name(name: str) -> str:
        text = params.get(name, "").strip().replace("\0", "")
        if len(text) <= MAX_FILTER_CHARACTERS:
            return text
        problems.append(f"A filter has at most {MAX_FILTER_CHARACTERS} characters.")
        return ""

    def parsed_id(name: str) -> int | None:
        text = params.get(name, "")
        if not text:
            return None
        if text.isascii() and text.isdigit() and len(text) < 20 and int(text) <= MAX_ID:
            return int(text)
        problems.append("That page doesn't exist. This is the newest one.")
        return None

    kind = params.get("kind", "")
    if kind and kind not in list(Kind):
        problems.append("Unknown kind of change.")
        kind = ""
    query = TimelineQuery(
        path,
        by=parsed_name("by"),
        resource=resource or parsed_name("resource"),
        key=key,
        kind=kind,
        operation=params.get("operation", "").replace("\0", ""),
        since=parsed_day("since"),
        until=parsed_day("until"),
        before=parsed_id("before"),
        after=parsed_id("after"),
        hidden=hidden,
    )
    return replace(query, problems=tuple(dict.fromkeys(problems)))


async def fetch_timeline(session: AsyncSession, site: Site, query: TimelineQuery) -> Timeline:
    """Fetch one page: a statement, and one for the titles of each kind of record pointed at."""
    id_column = col(Change.id)
    is_backward = query.after is not None and query.before is None
    changes = select(Change).where(*query.predicates())
    if query.before is not None:
        changes = changes.where(id_column < query.before)
    elif query.after is not None:
        changes = changes.where(id_column > query.after)
    changes = changes.order_by(id_column.asc() if is_backward else id_column.desc())
    found = list(await session.scalars(changes.limit(PAGE_SIZE + 1)))
    has_more = len(found) > PAGE_SIZE
    del found[PAGE_SIZE:]
    if is_backward:
        found.reverse()
    has_older = bool(found) and (has_more or is_backward)
    has_newer = bool(found) and (has_more if is_backward else query.before is not None)
    is_summed_up = query.key is None and not query.operation
    counts = [change.group_size if is_summed_up else 1 for change in found]
    alone = [change for change, count in zip(found, counts, strict=True) if count == 1]
    titles = await _fetch_titles(session, site, alone)
    return Timeline(
        query,
        tuple(
            _line(site, change, titles, session.get_bind().dialect)
            if count == 1
            else Line(change, _resource_of(site, change), (), count)
            for change, count in zip(found, counts, strict=True)
        ),
        replace(query.first(), before=found[-1].id) if has_older else None,
        replace(query.first(), after=found[0].id) if has_newer else None,
    )


async def fetch_people(session: AsyncSession, hidden: Sequence[str] = ()) -> list[str]:
    """Fetch the names of those who changed anything that is not hidden from the reader.

    However much they changed: one step through the index for each name, where DISTINCT reads
    every change.
    """
    name = select(func.min(col(Change.by_name)).label("name")).where(IS_TOLD)
    names = name.cte("names", recursive=True)
    following = name.where(col(Change.by_name) > names.c.name)
    names = names.union_all(select(following.scalar_subquery()).where(names.c.name.is_not(None)))
    found = select(names.c.name).where(names.c.name.is_not(None))
    if hidden:
        seen = select(col(Change.id)).where(
            IS_TOLD, col(Change.by_name) == names.c.name, col(Change.resource).not_in(hidden)
        )
        found = found.where(seen.exists())
    return list(await session.scalars(found.limit(MAX_PEOPLE)))


Titles = Mapping[tuple[str, str, str], str]


async def _fetch_titles(
    session: AsyncSession, site: Site, changes: Sequence[Change]
) -> dict[tuple[str, str, str], str]:
    """Fetch the titles of records that changes point at, by resource, field and text of its value.

    One that is gone has none.
    """
    wanted: dict[tuple[Resource, str], dict[str, Recorded]] = {}
    for change in changes:
        resource = _resource_of(site, change)
        for name, (old, new) in change.values.items() if resource else ():
            field = resource.by_name.get(name) if resource else None
            if field is not None and field.relation is not None:
                found = wanted.setdefault((site.target_of(field), field.relation.target_column), {})
                found |= {json.dumps(each): each for each in (old, new) if each is not None}
    titles = {}
    for (target, name), records in wanted.items():
        field = target.by_name[name]
        shown = [each.exact.label(f"_{place}") for place, each in enumerate(target.titles.fields)]
        columns = [field.exact.label("value"), *shown]
        values = []
        for each in records.values():
            with suppress(ValueError):
                values.append((restored(field, each),))
        there = select(*columns).where(is_any_of([field], values))
        for value, *row in await session.execute(there):
            own = dict(zip((each.name for each in target.titles.fields), row, strict=True))
            titles[target.name, name, json.dumps(recorded(field, value))] = target.titles.of(own)
    return titles


def _line(site: Site, change: Change, titles: Titles, dialect: Dialect) -> Line:
    resource = _resource_of(site, change)
    if resource is None:
        # Of what is administered no longer nobody knows what was masked.
        is_known = change.resource in site.others
        return Line(change, None, _plain_differences(change) if is_known else ())
    differences = [
        Difference(
            field.label,
            _shown(site, field, old, titles, dialect),
            _shown(site, field, new, titles, dialect),
            _file_url(field, change, old),
            _file_url(field, change, new, "?new=1"),
        )
        for field in resource.fields
        if field.name in change.values and not (field.is_generated and change.kind != Kind.CHANGED)
        for old, new in [change.values[field.name]]
        if (old, new) != (None, None) or change.kind == Kind.REVEALED
    ]
    return Line(change, resource, tuple(differences))


def _file_url(field: Field, change: Change, each: Recorded, query: str = "") -> str:
    is_file = isinstance(each, dict) and BLOB in each and not field.is_masked
    url = f"/{change.resource}/{change.key}/file/{field.name}/{change.id}{query}"
    return url if is_file else ""


def _plain_differences(change: Change) -> tuple[Difference, ...]:
    """Return the differences of what is no resource, under the names of its fields."""
    return tuple(
        Difference(
            label_of(name),
            # Neither: that it was, and nothing of what it is.
            shortened(str(old or "")) if (old, new) != (None, None) else MASK,
            shortened(str(new or "")) if (old, new) != (None, None) else MASK,
        )
        for name, (old, new) in change.values.items()
    )


def _shown(site: Site, field: Field, each: Recorded, titles: Titles, dialect: Dialect) -> str:
    if each is None:
        return ""
    if field.is_masked:
        return MASK
    if field.relation is not None:
        target = site.target_of(field)
        title = titles.get((target.name, field.relation.target_column, json.dumps(each)))
        return title or f"{target.label} {_text(field, each, dialect)} (deleted)"
    return _text(field, each, dialect)


def _text(field: Field, each: Recorded, dialect: Dialect) -> str:
    try:
        return shortened(revealed(field, read_again(field, each, dialect)))
    except ValueError:
        return shortened(str(each))


def _resource_of(site: Site, change: Change) -> Resource | None:
    return next((each for each in site.resources if each.name == change.resource), None)


def _day(text: str) -> datetime:
    day = date.fromisoformat(text)
    if day.year > 9990:
        raise ValueError
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
