"""Files of records: copied to the history before they are changed or deleted."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from sqlalchemy import ColumnElement, type_coerce
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.types import NullType

from hero_admin.audit_log.blobs import fetch_known, record_blob, record_stored_blobs
from hero_admin.model.blobs import Blob, Digest, blob_of
from hero_admin.model.fields import Field
from hero_admin.model.resource import Resource
from hero_admin.web.errors import Invalid
from hero_admin.writes.transaction import Transaction

NO_COPY = "The history has no copy of this file any more."


async def record_files(
    transaction: Transaction, resource: Resource, values: Mapping[str, Any]
) -> dict[str, Any]:
    """Copy the files among values to the history; return the values with digests instead.

    Without a history, files bring their bytes. Raises Invalid for an earlier file that was
    removed from the history.
    """
    session = transaction.session
    await check_copies(session, [values])
    known: dict[str, Blob] = {}
    for name, value in values.items():
        field = resource.by_name[name]
        if not field.is_bytes or value is None or isinstance(value, Blob):
            continue
        data = _as_stored(session, field, value)
        known[name] = blob_of(data)
        if transaction.has_history:
            await record_blob(session, known[name].digest, data)
        else:
            known[name] = replace(known[name], data=data)
    return {**values, **known}


async def check_copies(session: AsyncSession, rows: Iterable[Mapping[str, Any]]) -> None:
    """Raise Invalid if a file to be stored was removed from the history."""
    wanted = {
        value.digest: name for row in rows for name, value in row.items() if isinstance(value, Blob)
    }
    known = await fetch_known(session, wanted) if wanted else set()
    for digest, name in wanted.items():
        if digest not in known:
            raise Invalid({name: NO_COPY})


# Any: bytes, or the default of a model, which its type converts to bytes.
def _as_stored(session: AsyncSession, field: Field, value: Any) -> bytes:
    if isinstance(value, bytes):
        return value
    dialect = session.get_bind().dialect
    store = field.column.type.dialect_impl(dialect).bind_processor(dialect)
    return bytes(store(value) if store else value)


async def record_stored_files(
    transaction: Transaction, fields: Iterable[Field], where: ColumnElement[bool]
) -> None:
    """Copy all files of records, which other programs may have written, to the history."""
    for field in fields:
        if field.is_bytes and transaction.has_history:
            digest, column = Digest(field.column), type_coerce(field.column, NullType())
            await record_stored_blobs(transaction.session, digest, column, where)
