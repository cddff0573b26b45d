"""Column defaults: what a row refers to once its reference is reset by SET DEFAULT."""

from typing import Any

from sqlalchemy import ColumnElement, literal_column, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from hero_admin.model.fields import Field
from hero_admin.writes.referencing_rows import RowsToDelete
from hero_admin.writes.tables import ForeignKey, StoredTable, identity_of


async def fetch_has_default(
    session: AsyncSession, to_delete: RowsToDelete, key: ForeignKey
) -> bool:
    """Whether the defaults of a foreign key refer to an existing row that is not deleted."""
    tables = to_delete.catalog.tables
    stored, target = tables[key.table], tables[key.target]
    defaults = [default_of(stored, name) for name in key.columns]
    if any(each is None for each in defaults) or set(key.cleared) != set(key.columns):
        return True
    given = [each for each in defaults if each is not None]
    if (await session.execute(select(or_(*(each.is_(None) for each in given))))).scalar():
        return True
    theirs = target.clause("target")
    same = [theirs.c[name] == each for name, each in zip(key.target_columns, given, strict=True)]
    found = (await session.execute(select(*identity_of(target, theirs)).where(*same))).first()
    return found is not None and tuple(found) not in to_delete.of(target.name)


def default_of(
    stored: StoredTable, name: str, field: Field | None = None
) -> ColumnElement[Any] | None:
    """Return the default of a column, as a value of its field if it has one."""
    own = stored.column(name)
    if own.default is None:
        return None
    sql = f"CAST(({own.default}) AS {own.type})" if own.type else f"({own.default})"
    return literal_column(sql, None if field is None else field.exact_type)
