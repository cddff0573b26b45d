"""Pending forms: submitted when they could not be saved, and sent again from the page after.

A form is pending after its session has ended, until somebody signs in, or after an error.
"""

import logging
from dataclasses import dataclass
from urllib.parse import urlencode

from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import Scope

from hero_admin.forms.hidden_fields import LOST
from hero_admin.model.field_names import CONTROL, control_name
from hero_admin.pages.requests import site_of
from hero_admin.web.addresses import with_raw_query
from hero_admin.web.mount import local_path
from hero_admin.web.request_body import FormBeginning, RequestBody
from hero_admin.web.requests import form_of
from hero_admin.web.responses import is_partial
from hero_admin.web.uploads import Upload

# The sign-in's own fields; a field of a record has no dot in its name.
OWN = "account."
MAX_FIELDS = 1_000
# The limit for requests that are not signed in, less the name, the password and the URL.
MAX_BYTES = 48 * 2**10
# Their fields are passwords, which no page may hold.
NEVER_PENDING = ("/sign-in", "/welcome", "/account/password", "/account/confirm", "/api/")
NEVER_PENDING_SIGNED_OUT = ("/account", "/people")

logger = logging.getLogger("hero_admin.accounts.pending")


@dataclass(frozen=True)
class PendingForm:
    """A form to be sent again: its URL, its fields in order, and what has to be typed again.

    secrets: name and label of each masked field that had a value; no page holds it.
    is_cut: whether these are only the first fields of a form that was too large.
    """

    url: str
    fields: tuple[tuple[str, str], ...]
    secrets: tuple[tuple[str, str], ...] = ()
    is_cut: bool = False

    @property
    def has_files(self) -> bool:
        """Whether there were files, which no page can hold."""
        return any(name.startswith(LOST) for name, _ in self.fields)


def pending_in(form: FormData, url: str) -> PendingForm | None:
    """Return the fields of a form without those of the sign-in; None if there are too many.

    A file is only marked as lost: the form asks for it again.
    """
    fields = [(name, value) for name, value in form.multi_items() if not name.startswith(OWN)]
    texts = tuple(
        (f"{LOST}{name.removeprefix(CONTROL)}", "1") if isinstance(value, Upload) else (name, value)
        for name, value in fields
        if isinstance(value, str)
    )
    if len(urlencode(texts)) > MAX_BYTES or len(texts) > MAX_FIELDS:
        return None
    return PendingForm(url, texts)


async def read_signed_out(request: Request) -> PendingForm | None:
    """Read the form of a request whose session has ended; None if it cannot be sent again."""
    if request.method != "POST" or local_path(request.scope).startswith(NEVER_PENDING_SIGNED_OUT):
        return None
    try:
        form = await form_of(request)
    except HTTPException as refused:
        # Too large is an error for everybody; a malformed form is dropped.
        if refused.status_code == 413:
            raise
        return None
    # Closes its files.
    await request.close()
    return pending_in(form, with_raw_query(request))


async def fetch_pending(scope: Scope) -> PendingForm | None:
    """Return the form of a request that failed; None if it cannot be sent again from a page.

    Requests of htmx are left out: their page still has the form.
    """
    body: RequestBody | FormBeginning | None = scope.get("state", {}).get("body")
    if scope["method"] != "POST" or local_path(scope).startswith(NEVER_PENDING) or body is None:
        return None
    # Other bodies are not buffered, so they cannot be received again.
    if not body.is_form:
        return None
    request = Request(scope, body.receive_again)
    if is_partial(request):
        return None
    try:
        form = pending_in(await form_of(request), with_raw_query(request))
    except Exception as error:  # noqa: BLE001 - the error page matters more
        logger.info("A form cannot be sent again: %s", type(error).__name__)
        return None
    is_cut = isinstance(body, FormBeginning)
    if form is None or (is_cut and not form.fields):
        return None
    labels = _masked_labels(request)
    return PendingForm(
        form.url,
        tuple((name, value) for name, value in form.fields if name not in labels),
        tuple((name, labels[name]) for name, value in form.fields if name in labels and value),
        is_cut,
    )


def _masked_labels(request: Request) -> dict[str, str]:
    """Return the label of each masked control of the resource that a path begins with."""
    resource = site_of(request).named(local_path(request.scope).split("/")[1])
    masked = [field for field in resource.fields if field.is_masked] if resource else []
    # Programs send the plain name.
    return {
        control: field.label
        for field in masked
        for control in (field.name, control_name(field.name))
    }
