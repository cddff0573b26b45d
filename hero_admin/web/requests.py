"""Requests: the session, the form and the URL to go back to of a request."""

import asyncio
from urllib.parse import parse_qsl

from pydantic import SecretStr
from python_multipart.multipart import parse_options_header
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request

from hero_admin.web.addresses import MAX_PATH_CHARACTERS, is_local
from hero_admin.web.request_body import FORM_TYPES
from hero_admin.web.uploads import read_uploads

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
# Enough for all records that may be deleted at once, and the other fields of their form.
MAX_FIELDS = 2_000
URLENCODED = "application/x-www-form-urlencoded"
# Larger forms are decoded in a thread, as they would block the event loop.
QUICK_BYTES = 64 * 2**10
# Pages send no longer one: from such a list they go back to the unfiltered one.
LONG_BACK = f"An address to go back to has at most {MAX_PATH_CHARACTERS:,} characters."
TOO_MANY_FIELDS = f"A form here has at most {MAX_FIELDS:,} fields."


def session_of(request: Request) -> AsyncSession:
    """Return the session of a request: read-only for safe methods, committed for the others."""
    session: AsyncSession = request.state.session
    return session


async def form_of(request: Request) -> FormData:
    """Read the submitted form; 415 for another body, 400 for a broken form."""
    kind, options = parse_options_header(request.headers.get("content-type", ""))
    content_type = kind.decode("latin-1")
    if content_type not in FORM_TYPES and (content_type or await request.body()):
        raise HTTPException(415, "Expected a submitted form.")
    # Other charsets decode to wrong characters, or take minutes.
    if options.get(b"charset", b"utf-8").lower() not in (b"utf-8", b"utf8"):
        raise HTTPException(415, "Expected a form in UTF-8.")
    if content_type == URLENCODED:
        return FormData(await _fields_of(await request.body()))
    limit: int = request.app.state.settings.max_body_bytes
    try:
        form = await request.form(max_fields=MAX_FIELDS, max_part_size=limit)
    except (UnicodeError, LookupError, ValueError):
        raise HTTPException(400, "The form was incomplete or malformed. Send it again.") from None
    read = await read_uploads(form)
    await form.close()
    return read


async def _fields_of(body: bytes) -> list[tuple[str, str | UploadFile]]:
    """Decode a form; 400 if it has too many fields."""
    if body.count(b"&") >= MAX_FIELDS:
        raise HTTPException(400, TOO_MANY_FIELDS)
    text = body.decode("latin-1")
    if len(text) <= QUICK_BYTES:
        return [*parse_qsl(text, keep_blank_values=True)]
    return [*await asyncio.to_thread(parse_qsl, text, keep_blank_values=True)]


def back_of(request: Request, default: str) -> str:
    """Return the page to go back to: the URL in `?back=`, if it is on this site."""
    back = _back(request)
    return back if is_local(back) else default


def back_param(request: Request) -> dict[str, str]:
    """Return `?back=` for the next address, unchecked."""
    return {"back": _back(request)}


def as_back(url: str) -> str:
    """Return a URL to go back to, "" if it is too long."""
    return url if is_local(url) else ""


def _back(request: Request) -> str:
    back = request.query_params.get("back", "")
    if len(back) > MAX_PATH_CHARACTERS:
        raise HTTPException(400, LONG_BACK)
    return back


def secret_of(request: Request) -> str:
    """Return the server's secret key, for digests that nobody else can compute."""
    secret: SecretStr = request.app.state.settings.secret_key
    return secret.get_secret_value()
