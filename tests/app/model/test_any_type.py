"""Every type of column: what is typed is stored exactly, shown, and typed back the same."""

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from uuid import UUID

import pytest
from sqlalchemy import delete
from sqlalchemy.ext.asyncio import AsyncSession

from hero_admin.testing import Client
from tests.cases import each
from tests.factories import committed
from tests.gadgets import Condition, Gadget, Maker
from tests.stored import Stored

SERIAL = "123e4567-e89b-12d3-a456-426614174000"
# Field, what is typed, the value it stands for, and how a page shows it.
VALUES = [
    ("title", "  Łukasz’ \u202e<b>🦸 ", "Łukasz’ \u202e<b>🦸", "Łukasz’ \u202e<b>🦸"),
    ("note", "\n\nTwo\r\nlines\ttab", "Two\nlines\ttab", "Two lines tab"),
    ("note", "x" * 100_000, "x" * 100_000, "x" * 100_000),
    ("count", "-2147483648", -(2**31), "-2147483648"),
    ("count", "+2147483647", 2**31 - 1, "2147483647"),
    ("count", "007", 7, "7"),
    ("rank", "10", 10, "10"),
    ("weight", "0.1", 0.1, "0.1"),
    ("weight", "-1.7976931348623157e308", -1.7976931348623157e308, "-1.7976931348623157e+308"),
    ("weight", "2.2250738585072014e-308", 2.2250738585072014e-308, "2.2250738585072014e-308"),
    ("weight", "3", 3.0, "3.0"),
    ("weight", "9007199254740993", 9007199254740992.0, "9007199254740992.0"),
    ("price", "0.01", Decimal("0.01"), "0.01"),
    ("price", "99999999.99", Decimal("99999999.99"), "99999999.99"),
    ("price", "-.5", Decimal("-0.50"), "-0.50"),
    ("price", "1.100", Decimal("1.10"), "1.10"),
    ("is_secret", "true", True, "Yes"),
    ("is_licensed", "true", True, "Yes"),
    ("is_licensed", "false", False, "No"),
    ("made_on", "0001-01-01", date(1, 1, 1), "0001-01-01"),
    ("made_on", "9999-12-31", date(9999, 12, 31), "9999-12-31"),
    ("made_on", "2024-02-29", date(2024, 2, 29), "2024-02-29"),
    (
        "seen_at",
        "2026-11-23T14:30",
        datetime(2026, 11, 23, 14, 30, tzinfo=UTC),
        "2026-11-23 14:30:00 UTC",
    ),
    (
        "seen_at",
        "2026-11-23T14:30:00.000001+02:00",
        datetime(2026, 11, 23, 12, 30, 0, 1, tzinfo=UTC),
        "2026-11-23 12:30:00.000001 UTC",
    ),
    ("seen_at", "0001-01-02T00:00", datetime(1, 1, 2, tzinfo=UTC), "0001-01-02 00:00:00 UTC"),
    (
        "checked_at",
        "2026-11-23T14:30:59.999999",
        datetime.fromisoformat("2026-11-23T14:30:59.999999"),
        "2026-11-23 14:30:59.999999",
    ),
    (
        "checked_at",
        "9999-12-31T23:59:59",
        datetime.fromisoformat("9999-12-31T23:59:59"),
        "9999-12-31 23:59:59",
    ),
    ("opens_at", "14:30", time(14, 30), "14:30:00"),
    ("opens_at", "23:59:59.999999", time(23, 59, 59, 999999), "23:59:59.999999"),
    ("opens_at", "00:00", time(0), "00:00:00"),
    ("lasts", "3 days 04:30:00", timedelta(days=3, hours=4, minutes=30), "3 days 04:30:00"),
    ("lasts", "-00:00:00.000001", timedelta(microseconds=-1), "-00:00:00.000001"),
    ("lasts", "90:00", timedelta(hours=90), "3 days 18:00:00"),
    ("lasts", "500000 days", timedelta(days=500_000), "500000 days 00:00:00"),
    ("lasts", "00:00", timedelta(0), "00:00:00"),
    ("condition", "IN_USE", Condition.IN_USE, "In use"),
    ("serial", SERIAL.upper(), UUID(SERIAL), SERIAL),
    (
        "data",
        '{"a": [1, 2.5, null, true, "ü🦸\\n"]}',
        {"a": [1, 2.5, None, True, "ü🦸\n"]},
        '{ "a": [ 1, 2.5, null, true, "ü🦸\\n" ] }',
    ),
    (
        "extra",
        '[{"b": 12345678901234567890}]',
        [{"b": 12345678901234567890}],
        '[ { "b": 12345678901234567890 } ]',
    ),
    ("extra", "[]", [], "[]"),
    ("maker_code", "acme", "acme", "acme"),
]
EMPTIES = (
    "note",
    "rank",
    "weight",
    "is_licensed",
    "made_on",
    "checked_at",
    "opens_at",
    "lasts",
    "serial",
    "extra",
    "maker_code",
)
# Field, what is typed, and what is said.
REFUSED = [
    ("title", "", "Enter a title."),
    ("title", " \u200b ", "Enter a title."),
    ("title", "x" * 81, "Use at most 80 characters."),
    ("title", "a\0b", "Remove the invisible NUL character from this text."),
    ("note", "a\0b", "Remove the invisible NUL character from this text."),
    ("count", "many", "Enter a whole number."),
    ("count", "1.0", "Enter a whole number."),
    ("count", "1_000", "Enter a whole number."),
    ("count", "٣", "Enter a whole number."),
    ("count", "2147483648", "Enter a number from -2,147,483,648 to 2,147,483,647."),
    ("count", "9" * 5_000, "Enter a shorter number."),
    ("rank", "0", "Enter 1 or more."),
    ("rank", "11", "Enter 10 or less."),
    ("weight", "heavy", "Enter a number."),
    ("weight", "nan", "Enter a number."),
    ("weight", "inf", "Enter a number."),
    ("weight", "1e999", "Enter a smaller number."),
    ("weight", "1,5", "Enter a number."),
    ("price", "1.001", "Use at most 2 decimal places."),
    ("price", "100000000", "Use at most 8 digits before the point."),
    ("price", "1e5", "Enter a number."),
    ("price", "NaN", "Enter a number."),
    ("is_licensed", "maybe", "Choose yes or no."),
    ("made_on", "2023-02-29", "Enter a date like 2026-11-23."),
    ("made_on", "23.11.2026", "Enter a date like 2026-11-23."),
    ("seen_at", "yesterday", "Enter a date and time like 2026-11-23 14:30."),
    ("seen_at", "0001-01-01T00:00+14:00", "Enter a date and time like 2026-11-23 14:30."),
    ("opens_at", "25:00", "Enter a time like 14:30."),
    ("lasts", "long", "Enter a duration like 3 days 04:30:00."),
    ("lasts", "999999 days", "Enter at most 700,000 days."),
    ("condition", "new", "Choose one of the options."),
    ("serial", "123", "Enter a UUID like 123e4567-e89b-12d3-a456-426614174000."),
    ("data", "{", "Enter valid JSON: error at line 1, column 2."),
    ("data", "NaN", "Enter valid JSON: NaN isn't allowed."),
    ("data", '{"a": 1e999}', "Enter valid JSON: a number is too large."),
    ("data", '{"a": ' + "9" * 5_000 + "}", "Enter valid JSON: a number is too large."),
    ("data", '{"a": "\\u0000"}', "Remove the invisible NUL character from this text."),
    ("data", '{"a": "\\ud800"}', "Remove the broken character from this text."),
    ("extra", "[" * 100_000, "Enter JSON that is less deeply nested."),
    ("extra", "[" * 150 + "]" * 150, "Enter JSON that is less deeply nested."),
    ("maker_code", "nobody", "This maker code no longer exists. Choose another one."),
]


