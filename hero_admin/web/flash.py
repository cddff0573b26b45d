"""Flash messages: shown by the page after a change, in a cookie until then."""

import json
from base64 import urlsafe_b64decode
from dataclasses import dataclass

from starlette.requests import Request

from hero_admin.web.addresses import is_local
from hero_admin.web.cookies import cookie_in

FLASH_COOKIE = "flash"
FLASH_SECONDS = 60
MAX_TITLE_CHARACTERS = 200


@dataclass(frozen=True)
class Flash:
    """A message on the next page: “Saved **Nova**”, a link to it, and the row to mark.

    note: another sentence. undo: the id of the operation that the button undoes. undo_label: the
    label of that button.
    """

    text: str
    title: str = ""
    url: str = ""
    marked: str = ""
    note: str = ""
    undo: str = ""
    undo_label: str = "Undo"


def flash_of(request: Request) -> Flash | None:
    """Return the message that the request before this one left, if it can be read."""
    packed = cookie_in(request, FLASH_COOKIE)
    if not packed:
        return None
    try:
        fields = json.loads(urlsafe_b64decode(packed))
        # Raises for anything but texts, and for texts that cannot be encoded.
        "".join(fields.values()).encode()
        flash = Flash(**fields)
    except (AttributeError, ValueError, TypeError, RecursionError):
        return None
    return flash if not flash.url or is_local(flash.url) else None
