"""Floor b: SQLAlchemy Core's rows, async, and Jinja."""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from benchmarks.floors.pages import render
from benchmarks.floors.serving import Page, serve_page
from benchmarks.floors.source import CONNECTIONS, database, is_postgresql, question


async def open_page() -> Page:
    plain = database()
    url = (
        plain.replace("postgresql", "postgresql+asyncpg", 1)
        if is_postgresql()
        else f"sqlite+aiosqlite:///{plain}"
    )
    engine = create_async_engine(url, pool_size=CONNECTIONS, max_overflow=0)

    async def page(query: bytes) -> bytes:
        statement, values = question(query)
        named = {f"p{place}": value for place, value in enumerate(values, 1)}
        async with engine.connect() as connection:
            rows = (await connection.execute(text(statement.replace("$", ":p")), named)).all()
        return render(rows)

    return page


application = serve_page(open_page)
