"""Masked fields: no page and no file tells them; one is shown on request, and that is told."""

import json
import logging
from collections.abc import Callable
from dataclasses import replace
from http.cookiejar import Cookie

import pytest
from pydantic import SecretStr
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import Field, SQLModel
from starlette.applications import Starlette

from hero_admin import Change as Made
from hero_admin.application import create_app
from hero_admin.audit_log.changes import Change, Kind
from hero_admin.audit_log.events import StoredEvent
from hero_admin.forms.hidden_fields import OPENED
from hero_admin.model.resource import Resource
from hero_admin.model.site import Site
from hero_admin.person import Role
from hero_admin.settings import Settings
from hero_admin.testing import Client, Page, htmx_headers
from tests.cases import each
from tests.factories import a_hero, a_team
from tests.gadgets import Gadget, Maker
from tests.serving import serving
from tests.stored import Stored
from webapp.app import admin
from webapp.heroes import Hero

SECRET = "Qwertzuiop"
OTHER = "Asdfghjkl"


@pytest.fixture
async def hero(client: Client, stored: Stored) -> Hero:
    """A hero whose secret name was another one before, and who has a team."""
    await client.post("/teams", data={"name": "Preventers"})
    data = {"name": "Nova", "secret_name": OTHER, "age": "17", "team_id": "1"}
    await client.post("/heroes", data=data)
    await client.post("/heroes/1", data={"secret_name": SECRET})
    (hero,) = await stored.all(Hero)
    return hero


# Where it is not.


@pytest.fixture
def after_a_change(client: Client, hero: Hero) -> list[Cookie]:
    """What the browser holds then: also the message for the next page."""
    return list(client.cookies.jar)


@each(
    "path",
    [
        "/",
        "/heroes",
        "/heroes?sort=secret_name",
        f"/heroes?q={SECRET[:5]}",
        "/heroes.csv",
        "/heroes.json",
        "/heroes.jsonl",
        "/heroes/1",
        "/heroes/1/edit",
        "/heroes/1/delete",
        "/heroes/1/history",
        "/heroes/delete?id=1",
        "/heroes/change?id=1",
        "/heroes/options/team_id",
        "/teams/1",
        "/teams/1/heroes",
        "/teams/1/delete",
        "/teams/options/secret_name",
        "/history",
        "/history?kind=changed",
    ],
)
async def test_no_page_and_no_file_holds_it(
    client: Client, after_a_change: list[Cookie], path: str
) -> None:
    for target in ("", "section#list", "form#form", "section#timeline"):
        for cookie in after_a_change:
            client.cookies.jar.set_cookie(cookie)
        # What was done last is told in a toast; then the page as it is.
        for _ in range(2):
            answer = await client.get(path, headers=htmx_headers(target) if target else {})
            for word in (SECRET, OTHER):
                assert word.lower() not in answer.text.lower(), target


@pytest.mark.usefixtures("hero")
async def test_no_answer_to_what_is_done_holds_it(client: Client) -> None:
    stale = (await client.get("/heroes/1/edit")).form()
    await client.post("/heroes/1", data={"secret_name": OTHER * 2})
    answers = [
        await client.post("/heroes/1", data={"age": "old"}),
        await client.submit(stale, secret_name="Mine"),
        await client.post("/heroes/1", data={"age": "18"}),
        await client.post("/heroes/1/edit", data={"team_id.q": "p"}),
        await client.post("/heroes/change", data={"id": "1", "form.set.age": "1", "age": "7"}),
        await client.post("/heroes/1/delete"),
        await client.submit(stale, age="19"),
    ]
    statuses = [answer.status_code for answer in answers]
    assert statuses == [422, 409, 303, 200, 303, 303, 409]
    answers += [await client.follow(answer) for answer in answers if answer.status_code == 303]
    for answer in answers:
        for word in (SECRET, OTHER):
            assert word not in answer.text
            assert word not in str(answer.headers)


@pytest.mark.usefixtures("hero")
async def test_it_is_shown_as_dots_of_one_length(client: Client, session: AsyncSession) -> None:
    await a_hero(session, "Rusty", "x")
    page = await client.get("/heroes")
    assert page.columns[1] == "Secret name"
    assert {row["Secret name"] for row in page.rows} == {"masked show"}
    assert len({tag.text for tag in page.find_all("span", {"class": "masked"})}) == 1
    assert (await client.get("/heroes/1")).facts["Secret name"] == "masked show"


