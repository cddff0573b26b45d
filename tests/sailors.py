"""Models with rules: sailors, who are on a ship or ashore."""

from sqlalchemy import MetaData
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import Field, SQLModel, col, func, select

from hero_admin import Child, Invalid, Resource

BERTHS = 3
TOO_YOUNG = "Sailors under 18 can't go to sea."
NO_SHIP = "A captain needs a ship."
NO_BERTH = "This ship has no berth left."


class Sea(SQLModel):
    metadata = MetaData()


class Ship(Sea, table=True):
    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(min_length=1, max_length=80)


class Sailor(Sea, table=True):
    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(min_length=1, max_length=80)
    age: int | None = None
    is_captain: bool = False
    ship_id: int | None = Field(default=None, foreign_key="ship.id", ondelete="SET NULL")
    # Made of the name, by a hook.
    badge: str = Field(default="", max_length=80)


async def fits(sailor: Sailor, session: AsyncSession) -> None:
    """A rule over two fields, and over the other sailors of the ship."""
    if sailor.ship_id is None:
        if sailor.is_captain:
            raise Invalid(NO_SHIP, Sailor.ship_id)
        return
    if sailor.age is not None and sailor.age < 18:
        raise Invalid(TOO_YOUNG, Sailor.ship_id)
    crew = select(func.count()).where(col(Sailor.ship_id) == sailor.ship_id)
    if (await session.scalar(crew) or 0) > BERTHS:
        raise Invalid(NO_BERTH, Sailor.ship_id)


ships = Resource(Ship, children=(Child(Sailor.ship_id),))
sailors = Resource(Sailor, check=fits)


async def a_ship(session: AsyncSession, name: str = "Argo", *crew: Sailor) -> Ship:
    ship = Ship(name=name)
    session.add(ship)
    await session.flush()
    for sailor in crew:
        sailor.ship_id = ship.id
        session.add(sailor)
    await session.commit()
    return ship


async def a_sailor(session: AsyncSession, name: str, age: int | None = None) -> Sailor:
    sailor = Sailor(name=name, age=age)
    session.add(sailor)
    await session.commit()
    return sailor
