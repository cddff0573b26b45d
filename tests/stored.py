"""Reads what is stored after a request, without the application."""

from typing import TypeVar

from sqlalchemy import inspect
from sqlmodel import SQLModel, func, select
from sqlmodel.sql.expression import SelectOfScalar

from hero_admin.database.engines import Database
from hero_admin.model.records import fetch_where
from hero_admin.model.resource import Record, Resource

Model = TypeVar("Model", bound=SQLModel)
Row = TypeVar("Row")


class Stored:
    """Each look has a session of its own, so it sees everything committed until then."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, model: type[Model], key: object) -> Model | None:
        """The record with a key, None when it is gone."""
        async with self._database.session(is_read_only=True) as session:
            return await session.get(model, key)

    async def all(self, model: type[Model]) -> list[Model]:
        """All records of a model in the order of their keys."""
        return await self.select(select(model).order_by(*inspect(model).primary_key))

    async def records(self, resource: Resource) -> list[Record]:
        """All records of a resource in the order of their keys, exactly."""
        async with self._database.session(is_read_only=True) as session:
            return await fetch_where(session, resource)

    async def count(self, model: type[SQLModel]) -> int:
        return (await self.select(select(func.count()).select_from(model)))[0]

    async def select(self, statement: SelectOfScalar[Row]) -> list[Row]:
        """All answers to a statement of one column or one model."""
        async with self._database.session(is_read_only=True) as session:
            return list(await session.scalars(statement))