def label_of(field: str) -> str:
    return field.replace("_", " ").capitalize()


def short(value: object) -> str:
    return repr(value)[:40] + str(len(repr(value)))


@pytest.fixture(autouse=True)
async def acme(gadgets: Client, session: AsyncSession) -> None:
    await committed(session, Maker(code="acme"))


@each(("field", "typed", "value", "shown"), VALUES)
async def test_what_is_typed_is_stored_shown_and_typed_back_the_same(
    gadgets: Client,
    session: AsyncSession,
    stored: Stored,
    field: str,
    typed: str,
    value: object,
    shown: str,
) -> None:
    await session.execute(delete(Gadget))
    await session.commit()
    form = {"title": "Robot", field: typed}
    created = await gadgets.post("/gadgets", data=form)
    assert created.status_code == 303, created.errors
    (gadget,) = await stored.all(Gadget)
    assert getattr(gadget, field) == value
    page = await gadgets.get(f"/gadgets/{gadget.id}")
    assert page.facts[label_of(field)] == shown
    edit = await gadgets.get(page.link("Edit"))
    assert (await gadgets.submit(edit.form(press="Save changes"))).status_code == 303
    assert await stored.all(Gadget) == [gadget]


@each(("field", "typed", "value", "shown"), VALUES)
async def test_the_api_reads_and_writes_the_same_value(
    gadgets: Client,
    session: AsyncSession,
    stored: Stored,
    field: str,
    typed: str,
    value: object,
    shown: str,
) -> None:
    await session.execute(delete(Gadget))
    await session.commit()
    await gadgets.post("/gadgets", data={"title": "Robot", field: typed})
    (gadget,) = await stored.all(Gadget)
    written = (await gadgets.get(f"/api/gadgets/{gadget.id}")).json()
    unique = {"serial": None} if field == "serial" else {}
    copy = {name: given for name, given in written.items() if name != "id"} | unique
    created = await gadgets.post("/api/gadgets/", json=copy)
    assert created.status_code == 201, created.text
    assert {**created.json(), "id": ""} == {**written, "id": "", **unique}
    changed = await gadgets.patch(f"/api/gadgets/{gadget.id}", json={field: written[field]})
    assert changed.json() == written
    assert gadget in await stored.all(Gadget)


