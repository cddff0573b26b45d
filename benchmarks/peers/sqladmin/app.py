"""Heroes and teams in sqladmin, as its documentation shows it."""

import os

from sqladmin import Admin, ModelView
from sqlalchemy import ForeignKey, create_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship
from starlette.applications import Starlette


class Base(DeclarativeBase):
    pass


class Team(Base):
    __tablename__ = "team"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    headquarters: Mapped[str | None]
    heroes: Mapped[list["Hero"]] = relationship(back_populates="team")

    def __str__(self) -> str:
        return self.name


class Hero(Base):
    __tablename__ = "hero"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    secret_name: Mapped[str]
    age: Mapped[int | None]
    team_id: Mapped[int | None] = mapped_column(ForeignKey("team.id"))
    team: Mapped[Team | None] = relationship(back_populates="heroes")

    def __str__(self) -> str:
        return self.name


class HeroAdmin(ModelView, model=Hero):
    column_list = [Hero.name, Hero.secret_name, Hero.age, Hero.team]
    column_searchable_list = [Hero.name, Hero.secret_name]
    column_sortable_list = [Hero.name, Hero.age, "team.name"]
    name_plural = "Heroes"
    page_size = 25


class TeamAdmin(ModelView, model=Team):
    column_list = [Team.name, Team.headquarters]
    column_searchable_list = [Team.name, Team.headquarters]
    # Without this, its form would render every hero of every team.
    form_excluded_columns = [Team.heroes]
    page_size = 25


engine = create_engine(os.environ["BENCHMARK_DATABASE_URL"])
app = Starlette()
admin = Admin(app, engine)
admin.add_view(HeroAdmin)
admin.add_view(TeamAdmin)
