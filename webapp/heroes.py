"""Heroes: the model, its schemas, how it is administered, and what is done to heroes."""

from datetime import date

from sqlalchemy import CheckConstraint
from sqlmodel import Field, Relationship, SQLModel

from hero_admin import Resource, Run, Schema, partial
from webapp.teams import Team

MAX_AGE_YEARS = 150_000
MAX_NOTE_CHARACTERS = 1_000


class HeroBase(Schema):
    name: str = Field(min_length=1, max_length=200)
    secret_name: str = Field(min_length=1, max_length=200)
    age: int | None = Field(default=None, ge=0, le=MAX_AGE_YEARS)
    team_id: int | None = Field(default=None, foreign_key="team.id", ondelete="SET NULL")


class Hero(HeroBase, table=True):
    __tablename__ = "hero"
    __table_args__ = (
        CheckConstraint("length(trim(name)) BETWEEN 1 AND 200", name="hero_name_is_not_blank"),
        CheckConstraint(
            "length(trim(secret_name)) BETWEEN 1 AND 200", name="hero_secret_name_is_not_blank"
        ),
        CheckConstraint(f"age BETWEEN 0 AND {MAX_AGE_YEARS}", name="hero_age_is_possible"),
    )

    id: int | None = Field(default=None, primary_key=True)
    # Set by `retire` alone.
    retired_on: date | None = None
    retirement_note: str | None = Field(default=None, max_length=MAX_NOTE_CHARACTERS)
    team: Team | None = Relationship(
        back_populates="heroes", sa_relationship_kwargs={"lazy": "raise"}
    )


class HeroCreate(HeroBase):
    """What creating a hero takes."""


HeroUpdate = partial(HeroCreate, "HeroUpdate")


class HeroRead(HeroBase):
    """What reading a hero gives."""

    id: int
    # Null for whoever may not read it.
    secret_name: str | None = None  # type: ignore[assignment]  # the base writes it
    retired_on: date | None = None
    retirement_note: str | None = None


class Retirement(SQLModel):
    """What retiring heroes takes."""

    retired_on: date = Field(title="Retirement date")
    note: str | None = Field(default=None, max_length=MAX_NOTE_CHARACTERS)


class Transfer(SQLModel):
    """What transferring heroes takes: without a team they work alone."""

    team_id: int | None = Field(default=None, foreign_key="team.id")


heroes = Resource(
    model=Hero,
    create=HeroCreate,
    update=HeroUpdate,
    read=HeroRead,
    columns=(Hero.name, Hero.secret_name, Hero.age, Hero.team_id),
    search=(Hero.name,),
    masked=(Hero.secret_name,),
    filters=(Hero.team_id, Hero.age),
    icon="hero",
)


@heroes.action("Retire", form=Retirement)
async def retire(run: Run[Hero], data: Retirement) -> str:
    await run.change(retired_on=data.retired_on, retirement_note=data.note)
    return f"{heroes.counted(run.count)} retired"


@heroes.action("Transfer", form=Transfer)
async def transfer(run: Run[Hero], data: Transfer) -> str:
    await run.change(team_id=data.team_id)
    return f"{heroes.counted(run.count)} transferred"