async def test_the_api_writes_each_type_in_the_same_way_on_every_database(
    gadgets: Client, session: AsyncSession
) -> None:
    moment = datetime(2026, 11, 23, 14, 30, tzinfo=UTC)
    gadget = Gadget(
        title="Robot",
        price=Decimal("1.10"),
        weight=0.1,
        made_on=moment.date(),
        seen_at=moment,
        checked_at=moment.replace(tzinfo=None),
        opens_at=time(14, 30),
        lasts=timedelta(days=1, seconds=1.5),
        condition=Condition.IN_USE,
        serial=UUID(SERIAL),
    )
    await committed(session, gadget)
    found = (await gadgets.get(f"/api/gadgets/{gadget.id}")).json()
    assert found == {
        "id": str(gadget.id),
        "title": "Robot",
        "note": None,
        "count": 0,
        "rank": None,
        "weight": 0.1,
        "price": "1.10",
        "is_secret": False,
        "is_licensed": None,
        "made_on": "2026-11-23",
        "seen_at": "2026-11-23T14:30:00Z",
        "checked_at": "2026-11-23T14:30:00",
        "opens_at": "14:30:00",
        "lasts": "P1DT1.5S",
        "condition": "in use",
        "serial": SERIAL,
        "data": {},
        "extra": None,
        "maker_code": None,
    }


async def test_optional_fields_are_emptied(gadgets: Client, stored: Stored) -> None:
    full = {field: typed for field, typed, _, _ in VALUES}
    assert (await gadgets.post("/gadgets", data=full)).status_code == 303
    (gadget,) = await stored.all(Gadget)
    assert all(getattr(gadget, field) is not None for field in EMPTIES)
    edit = await gadgets.get(f"/gadgets/{gadget.id}/edit")
    emptied = await gadgets.submit(edit.form(press="Save changes"), dict.fromkeys(EMPTIES, ""))
    assert emptied.status_code == 303, emptied.errors
    (gadget,) = await stored.all(Gadget)
    assert [field for field in EMPTIES if getattr(gadget, field) is not None] == []
    assert gadget.title


async def test_fields_that_are_not_sent_stay_as_they_are(gadgets: Client, stored: Stored) -> None:
    await gadgets.post("/gadgets", data={field: typed for field, typed, _, _ in VALUES})
    (before,) = await stored.all(Gadget)
    await gadgets.post(f"/gadgets/{before.id}", data={"count": "5"})
    await gadgets.patch(f"/api/gadgets/{before.id}", json={"rank": 7})
    (after,) = await stored.all(Gadget)
    assert after.model_dump() == {**before.model_dump(), "count": 5, "rank": 7}


@each(("field", "typed", "sentence"), REFUSED)
async def test_what_a_field_cannot_take_is_said_beside_it(
    gadgets: Client, stored: Stored, field: str, typed: str, sentence: str
) -> None:
    page = await gadgets.post("/gadgets", data={"title": "Robot", field: typed})
    assert page.status_code == 422
    assert page.error(label_of(field)) == sentence
    assert await stored.count(Gadget) == 0


@each(("field", "typed", "sentence"), REFUSED)
async def test_what_a_field_cannot_take_changes_nothing(
    gadgets: Client, stored: Stored, field: str, typed: str, sentence: str
) -> None:
    await gadgets.post("/gadgets", data={"title": "Robot"})
    before = await stored.all(Gadget)
    page = await gadgets.post(f"/gadgets/{before[0].id}", data={"rank": "5", field: typed})
    assert (page.status_code, page.error(label_of(field))) == (422, sentence)
    assert await stored.all(Gadget) == before


