"""Models with moments: one of a few columns, and several among many."""

from datetime import datetime

from sqlmodel import Field, SQLModel
from starlette.applications import Starlette

from hero_admin.application import create_app
from hero_admin.model.resource import Resource
from hero_admin.settings import load_settings


class Call(SQLModel, table=True):
    """A list with one moment in each row."""

    id: int | None = Field(default=None, primary_key=True)
    name: str
    city: str = "Edinburgh"
    country: str = "Scotland"
    topic: str = "Deliveries"
    language: str = "English"
    ended_at: datetime


class Meeting(SQLModel, table=True):
    """A list with three of them."""

    id: int | None = Field(default=None, primary_key=True)
    name: str
    city: str = "Edinburgh"
    country: str = "Scotland"
    planned_at: datetime
    began_at: datetime
    ended_at: datetime


def app() -> Starlette:
    """An admin of them, for uvicorn."""
    return create_app(load_settings(), [Resource(Call), Resource(Meeting)])
