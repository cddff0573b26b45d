"""Requests: what every handler reads from one: the site, the session, the record, the way back."""

import asyncio
from urllib.parse import parse_qsl

from pydantic import SecretStr
from python_multipart.multipart import parse_options_header
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request

from webapp.admin import records
from webapp.admin.keys import Key, parse_key
from webapp.admin.query import ListQuery, Scope, query_in
from webapp.admin.resource import Record, Resource
from webapp.admin.site import Site
from webapp.admin.snapshots import digest_of
from webapp.admin.uploads import read_uploads
from webapp.database import SAFE_METHODS
from webapp.history import Operation
from webapp.identity import identity_of
from webapp.templating import LONGEST_PATH_CHARACTERS, is_local

# Room for all the records that may be deleted at once, and what else their form holds.
MOST_FIELDS = 2_000
URLENCODED = "application/x-www-form-urlencoded"
FORM_TYPES = (URLENCODED, "multipart/form-data")
# More than that is decoded beside the event loop, which it would hold up.
QUICK_BYTES = 64 * 2**10
# Our pages send none that is longer: a list of so many filters is left for the whole list.
LONG_BACK = f"An address to go back to has at most {LONGEST_PATH_CHARACTERS:,} characters."
TOO_MANY_FIELDS = f"A form here has at most {MOST_FIELDS:,} fields."


def site_of(request: Request) -> Site:
    site: Site = request.app.state.site
    return site


def query_of(
    request: Request, resource: Resource, path: str = "", scope: Scope | None = None
) -> ListQuery:
    """Return the state of a list that a request asks for; it is at `path`, or where that goes."""
    path = path or request.scope["path"]
    return query_in(site_of(request), resource, path, request.scope["query_string"], scope)


def session_of(request: Request) -> AsyncSession:
    """Return the session of this request: read-only for GET and HEAD, committed for the others."""
    session: AsyncSession = request.state.session
    return session


def key_in(resource: Resource, request: Request) -> Key:
    """Return the key in the path; 404 if it is none."""
    key = parse_key(resource, request.path_params["id"])
    if key is None:
        raise not_found(resource)
    return key


async def fetch_record(resource: Resource, request: Request) -> Record | None:
    """Fetch the record that the path names; one that is to be changed is locked until the end."""
    is_unsafe = request.method not in SAFE_METHODS
    return await records.fetch_record(
        session_of(request), resource, key_in(resource, request), is_locked=is_unsafe
    )


async def fetch_or_404(resource: Resource, request: Request) -> Record:
    """Fetch the same, or raise 404."""
    record = await fetch_record(resource, request)
    if record is None:
        raise not_found(resource)
    return record


def not_found(resource: Resource) -> HTTPException:
    return HTTPException(404, f"This {resource.label} doesn't exist. It may have been deleted.")


async def form_of(request: Request) -> FormData:
    """Read the submitted form; 415 for a body that is none, 400 for a broken one."""
    kind, options = parse_options_header(request.headers.get("content-type", ""))
    content_type = kind.decode("latin-1")
    if content_type not in FORM_TYPES and (content_type or await request.body()):
        raise HTTPException(415, "Expected a submitted form.")
    # Others decode to broken characters, or take minutes to decode.
    if options.get(b"charset", b"utf-8").lower() not in (b"utf-8", b"utf8"):
        raise HTTPException(415, "Expected a form in UTF-8.")
    if content_type == URLENCODED:
        return FormData(await _fields_of(await request.body()))
    limit: int = request.app.state.settings.max_body_bytes
    try:
        form = await request.form(max_fields=MOST_FIELDS, max_part_size=limit)
    except (UnicodeError, LookupError, ValueError):
        raise HTTPException(400, "The form was incomplete or malformed. Send it again.") from None
    read = await read_uploads(form)
    await form.close()
    return read


async def _fields_of(body: bytes) -> list[tuple[str, str | UploadFile]]:
    """Decode a form; 400 for one of too many fields, which are counted first."""
    if body.count(b"&") >= MOST_FIELDS:
        raise HTTPException(400, TOO_MANY_FIELDS)
    text = body.decode("latin-1")
    if len(text) <= QUICK_BYTES:
        return [*parse_qsl(text, keep_blank_values=True)]
    return [*await asyncio.to_thread(parse_qsl, text, keep_blank_values=True)]


def back_of(request: Request, default: str) -> str:
    """Return the page to go back to: the address in `?back=`, if it is one of ours."""
    back = _back(request)
    return back if is_local(back) else default


def back_param(request: Request) -> dict[str, str]:
    """Return the same as a parameter for the next address, unread."""
    return {"back": _back(request)}


def as_back(url: str) -> str:
    """Return an address to go back to, "" for one with so many filters that it is too long."""
    return url if is_local(url) else ""


def _back(request: Request) -> str:
    back = request.query_params.get("back", "")
    if len(back) > LONGEST_PATH_CHARACTERS:
        raise HTTPException(400, LONG_BACK)
    return back


def operation_of(request: Request, via: str = "page") -> Operation:
    """Return what the history shall say of the changes that this request makes."""
    return Operation(identity_of(request), via)


def secret_of(request: Request) -> str:
    """Return the key of digests that only this server can make."""
    secret: SecretStr = request.app.state.settings.secret_key
    return secret.get_secret_value()


def record_secret_of(resource: Resource, request: Request) -> str:
    """Return the key of digests of one record: equal values of two records have different ones."""
    return digest_of(secret_of(request), resource.name, *key_in(resource, request))
