"""The events of an export: that it began, and how many rows a long one had in the end."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

from starlette.requests import Request

from hero_admin.audit_log.events import EventKind
from hero_admin.audit_log.request_events import events_of, note
from hero_admin.model.actions import Action
from hero_admin.web.requests import session_of
from hero_admin.writes.run import Answer, Download


def note_download(
    request: Request, resource: str, action: Action, answer: Answer, count: int
) -> None:
    """Tell of the file that an action answers with, if it is one.

    resource: the name of that whose records it had, "" for an action on none. count: how many.
    """
    if isinstance(answer, Download):
        note(
            session_of(request),
            EventKind.EXPORTED,
            resource=resource,
            count=count if resource else None,
            details={"action": action.label, "file": answer.name},
            is_needed=True,
        )


class ExportEvent:
    """Tells of one export.

    details: what was exported, as JSON. has_masked: whether masked values are in it.
    """

    # Any: JSON.
    def __init__(
        self,
        request: Request,
        resource: str,
        details: Mapping[str, Any],
        *,
        has_masked: bool = False,
    ) -> None:
        self._session = session_of(request)
        # Where only the headers are asked for, nothing is exported.
        self._is_told = request.method != "HEAD"
        self._resource = resource
        self._details = {**details, "masked": has_masked, "export": uuid4().hex}
        self._has_masked = has_masked
        self._is_open = False

    # Any: JSON.
    def for_job(self) -> dict[str, Any]:
        """Return the event with which an export by a job begins, as JSON."""
        events = events_of(self._session)
        assert events is not None
        return events.made(
            EventKind.EXPORTED, resource=self._resource, details=self._details
        ).as_json()

    async def begin(self, count: int | None) -> None:
        """Tell that it begins, before its first byte is sent; `count` is None if that is unknown.

        Raises what the database does if it cannot be told.
        """
        if not self._is_told:
            return
        self._is_open = count is None
        self.note(count)
        events = events_of(self._session)
        if events is not None:
            await events.finish(self._session)

    def note(self, count: int | None) -> None:
        """Tell that it begins, once the request has saved something."""
        note(
            self._session,
            EventKind.EXPORTED,
            resource=self._resource,
            count=count,
            details=self._details,
            is_needed=True,
            has_masked=self._has_masked,
        )

    @contextmanager
    def ending(self) -> Iterator[Callable[[int], None]]:
        """Tell how many rows were sent, also if the client disconnects; gives what counts them."""
        sent, is_complete = 0, False

        def count(rows: int) -> None:
            nonlocal sent
            sent += rows

        try:
            yield count
            is_complete = True
        finally:
            events = events_of(self._session)
            if self._is_open and events is not None:
                details = {**self._details, "is_complete": is_complete}
                ended = events.made(
                    EventKind.EXPORT_ENDED, resource=self._resource, count=sent, details=details
                )
                events.log.save_soon([ended])
