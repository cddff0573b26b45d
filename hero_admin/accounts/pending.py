"""Pending forms: what was sent and cannot be saved now, to be sent again from the error page."""

import logging
from dataclasses import dataclass

from starlette.requests import Request
from starlette.types import Scope

from hero_admin.accounts.pending_form import kept_in
from hero_admin.forms.hidden_fields import LOST
from hero_admin.model.field_names import control_name
from hero_admin.pages.requests import site_of
from hero_admin.web.addresses import with_raw_query
from hero_admin.web.requests import form_of
from hero_admin.web.responses import is_partial
from hero_admin.web.security_headers import Beginning, Body

# Their fields are passwords, which are no part of a page.
NEVER_PENDING = ("/sign-in", "/welcome", "/account/password", "/api/")

logger = logging.getLogger("hero_admin.accounts.pending")


@dataclass(frozen=True)
class Pending:
    """A form to be sent again: where to, its fields in order, and what has to be typed again.

    secrets: name and label of each masked field that had a value; it is not written into a page.
    is_cut: whether these are the first fields only, of a form that was too large.
    """

    url: str
    fields: tuple[tuple[str, str], ...]
    secrets: tuple[tuple[str, str], ...] = ()
    is_cut: bool = False

    @property
    def has_files(self) -> bool:
        """Whether files came with it, which no page can hold."""
        return any(name.startswith(LOST) for name, _ in self.fields)


async def pending_form(scope: Scope) -> Pending | None:
    """Return the form of a request that failed; None if it cannot be sent again from a page.

    With htmx the form is in the page still.
    """
    body: Body | Beginning | None = scope.get("state", {}).get("body")
    if scope["method"] != "POST" or scope["path"].startswith(NEVER_PENDING) or body is None:
        return None
    # What is no form is not held, so that there is nothing to receive again but the client's going.
    if not body.is_form:
        return None
    request = Request(scope, body.receive_again)
    if is_partial(request):
        return None
    try:
        kept = kept_in(await form_of(request), with_raw_query(request))
    except Exception as error:  # noqa: BLE001 - the page that says what failed matters more
        logger.info("A form cannot be sent again: %s", type(error).__name__)
        return None
    is_cut = isinstance(body, Beginning)
    if kept is None or (is_cut and not kept.fields):
        return None
    labels = _masked_labels(request)
    return Pending(
        kept.url,
        tuple((name, value) for name, value in kept.fields if name not in labels),
        tuple((name, labels[name]) for name, value in kept.fields if name in labels and value),
        is_cut,
    )


def _masked_labels(request: Request) -> dict[str, str]:
    """Return the label of each masked control of the resource that a path begins with."""
    name = request.url.path.split("/")[1]
    masked = [
        (resource, field)
        for resource in site_of(request).resources
        if resource.name == name
        for field in resource.fields
        if field.is_masked
    ]
    # A program sends it under its plain name.
    return {
        control: resource.label_of(field)
        for resource, field in masked
        for control in (field.name, control_name(field.name))
    }
