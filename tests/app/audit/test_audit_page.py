"""The page of the audit log: owners read it in words, filter it, and take it along as a file."""

import csv
import io
import json
import re

import pytest
from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.applications import Starlette

from hero_admin.audit_log.event_chain import EVENTS, append, chain_key_of
from hero_admin.audit_log.events import Event, StoredEvent
from hero_admin.testing import Client, Page, htmx_headers
from tests.app.accounts.test_token_scopes import made
from tests.cases import each, on_one_database
from tests.factories import a_hero, some_heroes
from tests.stored import Stored

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
KEY = chain_key_of("")


def lines_of(page: Page) -> list[str]:
    """The events that a page shows, each without its time."""
    return [" ".join(item.visible_text.split()) for item in page.find_all("li") if is_line(item)]


def is_line(item: Page) -> bool:
    return re.search(r"\bevent \d+$", item.visible_text.strip()) is not None


async def test_the_events_are_told_in_words(
    client: Client, editor: Client, viewer: Client, session: AsyncSession
) -> None:
    await some_heroes(session, 3)
    client.headers["User-Agent"] = FIREFOX
    await client.get("/heroes.csv?age_min=2")
    await editor.post("/heroes/1/reveal/secret_name")
    await editor.get("/api/heroes/2")
    await viewer.post("/heroes/1", data={"age": "7"})
    await client.post("/people/2/role", data={"role": "viewer"})
    page = await client.get((await client.get("/")).link("Audit log"))
    assert (page.status_code, page.heading) == (200, "Audit log")
    found = lines_of(page)
    for line, parts in zip(
        reversed(found),
        [
            ("Olive Owner Exported heroes", "CSV · 2 rows · 127.0.0.1 · Firefox on Linux"),
            ("Edward Editor Viewed a masked value Hero 001", "Secret name ·"),
            ("Edward Editor Read masked values Hero 002", "Secret name ·"),
            ("Vera Viewer Refused POST /heroes/1", "127.0.0.1"),
            ("Olive Owner Changed a role Edward Editor", "Role: viewer ·"),
        ],
        strict=True,
    ):
        assert all(part in line for part in parts), line
    # To the list as it was exported.
    assert page.link("heroes") == "/heroes?age_min=2"


async def test_an_export_with_the_name_of_its_token_leads_to_its_list(
    client: Client, session: AsyncSession, stored: Stored
) -> None:
    await a_hero(session)
    await client.get("/api/heroes/?sort=name", headers=await made(client))
    first = lines_of(await client.get("/audit-log?kind=masked_read"))[0]
    assert first.startswith("Olive Owner token ci Read masked values 1 hero ")


@each(
    ("query", "expected"),
    [
        ("", [4, 3, 2, 1]),
        ("by=Ann", [3, 1]),
        ("kind=refused", [2]),
        ("resource=heroes", [4, 1]),
        ("by=Ann&kind=exported&since=2020-01-01", [1]),
        ("until=2020-01-01", []),
        ("by=Nobody", []),
        ("after=2", [4, 3]),
        ("before=3", [2, 1]),
    ],
)
async def test_filters_narrow_the_page_and_its_files(
    client: Client, session: AsyncSession, stored: Stored, query: str, expected: list[int]
) -> None:
    if not await stored.count(StoredEvent):
        await append(
            session,
            KEY,
            [
                Event("exported", "Ann", resource="heroes"),
                Event("refused", "Bob"),
                Event("signed_in", "Ann"),
                Event("exported", "Bob", resource="heroes"),
            ],
        )
        await session.commit()
    page = await client.get(f"/audit-log?{query}")
    ids = [int(line.rpartition("event ")[2]) for line in lines_of(page)]
    # What follows are the exports of the cases before.
    assert [number for number in ids if number < 5] == expected
    part = await client.get(f"/audit-log?{query}", headers=htmx_headers("section#events"))
    assert lines_of(part) == lines_of(page)
    if not query.startswith(("after", "before", "resource=heroes")):
        text = (await client.get(page.link("JSON Lines"))).text
        ids = [json.loads(line)["id"] for line in text.splitlines()]
        assert [number for number in ids if number < 5] == sorted(expected)


@on_one_database
@each(
    ("query", "sentence"),
    [
        ("since=x", "Enter a day like 2026-11-23."),
        ("before=x", "That page doesn't exist. This is the newest one."),
        (f"by={'x' * 201}", "A filter has at most 200 characters."),
    ],
)
async def test_a_filter_that_is_none_is_left_out_and_said(
    client: Client, query: str, sentence: str
) -> None:
    page = await client.get(f"/audit-log?{query}")
    assert (page.status_code, page.alert) == (400, sentence)
    for extension in ("csv", "jsonl"):
        answer = await client.get(f"/audit-log.{extension}?{query}")
        assert answer.status_code == 400


async def test_a_log_of_many_pages_is_read_from_end_to_end(
    client: Client, session: AsyncSession, stored: Stored
) -> None:
    await append(session, KEY, [Event("refused", "Ann") for _ in range(120)])
    await session.commit()
    page, seen = await client.get("/audit-log?kind=refused"), 0
    while True:
        seen += len(lines_of(page))
        if "Older" not in page.link_names:
            break
        page = await client.get(page.link("Older"))
    assert seen == 120
    newer = await client.get(page.link("Newer"))
    assert len(lines_of(newer)) == 50


async def test_files_have_all_events_and_are_events_themselves(
    client: Client, session: AsyncSession, stored: Stored
) -> None:
    # A spreadsheet sees no formula in what somebody calls themselves.
    await append(session, KEY, [Event("refused", "=cmd()") for _ in range(1_100)])
    await session.commit()
    rows = list(csv.DictReader(io.StringIO((await client.get("/audit-log.csv")).text)))
    assert [int(row["id"]) for row in rows] == list(range(1, 1_101))
    assert rows[0]["by_name"] == "'=cmd()"
    lines = (await client.get("/audit-log.jsonl")).text.splitlines()
    read = [json.loads(line) for line in lines]
    written = {each.id: each for each in await stored.all(StoredEvent)}
    for row in read:
        event = written[row["id"]]
        assert (row["by_name"], row["hash"]) == (event.by_name, event.hash)
        assert row["at"] == event.moment.isoformat(timespec="microseconds")
    exports = [event for event in written.values() if event.kind == "exported"]
    assert [(each.resource, each.details["format"]) for each in exports] == [
        ("audit-log", "csv"),
        ("audit-log", "jsonl"),
    ]


@pytest.mark.parametrize("path", ["/audit-log", "/audit-log.csv", "/audit-log.jsonl"])
async def test_it_is_for_owners_only(app: Starlette, editor: Client, path: str) -> None:
    assert (await editor.get(path)).status_code == 403
    assert "Audit log" not in (await editor.get("/")).link_names


@pytest.mark.parametrize("details", ["", "{", "[1]", "7", '{"fields": 5}', "[" * 100_000])
async def test_an_event_that_somebody_else_has_changed_hides_no_other(
    client: Client, session: AsyncSession, details: str
) -> None:
    await client.get("/heroes.csv")
    for kind in ("masked_read", "account_added"):
        await session.execute(update(EVENTS).values(kind=kind, details_json=details))
        await session.commit()
        page = await client.get("/audit-log")
        assert (page.status_code, page.heading) == (200, "Audit log")
    written = (await client.get("/audit-log.jsonl")).text.splitlines()
    assert [json.loads(line)["id"] for line in written]
