"""The audit log as owners read it: events in words, newest first, a page at a time."""

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from hero_admin.audit_log.event_chain import EVENTS
from hero_admin.audit_log.events import EventKind, StoredEvent
from hero_admin.history.event_query import COLUMNS, EventQuery
from hero_admin.history.id_pages import fetch_id_page
from hero_admin.model.site import Site
from hero_admin.web.texts import capitalised
from hero_admin.web.user_agents import device_of

MAX_OPTIONS = 100
ROWS_PER_BATCH = 500
# What an event is called; further kinds by their own words.
LABELS = {
    EventKind.SIGNED_IN: "Signed in",
    EventKind.SIGN_IN_FAILED: "Failed sign-in",
    EventKind.SIGNED_OUT: "Signed out",
    EventKind.SECOND_FACTOR_FAILED: "Wrong second factor",
    EventKind.CONFIRMED: "Confirmed with the password",
    EventKind.NOT_CONFIRMED: "Failed to confirm",
    EventKind.EXPORTED: "Exported",
    EventKind.EXPORT_ENDED: "Finished exporting",
    EventKind.MASKED_READ: "Read masked values",
    EventKind.REVEALED: "Viewed a masked value",
    EventKind.REFUSED: "Refused",
    EventKind.TOKEN_FIRST_USED: "Used a token for the first time",
    EventKind.TOKEN_REFUSED: "Used an expired token",
    EventKind.RESTARTED: "Log restarted",
    EventKind.PRUNED: "Log pruned",
    "account_added": "Added an account",
    "role_changed": "Changed a role",
    "account_disabled": "Disabled an account",
    "account_enabled": "Enabled an account",
    "password_set": "Set a password",
    "link_handed_out": "Created a password link",
    "sessions_ended": "Ended sessions",
    "token_added": "Created a token",
    "token_revoked": "Revoked a token",
}
RESTARTS = {
    "missing": "The head of the log was missing.",
    "key": "The secret key is another one than before.",
    "signature": "The head of the log had been changed.",
    "added": "There were events after the last one of the log.",
}


@dataclass(frozen=True)
class EventLine:
    """One event in words.

    subject: what it was about, such as “Nova” or “heroes”. facts: what else there is to know.
    """

    event: StoredEvent
    label: str
    subject: str
    facts: tuple[str, ...]
    # The list that was exported or read, as far as there is one.
    list_query: str = ""
    resource_name: str = ""

    @property
    def device(self) -> str:
        return device_of(self.event.user_agent)


@dataclass(frozen=True)
class EventPage:
    """One page of events."""

    lines: tuple[EventLine, ...]
    older: EventQuery | None
    newer: EventQuery | None


async def fetch_events(session: AsyncSession, site: Site, query: EventQuery) -> EventPage:
    """Fetch one page, by one statement."""
    page = await fetch_id_page(
        session,
        StoredEvent,
        col(StoredEvent.id),
        query.predicates(),
        query.before,
        query.after,
    )
    found = page.entries
    return EventPage(
        tuple(_line(site, event) for event in found),
        replace(query.first(), before=found[-1].id) if page.has_older else None,
        replace(query.first(), after=found[0].id) if page.has_newer else None,
    )


async def fetch_options(session: AsyncSession, name: str) -> list[str]:
    """Fetch the values that events have for a filter: “by”, “kind” or “resource”.

    A skip scan: one look-up in the index for each value, where DISTINCT reads every event.
    Source: https://wiki.postgresql.org/wiki/Loose_indexscan
    """
    column = EVENTS.c[COLUMNS[name]]
    first = select(func.min(column).label("value"))
    values = first.cte("found", recursive=True)
    following = first.where(column > values.c.value)
    values = values.union_all(
        select(following.scalar_subquery()).where(values.c.value.is_not(None))
    )
    found = select(values.c.value).where(values.c.value.is_not(None), values.c.value != "")
    return list(await session.scalars(found.limit(MAX_OPTIONS)))


async def stream_events(
    session: AsyncSession, query: EventQuery
) -> AsyncGenerator[Sequence[StoredEvent]]:
    """Fetch all events that a query shows, oldest first, in batches."""
    last_id = 0
    while True:
        events = select(StoredEvent).where(*query.predicates(), col(StoredEvent.id) > last_id)
        events = events.order_by(col(StoredEvent.id)).limit(ROWS_PER_BATCH)
        found = (await session.scalars(events)).all()
        if found:
            yield found
        if len(found) < ROWS_PER_BATCH:
            return
        last_id = found[-1].id
        session.expunge_all()


def label_of(kind: str) -> str:
    """Return what events of a kind are called."""
    return LABELS.get(kind, capitalised(kind.replace("_", " ")))


def _line(site: Site, event: StoredEvent) -> EventLine:
    resource, details = site.named(event.resource), event.details
    nouns = resource.label_plural if resource else event.resource
    counted = f"{event.count:,}" if event.count is not None else ""
    facts: list[str] = []
    subject = event.title
    match event.kind:
        case EventKind.EXPORTED | EventKind.EXPORT_ENDED:
            file = str(details.get("file", ""))
            subject = nouns.replace("-", " ") or file
            facts += [str(details.get("action", "")), file if subject != file else ""]
            facts.append(str(details.get("format", "")).upper())
            rows = "row" if event.count == 1 else "rows"
            facts.append(f"{counted} {rows}" if counted else "")
            facts.append("in the background" if "job" in details else "")
            facts.append("with masked values" if details.get("masked") else "")
            is_cut = details.get("is_complete") is False
            facts.append("ended early" if is_cut else "")
        case EventKind.MASKED_READ | EventKind.REVEALED:
            given = details.get("fields")
            fields = [str(name) for name in given] if isinstance(given, list) else []
            labels = [
                resource.by_name[name].label if resource and name in resource.by_name else name
                for name in fields
            ]
            count = event.count or 0
            read = resource.counted(count) if resource else f"{counted} {nouns}"
            subject = event.title or read
            facts.append(", ".join(labels))
        case EventKind.REFUSED:
            subject = f"{details.get('method', '')} {details.get('path', '')}"
        case EventKind.RESTARTED:
            facts.append(RESTARTS.get(str(details.get("reason")), ""))
        case EventKind.PRUNED:
            facts += [f"{counted} events", f"before {details.get('before', '')}"]
        case _:
            facts += [
                f"{capitalised(name.replace('_', ' '))}: {value}"
                for name, value in details.items()
                if value is not None and value != event.title
            ]
    list_query = str(details.get("query", "")) if resource else ""
    return EventLine(
        event,
        label_of(event.kind),
        subject,
        tuple(filter(None, facts)),
        list_query=list_query,
        resource_name=resource.name if resource and "query" in details else "",
    )
