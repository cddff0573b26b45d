"""Columns of another type than their model says, as a table that is there already may have them."""

from collections.abc import AsyncIterator
from datetime import date
from typing import Any

import pytest
from sqlalchemy import MetaData, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import Field, SQLModel

from hero_admin.application import create_app
from hero_admin.model.resource import Resource
from hero_admin.person import Role
from hero_admin.settings import Settings
from hero_admin.testing import Client
from tests.serving import serving


class Elsewhere(SQLModel):
    metadata = MetaData()


class Device(Elsewhere, table=True):
    """A model that was written without a look at the table."""

    id: int | None = Field(default=None, primary_key=True)
    serial: str
    address: str
    number: str
    made: str
    parts: str
    amount: int
    day: date
    ratio: float
    flag: bool
    note: str


TABLE = (
    "CREATE TABLE device (id integer PRIMARY KEY, serial uuid, address inet, number integer,"
    " made date, parts text[], amount text, day timestamp, ratio numeric, flag {flag}, note text)"
)
SERIAL = "123e4567-e89b-12d3-a456-426614174000"
VALUES = (
    (
        f"1, '{SERIAL}', '10.0.0.1', 7, '2021-01-01', '{{a}}', 'many',"
        " '2021-01-01 12:30', 1.10, '{yes}', 'A'"
    ),
    (
        f"2, '{SERIAL[::-1].replace('-', '')}', '10.0.0.2', 8, '{{early}}', '{{a,b}}', '7',"
        " '2021-01-02', 'NaN', '{yes}', 'B'"
    ),
    "3" + ", NULL" * 10,
)


@pytest.fixture
async def devices(settings: Settings, session: AsyncSession) -> AsyncIterator[Client]:
    """A client of an admin of a table that does not agree with its model."""
    is_sqlite = session.get_bind().dialect.name == "sqlite"
    yes, early = ("yes", "0000-00-00") if is_sqlite else ("true", "0044-03-15 BC")
    connection = await session.connection()
    await connection.execute(text(TABLE.format(flag="text" if is_sqlite else "boolean")))
    for values in VALUES:
        row = values.replace("{yes}", yes).replace("{early}", early)
        await connection.exec_driver_sql(f"INSERT INTO device VALUES ({row})")
    await session.commit()
    async with serving(create_app(settings, (Resource(Device),)), role=Role.OWNER) as client:
        yield client


async def dump(session: AsyncSession) -> list[Any]:
    names = ("id", *(field.name for field in Resource(Device).fields if field.name != "id"))
    columns = ", ".join(f"CAST({name} AS text)" for name in names)
    connection = await session.connection()
    rows = (await connection.exec_driver_sql(f"SELECT {columns} FROM device ORDER BY id")).all()
    await session.commit()
    return [tuple(row) for row in rows]


async def test_a_table_of_other_types_is_listed_opened_edited_and_brought_back(
    devices: Client, session: AsyncSession
) -> None:
    before = await dump(session)
    assert len((await devices.get("/devices")).rows) == 3
    assert len((await devices.get("/devices?q=10.0.0.1")).rows) == 1
    assert (await devices.get("/devices.csv")).text.count("\n") == 4
    for field in Resource(Device).fields:
        for sort in (field.name, f"-{field.name}"):
            page = await devices.get(f"/devices?size=1&sort={sort}")
            assert page.status_code == 200, sort
            assert len((await devices.get(page.link("Next page"))).rows) == 1, sort
    for number in (1, 2, 3):
        at = f"/devices/{number}"
        assert (await devices.get(at)).facts
        read = (await devices.get(f"/api{at}")).json()
        assert (await devices.patch(f"/api{at}", json=read)).json() == read
        saved = await devices.submit((await devices.get(f"{at}/edit")).form(press="Save changes"))
        assert saved.status_code == 303, saved.errors
        assert await dump(session) == before
        edit = (await devices.get(f"{at}/edit")).form(press="Save changes")
        assert (await devices.submit(edit, note="New")).status_code == 303
        assert await dump(session) != before
        undone = await devices.submit((await devices.get("/devices")).undo)
        assert undone.status_code == 303
        assert await dump(session) == before
    deleted = await devices.post("/devices/delete", data={"id": ["1", "2", "3"]})
    assert deleted.status_code == 303
    undone = await devices.submit((await devices.get("/devices")).undo)
    assert undone.status_code == 303
    assert await dump(session) == before
    # What the table does not take is said in a sentence.
    for name in set(Device.model_fields) - {"id"}:
        answer = await devices.patch("/api/devices/1", json={name: "x"})
        assert answer.status_code in (200, 422), (name, answer.text)
