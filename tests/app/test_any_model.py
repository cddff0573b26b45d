"""Any model: `Resource(Model)` alone is a complete admin, pages and API, whatever its columns."""

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from itertools import cycle
from uuid import UUID

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from hero_admin.testing import Client
from tests.cases import each
from tests.factories import committed
from tests.gadgets import Condition, Gadget, Maker, Slot
from tests.stored import Stored

MOMENT = datetime(2026, 11, 23, 14, 30, tzinfo=UTC)


@pytest.fixture
async def many(session: AsyncSession) -> list[Gadget]:
    """Gadgets “Gadget 00” to “Gadget 22” whose every other value is there twice, or is none."""
    session.add_all(Maker(code=code, motto="") for code in ("acme", "Ümit"))
    await session.flush()
    serials = [UUID(int=number << 100) for number in range(23)]
    made = [
        Gadget(
            title=f"Gadget {number:02}",
            note=None if number % 4 else f"Note {number % 8}",
            count=number % 5 - 2,
            rank=rank,
            weight=weight,
            price=Decimal(number % 7) / 4,
            is_secret=number % 2 == 0,
            is_licensed=is_licensed,
            made_on=made_on,
            seen_at=MOMENT + timedelta(hours=number % 3),
            checked_at=MOMENT.replace(tzinfo=None) if number % 3 else None,
            opens_at=time(number % 4) if number % 5 else None,
            lasts=timedelta(hours=number % 4 - 2) if number % 6 else None,
            condition=condition,
            serial=serials[number * 7 % 23] if number % 2 else None,
            maker_code=maker,
        )
        for number, rank, weight, is_licensed, made_on, condition, maker in zip(
            range(23),
            cycle((None, 3, 1, 3)),
            cycle((0.5, None, -1.5, 1e10, 0.5)),
            cycle((True, None, False)),
            cycle((date(2026, 1, 1), None, date(1999, 12, 31))),
            cycle(Condition),
            cycle((None, "acme", "Ümit", "acme")),
            strict=False,
        )
    ]
    session.add_all(made)
    await session.commit()
    return made


# Pages


async def test_a_model_alone_gives_every_page(gadgets: Client, stored: Stored) -> None:
    page = await gadgets.get((await gadgets.get("/")).link("Gadgets"))
    assert page.title == "Gadgets · Hero Admin"
    new = await gadgets.get(page.by_id("list").link("New gadget"))
    page = await gadgets.follow(await gadgets.submit(new.form(), title="Robot", rank="3"))
    assert page.flash == "Created Robot"
    show = await gadgets.get(page.row("Robot").link("Robot"))
    assert (show.heading, show.facts["Rank"]) == ("Robot", "3")
    edit = await gadgets.get(show.link("Edit"))
    page = await gadgets.follow(await gadgets.submit(edit.form(press="Save changes"), rank="4"))
    assert (page.flash, page.facts["Rank"]) == ("Saved Robot", "4")
    question = await gadgets.get(page.link("Delete…"))
    page = await gadgets.follow(await gadgets.submit(question.form()))
    assert page.flash == "Deleted Robot"
    assert await stored.count(Gadget) == 0


async def test_a_list_shows_the_title_first_and_no_more_columns_than_fit(
    gadgets: Client, many: list[Gadget]
) -> None:
    columns = (await gadgets.get("/gadgets")).columns
    assert columns[0] == "Title"
    assert "Note" not in columns
    assert len(columns) == 7


async def test_a_record_shows_every_column(gadgets: Client, many: list[Gadget]) -> None:
    facts = (await gadgets.get(f"/gadgets/{many[1].id}")).facts
    labels = {name.replace("_", " ").capitalize() for name in Gadget.model_fields if name != "id"}
    assert facts.keys() >= labels
    assert facts["ID"] == str(many[1].id)


async def test_records_that_point_at_another_are_listed_on_its_page(
    gadgets: Client, many: list[Gadget]
) -> None:
    page = await gadgets.get("/makers/acme")
    assert page.column("Title") == [gadget.title for gadget in many if gadget.maker_code == "acme"]
    assert "Maker code" not in page.columns
    page = await gadgets.get("/makers/acme/gadgets?sort=-rank&size=3")
    page = await gadgets.get(page.link("Next page"))
    assert len(page.rows) == 3
    new = await gadgets.get(page.link("New gadget"))
    created = await gadgets.follow(await gadgets.submit(new.form(), title="Gadget"))
    assert created.heading == "acme"
    assert len((await gadgets.get("/makers/acme?q=gadget")).rows) == 12


