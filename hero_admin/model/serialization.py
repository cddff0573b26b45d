"""Serialization: values as JSON, from which the same values can be read again.

A value is a text where that is exact, else an object with the value of the driver.
"""

import hashlib
import hmac
import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.engine import Dialect

from hero_admin.audit_log.changes import Recorded
from hero_admin.model.blobs import Blob
from hero_admin.model.fields import Field
from hero_admin.model.resource import Resource
from hero_admin.model.storable import unwrapped_type
from hero_admin.model.stored_values import Stored, hashable, is_storable, packed, plain, unpacked

# The key of an object with the value of the driver.
STORED = "stored"
# The key of an object with the digest of a file.
BLOB = "blob"
# The serialized value of each field of a record, by name.
Snapshot = dict[str, Recorded]


def snapshot_of(resource: Resource, values: Mapping[str, Any]) -> Snapshot:
    """Return the serialized values of a record, by field."""
    return {name: recorded(resource.by_name[name], value) for name, value in values.items()}


def restored_values(resource: Resource, snapshot: Mapping[str, Recorded]) -> dict[str, Any]:
    """Return the values of a snapshot, without fields that the model no longer has.

    Raises ValueError for a text that its field no longer takes.
    """
    return {
        name: restored(resource.by_name[name], text)
        for name, text in snapshot.items()
        if name in resource.by_name
    }


def recorded(field: Field, value: Any) -> Recorded:
    """Return the serialized value of a field, the same for equal values."""
    if value is None:
        return None
    if isinstance(value, Blob):
        return {BLOB: value.digest, "size": value.size, "type": value.type_name}
    if isinstance(value, Stored):
        return {STORED: packed(value.raw)}
    if isinstance(value, Decimal) and getattr(field.column.type, "scale", None) is not None:
        # Databases keep or add trailing zeros.
        whole, point, places = f"{value:f}".partition(".")
        text = f"{whole}{point}{places.rstrip('0')}".rstrip(".")
        return "0" if text == "-0" else text
    return field.input.format(value)


def is_same(one: Recorded, other: Recorded) -> bool:
    """Whether two serialized values are the same, for files by their digest alone."""
    if isinstance(one, dict) and isinstance(other, dict) and BLOB in one:
        return bool(one[BLOB] == other.get(BLOB))
    return one == other


def restored(field: Field, record: Recorded) -> Any:
    """Return the value of a serialized one; raises ValueError if the field no longer takes it."""
    if isinstance(record, dict) and BLOB in record:
        digest, size, name = record[BLOB], record.get("size", 0), record.get("type", "")
        return Blob(size, digest=digest, name=name)
    if isinstance(record, dict):
        return Stored(unpacked(record.get(STORED)))
    if record is None or field.input.is_plain_text:
        return record
    value = field.input(record)
    if field.input.kind == "integer" and not is_storable(value):
        raise ValueError("Enter a shorter number.")
    return hashable(value)


def read_again(field: Field, record: Recorded, dialect: Dialect) -> Any:
    """Return the value of a serialized one, read by the type of its field."""
    value = restored(field, record)
    if isinstance(value, Stored):
        read = field.exact_type.result_processor(dialect, None)
        return read(value.raw) if read else value
    return value


def is_lossless(field: Field, value: Any, dialect: Dialect) -> bool:
    """Whether a database stores a number without loss: SQLite has 64-bit floats."""
    if not isinstance(value, Decimal) or dialect.name != "sqlite":
        return True
    kind = field.exact_type
    bind, read = kind.bind_processor(dialect), kind.result_processor(dialect, None)
    return bind is None or read is None or bool(plain(read(bind(value))) == value)


def is_same_value(field: Field, before: Any, value: Any, *, is_exact: bool = False) -> bool:
    """Whether two values of a field are the same, of the same type.

    is_exact: in the same spelling, too. `control_texts.is_same_text` compares typed texts, in which
    spaces and line ends do not count.
    """
    if is_exact or isinstance(value, Stored | Blob):
        return is_same(recorded(field, before), recorded(field, value))
    if before is None or value is None:
        return before is value
    before = plain(before)
    if isinstance(before, Stored):
        return False
    if field.input.kind != "json":
        return bool(before == value)
    # 1, 1.0 and True are equal in Python, but not in JSON.
    return _json_text(field, before) == _json_text(field, value)


def _json_text(field: Field, value: Any) -> str:
    # JSONB does not store the order of names.
    is_sorted = isinstance(unwrapped_type(field.column.type), JSONB)
    return json.dumps(value, sort_keys=is_sorted, default=str)


def keyed_digest(secret: str, *parts: object) -> str:
    """Return the HMAC-SHA-256 of values: equal for equal values, useless without the secret."""
    packed = json.dumps(parts, default=str).encode()
    return hmac.new(secret.encode(), packed, hashlib.sha256).hexdigest()[:32]
