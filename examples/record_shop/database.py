"""The database of the shop: a file, or whatever the environment names."""

import os

from sqlalchemy import event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine

URL = os.environ.get("RECORD_SHOP_DATABASE_URL", "sqlite+aiosqlite:///var/record_shop.db")

engine = create_async_engine(URL)
sessions = async_sessionmaker(engine, class_=AsyncSession, expire_on_commit=False)


if engine.dialect.name == "sqlite":

    @event.listens_for(engine.sync_engine, "connect")
    def check_foreign_keys(connection: DBAPIConnection, _: object) -> None:
        cursor = connection.cursor()
        cursor.execute("PRAGMA foreign_keys = ON")
        cursor.close()