async def test_what_points_at_a_record_that_points_at_another_is_linked(
    gadgets: Client, session: AsyncSession
) -> None:
    gadget = await committed(session, Gadget(title="Robot"))
    await committed(session, Slot(shelf="A", number=1, gadget_id=gadget.id))
    page = await gadgets.get("/slots")
    assert (await gadgets.get(page.link("Robot"))).heading == "Robot"
    page = await gadgets.get(f"/gadgets/{gadget.id}")
    assert page.column("Shelf") == ["A"]


# Searching, sorting, filtering

FIELDS: dict[str, Callable[[Gadget], object]] = {
    "title": lambda gadget: gadget.title,
    "note": lambda gadget: gadget.note,
    "count": lambda gadget: gadget.count,
    "rank": lambda gadget: gadget.rank,
    "weight": lambda gadget: gadget.weight,
    "price": lambda gadget: gadget.price,
    "is_secret": lambda gadget: gadget.is_secret,
    "is_licensed": lambda gadget: gadget.is_licensed,
    "made_on": lambda gadget: gadget.made_on,
    "seen_at": lambda gadget: gadget.seen_at,
    "checked_at": lambda gadget: gadget.checked_at,
    "opens_at": lambda gadget: gadget.opens_at,
    "lasts": lambda gadget: gadget.lasts,
    "serial": lambda gadget: gadget.serial,
    "maker_code": lambda gadget: gadget.maker_code,
    "id": lambda gadget: gadget.id,
}


@each("name", FIELDS)
async def test_every_column_sorts_and_pages_like_the_plain_sort(
    gadgets: Client, many: list[Gadget], name: str
) -> None:
    value = FIELDS[name]
    for sign in ("", "-"):
        full = [gadget for gadget in many if value(gadget) is not None]
        empty = [gadget for gadget in many if value(gadget) is None]
        # The values of one field compare with each other.
        full.sort(key=lambda each: (value(each), each.id), reverse=bool(sign))
        empty.sort(key=lambda each: each.id, reverse=bool(sign))
        page = await gadgets.get(f"/gadgets?sort={sign}{name}&size=8")
        found = page.column("Title")
        for _ in range(2):
            page = await gadgets.get(page.link("Next page"))
            found += page.column("Title")
        assert found == [gadget.title for gadget in (*full, *empty)]
        page = await gadgets.get(page.link("Previous page"))
        assert page.column("Title") == found[8:16]


@each("sort", ["condition", "-condition"])
async def test_an_enum_pages_as_its_database_sorts_it(
    gadgets: Client, many: list[Gadget], sort: str
) -> None:
    whole = (await gadgets.get(f"/gadgets?sort={sort}")).column("Title")
    page = await gadgets.get(f"/gadgets?sort={sort}&size=12")
    assert (
        page.column("Title") + (await gadgets.get(page.link("Next page"))).column("Title") == whole
    )


async def test_json_is_not_sorted_by(gadgets: Client, many: list[Gadget]) -> None:
    page = await gadgets.get("/gadgets?sort=data")
    assert (page.status_code, page.alert) == (400, "This list can't be sorted that way.")


