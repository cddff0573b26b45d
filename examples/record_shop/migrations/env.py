"""How Alembic migrates the shop: its own tables, on its own engine."""

import asyncio

from alembic import context
from sqlalchemy import Connection

from record_shop.admin import admin
from record_shop.database import engine
from record_shop.models import Base


def migrate(connection: Connection) -> None:
    context.configure(
        connection,
        target_metadata=Base.metadata,
        # Leaves what the admin keeps in the same database alone.
        include_name=admin.include_name,
        render_as_batch=True,
    )
    with context.begin_transaction():
        context.run_migrations()


async def connect() -> None:
    async with engine.connect() as connection:
        await connection.run_sync(migrate)
    await engine.dispose()


asyncio.run(connect())
