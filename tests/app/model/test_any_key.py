"""Keys of every kind: whatever a record's key is, its pages and its API are found again."""

from datetime import UTC, datetime

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from hero_admin.model.texts import spelled
from hero_admin.testing import Client, Page
from tests.cases import each
from tests.factories import committed
from tests.gadgets import Gadget, Maker, Slot
from tests.stored import Stored

CODES = [
    "acme",
    "new",
    "delete",
    "options",
    "total",
    "none",
    "edit",
    "gadgets",
    "gadgets.csv",
    ".",
    "..",
    "../..",
    "a/b, ü",
    "a,b",
    "/",
    "//evil.example",
    "\\",
    "~",
    "~41",
    "%41",
    "%2F",
    "?q=1",
    "#list",
    "&amp;",
    "<b>",
    "'\"",
    "a  b",
    "a b",
    "A B",
    "+",
    "007",
    "7",
    "-1",
    "null",
    "true",
    "ł" * 40,
    "🦸" * 40,
    "e\u0301",
    "\u00e9",
    "\u202ecba",
    "a\tb",
    "{{ 7 }}",
    "{id}",
    "javascript:alert(1)",
    "%",
    "*",
]


@pytest.fixture
async def makers(gadgets: Client, session: AsyncSession) -> Client:
    """The client of an admin in which there is a maker with each code, “Number 0” and so on."""
    session.add_all(Maker(code=code, motto=f"Number {n}.") for n, code in enumerate(CODES))
    await session.commit()
    return gadgets


async def test_any_key_can_be_created(gadgets: Client, stored: Stored) -> None:
    # Typed keys that look the same are the same.
    codes = [code for code in CODES if spelled(code) == code]
    for code in codes[::2]:
        created = await gadgets.post("/makers", data={"code": code})
        assert created.status_code == 303, created.errors
    for code in codes[1::2]:
        answer = await gadgets.post("/api/makers/", json={"code": code})
        assert (answer.status_code, answer.json()["code"]) == (201, code)
        made = await gadgets.get(answer.headers["location"])
        assert made.json() == answer.json()
    assert {maker.code for maker in await stored.all(Maker)} == set(codes)


async def test_a_record_is_shown_and_changed_whatever_its_key(
    makers: Client, stored: Stored
) -> None:
    rows = _rows_by_motto(await makers.get("/makers?size=200"))
    for number, code in enumerate(CODES):
        page = await makers.get(rows[f"Number {number}."].link(_folded(code)))
        assert page.by_id("main").facts == {
            "Code": _folded(code),
            "Motto": f"Number {number}.",
        }
        edit = await makers.get(page.link("Edit"))
        saved = await makers.submit(edit.form(press="Save changes"), motto=f"New {number}")
        back = await makers.follow(saved)
        assert (back.url, back.facts["Motto"]) == (page.url, f"New {number}")
        changed = await stored.get(Maker, code)
        assert changed is not None
        assert changed.motto == f"New {number}"


async def test_a_record_is_deleted_whatever_its_key(makers: Client, stored: Stored) -> None:
    rows = _rows_by_motto(await makers.get("/makers?size=200"))
    for number, code in enumerate(CODES):
        row = rows[f"Number {number}."]
        url = row.link(_folded(code))
        assert (await makers.get(f"/api{url}")).json()["code"] == code
        question = await makers.get(row.link(_folded(f"Delete {code}")))
        assert (await makers.submit(question.form())).status_code == 303
        for gone in (url, f"/api{url}"):
            assert (await makers.get(gone)).status_code == 404
        assert await stored.count(Maker) == len(CODES) - number - 1


async def test_records_are_chosen_and_filtered_by_whatever_their_key(
    makers: Client, session: AsyncSession
) -> None:
    session.add_all(Gadget(title=f"Gadget {n}", maker_code=code) for n, code in enumerate(CODES))
    await committed(session, Gadget(title="Of nobody"))
    for number, code in list(enumerate(CODES))[5:20]:
        page = await makers.get("/gadgets", params={"maker_code": code})
        assert page.column("Title") == [f"Gadget {number}"]
        assert len(page.chips) == 1
        form = page.form(name="filters")
        assert form["maker_code"] == code
        assert (await makers.submit(form)).rows == page.rows


async def test_no_value_is_told_from_a_value_called_none(
    gadgets: Client, session: AsyncSession
) -> None:
    await committed(session, Maker(code="none"))
    await committed(session, Gadget(title="Of none", maker_code="none"))
    await committed(session, Gadget(title="Of nobody"))
    form = (await gadgets.get("/gadgets")).form(name="filters")
    page = await gadgets.submit(form, {"maker_code": "none"})
    assert page.column("Title") == ["Of none"]
    assert list(page.chips) == ["Maker code: none"]
    page = await gadgets.submit(form, {"maker_code": " none"})
    assert page.column("Title") == ["Of nobody"]
    assert list(page.chips) == ["No maker code"]


async def test_a_taken_key_is_refused_beside_its_field(
    gadgets: Client, session: AsyncSession
) -> None:
    await committed(session, Maker(code="acme"))
    page = await gadgets.post("/makers", data={"code": " acme "})
    assert page.status_code == 422
    assert page.error("Code") == "Another maker is called “acme”."
    answer = await gadgets.post("/api/makers/", json={"code": "acme"})
    assert answer.json()["detail"][0]["loc"] == ["body", "code"]


