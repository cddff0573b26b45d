"""Names of every kind: whatever a field is called, its control, its filter and its address work."""

from collections.abc import AsyncIterator

import pytest
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import SQLModel

from hero_admin.application import create_app
from hero_admin.model.field_names import control_name
from hero_admin.model.resource import Resource
from hero_admin.person import Role
from hero_admin.settings import Settings
from hero_admin.testing import Client
from tests.gadgets import Condition
from tests.oddly_named import Oddity, Villager
from tests.serving import serving
from tests.stored import Stored

oddities = Resource(Oddity, label_plural="oddities")
villagers = Resource(Villager)
# What the form is filled in with, and what is then stored.
TYPED = {
    "number": ("7", 7),
    "title": ("Seven", "Seven"),
    "name": ("Name", "Name"),
    "size": ("1", 1),
    "sort": ("true", True),
    "q": ("false", False),
    "count": ("2", 2),
    "after": ("NEW", Condition.NEW),
    "limit": ("BROKEN", Condition.BROKEN),
    "back": ("true", True),
    "then": ("3", 3),
    "elements": ("true", True),
    "method": ("IN_USE", Condition.IN_USE),
    "length": ("4", 4),
    "id": ("5", 5),
    "cls": ("6", 6),
    "self": ("7", 7),
    "age": ("20", 20),
    "age_min": ("18", 18),
    "age_max": ("true", True),
    "team": ("NEW", Condition.NEW),
    "team_id": ("1", 1),
    "children_id": ("1", 1),
    "class_": ("x", "x"),
}


@pytest.fixture
async def odd(settings: Settings, session: AsyncSession) -> AsyncIterator[Client]:
    """A client of an admin of oddities, of which there is the first: it has nothing but a title."""
    connection = await session.connection()
    tables = [oddities.table, villagers.table]
    await connection.run_sync(lambda sync: SQLModel.metadata.create_all(sync, tables))
    session.add(Oddity(number=1, title="One"))
    await session.commit()
    async with serving(create_app(settings, [oddities, villagers]), role=Role.OWNER) as client:
        yield client


async def create_seven(odd: Client) -> None:
    form = (await odd.get("/oddities/new")).form()
    values = {control_name(name): typed for name, (typed, _) in TYPED.items()}
    created = await odd.submit(form, values)
    assert created.status_code == 303, created.errors


async def test_a_record_is_created_and_changed_whatever_its_fields_are_called(
    odd: Client, stored: Stored
) -> None:
    await create_seven(odd)
    made = await stored.get(Oddity, 7)
    assert made is not None
    assert made.model_dump() == {name: value for name, (_, value) in TYPED.items()}
    form = (await odd.get("/oddities/7/edit")).form(press="Save changes")
    await odd.submit(form, {"field.elements": "false", "field.then": "", "id": "6"})
    changed = await stored.get(Oddity, 7)
    assert changed is not None
    assert changed.model_dump() == {**made.model_dump(), "elements": False, "then": None, "id": 6}


async def test_programs_may_send_the_plain_names(odd: Client, stored: Stored) -> None:
    data = {name: typed for name, (typed, _) in TYPED.items()}
    assert (await odd.post("/oddities", data=data)).status_code == 303
    sent = {name: typed for name, (typed, _) in TYPED.items() if name != "number"}
    answer = await odd.post("/api/oddities/", json={**sent, "number": 8})
    assert answer.status_code == 422
    sent = (await odd.get("/api/oddities/7")).json() | {"number": 8}
    answer = await odd.post("/api/oddities/", json=sent)
    assert (answer.status_code, answer.json()) == (201, sent)
    seven, eight = await stored.get(Oddity, 7), await stored.get(Oddity, 8)
    assert seven is not None
    assert eight is not None
    assert seven.model_dump(exclude={"number"}) == eight.model_dump(exclude={"number"})


async def test_a_list_is_filtered_by_a_field_whatever_it_is_called(odd: Client) -> None:
    await create_seven(odd)
    state = "sort=-number&size=50"
    form = (await odd.get(f"/oddities?{state}")).form(name="filters")
    assert len(oddities.filter_names) == len(TYPED) - 3
    for field, name in oddities.filter_names.items():
        is_range = f"{name.name}_min" in form.data
        given = {f"{name.name}_min" if is_range else name.name: TYPED[field][0]}
        page = await odd.submit(form, given)
        assert page.column("Title") == ["Seven"]
        assert list(page.chips.values()) == [f"/oddities?{state}"]
        again = page.form(name="filters")
        assert {name: again.data[name] for name in given} == {n: [t] for n, t in given.items()}
        assert again.data["sort"] == ["-number"]
        exported = await odd.get(page.link("JSON"))
        assert [record["title"] for record in exported.json()] == ["Seven"]
        if field != "number":
            page = await odd.submit(form, {name.name: "none"})
            assert page.column("Title") == ["One"]


