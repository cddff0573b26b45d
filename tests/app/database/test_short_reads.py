"""Short reads: what a driver is asked without a session between is what a session would say."""

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from uuid import uuid4

import pytest
from sqlalchemy import bindparam, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm.attributes import flag_modified

from hero_admin.application import create_app
from hero_admin.database.engines import Database
from hero_admin.database.short_reads import fetch_few
from hero_admin.database.statement_count import count_statements
from hero_admin.model.resource import Resource
from hero_admin.person import Role
from hero_admin.settings import Settings
from hero_admin.testing import Client
from tests.cases import each
from tests.factories import a_hero, committed
from tests.gadgets import Condition, Gadget, Maker, Slot
from tests.serving import serving
from webapp.app import admin
from webapp.heroes import Hero

COLUMNS = Gadget.__table__.columns  # type: ignore[attr-defined]  # SQLModel does not declare it
OTHERS = (Resource(Maker), Resource(Slot))
HEROES = Hero.__table__.columns  # type: ignore[attr-defined]  # nor here
NAMES_FROM = (
    select(HEROES.id, HEROES.name)
    .where(HEROES.name >= bindparam("first"))
    .order_by(HEROES.name)
    .limit(bindparam("size"))
)


@pytest.fixture
async def stored_gadgets(gadgets: Client, session: AsyncSession) -> None:
    """One that has a value of every type, and one that has as few as possible."""
    await committed(session, Maker(code="acme", motto="Better"))
    full = Gadget(
        title="Ärmel",
        note="a\nb",
        count=-5,
        rank=3,
        weight=-0.0,
        price=Decimal("12.50"),
        is_secret=True,
        is_licensed=False,
        made_on=date(1999, 12, 31),
        seen_at=datetime(2024, 2, 29, 23, 59, 59, 999999, tzinfo=UTC),
        checked_at=datetime(2024, 3, 31, 2, 30),  # noqa: DTZ001 - as a clock on a wall shows it
        opens_at=time(23, 59, 1, 5),
        lasts=timedelta(days=3, microseconds=1),
        condition=Condition.NEW,
        serial=uuid4(),
        data={"a": [1, True, None]},
        extra=[1.5, "x"],
        maker_code="acme",
    )
    await committed(session, full)
    await committed(session, Gadget(title="Plain"))


@each("name", COLUMNS.keys())
async def test_values_of_every_type_come_as_a_session_gives_them(
    database: Database, stored_gadgets: None, name: str
) -> None:
    reading = select(COLUMNS[name]).order_by(COLUMNS.title)
    async with database.session(is_read_only=True) as session:
        found = await fetch_few(session, reading, {})
        usual = (await session.execute(reading)).all()
    assert [tuple(row) for row in found] == [tuple(row) for row in usual]
    assert [type(row[0]) for row in found] == [type(row[0]) for row in usual]
    assert len(found) == 2


async def test_no_transaction_is_begun_and_one_statement_counted(
    database: Database, session: AsyncSession
) -> None:
    for name in ("Nova", "Atlas", "Orbit"):
        await a_hero(session, name)
    async with database.session(is_read_only=True) as reader:
        with count_statements() as count:
            found = await fetch_few(reader, NAMES_FROM, {"first": "B", "size": 5})
        assert [name for _, name in found] == ["Nova", "Orbit"]
        assert count.value == 1
        assert not reader.in_transaction()


async def test_what_a_transaction_has_written_is_seen_in_it(
    database: Database, session: AsyncSession
) -> None:
    session.add(Hero(name="Nova", secret_name="Sam"))
    await session.flush()
    found = await fetch_few(session, NAMES_FROM, {"first": "", "size": 5})
    assert [name for _, name in found] == ["Nova"]
    async with database.session(is_read_only=True) as reader:
        assert await fetch_few(reader, NAMES_FROM, {"first": "", "size": 5}) == []


async def test_rows_that_are_equal_and_read_differently_are_written_anew(
    gadgets: Client, settings: Settings, session: AsyncSession
) -> None:
    gadget = await committed(session, Gadget(title="Plain"))
    resources = (Resource(Gadget, columns=(Gadget.title, Gadget.extra)), *OTHERS)
    async with serving(create_app(settings, resources), role=Role.OWNER) as client:
        for value, shown in [(1, "[1]"), (True, "[true]")]:
            gadget.extra = [value]
            flag_modified(gadget, "extra")
            await session.commit()
            assert (await client.get("/gadgets")).column("Extra") == [shown]


async def test_a_list_is_read_again_when_another_program_has_written(
    settings: Settings, session: AsyncSession
) -> None:
    hero = await a_hero(session, "Nova")
    async with serving(admin.application(settings), role=Role.VIEWER) as client:
        for name in ("Nova", "Nova Prime", "Nova"):
            hero.name = name
            await session.commit()
            for _ in range(2):
                assert (await client.get("/heroes")).column("Name") == [name]
                page = await client.get("/heroes?q=prime")
                assert len(page.rows) == (name == "Nova Prime")