@pytest.mark.usefixtures("hero")
async def test_nobody_can_sort_search_or_filter_it_out(client: Client) -> None:
    page = await client.get("/heroes")
    assert "Secret name" not in page.link_names
    assert (await client.get("/heroes?sort=secret_name")).status_code == 400
    assert (await client.get("/heroes?sort=-secret_name")).status_code == 400
    assert (await client.get(f"/heroes?q={SECRET}")).rows == []
    for query in (f"secret_name={SECRET}", "secret_name_min=A"):
        assert len((await client.get(f"/heroes?{query}")).rows) == 1


@pytest.mark.usefixtures("hero")
async def test_the_history_tells_that_it_was_changed_and_not_to_what(client: Client) -> None:
    for path in ("/history", "/heroes/1/history"):
        changed = (await client.get(path)).entries[0]
        assert changed.values == {"Secret name": "•••••••• became ••••••••"}


@pytest.mark.usefixtures("hero")
async def test_a_form_carries_no_more_than_a_digest_of_it(client: Client, app: Starlette) -> None:
    page = await client.get("/heroes/1/edit")
    opened = json.loads(page.form()[OPENED])
    assert opened["name"] == "Nova"
    assert set(opened["secret_name"]) <= set("0123456789abcdef")
    assert len(opened["secret_name"]) == 32
    # Another server, with another key, makes another one.
    other_key = {"secret_key": SecretStr("s" * 40)}
    settings = app.state.settings.model_copy(update=other_key)
    async with serving(admin.application(settings), role=Role.OWNER) as other:
        theirs = json.loads((await other.get("/heroes/1/edit")).form()[OPENED])
    assert theirs["name"] == "Nova"
    assert theirs["secret_name"] != opened["secret_name"]


@pytest.mark.usefixtures("hero")
async def test_nobody_can_tell_from_its_digest_that_two_records_have_the_same(
    client: Client, viewer: Client, session: AsyncSession
) -> None:
    await a_hero(session, "Nova", SECRET, age=17)
    first, second = [
        json.loads((await client.get(f"/heroes/{key}/edit")).form()[OPENED]) for key in (1, 2)
    ]
    assert first["name"] == second["name"]
    assert first["secret_name"] != second["secret_name"]
    for who in (client, viewer):
        tags = [(await who.get(f"/api/heroes/{key}")).headers["etag"] for key in (1, 2)]
        assert tags[0] != tags[1]