@each(
    ("field", "body"),
    [
        ("count", b"1.5"),
        ("count", b"2147483648"),
        ("weight", b"1e999"),
        ("weight", b"NaN"),
        ("price", b"1.001"),
        ("price", b'"Infinity"'),
        ("is_secret", b"null"),
        ("made_on", b'"yesterday"'),
        ("seen_at", b'"9999-12-31T23:59:59-14:00"'),
        ("checked_at", b'"2026-11-23T14:30:00Z"'),
        ("lasts", b'"P999999D"'),
        ("lasts", b"1e300"),
        ("condition", b'"IN_USE"'),
        ("serial", b'"123"'),
        ("data", b"null"),
        ("data", b"[]"),
        ("data", b'{"a": NaN}'),
        ("data", b'{"a": 1e999}'),
        ("data", b'{"a": "\\ud800"}'),
        ("data", b'{"\\ud800": 1}'),
        ("data", b'{"a": "\\u0000"}'),
        ("extra", b"[" * 150 + b"]" * 150),
        ("extra", b"[" * 800 + b"]" * 800),
        ("maker_code", b'"nobody"'),
        ("maker_code", b'"a\\u0000"'),
    ],
)
async def test_the_api_names_what_a_field_cannot_take(
    gadgets: Client, stored: Stored, field: str, body: bytes
) -> None:
    headers = {"Content-Type": "application/json"}
    content = b'{"title": "Robot", "%s": %s}' % (field.encode(), body)
    answer = await gadgets.post("/api/gadgets/", content=content, headers=headers)
    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"][:2] == ["body", field]
    assert await stored.count(Gadget) == 0


async def test_a_form_offers_the_right_control_for_each_type(gadgets: Client) -> None:
    page = await gadgets.get("/gadgets/new")
    assert {
        label: page.field(label).type
        for label in (
            "Title", "Note", "Count", "Weight", "Price", "Is secret", "Is licensed", "Made on",
            "Seen at", "Opens at", "Lasts", "Condition", "Serial", "Data", "Maker code",
        )
    } == {
        "Title": "text",
        "Note": "textarea",
        "Count": "text",
        "Weight": "text",
        "Price": "text",
        "Is secret": "checkbox",
        "Is licensed": "select",
        "Made on": "date",
        "Seen at": "datetime-local",
        "Opens at": "time",
        "Lasts": "text",
        "Condition": "select",
        "Serial": "text",
        "Data": "textarea",
        "Maker code": "select",
    }  # fmt: skip
    assert page.field("Condition").value == "NEW"
    assert page.field("Title").is_required
    assert not page.field("Rank").is_required
    modes = {name: page.field(name).attribute("inputmode") for name in ("Rank", "Count", "Price")}
    assert modes == {"Rank": "numeric", "Count": "text", "Price": "text"}


@pytest.mark.parametrize(
    ("field", "sentence"),
    [
        ("title", "Enter a title."),
        ("count", "Enter a count."),
        ("condition", "Choose a condition."),
    ],
)
async def test_what_is_needed_cannot_be_emptied(
    gadgets: Client, session: AsyncSession, field: str, sentence: str
) -> None:
    gadget = await committed(session, Gadget(title="Robot"))
    page = await gadgets.post(f"/gadgets/{gadget.id}", data={field: " "})
    assert (page.status_code, page.error(label_of(field))) == (422, sentence)


async def test_what_has_a_default_may_be_left_out_of_a_new_record(
    gadgets: Client, stored: Stored
) -> None:
    await gadgets.post("/gadgets", data={"title": "Robot", "count": "", "condition": ""})
    (gadget,) = await stored.all(Gadget)
    assert (gadget.count, gadget.condition) == (0, Condition.NEW)


async def test_a_box_that_is_not_ticked_is_no_and_one_that_is_not_sent_is_untouched(
    gadgets: Client, stored: Stored
) -> None:
    await gadgets.post("/gadgets", data={"title": "Robot", "is_secret": "true"})
    (gadget,) = await stored.all(Gadget)
    await gadgets.post(f"/gadgets/{gadget.id}", data={"title": "Robot 2"})
    assert [each.is_secret for each in await stored.all(Gadget)] == [True]
    edit = await gadgets.get(f"/gadgets/{gadget.id}/edit")
    await gadgets.submit(edit.form(press="Save changes"), is_secret=["false"])
    assert [each.is_secret for each in await stored.all(Gadget)] == [False]
