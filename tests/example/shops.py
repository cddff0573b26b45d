"""The record shop on a database of its own, as its owner runs it."""

import importlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest
from alembic import command
from alembic.config import Config
from fastapi import FastAPI
from sqlalchemy import MetaData
from sqlalchemy.ext.asyncio import AsyncEngine

from hero_admin import Admin
from tests.server import PROJECT

PACKAGE = "record_shop"
PASSWORD = "vinyl only"
ALEMBIC = Config(PROJECT / "examples" / PACKAGE / "alembic.ini")


@dataclass(frozen=True)
class Shop:
    """The application, its admin, its database and its tables."""

    url: str
    app: FastAPI
    admin: Admin
    engine: AsyncEngine
    metadata: MetaData

    @property
    def start(self) -> str:
        """The first page of its admin."""
        return "/admin/"

    async def close(self) -> None:
        """Close all connections of this event loop."""
        await self.admin.close()
        await self.engine.dispose()

    async def fill(self) -> None:
        await importlib.import_module(f"{PACKAGE}.data").fill(self.engine)


@contextmanager
def shop_on(url: str) -> Iterator[Shop]:
    """The shop, imported anew: it reads the address of its database when it is imported."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RECORD_SHOP_DATABASE_URL", url)
        # A slow machine is no busy database.
        patch.setenv("WEBAPP_REQUEST_TIMEOUT_SECONDS", "60")
        for name in _modules():
            patch.delitem(sys.modules, name)
        modules = {
            name: importlib.import_module(f"{PACKAGE}.{name}")
            for name in ("main", "admin", "database", "models")
        }
        try:
            yield Shop(
                url,
                modules["main"].app,
                modules["admin"].admin,
                modules["database"].engine,
                modules["models"].Base.metadata,
            )
        finally:
            for name in _modules():
                del sys.modules[name]


def upgrade() -> None:
    """Run its migrations on the database of the shop that is imported."""
    command.upgrade(ALEMBIC, "head")


def _modules() -> list[str]:
    return [name for name in sys.modules if name.split(".")[0] == PACKAGE]
