"""The events of a request, which are written as its response starts.

If the request saves something they are a part of its transaction; else they have one of their own,
as a refusal outlives the transaction that is rolled back.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from hero_admin.audit_log.event_log import EventLog
from hero_admin.audit_log.events import Event
from hero_admin.person import Person
from hero_admin.web.request_session import AT_END


@dataclass
class RequestEvents:
    """What is told of one request, or of one command.

    who: returns who is asking, None as long as nobody is signed in. is_safe: whether the request
    changes nothing. failures: what is told even if nothing is saved.
    """

    log: EventLog
    address: str
    user_agent: str
    who: Callable[[], Person | None]
    is_safe: bool = False
    events: list[Event] = field(default_factory=list)
    failures: list[Event] = field(default_factory=list)

    # Any: the values of an event.
    def made(self, kind: str, by: Person | None = None, **values: Any) -> Event:
        """Return an event of this request, by default of whoever is asking."""
        by = by or self.who()
        shared = {
            "by_name": by.name if by else "",
            "by_id": by.user_id if by else None,
            "address": self.address,
            "user_agent": self.user_agent,
            "token": by.token.name if by is not None and by.token is not None else "",
        }
        return Event(kind, **{**shared, **values})

    async def before_commit(self, session: AsyncSession) -> None:
        """Write the events in the transaction of the request, at its end."""
        events = self._taken()
        if events:
            await self.log.add(session, events)

    async def after_end(self) -> None:
        """Write the events of a request that has saved nothing."""
        events = self._taken() if self.is_safe else self.failures
        self.events, self.failures = [], []
        if events:
            await self.log.save(events)

    async def finish(self, session: AsyncSession) -> None:
        """Write the events before the response, which may be a long one."""
        if self.is_safe:
            await self.after_end()
        else:
            await self.before_commit(session)
            await session.commit()

    def _taken(self) -> list[Event]:
        events = [*self.events, *self.failures]
        self.events, self.failures = [], []
        return events


def events_of(session: AsyncSession) -> RequestEvents | None:
    """Return the events of the request or command that a session is for."""
    found: RequestEvents | None = session.info.get(AT_END)
    return found


# Any: the values of an event.
def note(session: AsyncSession, kind: str, by: Person | None = None, **values: Any) -> None:
    """Tell of something in the request that a session is for, as an event.

    It is told if the request is a safe one or saves something. by: who did it, where that is not
    whoever is asking. values: those of an event.
    """
    events = events_of(session)
    if events is not None:
        events.events.append(events.made(kind, by, **values))


# Any: the same.
def note_failure(session: AsyncSession, kind: str, by: Person | None = None, **values: Any) -> None:
    """Tell of something that failed or was refused, whatever becomes of the request."""
    events = events_of(session)
    if events is not None:
        events.failures.append(events.made(kind, by, **values))
