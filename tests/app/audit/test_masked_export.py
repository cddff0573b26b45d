"""An export with masked values is asked for by itself, by owners who just proved who they are."""

import csv
import io
import json
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text, update
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.applications import Starlette

from hero_admin.accounts.sessions import UserSession
from hero_admin.audit_log.events import StoredEvent
from hero_admin.testing import Client
from tests.cases import each, on_one_database
from tests.factories import a_hero, some_heroes
from tests.stored import Stored

PASSWORD = "correct horse battery"


def records_in(written: str, extension: str) -> list[dict[str, object]]:
    if extension == "csv":
        return [{**row} for row in csv.DictReader(io.StringIO(written))]
    if extension == "jsonl":
        return [json.loads(line) for line in written.splitlines()]
    records: list[dict[str, object]] = json.loads(written)
    return records


@each("extension", ["csv", "json", "jsonl"])
async def test_an_owner_exports_masked_values_of_the_list_and_that_is_told(
    client: Client, session: AsyncSession, stored: Stored, extension: str
) -> None:
    if not await stored.count(StoredEvent):
        await some_heroes(session, 3)
    page = await client.get("/heroes?age_min=2")
    asked = await client.get(page.link("With masked values…"))
    assert asked.heading == "Export with masked values"
    assert "the secret name of the heroes that match the list" in asked.visible_text
    assert asked.link("Cancel") == "/heroes?age_min=2"
    answer = await client.submit(asked.form(), format=extension)
    assert answer.status_code == 200
    name = f"heroes.{extension}"
    assert answer.headers["content-disposition"] == f'attachment; filename="{name}"'
    names = [each["secret_name"] for each in records_in(answer.text, extension)]
    assert names == ["Person 002", "Person 003"]
    event = (await stored.all(StoredEvent))[-1]
    assert (event.kind, event.resource, event.count) == ("exported", "heroes", 2)
    assert event.details["masked"] is True
    assert event.details["query"] == "age_min=2"
    # Without asking for them, they stay masked.
    assert "Person 002" not in (await client.get(f"/heroes.{extension}")).text


async def test_whoever_has_not_proved_lately_who_they_are_is_asked_first(
    app: Starlette, client: Client, session: AsyncSession, stored: Stored
) -> None:
    await a_hero(session)
    hashed = await app.state.auth.passwords.hash(PASSWORD)
    await session.execute(text("UPDATE hero_admin_user SET password_hash = :h"), {"h": hashed})
    long_ago = datetime.now(UTC) - timedelta(minutes=16)
    await session.execute(update(UserSession).values(proved_at=long_ago))
    await session.commit()
    asked = await client.get("/heroes.masked")
    assert asked.headers["location"].startswith("/account/confirm")
    refused = await client.post("/heroes.masked", data={"format": "csv"})
    assert refused.status_code == 401
    assert "Dive Wilson" not in refused.text
    assert await stored.count(StoredEvent) == 0
    form = refused.form()
    again = await client.submit(form, {"account.password": PASSWORD})
    assert again.status_code == 307
    assert again.headers["location"] == "/heroes.masked"


async def test_it_is_for_owners_and_for_a_form(
    editor: Client, viewer: Client, client: Client, session: AsyncSession
) -> None:
    await a_hero(session)
    for who in (editor, viewer):
        assert "With masked values…" not in (await who.get("/heroes")).link_names
        assert (await who.get("/heroes.masked")).status_code == 403
        answer = await who.post("/heroes.masked", data={"format": "csv"})
        assert (answer.status_code, "Dive Wilson" in answer.text) == (403, False)
    assert "With masked values…" not in (await client.get("/teams")).link_names
    assert (await client.get("/teams.masked")).status_code == 404
    assert (await client.post("/heroes.masked", data={})).status_code == 400
    cross = {"Sec-Fetch-Site": "cross-site"}
    answer = await client.post("/heroes.masked", data={"format": "csv"}, headers=cross)
    assert answer.status_code == 403


@on_one_database
async def test_nobody_gets_them_where_it_cannot_be_told(
    client: Client, session: AsyncSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    await a_hero(session)

    async def refuse(*_: object) -> None:
        raise TimeoutError

    monkeypatch.setattr("hero_admin.audit_log.event_log.append", refuse)
    answer = await client.post("/heroes.masked", data={"format": "csv"})
    assert (answer.status_code, "Dive Wilson" in answer.text) == (503, False)
