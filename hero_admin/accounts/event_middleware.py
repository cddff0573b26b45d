"""Event middleware: collects the events of each request, and tells of its refusal."""

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hero_admin.audit_log.event_log import EventLog
from hero_admin.audit_log.events import EventKind
from hero_admin.audit_log.request_events import RequestEvents
from hero_admin.person import Person
from hero_admin.web.mount import local_path
from hero_admin.web.request_session import AT_END
from hero_admin.web.requests import SAFE_METHODS

# Paths may be far longer, and whoever may do nothing still sends them.
MAX_PATH_CHARACTERS = 1_000


class EventsMiddleware:
    """Lets handlers tell of events, by the session of their request.

    What a signed-in person may not do is an event by itself: whatever answers 403.
    """

    def __init__(self, app: ASGIApp, log: EventLog) -> None:
        self.app = app
        self.log = log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        state = scope["state"]

        def who() -> Person | None:
            person: Person | None = state.get("identity")
            return person

        events = RequestEvents(
            self.log,
            address=scope["client"][0] if scope.get("client") else "",
            user_agent=Headers(scope=scope).get("user-agent", ""),
            who=who,
            is_safe=scope["method"] in SAFE_METHODS,
        )
        state["session"].info[AT_END] = events

        async def send_and_note(message: Message) -> None:
            is_refused = message["type"] == "http.response.start" and message["status"] == 403
            if is_refused and who() is not None:
                path = local_path(scope)[:MAX_PATH_CHARACTERS]
                details = {"method": scope["method"], "path": path}
                events.failures.append(events.made(EventKind.REFUSED, details=details))
            await send(message)

        await self.app(scope, receive, send_and_note)
