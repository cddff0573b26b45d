"""Records in the API: fetched by key, and returned with their version as an ETag."""

import re
from collections.abc import Sequence
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from hero_admin.api.masked import masked_names, note_masked
from hero_admin.listing.computed_values import with_computed
from hero_admin.model import records
from hero_admin.model.primary_keys import Key, key_of, parse_key
from hero_admin.model.resource import Record, Resource
from hero_admin.model.schemas import dumped
from hero_admin.model.serialization import keyed_digest, snapshot_of
from hero_admin.model.stored_values import readable
from hero_admin.pages.files import with_bytes
from hero_admin.web.mount import path_to
from hero_admin.web.requests import secret_of, session_of
from hero_admin.web.texts import capitalised

# Between the digests of an ETag: of the fields, and of the computed columns.
COMPUTED = "-"


async def fetch_record(
    resource: Resource, request: Request, id: str, *, is_locked: bool = False
) -> Record:
    """Fetch the record with this key, or raise 404."""
    session, key = session_of(request), key_in(resource, id)
    record = await records.fetch_record(session, resource, key, is_locked=is_locked)
    if record is None:
        raise _not_found(resource)
    return record


def key_in(resource: Resource, id: str) -> Key:
    """Return the key in a path; 404 if it is invalid."""
    key = parse_key(resource, id)
    if key is None:
        raise _not_found(resource)
    return key


async def answer(
    resource: Resource, request: Request, record: Record, status: int = 200
) -> Response:
    """Return a record with its ETag, and the Location of a created one."""
    session = session_of(request)
    (complete,) = await with_computed(session, resource, [record])
    headers = {"ETag": _etag(resource, request, complete)}
    if status == 201:
        headers["Location"] = path_to("api", resource.name, key_of(resource, record))
    whole = await with_bytes(session, resource, complete)
    return JSONResponse(as_json(resource, request, whole), status, headers)


# Any: JSON values.
def as_json(
    resource: Resource, request: Request, record: Record, *, is_one_of_many: bool = False
) -> dict[str, Any]:
    """Return a record without what its reader may not read; masked values may be null."""
    masked = masked_names(resource, request, is_one_of_many=is_one_of_many)
    return dumped(resource.schemas.read, record, masked, resource.unseen)


async def as_json_all(
    resource: Resource, request: Request, records: Sequence[Record], *, is_one_of_many: bool = False
) -> list[dict[str, Any]]:
    """Return records with their computed columns, without what their reader may not read.

    Masked values among them are told of.
    """
    if records:
        note_masked(resource, request, records, is_one_of_many=is_one_of_many)
    complete = await with_computed(session_of(request), resource, records)
    return [as_json(resource, request, each, is_one_of_many=is_one_of_many) for each in complete]


async def unmodified(resource: Resource, request: Request, record: Record) -> Response | None:
    """Return 304 if the reader has this version of the record: `If-None-Match`."""
    header = request.headers.get("if-none-match", "")
    if not header:
        return None
    (complete,) = await with_computed(session_of(request), resource, [record])
    etag = _etag(resource, request, complete)
    if _has(header, etag):
        return Response(status_code=304, headers={"ETag": etag})
    return None


def check_version(resource: Resource, request: Request, record: Record) -> None:
    """Raise 412 if the record is not in the version that `If-Match` names."""
    wanted = request.headers.get("if-match")
    # Whatever is computed may change without the record.
    fields_only = re.sub(rf"{COMPUTED}\w+\"", '"', wanted or "")
    if wanted is not None and not _has(fields_only, _etag(resource, request, record)):
        raise HTTPException(
            412, f"Someone else has changed this {resource.label}. Read it again first."
        )


def _etag(resource: Resource, request: Request, record: Record) -> str:
    """Return the version of a record as its reader sees it: a digest of these values.

    Those of computed columns have a digest of their own behind it, if the record has them.
    """
    masked = masked_names(resource, request)
    names = [field.name for field in resource.fields if field.name not in masked]
    seen = snapshot_of(resource, {name: record[name] for name in names})
    digest = keyed_digest(secret_of(request), resource.name, seen)
    names = [column.name for column in resource.computed if column.name in record]
    if not names:
        return f'"{digest}"'
    values = [str(readable(record[name])) for name in names]
    return f'"{digest}{COMPUTED}{keyed_digest(secret_of(request), resource.name, *values)}"'


def _has(header: str, etag: str) -> bool:
    given = {part.strip().removeprefix("W/") for part in header.split(",")}
    return "*" in given or etag in given


def _not_found(resource: Resource) -> HTTPException:
    return HTTPException(404, f"{capitalised(resource.label)} not found")
