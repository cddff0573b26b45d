"""Columns that the database fills, and values that it refuses: what it says is told in words."""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import (
    CheckConstraint,
    Column,
    Computed,
    DateTime,
    Identity,
    Integer,
    String,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import INET, REGCLASS, TSVECTOR
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.types import NullType
from sqlmodel import Field, SQLModel

from hero_admin.application import create_app
from hero_admin.database.engines import is_postgresql
from hero_admin.listing.search.connect import connect
from hero_admin.model.resource import Resource
from hero_admin.person import Role
from hero_admin.settings import Settings
from hero_admin.testing import Client
from tests.serving import serving
from tests.stored import Stored

LONG_AGO = datetime(2001, 2, 3, 4, 5, 6)  # noqa: DTZ001 - the column is a clock


# Any: what SQLAlchemy gives to a default has no types.
def _tagged(context: Any) -> str:
    return f"Meter {context.get_current_parameters()['name']}"


# Any: the same.
def _last_named(context: Any) -> str | None:
    name: str | None = context.get_current_parameters().get("name")
    return name


class Meter(SQLModel, table=True):
    __table_args__ = (
        CheckConstraint("amount >= 0", name="amount_is_positive"),
        CheckConstraint("low <= high", name="low_before_high"),
    )

    id: int | None = Field(default=None, primary_key=True)
    name: str
    code: str = ""
    amount: int = 0
    low: int = 0
    high: int = 0
    doubled: int | None = Field(
        default=None, sa_column=Column(Integer, Computed("amount * 2", persisted=True))
    )
    status: str = Field(sa_column=Column(String, nullable=False, server_default="new"))
    note: str | None = Field(default=None, sa_column=Column(String, server_default="none given"))
    needed: str | None = Field(default="given", nullable=False)
    tag: str = Field(sa_column=Column(String, nullable=False, default=_tagged))
    latest: str | None = Field(default=None, sa_column=Column(String, onupdate=_last_named))
    changed_at: datetime | None = Field(
        default=None,
        sa_column=Column(DateTime, server_default=func.now(), onupdate=func.now()),
    )


SQLITE_TRIGGERS = (
    """CREATE TRIGGER meter_raises BEFORE UPDATE ON meter WHEN NEW.name = 'Nobody' BEGIN
    SELECT RAISE(ABORT, 'nobody may be called so'); END""",
    """CREATE TRIGGER meter_code AFTER UPDATE OF code ON meter BEGIN
    UPDATE meter SET code = upper(code) WHERE id = NEW.id; END""",
)
POSTGRESQL_TRIGGERS = (
    """CREATE FUNCTION meter_written() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF NEW.name = 'Nobody' THEN RAISE EXCEPTION 'nobody may be called so'; END IF;
    NEW.code := upper(NEW.code); RETURN NEW; END $$""",
    """CREATE TRIGGER meter_written BEFORE UPDATE ON meter
    FOR EACH ROW EXECUTE FUNCTION meter_written()""",
)


@pytest.fixture
async def meters(settings: Settings, session: AsyncSession) -> AsyncIterator[Client]:
    """A client of an admin of meters, of which there is the first, written to long ago."""
    resource = Resource(Meter)
    connection = await session.connection()
    await connection.run_sync(lambda sync: SQLModel.metadata.create_all(sync, [resource.table]))
    for trigger in POSTGRESQL_TRIGGERS if is_postgresql(session) else SQLITE_TRIGGERS:
        await session.execute(text(trigger))
    session.add(Meter(name="One", tag="one", status="old", note="n", changed_at=LONG_AGO))
    await session.commit()
    async with serving(create_app(settings, [resource]), role=Role.OWNER) as client:
        yield client


async def test_what_the_database_computes_is_shown_and_never_asked_for(
    meters: Client, stored: Stored
) -> None:
    for path in ("/meters/new", "/meters/1/edit", "/meters/change?id=1"):
        assert "Doubled" not in (await meters.get(path)).text
    schemas = (await meters.get("/api/openapi.json")).json()["components"]["schemas"]
    assert (
        "doubled" not in schemas["MeterCreate"]["properties"] | schemas["MeterUpdate"]["properties"]
    )
    form = (await meters.get("/meters/1/edit")).form(press="Save changes")
    await meters.submit(form, amount="21")
    assert (await meters.get("/meters/1")).facts["Doubled"] == "42"
    changed = await meters.patch("/api/meters/1", json={"amount": 4, "doubled": 5})
    assert (changed.status_code, changed.json()["doubled"]) == (200, 8)


async def test_what_is_left_blank_is_left_to_the_database(meters: Client, stored: Stored) -> None:
    form = (await meters.get("/meters/new")).form()
    created = await meters.submit(form, name="Two", status="", note="")
    assert created.status_code == 303, created.errors
    answer = await meters.post("/api/meters/", json={"name": "Three"})
    assert answer.status_code == 201
    required = (await meters.get("/api/openapi.json")).json()["components"]["schemas"]
    assert required["MeterCreate"]["required"] == ["name"]
    await meters.patch("/api/meters/3", json={"name": "Drei"})
    two, three = (await stored.all(Meter))[1:]
    assert (two.tag, three.tag) == ("Meter Two", "Meter Three")
    assert (two.latest, three.latest) == (None, "Drei")
    for meter in (two, three):
        assert (meter.status, meter.note) == ("new", "none given")
        assert meter.changed_at is not None
    assert (answer.json()["status"], answer.json()["note"]) == ("new", "none given")
    assert "none given" in (await meters.get("/meters/2/history")).text
    refused = await meters.post("/api/meters/", json={"name": "Four", "status": None})
    assert refused.json()["detail"][0]["loc"] == ["body", "status"]


async def test_what_an_update_fills_in_is_read_back_and_undone(
    meters: Client, stored: Stored
) -> None:
    (before,) = await stored.all(Meter)
    answer = await meters.patch("/api/meters/1", json={"amount": 3})
    assert answer.status_code == 200
    assert answer.json()["changed_at"] != LONG_AGO.isoformat()
    await meters.patch("/api/meters/1", json={"amount": 0, "changed_at": LONG_AGO.isoformat()})
    assert (await stored.all(Meter))[0].model_dump() == before.model_dump()
    many = (await meters.get("/meters/change?id=1")).form()
    page = await meters.follow(await meters.submit(many, {"form.set.low": True, "low": "-1"}))
    (changed,) = await stored.all(Meter)
    assert changed.changed_at != LONG_AGO
    await meters.submit(page.form(press="Undo"))
    assert (await stored.all(Meter))[0].model_dump() == before.model_dump()
    question = (await meters.get("/meters/1/delete")).form()
    page = await meters.follow(await meters.submit(question))
    await meters.submit(page.form(press="Undo"))
    assert (await stored.all(Meter))[0].model_dump() == before.model_dump()


async def test_what_a_trigger_rewrites_is_what_the_history_says(meters: Client) -> None:
    answer = await meters.patch("/api/meters/1", json={"code": "abc"})
    assert answer.json()["code"] == "ABC"
    assert "ABC" in (await meters.get("/meters/1/history")).text


@pytest.mark.parametrize(
    ("sent", "field", "sentence"),
    [
        ({"amount": -1}, "amount", "The database doesn't accept this amount."),
        ({"needed": None}, "needed", "Enter a needed."),
        (
            {"low": 2, "high": 1},
            "",
            "The database doesn't accept this combination of low and high.",
        ),
        ({"name": "Nobody"}, "", "Nobody may be called so."),
    ],
)
async def test_what_the_database_refuses_is_said_beside_its_field(
    meters: Client, stored: Stored, sent: dict[str, object], field: str, sentence: str
) -> None:
    answer = await meters.patch("/api/meters/1", json=sent)
    assert answer.status_code == 422
    assert answer.json()["detail"] == [
        {"type": "invalid", "loc": ["body", field] if field else ["body"], "msg": sentence}
    ]
    form = (await meters.get("/meters/1/edit")).form(press="Save changes")
    typed = {name: "" if value is None else str(value) for name, value in sent.items()}
    page = await meters.submit(form, typed)
    assert page.status_code == 422
    assert (page.error(field.capitalize()) if field else page.alert).endswith(sentence)
    many = (await meters.get("/meters/change?id=1")).form()
    ticked = {f"form.set.{name}": True for name in typed}
    assert (await meters.submit(many, {**typed, **ticked})).status_code == 422
    assert [meter.amount for meter in await stored.all(Meter)] == [0]


class Pump(SQLModel, table=True):
    """A model that knows nothing of the rule about its meter, nor of the type of its place."""

    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(max_length=40)
    meter_id: int | None = None
    # Any: the column has no type that anybody knows.
    place: Any = Field(default=None, sa_column=Column(NullType))


async def test_what_the_database_checks_last_is_no_error_of_ours(
    meters: Client, settings: Settings, session: AsyncSession, stored: Stored
) -> None:
    number = "serial" if is_postgresql(session) else "integer"
    points = "integer REFERENCES meter DEFERRABLE INITIALLY DEFERRED"
    columns = f"id {number} PRIMARY KEY, name varchar(40) NOT NULL, meter_id {points}, place point"
    await session.execute(text(f"CREATE TABLE pump ({columns})"))
    first = "INSERT INTO pump (name, meter_id, place) VALUES ('One', 1, '(1,2)')"
    await session.execute(text(first))
    await session.commit()
    # SQLite does not say before the end what is wrong, and never where.
    status, sentence = 409, "Can't save this The database doesn't accept this"
    if is_postgresql(session):
        status, sentence = 422, "This meter ID no longer exists. Choose another one."
    async with serving(create_app(settings, [Resource(Pump)]), role=Role.OWNER) as client:
        form = (await client.get("/pumps/new")).form()
        many = (await client.get("/pumps/change?id=1")).form()
        for page in (
            await client.submit(form, name="Two", meter_id="99"),
            await client.submit(many, {"form.set.meter_id": True, "meter_id": "99"}),
        ):
            assert page.status_code == status
            assert sentence in page.by_id("main").visible_text
            # In the form, or in the page that sends it again.
            assert "99" in page.by_id("main").text
        for answer in (
            await client.post("/api/pumps/", json={"name": "Two", "meter_id": 99}),
            await client.patch("/api/pumps/1", json={"meter_id": 99}),
        ):
            assert answer.status_code == status
            assert "n't accept" in answer.text or sentence in answer.text
        (before,) = await stored.records(Resource(Pump))
        assert (await client.post("/api/pumps/", json={"name": "Two"})).status_code == 201
        assert before["meter_id"] == 1
        question = (await client.get("/pumps/1/delete")).form()
        page = await client.follow(await client.submit(question))
        await client.submit(page.form(press="Undo"))
        assert before in await stored.records(Resource(Pump))


class Address(SQLModel, table=True):
    """Texts that PostgreSQL alone reads, and a table of SQLite that is strict."""

    id: int | None = Field(default=None, primary_key=True)
    name: str = ""
    host: str | None = Field(
        default=None, sa_column=Column(String().with_variant(INET, "postgresql"))
    )
    words: str | None = Field(
        default=None, sa_column=Column(String().with_variant(TSVECTOR, "postgresql"))
    )
    size: float | None = None


@pytest.fixture
async def addresses(settings: Settings, session: AsyncSession) -> AsyncIterator[Client]:
    resource = Resource(Address, label_plural="addresses")
    connection = await session.connection()
    if is_postgresql(session):
        await connection.run_sync(lambda sync: SQLModel.metadata.create_all(sync, [resource.table]))
    else:
        columns = "id INTEGER PRIMARY KEY, name TEXT, host INTEGER, words BLOB, size REAL"
        await session.execute(text(f"CREATE TABLE address ({columns}) STRICT"))
    session.add(Address(name="One"))
    await session.commit()
    async with serving(create_app(settings, [resource]), role=Role.OWNER) as client:
        yield client


async def test_a_value_that_only_the_driver_refuses_is_named(addresses: Client) -> None:
    sent = {"name": "Two", "host": "no host", "words": "a 'b"}
    made = await addresses.post("/api/addresses/", json=sent)
    changed = await addresses.patch("/api/addresses/1", json=sent)
    page = await addresses.post("/addresses/1", data=sent)
    assert [answer.status_code for answer in (made, changed, page)] == [422, 422, 422]
    refused = {detail["loc"][-1]: detail["msg"] for detail in made.json()["detail"]}
    assert refused["host"] == "The database doesn't accept this host."
    assert changed.json() == made.json()
    assert page.error("Host") == refused["host"]


class Stamped(SQLModel, table=True):
    """Triggers own two of its columns, and the database its key: it takes none from others."""

    id: int | None = Field(
        default=None, sa_column=Column(Integer, Identity(always=True), primary_key=True)
    )
    name: str
    slug: str = ""
    written: int = 0
    parent_id: int | None = Field(default=None, foreign_key="stamped.id")


STAMPING_ON_SQLITE = [
    f"""CREATE TRIGGER stamped_{event.split()[0]} AFTER {event} ON stamped BEGIN
    UPDATE stamped SET slug = lower(NEW.name), written = {written} + 1 WHERE id = NEW.id; END"""
    for event, written in (("INSERT", "NEW.written"), ("UPDATE OF name", "OLD.written"))
]
STAMPING_ON_POSTGRESQL = [
    """CREATE FUNCTION stamping() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    NEW.slug := lower(NEW.name);
    NEW.written := 1 + CASE TG_OP WHEN 'UPDATE' THEN OLD.written ELSE NEW.written END;
    RETURN NEW; END $$""",
    """CREATE TRIGGER stamped BEFORE INSERT OR UPDATE OF name ON stamped
    FOR EACH ROW EXECUTE FUNCTION stamping()""",
]


async def test_what_a_trigger_owns_is_all_that_an_undo_leaves_and_it_says_so(
    settings: Settings, session: AsyncSession, stored: Stored
) -> None:
    resource = Resource(Stamped, label_plural="stamped")
    connection = await session.connection()
    await connection.run_sync(lambda sync: SQLModel.metadata.create_all(sync, [resource.table]))
    for trigger in STAMPING_ON_POSTGRESQL if is_postgresql(session) else STAMPING_ON_SQLITE:
        await session.execute(text(trigger))
    await session.commit()
    told = "Set by a trigger, so not as before: written of stamped."
    async with serving(create_app(settings, [resource]), role=Role.OWNER) as client:
        for name in ("One", "Two"):
            await client.post("/stamped", data={"name": name, "parent_id": "1" * (name == "Two")})
        await client.patch("/api/stamped/2", json={"name": "Zwei"})
        page = await client.get("/stamped/2/history")
        page = await client.follow(await client.submit(page.form(press="Undo this change")))
        for name in ("Two", "Zwei", "Two"):
            two = (await stored.all(Stamped))[1]
            assert (two.name, two.slug, two.parent_id) == (name, name.lower(), 1)
            assert told in page.flash
            page = await client.follow(await client.submit(page.undo))
        question = await client.get("/stamped/delete?id=1&id=2")
        assert (
            "Undo doesn't revert what database triggers do"
            in question.by_id("confirm").visible_text
        )
        page = await client.follow(await client.submit(question.form()))
        for count in (2, 0, 2):
            page = await client.follow(await client.submit(page.undo))
            found = await stored.all(Stamped)
            expected = [(1, "One", "one", None), (2, "Zwei", "zwei", 1)][:count]
            assert [(one.id, one.name, one.slug, one.parent_id) for one in found] == expected
            assert (told in page.flash) == bool(count)
        assert (await client.post("/api/stamped/", json={"name": "Three"})).json()["id"] == 3
        await client.delete("/api/stamped/3")
        page = await client.get("/stamped/3/history")
        page = await client.follow(await client.submit(page.form(press="Restore")))
        assert told in page.flash


class Guarded(SQLModel, table=True):
    """Triggers keep out, remove or rename some of its rows, of which only the key tells one."""

    __table_args__ = {"sqlite_with_rowid": False}

    code: str = Field(primary_key=True)
    name: str


GUARDING_ON_SQLITE = [
    """CREATE TRIGGER ghost BEFORE INSERT ON guarded WHEN NEW.name = 'ghost'
    BEGIN SELECT RAISE(IGNORE); END""",
    """CREATE TRIGGER frozen BEFORE UPDATE ON guarded WHEN NEW.name = 'frozen'
    BEGIN SELECT RAISE(IGNORE); END""",
    *(
        f"""CREATE TRIGGER {event}_gone AFTER {event} ON guarded WHEN NEW.name = 'gone'
        BEGIN DELETE FROM guarded WHERE code = NEW.code; END"""
        for event in ("INSERT", "UPDATE")
    ),
    *(
        f"""CREATE TRIGGER {event}_renamed AFTER {event} ON guarded WHEN NEW.name = 'renamed'
        BEGIN UPDATE guarded SET code = upper(code), name = 'new' WHERE code = NEW.code; END"""
        for event in ("INSERT", "UPDATE")
    ),
]
GUARDING_ON_POSTGRESQL = [
    """CREATE FUNCTION keeping_out() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN IF NEW.name IN ('ghost', 'frozen') THEN RETURN NULL; END IF; RETURN NEW; END $$""",
    """CREATE FUNCTION removing() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF NEW.name = 'gone' THEN DELETE FROM guarded WHERE code = NEW.code; END IF;
    IF NEW.name = 'renamed' THEN
    UPDATE guarded SET code = upper(code), name = 'new' WHERE code = NEW.code; END IF;
    RETURN NULL; END $$""",
    """CREATE TRIGGER ghost BEFORE INSERT OR UPDATE ON guarded
    FOR EACH ROW EXECUTE FUNCTION keeping_out()""",
    """CREATE TRIGGER gone AFTER INSERT OR UPDATE ON guarded
    FOR EACH ROW EXECUTE FUNCTION removing()""",
]


async def test_a_row_that_a_trigger_keeps_out_removes_or_renames_is_refused_with_a_sentence(
    settings: Settings, session: AsyncSession, stored: Stored
) -> None:
    resource = Resource(Guarded, label_plural="guarded")
    connection = await session.connection()
    await connection.run_sync(lambda sync: SQLModel.metadata.create_all(sync, [resource.table]))
    for trigger in GUARDING_ON_POSTGRESQL if is_postgresql(session) else GUARDING_ON_SQLITE:
        await session.execute(text(trigger))
    await session.commit()
    sentence = "A database trigger prevents changes to guarded."
    async with serving(create_app(settings, [resource]), role=Role.OWNER) as client:
        await client.post("/api/guarded/", json={"code": "a", "name": "One"})
        for name in ("ghost", "frozen", "gone", "renamed"):
            answers, pages = [], []
            if name != "frozen":
                sent = {"code": "b", "name": name}
                answers.append(await client.post("/api/guarded/", json=sent))
                pages.append(await client.post("/guarded", data=sent))
            if name != "ghost":
                answers.append(await client.patch("/api/guarded/a", json={"name": name}))
                pages.append(await client.post("/guarded/a", data={"name": name}))
            if name in ("gone", "renamed"):
                many = {"id": "a", "form.set.name": "on", "name": name}
                pages.append(await client.post("/guarded/change", data=many))
            for answer in answers:
                assert (answer.status_code, answer.json()["detail"][0]["msg"]) == (422, sentence)
            for page in pages:
                assert (page.status_code, sentence in page.alert) == (422, True)
        assert [(one.code, one.name) for one in await stored.all(Guarded)] == [("a", "One")]


class Stowed(SQLModel, table=True):
    """A trigger gives what is new or packed again another key."""

    code: str = Field(primary_key=True)
    name: str


STOWING_ON_SQLITE = [
    f"""CREATE TRIGGER stowed_{event.split()[0]} AFTER {event} ON stowed
    WHEN NEW.code NOT LIKE 'X-%' OR NEW.name LIKE '% again' BEGIN
    UPDATE stowed SET code = 'X-' || NEW.code WHERE code = NEW.code; END"""
    for event in ("INSERT", "UPDATE OF name")
]
STOWING_ON_POSTGRESQL = [
    """CREATE FUNCTION stowing() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF NEW.code NOT LIKE 'X-%' OR NEW.name LIKE '% again' THEN NEW.code := 'X-' || NEW.code;
    END IF; RETURN NEW; END $$""",
    """CREATE TRIGGER stowed BEFORE INSERT OR UPDATE OF name ON stowed
    FOR EACH ROW EXECUTE FUNCTION stowing()""",
]


async def test_a_record_that_a_trigger_renames_is_followed(
    settings: Settings, session: AsyncSession, stored: Stored
) -> None:
    resource = Resource(Stowed, label_plural="stowed")
    connection = await session.connection()
    await connection.run_sync(lambda sync: SQLModel.metadata.create_all(sync, [resource.table]))
    for trigger in STOWING_ON_POSTGRESQL if is_postgresql(session) else STOWING_ON_SQLITE:
        await session.execute(text(trigger))
    await session.commit()

    async def there() -> list[tuple[str, str]]:
        return [(one.code, one.name) for one in await stored.all(Stowed)]

    async with serving(create_app(settings, [resource]), role=Role.OWNER) as client:
        made = await client.post("/api/stowed/", json={"code": "a", "name": "Box"})
        assert (made.status_code, made.json()["code"]) == (201, "X-a")
        page = await client.post("/stowed", data={"code": "b", "name": "Crate"})
        page = await client.follow(page)
        assert page.link("Crate") == "/stowed/X-b"
        assert await there() == [("X-a", "Box"), ("X-b", "Crate")]
        undone = await client.follow(await client.submit(page.undo))
        assert await there() == [("X-a", "Box")]
        await client.submit(undone.undo)
        before = [("X-a", "Box"), ("X-b", "Crate")]
        assert await there() == before

        changed = await client.patch("/api/stowed/X-a", json={"name": "Box again"})
        assert changed.json() == {"code": "X-X-a", "name": "Box again"}
        history = await client.get("/stowed/X-X-a/history")
        await client.submit(history.form(press="Undo this change"))
        assert await there() == before

        edited = await client.post("/stowed/X-b", data={"name": "Crate again"})
        edited = await client.follow(edited)
        assert await there() == [("X-X-b", "Crate again"), ("X-a", "Box")]
        await client.submit(edited.undo)
        assert await there() == before

        many = {"id": ["X-a", "X-b"], "form.set.name": "on", "name": "All again"}
        page = await client.follow(await client.post("/stowed/change", data=many))
        assert await there() == [("X-X-a", "All again"), ("X-X-b", "All again")]
        await client.submit(page.undo)
        assert await there() == before


class Pointer(SQLModel, table=True):
    """A column whose values name tables, which may be gone."""

    id: int | None = Field(default=None, primary_key=True)
    target: Any = Field(default=None, sa_column=Column(REGCLASS))


async def test_an_undo_that_the_database_cannot_read_any_more_says_so(postgres_url: str) -> None:
    settings = Settings(database_url=postgres_url, request_timeout_seconds=60)
    database = connect(settings)
    async with database.writing.begin() as connection:
        await connection.run_sync(
            lambda sync: SQLModel.metadata.create_all(sync, [Resource(Pointer).table])
        )
        await connection.execute(text("INSERT INTO pointer VALUES (1, 99999999)"))
    async with serving(create_app(settings, [Resource(Pointer)]), role=Role.OWNER) as client:
        deleted = await client.post("/pointers/1/delete", data={})
        undone = await client.submit((await client.follow(deleted)).undo)
        assert undone.status_code == 409
        assert "Nothing was undone" in undone.text
    async with database.writing.begin() as connection:
        await connection.execute(text("DROP TABLE pointer"))
    await database.close()
