"""Floor b: SQLAlchemy Core's rows, async, and Jinja."""

from sqlalchemy import Column, ForeignKey, Integer, MetaData, String, Table, select
from sqlalchemy.ext.asyncio import create_async_engine

from benchmarks.floors.pages import render
from benchmarks.floors.serving import Page, serve_page
from benchmarks.floors.source import CONNECTIONS, database, is_postgresql

metadata = MetaData()
team = Table("team", metadata, Column("id", Integer, primary_key=True), Column("name", String))
hero = Table(
    "hero",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", String),
    Column("secret_name", String),
    Column("age", Integer),
    Column("team_id", ForeignKey("team.id")),
)
statement = (
    select(hero.c.id, hero.c.name, hero.c.secret_name, hero.c.age, hero.c.team_id, team.c.name)
    .select_from(hero.outerjoin(team))
    .order_by(hero.c.name, hero.c.id)
    .limit(26)
)


async def open_page() -> Page:
    plain = database()
    url = (
        plain.replace("postgresql", "postgresql+asyncpg", 1)
        if is_postgresql()
        else f"sqlite+aiosqlite:///{plain}"
    )
    engine = create_async_engine(url, pool_size=CONNECTIONS, max_overflow=0)

    async def page() -> bytes:
        async with engine.connect() as connection:
            rows = (await connection.execute(statement)).all()
        return render(rows)

    return page


application = serve_page(open_page)