@each(
    ("query", "is_wanted", "chip"),
    [
        ("count_min=2", lambda each: each.count >= 2, "Count ≥ 2"),
        ("count_max=-2", lambda each: each.count <= -2, "Count ≤ -2"),
        ("rank=none", lambda each: each.rank is None, "No rank"),
        ("rank_min=2&rank=none", lambda each: each.rank in {None, 3}, "Rank ≥ 2, none"),
        ("weight_max=-1", lambda each: each.weight == -1.5, "Weight ≤ -1.0"),
        ("price_min=0.75", lambda each: each.price >= Decimal("0.75"), "Price ≥ 0.75"),
        ("is_secret=true", lambda each: each.is_secret, "Is secret: Yes"),
        ("is_licensed=none", lambda each: each.is_licensed is None, "No is licensed"),
        (
            "is_licensed=true&is_licensed=false",
            lambda each: each.is_licensed is not None,
            "Is licensed: Yes, No",
        ),
        (
            "made_on_max=1999-12-31",
            lambda each: each.made_on == date(1999, 12, 31),
            "Made on ≤ 1999-12-31",
        ),
        (
            "seen_at_min=2026-11-23T16:30",
            lambda each: each.seen_at.hour == 16,
            "Seen at ≥ 2026-11-23 16:30:00 UTC",
        ),
        ("checked_at=none", lambda each: each.checked_at is None, "No checked at"),
        ("opens_at_min=03:00", lambda each: each.opens_at == time(3), "Opens at ≥ 03:00:00"),
        (
            "lasts_min=-01:00&lasts_max=00:00",
            lambda each: each.lasts in {timedelta(hours=-1), timedelta(0)},
            "Lasts -01:00:00 – 00:00:00",
        ),
        (
            "condition=NEW&condition=BROKEN",
            lambda each: each.condition is not Condition.IN_USE,
            "Condition: New, Broken",
        ),
        ("maker_code=Ümit", lambda each: each.maker_code == "Ümit", "Maker code: Ümit"),
    ],
)
async def test_every_type_has_its_filter(
    gadgets: Client,
    many: list[Gadget],
    query: str,
    is_wanted: Callable[[Gadget], bool],
    chip: str,
) -> None:
    page = await gadgets.get(f"/gadgets?{query}")
    wanted = [gadget.title for gadget in many if is_wanted(gadget)]
    assert page.column("Title") == wanted
    assert 0 < len(wanted) < len(many)
    assert list(page.chips) == [chip]
    again = await gadgets.submit(page.form(name="filters"))
    assert again.column("Title") == wanted
    assert len((await gadgets.get(page.chips[chip])).rows) == len(many)


async def test_short_texts_are_searched_in(gadgets: Client, many: list[Gadget]) -> None:
    assert (await gadgets.get("/gadgets?q=GADGET+07")).column("Title") == ["Gadget 07"]
    assert len((await gadgets.get("/makers?q=umit")).rows) == 1
    assert (await gadgets.get("/gadgets?q=gadget")).by_id("total").visible_text == "23"


# API


async def test_a_model_alone_gives_an_api(gadgets: Client) -> None:
    created = await gadgets.post("/api/gadgets/", json={"title": "Robot", "condition": "broken"})
    assert created.status_code == 201
    at = f"/api/gadgets/{created.json()['id']}"
    assert (await gadgets.get(at)).json() == created.json()
    assert (await gadgets.get("/api/gadgets/")).json() == [created.json()]
    changed = await gadgets.patch(at, json={"rank": 5})
    assert changed.json() == {**created.json(), "rank": 5}
    assert (await gadgets.get(f"{at}/with-maker")).json() == {**changed.json(), "maker": None}
    assert (await gadgets.delete(at)).status_code == 204
    gone = await gadgets.get(at)
    assert (gone.status_code, gone.json()) == (404, {"detail": "Gadget not found"})


async def test_a_models_relation_is_read_with_it(gadgets: Client, many: list[Gadget]) -> None:
    found = (await gadgets.get(f"/api/gadgets/{many[1].id}/with-maker")).json()
    assert found["maker"] == {"code": "acme", "motto": ""}


async def test_a_models_api_is_documented(gadgets: Client) -> None:
    document = (await gadgets.get("/api/openapi.json")).json()
    assert "/slots/{id}" in document["paths"]
    assert document["components"]["schemas"]["GadgetCreate"]["required"] == ["title"]
    page = await gadgets.get("/api/docs")
    assert page.status_code == 200
    assert "#schema-GadgetRead" in [one.href for one in page.links]


async def test_a_unique_column_takes_a_value_once(gadgets: Client, session: AsyncSession) -> None:
    await committed(session, Gadget(title="Robot", serial=UUID(int=1)))
    page = await gadgets.post("/gadgets", data={"title": "Rocket", "serial": str(UUID(int=1))})
    assert page.errors == {"Serial": "Another gadget has this serial."}
    for _ in range(2):
        page = await gadgets.post("/gadgets", data={"title": "Without", "serial": ""})
        assert page.status_code == 303
