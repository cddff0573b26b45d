"""Kept: a form that arrived after its session had ended, so that nothing typed is lost."""

from dataclasses import dataclass
from urllib.parse import urlencode

from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.requests import Request

from hero_admin.forms.hidden_fields import LOST
from hero_admin.model.field_names import CONTROL
from hero_admin.web.addresses import with_raw_query
from hero_admin.web.requests import form_of
from hero_admin.web.uploads import Upload

# The sign-in's own fields; a field of a record has no dot in its name.
OWN = "account."
MAX_FIELDS = 1_000
# Somebody who is not signed in sends it back, and so much is accepted of them; the rest is for
# the name, the password and the address.
MAX_BYTES = 48 * 2**10
# A password is not written into a page.
NEVER_KEPT = ("/account", "/people")


@dataclass(frozen=True)
class Kept:
    """What is to be sent again once somebody is signed in: fields in order, and where to."""

    url: str
    fields: tuple[tuple[str, str], ...]


def kept_in(form: FormData, url: str) -> Kept | None:
    """Return what a form holds besides the sign-in; None if it cannot be sent again.

    Of a file only that it was there: the form comes back then, and asks for it again.
    """
    fields = [(name, value) for name, value in form.multi_items() if not name.startswith(OWN)]
    texts = tuple(
        (f"{LOST}{name.removeprefix(CONTROL)}", "1") if isinstance(value, Upload) else (name, value)
        for name, value in fields
        if isinstance(value, str)
    )
    if len(urlencode(texts)) > MAX_BYTES or len(texts) > MAX_FIELDS:
        return None
    return Kept(url, texts)


async def keep(request: Request) -> Kept | None:
    """Read the form that a request would have saved; None if it is none that can be kept."""
    if request.method != "POST" or request.url.path.startswith(NEVER_KEPT):
        return None
    try:
        form = await form_of(request)
    except HTTPException as refused:
        # Too big is too big for everybody; what is no form is not kept.
        if refused.status_code == 413:
            raise
        return None
    # Files are not kept, and are not left open either.
    await request.close()
    return kept_in(form, with_raw_query(request))
