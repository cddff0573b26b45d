"""What the tables of a database hold, byte for byte, past every model and type."""

from sqlalchemy import MetaData, text
from sqlalchemy.ext.asyncio import AsyncEngine

# SQLite tells which type each value is stored with; PostgreSQL writes a row as text.
EXACT = {
    "sqlite": "typeof({0}) || ' ' || quote({0})",
    "postgresql": "{0}::text",
}


async def raw_rows(engine: AsyncEngine, metadata: MetaData) -> dict[str, list[tuple[object, ...]]]:
    """The rows of each table, in the order of their keys."""
    quote = engine.dialect.identifier_preparer.quote
    exact = EXACT[engine.dialect.name]
    async with engine.connect() as connection:
        rows = {}
        for table in metadata.sorted_tables:
            columns = ", ".join(exact.format(quote(column.name)) for column in table.columns)
            keys = ", ".join(quote(column.name) for column in table.primary_key.columns)
            select = f"SELECT {columns} FROM {quote(table.name)} ORDER BY {keys}"
            rows[table.name] = [tuple(row) for row in await connection.execute(text(select))]
        return rows
