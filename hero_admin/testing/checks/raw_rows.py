"""What the tables of a database hold, byte for byte, past every model and type."""

from collections.abc import Iterable, Sequence

from sqlalchemy import Connection, Table, inspect, text
from sqlalchemy.ext.asyncio import AsyncEngine

from hero_admin.testing.admin_client import AdminClient
from hero_admin.testing.tables import metadata_of

# SQLite tells which type each value is stored with; PostgreSQL writes a row as text.
EXACT = {
    "sqlite": "typeof({0}) || ' ' || quote({0})",
    "postgresql": "{0}::text",
}
Rows = dict[str, list[tuple[object, ...]]]


async def stored_tables(admin: AdminClient) -> Sequence[Table]:
    """Return the tables of an application that its database has."""

    def look(connection: Connection) -> list[Table]:
        database = inspect(connection)
        return [
            table
            for metadata in metadata_of(admin.admin)
            for table in metadata.sorted_tables
            if database.has_table(table.name, table.schema)
        ]

    async with admin.database.reading.connect() as connection:
        return await connection.run_sync(look)


async def raw_rows(engine: AsyncEngine, tables: Iterable[Table]) -> Rows:
    """Return the rows of each table, in the order of their keys."""
    preparer = engine.dialect.identifier_preparer
    exact = EXACT[engine.dialect.name]
    async with engine.connect() as connection:
        rows: Rows = {}
        for table in tables:
            names = [preparer.quote(column.name) for column in table.columns]
            columns = ", ".join(map(exact.format, names))
            keys = [preparer.quote(column.name) for column in table.primary_key.columns]
            # A table without a key is in the order of all that it holds.
            order = ", ".join(keys or map(str, range(1, len(names) + 1)))
            select = f"SELECT {columns} FROM {preparer.format_table(table)} ORDER BY {order}"  # noqa: S608 - names of the application's own
            rows[table.fullname] = [tuple(row) for row in await connection.execute(text(select))]
        return rows