async def test_a_key_cannot_be_changed(
    gadgets: Client, session: AsyncSession, stored: Stored
) -> None:
    await committed(session, Maker(code="acme"))
    edit = await gadgets.get("/makers/acme/edit")
    assert "code" not in edit.form(press="Save changes").data
    await gadgets.post("/makers/acme", data={"code": "other", "motto": "New"})
    await gadgets.patch("/api/makers/acme", json={"code": "other"})
    assert [maker.model_dump() for maker in await stored.all(Maker)] == [
        {"code": "acme", "motto": "New"}
    ]


async def test_an_empty_key_is_refused(gadgets: Client, stored: Stored) -> None:
    for code in ("", "  ", "\u200b"):
        page = await gadgets.post("/makers", data={"code": code})
        assert (page.status_code, page.error("Code")) == (422, "Enter a code.")
    assert await stored.count(Maker) == 0


@each("key", ["x", "%00", "~00", "~ED~A0~80", "~6E~65~77", "~6ew", "a%20b", "~"])
async def test_what_is_no_spelling_of_a_key_is_not_found(makers: Client, key: str) -> None:
    for path in (f"/makers/{key}", f"/api/makers/{key}"):
        assert (await makers.get(path)).status_code == 404


# A key that is a UUID


async def test_a_uuid_is_spelt_in_one_way(gadgets: Client, session: AsyncSession) -> None:
    gadget = await committed(session, Gadget(title="Robot"))
    assert (await gadgets.get(f"/gadgets/{gadget.id}")).heading == "Robot"
    for other in (gadget.id.hex, str(gadget.id).upper(), f"{{{gadget.id}}}", gadget.id.urn):
        if other != str(gadget.id):
            assert (await gadgets.get(f"/gadgets/{other}")).status_code == 404


# A key of two columns


@pytest.fixture
async def robot(session: AsyncSession) -> Gadget:
    moment = datetime(2026, 11, 23, tzinfo=UTC)
    return await committed(session, Gadget(title="Robot", seen_at=moment))


async def test_a_record_with_two_keys_is_created_shown_changed_and_deleted(
    gadgets: Client, session: AsyncSession, robot: Gadget, stored: Stored
) -> None:
    other = await committed(session, Gadget(title="Rocket"))
    new = await gadgets.get("/slots/new")
    created = await gadgets.submit(new.form(), shelf="a, b/c", number="-7", gadget_id=str(robot.id))
    page = await gadgets.follow(created)
    page = await gadgets.get(page.row("a, b/c").link("a, b/c"))
    assert page.by_id("main").facts == {"Shelf": "a, b/c", "Number": "-7", "Gadget": "Robot"}
    edit = await gadgets.get(page.link("Edit"))
    await gadgets.submit(edit.form(press="Save changes"), gadget_id=str(other.id))
    (slot,) = await stored.all(Slot)
    assert (slot.shelf, slot.number, slot.gadget_id) == ("a, b/c", -7, other.id)
    question = await gadgets.get(page.link("Delete…"))
    deleted = await gadgets.follow(await gadgets.submit(question.form()))
    assert "Deleted a, b/c · Number -7" in deleted.flash
    assert await stored.count(Slot) == 0


async def test_the_api_names_a_record_with_two_keys_by_both(gadgets: Client, robot: Gadget) -> None:
    slot = {"shelf": "A", "number": 1, "gadget_id": str(robot.id)}
    assert (await gadgets.post("/api/slots/", json=slot)).status_code == 201
    assert (await gadgets.get("/api/slots/A,1")).json() == slot
    taken = await gadgets.post("/api/slots/", json=slot)
    assert taken.json()["detail"][0]["msg"] == "Another slot has this shelf and number."
    for no_key in ("A", "A,", "A,1,2", "1,A", "A,01", "A,2", "a,1"):
        assert (await gadgets.get(f"/api/slots/{no_key}")).status_code == 404
    assert (await gadgets.delete("/api/slots/A,1")).status_code == 204


async def test_records_with_two_keys_are_paged(
    gadgets: Client, session: AsyncSession, robot: Gadget
) -> None:
    wanted = sorted((shelf, number) for shelf in ("A", "B", "b,", "Ü") for number in range(-2, 3))
    session.add_all(
        Slot(shelf=shelf, number=number, gadget_id=robot.id) for shelf, number in wanted
    )
    await session.commit()
    for sort, rows in (("shelf", wanted), ("-shelf", wanted[::-1])):
        page = await gadgets.get(f"/slots?sort={sort}&size=3")
        found = _slots(page)
        for _ in range(6):
            page = await gadgets.get(page.link("Next page"))
            found += _slots(page)
        assert found == rows
    page = await gadgets.get("/slots?sort=gadget_id&size=3&before=end")
    assert _slots(page) == wanted[-3:]
    assert _slots(await gadgets.get(page.link("Previous page"))) == wanted[-6:-3]


async def test_a_relation_that_is_needed_is_asked_for(gadgets: Client, robot: Gadget) -> None:
    page = await gadgets.post("/slots", data={"shelf": "A", "number": "1", "gadget_id": ""})
    assert (page.status_code, page.error("Gadget")) == (422, "Choose a gadget.")
    assert page.field("Gadget").is_required


def _rows_by_motto(page: Page) -> dict[str, Page]:
    rows = [row for body in page.table().find_all("tbody") for row in body.find_all("tr")]
    found = {values["Motto"]: row for values, row in zip(page.rows, rows, strict=True)}
    assert len(found) == len(rows)
    return found


def _folded(text: str) -> str:
    return " ".join(text.split())


def _slots(page: Page) -> list[tuple[str, int]]:
    return [(row["Shelf"], int(row["Number"])) for row in page.rows]
