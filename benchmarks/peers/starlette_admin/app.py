"""Heroes and teams in starlette-admin, as its documentation shows it."""

import os

from sqlalchemy import ForeignKey, create_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship
from starlette.applications import Starlette
from starlette.requests import Request
from starlette_admin.contrib.sqla import Admin, ModelView


class Base(DeclarativeBase):
    pass


class Team(Base):
    __tablename__ = "team"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    headquarters: Mapped[str | None]
    heroes: Mapped[list["Hero"]] = relationship(back_populates="team")

    async def __admin_repr__(self, _: Request) -> str:
        return self.name


class Hero(Base):
    __tablename__ = "hero"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    secret_name: Mapped[str]
    age: Mapped[int | None]
    team_id: Mapped[int | None] = mapped_column(ForeignKey("team.id"))
    team: Mapped[Team | None] = relationship(back_populates="heroes")

    async def __admin_repr__(self, _: Request) -> str:
        return self.name


class HeroView(ModelView):
    fields = ["id", "name", "secret_name", "age", "team"]
    exclude_fields_from_list = ["id"]
    sortable_field_mapping = {"team": Team.name}
    searchable_fields = ["name", "secret_name"]
    page_size = 25


class TeamView(ModelView):
    fields = ["id", "name", "headquarters"]
    exclude_fields_from_list = ["id"]
    searchable_fields = ["name", "headquarters"]
    page_size = 25


engine = create_engine(os.environ["BENCHMARK_DATABASE_URL"])
app = Starlette()
admin = Admin(engine, title="Heroes", secret_key=os.environ["BENCHMARK_SECRET"])
admin.add_view(HeroView(Hero, menu_label="Heroes"))
admin.add_view(TeamView(Team, menu_label="Teams"))
admin.mount_to(app)