async def test_the_log_never_holds_it(
    client: Client, hero: Hero, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    await client.post("/heroes/1/reveal/secret_name")
    await client.post("/heroes/1", data={"secret_name": OTHER})
    await client.post("/heroes/1", data={"secret_name": SECRET * 40})
    await client.post("/heroes/1/delete")
    await client.get("/api/heroes/")
    assert SECRET not in caplog.text
    assert OTHER not in caplog.text


# Editing.


@pytest.mark.usefixtures("hero")
async def test_it_is_edited_without_being_read(client: Client, stored: Stored) -> None:
    page = await client.get("/heroes/1/edit")
    field = page.field("Secret name")
    assert (field.type, field.value) == ("password", "")
    assert "Leave blank to keep the current value." in page.by_id("form").visible_text
    for typed, expected in (("", SECRET), ("   ", SECRET), (" New ", "New")):
        assert (await client.submit(page.form(), secret_name=typed)).status_code == 303
        assert [hero.secret_name for hero in await stored.all(Hero)] == [expected]
        page = await client.get("/heroes/1/edit")


async def test_a_new_record_needs_it(client: Client) -> None:
    page = await client.get("/heroes/new")
    assert "Leave blank" not in page.by_id("form").visible_text
    assert page.field("Secret name").is_required
    refused = await client.submit(page.form(), name="Nova")
    assert refused.status_code == 422


@pytest.mark.usefixtures("hero")
async def test_it_cannot_be_changed_for_many_at_once(client: Client, stored: Stored) -> None:
    page = await client.get("/heroes/change?id=1")
    assert "secret" not in page.by_id("form").visible_text.lower()
    data = {"id": "1", "form.set.secret_name": "1", "secret_name": "Mine"}
    assert (await client.post("/heroes/change", data=data)).status_code == 422
    assert [hero.secret_name for hero in await stored.all(Hero)] == [SECRET]


# Revealing.


@pytest.mark.usefixtures("hero")
async def test_one_value_is_shown_on_request_and_that_is_recorded(
    client: Client, editor: Client
) -> None:
    for path in ("/heroes", "/heroes/1", "/teams/1"):
        page = await editor.get(path)
        assert SECRET not in page.text
        shown = await editor.submit(page.form(press="show"))
        assert (shown.status_code, shown.heading) == (200, "Nova")
        assert shown.by_id("revealed").visible_text == SECRET
        assert (await editor.get(shown.link("history"))).heading == "Nova: history"
    entries = (await client.get("/heroes/1/history?kind=revealed")).entries
    assert [entry.sentence for entry in entries] == ["Edward Editor viewed this hero"] * 3
    assert entries[0].values == {"Secret name": ""}


@pytest.mark.usefixtures("hero")
async def test_htmx_gets_only_the_value(client: Client) -> None:
    headers = htmx_headers("span#revealed")
    answer = await client.post("/heroes/1/reveal/secret_name", headers=headers)
    (top,) = answer.children
    assert (top.tag.name, top.visible_text) == ("span", SECRET)


@pytest.mark.usefixtures("hero")
@each("method", ["GET", "HEAD", "PUT", "DELETE"])
async def test_looking_at_it_is_no_link(client: Client, stored: Stored, method: str) -> None:
    before = await stored.count(Change)
    answer = await client.request(method, "/heroes/1/reveal/secret_name")
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")
    assert SECRET not in answer.text
    assert await stored.count(Change) == before


@pytest.mark.usefixtures("hero")
@each(
    "path",
    [
        *(f"1/reveal/{name}" for name in ("name", "id", "x", "%00", "metadata", "team")),
        *(f"{key}/reveal/secret_name" for key in ("99", "x")),
    ],
)
async def test_only_what_is_masked_is_shown_so(client: Client, stored: Stored, path: str) -> None:
    before = await stored.count(Change)
    assert (await client.post(f"/heroes/{path}")).status_code == 404
    assert await stored.count(Change) == before


async def test_a_revealed_value_is_text(client: Client, session: AsyncSession) -> None:
    text = "<script>alert(1)</script>\"'&amp;{{7*7}}"
    await a_hero(session, "Nova", text)
    shown = await client.post("/heroes/1/reveal/secret_name")
    assert "<script>alert" not in shown.text
    assert shown.by_id("revealed").visible_text == text


# Who may have it.


@pytest.mark.usefixtures("hero")
async def test_a_viewer_never_gets_it(viewer: Client, stored: Stored) -> None:
    refused = await viewer.post("/heroes/1/reveal/secret_name")
    assert (refused.status_code, SECRET in refused.text) == (403, False)
    page = await viewer.get("/heroes/1")
    assert page.facts["Secret name"] == "masked"
    for path in ("/api/heroes/1", "/api/heroes/", "/api/heroes/1/with-team"):
        assert SECRET not in (await viewer.get(path)).text
    assert SECRET not in (await viewer.get("/api/teams/1/with-heroes")).text
    assert (await viewer.get("/api/heroes/1")).json()["secret_name"] is None
    assert [change.kind for change in await stored.all(Change)].count(Kind.REVEALED) == 0


@pytest.mark.usefixtures("hero")
async def test_the_api_gives_it_to_editors_and_owners_one_at_a_time(
    client: Client, editor: Client
) -> None:
    for who in (client, editor):
        assert (await who.get("/api/heroes/1")).json()["secret_name"] == SECRET
        (hero,) = (await who.get("/api/teams/1/with-heroes")).json()["heroes"]
        assert hero["secret_name"] is None
        changed = await who.patch("/api/heroes/1", json={"age": 18})
        assert changed.json()["secret_name"] == SECRET


@pytest.mark.usefixtures("hero")
async def test_the_version_that_a_viewer_reads_tells_nothing_of_it(
    client: Client, viewer: Client
) -> None:
    def etags(answers: list[Page]) -> list[str]:
        return [answer.headers["etag"] for answer in answers]

    before = etags([await viewer.get("/api/heroes/1"), await client.get("/api/heroes/1")])
    assert before[0] != before[1]
    await client.post("/heroes/1", data={"secret_name": OTHER})
    after = etags([await viewer.get("/api/heroes/1"), await client.get("/api/heroes/1")])
    assert after[0] == before[0]
    assert after[1] != before[1]


# Any model.


class Locker(SQLModel, table=True):
    """Masked fields of several types, needed and optional."""

    id: int | None = Field(default=None, primary_key=True)
    label: str
    code: int = Field(ge=0)
    hint: str | None = None


MASKED = Resource(Locker, masked=(Locker.code, Locker.hint))


def hinted(change: Made[Locker]) -> None:
    if change.after is not None and change.after.hint is None:
        change.after.hint = SECRET


async def test_a_masked_value_that_was_filled_in_for_a_client_is_told_of(
    settings: Settings, session: AsyncSession, stored: Stored
) -> None:
    connection = await session.connection()
    await connection.run_sync(lambda sync: SQLModel.metadata.create_all(sync, [MASKED.table]))
    await session.commit()
    app = create_app(settings, (replace(MASKED, before=hinted),))
    async with serving(app, role=Role.OWNER) as client:
        made = await client.post("/api/lockers/", json={"label": "A", "code": 7, "hint": "Mine"})
        assert (made.status_code, made.json()["hint"]) == (201, "Mine")
        assert await stored.count(StoredEvent) == 0
        made = await client.post("/api/lockers/", json={"label": "B", "code": 7})
        assert made.json()["hint"] == SECRET
        (event,) = await stored.all(StoredEvent)
        assert (event.kind, event.key, event.details["fields"]) == ("masked_read", "2", ["hint"])


async def test_a_masked_number_is_kept_changed_and_removed(
    settings: Settings, session: AsyncSession, stored: Stored
) -> None:
    connection = await session.connection()
    await connection.run_sync(lambda sync: SQLModel.metadata.create_all(sync, [MASKED.table]))
    await session.commit()
    async with serving(create_app(settings, (MASKED,)), role=Role.OWNER) as client:
        data = {"label": "A", "code": "123456789", "hint": SECRET}
        assert (await client.post("/lockers", data=data)).status_code == 303
        page = await client.get("/lockers/1/edit")
        assert "123456789" not in page.text
        assert SECRET not in page.text
        await client.submit(page.form(), label="B")
        page = await client.get("/lockers/1/edit")
        refused = await client.submit(page.form(), code="x", label="C")
        assert refused.status_code == 422
        saved = await client.submit(page.form(), {"form.clear.hint": True, "code": "7"})
        assert saved.status_code == 303
        assert [(found.label, found.code, found.hint) for found in await stored.all(Locker)] == [
            ("B", 7, None)
        ]
        assert "form.clear.code" not in page.text
        listed = await client.get("/lockers")
        assert listed.rows[0]["Hint"] == "—"
        assert listed.flash == "Saved B"
        assert "123456789" not in (await client.get("/history")).text


@pytest.mark.parametrize(
    ("resource", "said"),
    [
        (lambda: Resource(Locker, masked=(Locker.label,), title=Locker.label), "the title"),
        (lambda: Resource(Locker, masked=(Locker.hint,), search=(Locker.hint,)), "searched"),
        (lambda: Resource(Locker, masked=(Locker.code,), filters=(Locker.code,)), "filtered"),
        (lambda: Resource(Locker, masked=(Locker.code,), sort="-code"), "sorted"),
        (lambda: Resource(Locker, masked=(Locker.id,)), "a key"),
        (lambda: Resource(Gadget, masked=(Gadget.is_secret,)), "chosen"),
        (lambda: Resource(Gadget, masked=(Gadget.condition,)), "chosen"),
        (lambda: Resource(Gadget, masked=(Gadget.maker_code,)), "chosen"),
    ],
    ids=["title", "search", "filter", "sort", "key", "yes or no", "choice", "relation"],
)
def test_what_would_tell_it_is_refused_at_the_start(
    resource: Callable[[], Resource], said: str
) -> None:
    with pytest.raises(TypeError, match=f"is masked and {said}"):
        Site([resource(), Resource(Maker)])


async def test_a_team_page_lists_its_heroes_masked(client: Client, session: AsyncSession) -> None:
    team = await a_team(session)
    await a_hero(session, "Nova", SECRET, team=team)
    (row,) = (await client.get(f"/teams/{team.id}")).rows
    assert row["Secret name"] == "masked show"
