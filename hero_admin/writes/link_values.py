"""Link values: when two values of a foreign key lead to the same record."""

from typing import Any

from sqlalchemy import CHAR

from hero_admin.model.fields import Field
from hero_admin.model.storable import unwrapped_type
from hero_admin.model.stored_values import hashable, readable
from hero_admin.writes.deltas import Same


def same_by(*fields: Field) -> Same:
    """Return the function for the values of two fields, one of which refers to the other."""
    is_padded = any(isinstance(unwrapped_type(each.column.type), CHAR) for each in fields)

    # Any: a value of any field.
    def same(value: Any) -> Any:
        value = readable(value)
        if isinstance(value, str):
            return value.rstrip(" ") if is_padded else value
        return hashable(value)

    return same
