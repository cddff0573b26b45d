"""Models whose pages are laid out: articles of a shop, and their colours."""

import enum
from datetime import date
from decimal import Decimal
from typing import Any

from markupsafe import Markup
from sqlalchemy import Column, MetaData, Text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import Field, Relationship, SQLModel
from starlette.applications import Starlette

from hero_admin import Child, Color, Control, Markdown, Resource, formats
from hero_admin.application import create_app
from hero_admin.settings import load_settings


class Catalogue(SQLModel):
    metadata = MetaData()


class State(enum.Enum):
    """Where an article is."""

    HERE = "here"
    LENT = "lent"
    LOST = "lost"


class Article(Catalogue, table=True):
    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(min_length=1, max_length=80)
    price: Decimal = Field(default=Decimal("1.00"), max_digits=8, decimal_places=2)
    share: float = 0.5
    weight: int | None = Field(default=None, description="In grams.")
    site: str | None = Field(default=None, max_length=200)
    contact: str | None = Field(default=None, max_length=200)
    about: str | None = Field(default=None, sa_column=Column(Text))
    code: str | None = Field(default=None, max_length=20)
    sold_out: bool = False
    back_on: date | None = None
    stars: int = Field(default=0, ge=0, le=5)
    added_on: date = Field(default=date(2026, 1, 2))
    legacy: str | None = Field(default=None, max_length=20)
    state: State | None = None
    seen_at: str | None = Field(default=None, max_length=80)
    recipe: str | None = Field(default=None, max_length=80)
    season: str | None = Field(default=None, max_length=80)


class Shade(Catalogue, table=True):
    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(min_length=1, max_length=80)
    tone: str | None = Field(default=None, max_length=40)
    article_id: int = Field(foreign_key="article.id", ondelete="CASCADE")
    article: Article | None = Relationship(sa_relationship_kwargs={"lazy": "raise"})


class Stars(Control):
    """A number that is typed as so many stars."""

    def parse(self, text: str) -> int:
        if text.strip("*"):
            raise ValueError("Type stars, like ***.")
        return len(text)

    def format(self, value: int) -> str:
        return "*" * value


def shop_code(value: str) -> str:
    if value == "bad":
        raise ValueError(value)
    return Markup("<b>{}</b>").format(value) if value.startswith("b") else f"<i>{value}</i>"


articles = Resource(
    Article,
    columns=(
        *(Article.name, Article.price, Article.share, Article.weight, Article.site),
        *(Article.contact, Article.about, Article.code, Article.stars),
    ),
    sections={
        "Article": (Article.name, Article.about),
        "Sale": (Article.stars, Article.price, Article.sold_out, Article.back_on),
    },
    tabs=True,
    show={
        Article.price: formats.money,
        Article.share: formats.percent,
        Article.weight: lambda grams: f"{grams / 1000} kg",
        Article.site: formats.link,
        Article.contact: formats.email,
        Article.code: shop_code,
    },
    inputs={
        Article.about: Markdown(),
        Article.name: Control(help="As on the label.", placeholder="Red tea"),
        Article.back_on: Control(depends_on=Article.sold_out),
        Article.stars: Stars(help="Up to five."),
        Article.seen_at: Control(depends_on=(Article.state, State.LENT, State.LOST)),
        Article.weight: Control(depends_on=(Article.sold_out, False)),
        Article.recipe: Control(depends_on=(Article.stars, 4, 5)),
        # It has no control.
        Article.season: Control(depends_on=Article.added_on),
    },
    read_only_fields=(Article.added_on,),
    hidden=(Article.legacy,),
    children=(Child(Shade.article_id),),
)
shades = Resource(Shade, inputs={Shade.tone: Color()})


def app() -> Starlette:
    """An admin of them, for uvicorn."""
    return create_app(load_settings(), [articles, shades])


async def an_article(session: AsyncSession, **values: Any) -> Article:
    article = Article(**{"name": "Tea", **values})
    session.add(article)
    await session.commit()
    return article