@pytest.mark.parametrize("query", ["elements=true", "method=IN_USE", "age_min=18&age_max=20"])
async def test_the_address_that_a_filter_had_before_still_works(odd: Client, query: str) -> None:
    await create_seven(odd)
    page = await odd.get(f"/oddities?{query}")
    assert page.column("Title") == ["Seven"]
    assert len(page.chips) == 1


async def test_a_form_is_filled_in_by_its_address_whatever_a_field_is_called(odd: Client) -> None:
    given = "&".join(f"{name}={TYPED[name][0]}" for name in TYPED if name not in {"back", "then"})
    page = await odd.get(
        f"/oddities/new?{given}&field.then=3&field.back=true&back=/oddities?size=50"
    )
    filled_in = page.form().data
    for name, (typed, _) in TYPED.items():
        assert filled_in[control_name(name)] == [typed]
    saved = await odd.submit(page.form(press="Save and add another"))
    page = await odd.follow(saved)
    assert page.form().data["field.then"] == ["3"]
    assert page.link("Cancel") == "/oddities?size=50"


async def test_those_left_behind_are_given_on_whatever_they_are_called(
    odd: Client, stored: Stored
) -> None:
    await create_seven(odd)
    await odd.post("/oddities", data={"number": "8", "title": "Eight"})
    form = (await odd.get("/oddities/1/delete")).form()
    await odd.submit(form, {"field.submit": "8"})
    seven = await stored.get(Oddity, 7)
    assert seven is not None
    assert (seven.team_id, seven.children_id) == (8, None)


async def test_many_are_changed_at_once_though_they_have_a_field_called_id(
    odd: Client, stored: Stored
) -> None:
    await create_seven(odd)
    form = (await odd.get("/oddities/change?id=1&id=7")).form()
    ticked = {"form.set.id": True, "form.set.method": True}
    saved = await odd.submit(form, {"id": "9", "field.method": "BROKEN", **ticked})
    assert saved.status_code == 303
    found = await stored.all(Oddity)
    assert [(one.id, one.method) for one in found] == [(9, Condition.BROKEN)] * 2


# Aliases


async def test_programs_know_a_field_by_its_alias_and_people_by_its_name(
    odd: Client, stored: Stored
) -> None:
    form = (await odd.get("/villagers/new")).form()
    refused = await odd.submit(form, index="x")
    assert refused.errors == {
        "Full name": "Enter a full name.",
        "Index": "Enter a whole number.",
    }
    typed = {"full_name": "Ann", "home": "Elm", "index": "1", "t": "2", "left": "3", "right": "4"}
    assert (await odd.submit(refused.form(), typed)).status_code == 303
    (ann,) = await stored.all(Villager)
    assert ann.model_dump() == {"id": 1, **typed, "index": 1, "t": 2, "left": 3, "right": 4}
    read = {"id": 1, "fullName": "Ann", "homeOut": "Elm", "index": 1, "t": 2, "right": 3, "left": 4}
    assert (await odd.get("/api/villagers/1")).json() == read
    page = await odd.get("/villagers")
    assert (await odd.get(page.link("JSON"))).json() == [read]
    head, line = (await odd.get(page.link("CSV"))).text.splitlines()
    assert head.removeprefix("\ufeff") == "id,fullName,homeOut,index,t,right,left"
    assert line == "1,Ann,Elm,1,2,3,4"


async def test_programs_send_an_alias_or_the_name(odd: Client, stored: Stored) -> None:
    both = {"left": 1, "right": 2}
    await odd.post("/api/villagers/", json={"fullName": "Ann", "homeIn": "Elm", **both})
    await odd.post("/api/villagers/", json={"full_name": "Ann", "home": "Elm", **both})
    changed = await odd.patch("/api/villagers/2", json={"fullName": "Bob"})
    assert changed.json()["fullName"] == "Bob"
    found = await stored.all(Villager)
    assert [(one.full_name, one.home, one.left, one.right) for one in found] == [
        ("Ann", "Elm", 2, 1),
        ("Bob", "Elm", 2, 1),
    ]
    schemas = (await odd.get("/api/openapi.json")).json()["components"]["schemas"]
    assert list(schemas["VillagerCreate"]["properties"])[:2] == ["fullName", "homeIn"]
    assert list(schemas["VillagerRead"]["properties"])[1:3] == ["fullName", "homeOut"]


async def test_a_refused_field_goes_by_the_name_that_a_program_knows(odd: Client) -> None:
    await odd.post("/api/villagers/", json={"fullName": "Ann"})
    refused = [
        await odd.post("/api/villagers/", json={}),
        await odd.patch("/api/villagers/1", json={"fullName": "x"}),
        await odd.patch("/api/villagers/1", json={"fullName": None}),
    ]
    for answer in refused:
        assert answer.status_code == 422
        assert [detail["loc"] for detail in answer.json()["detail"]] == [["body", "fullName"]]
