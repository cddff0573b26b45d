"""Files of records: downloads, and previews of images."""

from typing import Any

from sqlalchemy import literal, select, type_coerce
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.types import NullType
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from hero_admin.audit_log.blobs import select_data
from hero_admin.audit_log.changes import Change
from hero_admin.model.blobs import UNKNOWN_TYPE, Blob
from hero_admin.model.fields import Field
from hero_admin.model.primary_keys import Key, key_of, key_predicate
from hero_admin.model.records import fetch_record
from hero_admin.model.resource import Record, Resource
from hero_admin.model.serialization import restored
from hero_admin.pages.requests import is_seen, key_in, not_found
from hero_admin.web.requests import session_of
from hero_admin.web.responses import attachment

# A file is never a page of this site.
POLICY = "default-src 'none'; sandbox"


async def file(resource: Resource, request: Request) -> Response:
    """GET /heroes/7/file/photo: the bytes of a field, to keep; or, ?preview=1, its picture."""
    field = _field_in(resource, request)
    key = key_in(resource, request)
    record = await fetch_record(session_of(request), resource, key)
    blob = record[field.name] if record else None
    if record is None or blob is None:
        raise not_found(resource)
    is_preview = request.query_params.get("preview") == "1"
    if is_preview and not blob.is_image:
        raise HTTPException(404)
    etag = f'"{blob.digest}"'
    if request.headers.get("if-none-match") == etag:
        return Response(status_code=304, headers={"ETag": etag})
    data = await fetch_bytes(session_of(request), resource, field, key)
    return answer(resource, field, key_of(resource, record), blob, data, is_preview=is_preview)


async def past_file(resource: Resource, request: Request) -> Response:
    """GET /heroes/7/file/photo/12?new=1: the bytes that a field had before, or after, a change."""
    field, session = _field_in(resource, request), session_of(request)
    change_id = request.path_params["change"]
    is_id = change_id.isascii() and change_id.isdigit() and len(change_id) < 19
    change = await session.get(Change, int(change_id)) if is_id else None
    key = request.path_params["id"]
    is_of_it = change and (change.resource, change.key) == (resource.name, key)
    if change is None or not is_of_it or not await is_seen(request, change):
        raise HTTPException(404)
    old, new = change.values.get(field.name, (None, None))
    blob = restored(field, new if request.query_params.get("new") == "1" else old)
    if not isinstance(blob, Blob):
        raise HTTPException(404)
    data = (await session.execute(select_data(literal(blob.digest)))).scalar()
    if data is None:
        raise HTTPException(404, "The history has no copy of this file.")
    return answer(resource, field, key, blob, as_bytes(data))


async def fetch_bytes(session: AsyncSession, resource: Resource, field: Field, key: Key) -> bytes:
    """Fetch all bytes of one field of one record."""
    column = type_coerce(field.column, NullType())
    found = await session.execute(select(column).where(key_predicate(resource, [key])))
    return as_bytes(found.scalar())


async def with_bytes(session: AsyncSession, resource: Resource, record: Record) -> Record:
    """Return a record with the bytes of its files instead of blobs."""
    key: Key = tuple(record[field.name] for field in resource.key)
    found = dict(record)
    for field in resource.fields:
        if isinstance(record[field.name], Blob):
            found[field.name] = await fetch_bytes(session, resource, field, key)
    return found


def answer(
    resource: Resource,
    field: Field,
    key: str,
    blob: Blob,
    data: bytes,
    *,
    is_preview: bool = False,
) -> Response:
    """Return bytes as a download or, if they are an image, as a preview."""
    file_type = blob.file_type
    extension = f".{file_type.extension}" if file_type and not blob.picture_offset else ""
    name = f"{resource.name}-{key}-{field.name}{extension}"
    headers = {
        "Content-Disposition": "inline" if is_preview else attachment(name),
        "Content-Security-Policy": POLICY,
        "ETag": f'"{blob.digest}"',
    }
    is_known = file_type is not None and (is_preview or not blob.picture_offset)
    media_type = file_type.media_type if file_type and is_known else UNKNOWN_TYPE
    return Response(
        data[blob.picture_offset :] if is_preview else data, headers=headers, media_type=media_type
    )


# Any: the value of a driver; SQLite may hold texts and numbers in a column of bytes.
def as_bytes(value: Any) -> bytes:
    """Return the value of a column of bytes as bytes."""
    if isinstance(value, bytes | memoryview):
        return bytes(value)
    return b"" if value is None else str(value).encode()


def _field_in(resource: Resource, request: Request) -> Field:
    field = resource.by_name.get(request.path_params["field"])
    # Masked files are shown by a POST only, which is recorded.
    if field is None or not field.is_bytes or field.is_masked:
        raise HTTPException(404)
    return field
