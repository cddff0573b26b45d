"""Unique sets: the fields of which no two records may have the same values."""

from collections.abc import Sequence

from sqlalchemy import Column, Index, Table, UniqueConstraint

from hero_admin.model.fields import Field


def unique_sets_of(table: Table, fields: Sequence[Field]) -> tuple[tuple[Field, ...], ...]:
    """Return the sets of fields that are unique together by a constraint, an index or the key.

    Sets with a file are left out: only the database compares them.
    """
    sets = [
        list(constraint.columns)
        for constraint in table.constraints
        if isinstance(constraint, UniqueConstraint)
    ]
    sets += [list(index.columns) for index in table.indexes if _is_plainly_unique(index)]
    sets += [[column] for column in table.columns if column.unique]
    key = [field for field in fields if field.is_key]
    if not any(field.is_generated for field in key):
        sets.append([field.column for field in key])
    distinct = {frozenset(columns): columns for columns in sets}.values()
    found = (tuple(field for field in fields if field.column in columns) for columns in distinct)
    return tuple(each for each in found if not any(field.is_bytes for field in each))


def _is_plainly_unique(index: Index) -> bool:
    # An index on expressions or on some of the rows is left to the database.
    is_partial = any(options.get("where") is not None for options in index.dialect_options.values())
    is_plain = all(isinstance(expression, Column) for expression in index.expressions)
    return bool(index.unique) and is_plain and not is_partial
