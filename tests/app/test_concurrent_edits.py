"""Editing what somebody else edits: changes are merged, or one is asked; nothing is overwritten."""

import asyncio
from collections import Counter
from datetime import UTC, datetime
from decimal import Decimal

import httpx
import pytest
from bs4 import Tag
from sqlalchemy.ext.asyncio import AsyncSession

from tests.factories import a_hero, a_team, committed
from tests.gadgets import Gadget, Maker
from tests.html import (
    Form,
    Page,
    alert_of,
    by_id,
    error_beside,
    field_of,
    flash_of,
    follow,
    form_of,
    heading_of,
    htmx_headers,
    link,
    parsed,
    submit,
    text_of,
)
from tests.replay import replayed
from tests.stored import Stored
from webapp.admin.carried import KEEP, OPENED
from webapp.heroes import Hero, heroes
from webapp.history import Change, Kind
from webapp.teams import Team, teams

FORM = htmx_headers("form#form")
RESTORE = "Restore with these values"


async def opened(client: httpx.AsyncClient, path: str) -> Form:
    return form_of(await client.get(f"{path}/edit"))


def choices_of(page: Page) -> dict[str, list[str]]:
    """What one is asked about: the label of each field → what both made of it."""
    return {
        text_of(legend): [text_of(label) for label in group.find_all("label")]
        for group in by_id(page, "notice").find_all("fieldset")
        for legend in [group.find("legend")]
        if isinstance(legend, Tag)
    }


# Merging.


async def test_what_somebody_else_changed_meanwhile_is_kept_and_told(
    client: httpx.AsyncClient, editor: httpx.AsyncClient, session: AsyncSession, stored: Stored
) -> None:
    team = await a_team(session)
    hero = await a_hero(session, "Nova", age=17)
    mine, theirs = [await opened(each, f"/heroes/{hero.id}") for each in (client, editor)]
    await submit(editor, theirs, name="Nova Prime", team_id=str(team.id))
    page = await follow(client, await submit(client, mine, age="18"))
    assert flash_of(page) == (
        "Saved Nova Prime Somebody changed the name and team meanwhile; that was kept."
    )
    (found,) = await stored.all(Hero)
    assert (found.name, found.age, found.team_id) == ("Nova Prime", 18, team.id)


async def test_a_form_that_changes_nothing_undoes_nothing_of_others(
    client: httpx.AsyncClient, editor: httpx.AsyncClient, session: AsyncSession, stored: Stored
) -> None:
    hero = await a_hero(session, "Nova", age=17)
    mine = await opened(client, f"/heroes/{hero.id}")
    await submit(editor, await opened(editor, f"/heroes/{hero.id}"), age="18")
    assert (await submit(client, mine)).status_code == 303
    assert [found.age for found in await stored.all(Hero)] == [18]


async def test_what_both_made_the_same_is_no_conflict(
    client: httpx.AsyncClient, editor: httpx.AsyncClient, session: AsyncSession, stored: Stored
) -> None:
    hero = await a_hero(session, "Nova", age=17)
    mine = await opened(client, f"/heroes/{hero.id}")
    await submit(editor, await opened(editor, f"/heroes/{hero.id}"), age="18")
    assert (await submit(client, mine, age=" 18 ")).status_code == 303
    assert await stored.count(Change) == 1


# Asking.


async def in_conflict(
    client: httpx.AsyncClient, editor: httpx.AsyncClient, hero: Hero
) -> httpx.Response:
    """The page after both have changed the age, and the other one the name as well."""
    mine, theirs = [await opened(each, f"/heroes/{hero.id}") for each in (client, editor)]
    await submit(editor, theirs, age="18", name="Nova Prime")
    return await submit(client, mine, age="99", secret_name="Sam")


async def test_what_both_changed_is_shown_side_by_side_and_nothing_is_saved_or_lost(
    client: httpx.AsyncClient, editor: httpx.AsyncClient, session: AsyncSession, stored: Stored
) -> None:
    hero = await a_hero(session, "Nova", "Cleo", 17)
    page = await in_conflict(client, editor, hero)
    assert page.status_code == 409
    assert "Edward Editor changed this hero while you were editing." in alert_of(page)
    assert "Their change of Name is kept." in alert_of(page)
    assert choices_of(page) == {"Age": ["Theirs: 18", "Yours: 99"]}
    form = form_of(page)
    assert (form["name"], form["age"], form["secret_name"]) == ("Nova Prime", "99", "Sam")
    (found,) = await stored.all(Hero)
    assert (found.name, found.secret_name, found.age) == ("Nova Prime", "Cleo", 18)


@pytest.mark.parametrize(("choice", "age"), [("mine", 99), ("theirs", 18)])
async def test_saving_again_settles_it(
    client: httpx.AsyncClient,
    editor: httpx.AsyncClient,
    session: AsyncSession,
    stored: Stored,
    choice: str,
    age: int,
) -> None:
    hero = await a_hero(session, "Nova", "Cleo", 17)
    page = await in_conflict(client, editor, hero)
    saved = await submit(client, form_of(page), {KEEP + "age": choice})
    assert saved.status_code == 303
    (found,) = await stored.all(Hero)
    assert (found.name, found.secret_name, found.age) == ("Nova Prime", "Sam", age)


async def test_saving_again_without_a_word_saves_mine(
    client: httpx.AsyncClient, editor: httpx.AsyncClient, session: AsyncSession, stored: Stored
) -> None:
    page = await in_conflict(client, editor, await a_hero(session, age=17))
    await submit(client, form_of(page))
    assert [found.age for found in await stored.all(Hero)] == [99]


async def test_another_change_while_it_is_being_settled_is_asked_about_again(
    client: httpx.AsyncClient, editor: httpx.AsyncClient, session: AsyncSession, stored: Stored
) -> None:
    hero = await a_hero(session, age=17)
    page = await in_conflict(client, editor, hero)
    await submit(editor, await opened(editor, f"/heroes/{hero.id}"), age="20")
    again = await submit(client, form_of(page))
    assert (again.status_code, choices_of(again)) == (409, {"Age": ["Theirs: 20", "Yours: 99"]})
    assert [found.age for found in await stored.all(Hero)] == [20]


async def test_a_conflict_and_something_invalid_are_both_said_and_nothing_is_lost(
    client: httpx.AsyncClient, editor: httpx.AsyncClient, session: AsyncSession, stored: Stored
) -> None:
    hero = await a_hero(session, "Nova", age=17)
    mine, theirs = [await opened(each, f"/heroes/{hero.id}") for each in (client, editor)]
    await submit(editor, theirs, age="18")
    asked = await submit(client, mine, age="old", name=" ", secret_name="Sam")
    assert (asked.status_code, choices_of(asked)) == (409, {"Age": ["Theirs: 18", "Yours: old"]})
    refused = await submit(client, form_of(asked), {KEEP + "age": "theirs"})
    assert (refused.status_code, error_beside(refused, "Name")) == (422, "Enter a name.")
    saved = await submit(client, form_of(refused), name="Nova Prime", age="18")
    assert saved.status_code == 303
    (found,) = await stored.all(Hero)
    assert (found.name, found.age, found.secret_name) == ("Nova Prime", 18, "Sam")


async def test_what_is_invalid_stays_so_while_others_change_other_fields(
    client: httpx.AsyncClient, editor: httpx.AsyncClient, session: AsyncSession, stored: Stored
) -> None:
    hero = await a_hero(session, "Nova", age=17)
    mine, theirs = [await opened(each, f"/heroes/{hero.id}") for each in (client, editor)]
    await submit(editor, theirs, name="Nova Prime")
    refused = await submit(client, mine, age="old")
    assert (refused.status_code, error_beside(refused, "Age")) == (422, "Enter a whole number.")
    await submit(client, form_of(refused), age="18")
    (found,) = await stored.all(Hero)
    assert (found.name, found.age) == ("Nova Prime", 18)


async def test_htmx_gets_only_the_form_with_both_values(
    client: httpx.AsyncClient, editor: httpx.AsyncClient, session: AsyncSession
) -> None:
    hero = await a_hero(session, age=17)
    mine = await opened(client, f"/heroes/{hero.id}")
    await submit(editor, await opened(editor, f"/heroes/{hero.id}"), age="18")
    answer = await submit(client, mine, age="19", headers=FORM)
    (top,) = parsed(answer).find_all(True, recursive=False)
    assert (answer.status_code, top.name) == (409, "form")
    assert choices_of(answer) == {"Age": ["Theirs: 18", "Yours: 19"]}


async def test_a_masked_value_that_both_changed_is_asked_about_and_shown_to_nobody(
    client: httpx.AsyncClient, editor: httpx.AsyncClient, session: AsyncSession, stored: Stored
) -> None:
    hero = await a_hero(session, "Nova", "Cleo")
    mine, theirs = [await opened(each, f"/heroes/{hero.id}") for each in (client, editor)]
    await submit(editor, theirs, secret_name="Theodora")
    page = await submit(client, mine, secret_name="Minerva")
    assert page.status_code == 409
    assert list(choices_of(page)) == ["Secret name"]
    assert "Theodora" not in page.text
    assert "Cleo" not in page.text
    await submit(client, form_of(page))
    assert [found.secret_name for found in await stored.all(Hero)] == ["Minerva"]


async def test_a_masked_value_that_i_left_alone_stays_theirs(
    client: httpx.AsyncClient, editor: httpx.AsyncClient, session: AsyncSession, stored: Stored
) -> None:
    hero = await a_hero(session, "Nova", "Cleo")
    mine, theirs = [await opened(each, f"/heroes/{hero.id}") for each in (client, editor)]
    await submit(editor, theirs, secret_name="Theodora")
    page = await follow(client, await submit(client, mine, age="18"))
    assert "Somebody changed the secret name meanwhile; that was kept." in flash_of(page)
    assert "Theodora" not in page.text
    (found,) = await stored.all(Hero)
    assert (found.secret_name, found.age) == ("Theodora", 18)


async def test_teams_that_both_chose_are_called_by_their_names(
    client: httpx.AsyncClient, editor: httpx.AsyncClient, session: AsyncSession
) -> None:
    hero = await a_hero(session)
    wayne, stark = await a_team(session, "Wayne"), await a_team(session, "Stark")
    mine, theirs = [await opened(each, f"/heroes/{hero.id}") for each in (client, editor)]
    await submit(editor, theirs, team_id=str(wayne.id))
    page = await submit(client, mine, team_id=str(stark.id))
    assert choices_of(page) == {"Team": ["Theirs: Wayne", "Yours: Stark"]}


# Any type of field.


async def test_fields_of_every_kind_merge(
    gadgets: httpx.AsyncClient, session: AsyncSession, stored: Stored
) -> None:
    for code in ("acme", "wayne"):
        await committed(session, Maker(code=code))
    gadget = await committed(
        session,
        Gadget(
            title="Robot",
            note="one\r\ntwo\n",
            data={"a": [1.0, True]},
            seen_at=datetime(2026, 11, 23, 14, 30, 0, 123456, UTC),
            price=Decimal("1.50"),
            maker_code="acme",
        ),
    )
    path = f"/gadgets/{gadget.id}"
    mine, theirs = [await opened(gadgets, path) for _ in range(2)]
    changed: dict[str, str | bool] = {
        "note": "one\r\nthree",
        "data": '{"a": [1, true]}',
        "seen_at": "2026-11-24T00:00:00",
        "maker_code": "wayne",
        "price": "2.5",
        "is_secret": True,
    }
    assert (await submit(gadgets, theirs, changed)).status_code == 303
    assert (await submit(gadgets, mine, title="Rocket")).status_code == 303
    (found,) = await stored.all(Gadget)
    assert (found.title, found.note, found.maker_code) == ("Rocket", "one\nthree", "wayne")
    assert (found.price, found.is_secret, repr(found.data)) == (
        Decimal("2.50"),
        True,
        "{'a': [1, True]}",
    )
    assert found.seen_at.replace(tzinfo=UTC) == datetime(2026, 11, 24, tzinfo=UTC)


async def test_fields_of_every_kind_conflict(
    gadgets: httpx.AsyncClient, session: AsyncSession, stored: Stored
) -> None:
    for code in ("acme", "wayne", "stark"):
        await committed(session, Maker(code=code, motto=f"{code} & sons"))
    gadget = await committed(session, Gadget(title="Robot", maker_code="acme", data={"a": 1}))
    mine, theirs = [await opened(gadgets, f"/gadgets/{gadget.id}") for _ in range(2)]
    await submit(
        gadgets,
        theirs,
        note="theirs",
        data='{"a": 2}',
        seen_at="2026-11-24T00:00",
        maker_code="wayne",
        is_licensed="true",
        condition="BROKEN",
    )
    page = await submit(
        gadgets,
        mine,
        note="mine",
        data='{"a": 1.0}',
        seen_at="2026-11-25T00:00",
        maker_code="stark",
        is_licensed="false",
        condition="IN_USE",
    )
    assert page.status_code == 409
    assert set(choices_of(page)) == {
        "Note", "Data", "Seen at", "Maker code", "Is licensed", "Condition",
    }  # fmt: skip
    assert choices_of(page)["Condition"] == ["Theirs: Broken", "Yours: In use"]
    assert choices_of(page)["Is licensed"] == ["Theirs: Yes", "Yours: No"]
    assert choices_of(page)["Maker code"] == ["Theirs: wayne", "Yours: stark"]
    settled = {KEEP + name: "theirs" for name in ("data", "maker_code", "condition")}
    assert (await submit(gadgets, form_of(page), settled)).status_code == 303
    (found,) = await stored.all(Gadget)
    assert (found.note, found.data, found.maker_code) == ("mine", {"a": 2}, "wayne")
    assert (found.is_licensed, found.condition.name) == (False, "BROKEN")


# Forms that do not say what they were opened with, or lie.


async def test_a_form_that_says_nothing_changes_what_it_names(
    client: httpx.AsyncClient, session: AsyncSession, stored: Stored
) -> None:
    hero = await a_hero(session, "Nova", age=17)
    assert (await client.post(f"/heroes/{hero.id}", data={"age": "18"})).status_code == 303
    assert [(found.name, found.age) for found in await stored.all(Hero)] == [("Nova", 18)]


FORGED = [
    "",
    "null",
    "[]",
    "7",
    '"age"',
    "{",
    "{}",
    "[" * 100_000,
    '{"age":' * 50_000,
    '{"age":{"age":["17"]}}',
    '{"age":null,"name":1,"secret_name":true,"team_id":[]}',
    '{"age":"\\ud800","name":"\\u0000"}',
    '{"age":"' + "9" * 100_000 + '"}',
    '{"age":' + "9" * 5_000 + "}",
    '{"age":1e999,"name":NaN}',
    '{"secret_name":"Cleo"}',
    '{"age":"17","age":"18"}',
    '{"id":"7","__class__":"x","form.opened":"x"}',
    "\u202e\ufffd'\"<script>",
    "\0",
]


@pytest.mark.parametrize("text", FORGED, ids=range(len(FORGED)))
async def test_a_forged_form_is_saved_or_asked_about_and_breaks_nothing(
    client: httpx.AsyncClient, session: AsyncSession, text: str
) -> None:
    hero = await a_hero(session, "Nova", "Cleo", 17)
    typed = {"name": "Nova Prime", "age": "18", "secret_name": "Sam", "team_id": ""}
    page = await client.post(f"/heroes/{hero.id}", data={**typed, OPENED: text})
    assert page.status_code in {303, 409}
    refused = await client.post(f"/heroes/{hero.id}", data={"age": "old", OPENED: text})
    assert refused.status_code in {409, 422}
    assert "<script>" not in refused.text.replace("<script src", "")


async def test_a_file_instead_of_what_it_was_opened_with_breaks_nothing(
    client: httpx.AsyncClient, session: AsyncSession
) -> None:
    hero = await a_hero(session, "Nova", age=17)
    files = {OPENED: ("x", b"{}"), KEEP + "age": ("x", b"x"), "form.restore": ("x", b"1")}
    page = await client.post(f"/heroes/{hero.id}", data={"age": "18"}, files=files)
    assert page.status_code == 303


# Deleted meanwhile.


async def deleted_meanwhile(
    client: httpx.AsyncClient, editor: httpx.AsyncClient, hero: Hero, **typed: str
) -> httpx.Response:
    mine = await opened(client, f"/heroes/{hero.id}")
    await submit(editor, await opened(editor, f"/heroes/{hero.id}"), name="Nova Prime")
    await editor.post(f"/heroes/{hero.id}/delete")
    return await submit(client, mine, typed)


async def test_saving_what_was_deleted_meanwhile_says_so_and_brings_nothing_back(
    client: httpx.AsyncClient, editor: httpx.AsyncClient, session: AsyncSession, stored: Stored
) -> None:
    hero = await a_hero(session, "Nova", "Cleo", 17)
    page = await deleted_meanwhile(client, editor, hero, age="18")
    assert page.status_code == 409
    assert "Edward Editor deleted this hero while you were editing." in alert_of(page)
    assert field_of(page, "Age").value == "18"
    assert "Cleo" not in page.text
    assert (await client.get(link(page, "Cancel"))).status_code == 200
    assert await stored.count(Hero) == 0


async def test_it_is_brought_back_with_my_values_when_i_ask_for_it(
    client: httpx.AsyncClient, editor: httpx.AsyncClient, session: AsyncSession, stored: Stored
) -> None:
    team = await a_team(session)
    hero = await a_hero(session, "Nova", "Cleo", 17, team)
    page = await deleted_meanwhile(client, editor, hero, age="18")
    # What the other one had changed before stands in the form as well.
    assert field_of(page, "Name").value == "Nova Prime"
    restored = await submit(client, form_of(page, press=RESTORE))
    assert restored.status_code == 303
    assert flash_of(await follow(client, restored)) == "Restored Nova Prime"
    (found,) = await stored.all(Hero)
    assert found.model_dump() == {
        "id": hero.id,
        "name": "Nova Prime",
        "secret_name": "Cleo",
        "age": 18,
        "team_id": team.id,
    }
    latest = (await stored.all(Change))[-1]
    assert (latest.kind, latest.via, latest.by_name) == (Kind.CREATED, "restore", "Olive Owner")


async def test_enter_asks_once_more_and_what_is_invalid_is_said_before_it_is_brought_back(
    client: httpx.AsyncClient, editor: httpx.AsyncClient, session: AsyncSession, stored: Stored
) -> None:
    hero = await a_hero(session, "Nova", "Cleo", 17)
    page = await deleted_meanwhile(client, editor, hero, age="old")
    page = await submit(client, form_of(page))
    assert (page.status_code, field_of(page, "Age").value) == (409, "old")
    refused = await submit(client, form_of(page, press=RESTORE))
    assert (refused.status_code, error_beside(refused, "Age")) == (422, "Enter a whole number.")
    assert await stored.count(Hero) == 0
    assert (await submit(client, form_of(refused, press=RESTORE), age="18")).status_code == 303
    assert [found.age for found in await stored.all(Hero)] == [18]


async def test_what_was_brought_back_by_another_meanwhile_is_edited_as_ever(
    client: httpx.AsyncClient, editor: httpx.AsyncClient, session: AsyncSession, stored: Stored
) -> None:
    hero = await a_hero(session, "Nova", "Cleo", 17)
    form = form_of(await deleted_meanwhile(client, editor, hero, age="18"), press=RESTORE)
    answers = [await submit(client, form) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [303, 303]
    assert [found.age for found in await stored.all(Hero)] == [18]


async def test_a_team_gone_meanwhile_is_said_beside_its_field_when_a_hero_is_brought_back(
    client: httpx.AsyncClient, editor: httpx.AsyncClient, session: AsyncSession, stored: Stored
) -> None:
    team = await a_team(session)
    hero = await a_hero(session, "Nova", age=17, team=team)
    page = await deleted_meanwhile(client, editor, hero, age="18")
    await editor.post(f"/teams/{team.id}/delete")
    refused = await submit(client, form_of(page, press=RESTORE))
    assert refused.status_code == 422
    assert error_beside(refused, "Team") == "This team is not there any more. Choose another one."
    assert (await submit(client, form_of(refused, press=RESTORE), team_id="")).status_code == 303
    assert [found.team_id for found in await stored.all(Hero)] == [None]


async def test_what_was_deleted_past_the_history_is_not_found(
    client: httpx.AsyncClient, session: AsyncSession
) -> None:
    hero = await a_hero(session, "Nova")
    mine = await opened(client, f"/heroes/{hero.id}")
    await session.delete(hero)
    await session.commit()
    page = await submit(client, mine, age="18")
    assert (page.status_code, heading_of(page)) == (404, "Not found")


# Many at once.


async def test_of_twenty_parallel_edits_every_acknowledged_one_is_in_the_history(
    client: httpx.AsyncClient, stored: Stored
) -> None:
    await client.post("/teams", data={"name": "Preventers"})
    await client.post("/heroes", data={"name": "Nova", "secret_name": "Cleo", "age": "0"})
    form = await opened(client, "/heroes/1")
    typed = [{"age": str(number)} for number in range(1, 11)]
    typed += [{"name": f"Nova {number}"} for number in range(10)]
    answers = await asyncio.gather(*(submit(client, form, each) for each in typed))
    counted = Counter(answer.status_code for answer in answers)
    # Of those who changed one field the first succeeds, and the others are asked.
    assert counted == {303: 2, 409: 18}
    kept = {name: text for each, answer in zip(typed, answers, strict=True)
            if answer.status_code == 303 for name, text in each.items()}  # fmt: skip
    (found,) = await stored.all(Hero)
    assert {"age": str(found.age), "name": found.name} == kept
    written = [change.values for change in await stored.all(Change) if change.kind == Kind.CHANGED]
    assert sorted(written, key=str) == sorted(
        [{"age": ("0", kept["age"])}, {"name": ("Nova", kept["name"])}], key=str
    )


async def test_of_twenty_parallel_changes_by_the_api_none_is_lost(
    client: httpx.AsyncClient, stored: Stored
) -> None:
    made = await client.post("/api/heroes/", json={"name": "Nova", "secret_name": "Cleo"})
    path = f"/api/heroes/{made.json()['id']}"

    async def grow() -> None:
        """Add a year, reading again for as long as somebody else was quicker."""
        for _ in range(100):
            read = await client.get(path)
            age = (read.json()["age"] or 0) + 1
            headers = {"If-Match": read.headers["etag"]}
            answer = await client.patch(path, json={"age": age}, headers=headers)
            if answer.status_code == 200:
                return
            # Or too many waited: that is no promise, and asking again is right.
            assert answer.status_code in {412, 503}
        raise AssertionError("somebody else was always quicker")

    await asyncio.gather(*(grow() for _ in range(20)))
    assert [found.age for found in await stored.all(Hero)] == [20]
    ages = [change.values["age"][1] for change in await stored.all(Change)]
    assert ages == [None, *(str(age) for age in range(1, 21))]
    assert await replayed(stored, heroes, teams)


# The API.


async def test_a_program_changes_only_what_it_has_read(
    client: httpx.AsyncClient, editor: httpx.AsyncClient, session: AsyncSession, stored: Stored
) -> None:
    hero = await a_hero(session, "Nova", age=17)
    path = f"/api/heroes/{hero.id}"
    etag = (await client.get(path)).headers["etag"]
    changed = await editor.patch(path, json={"age": 18}, headers={"If-Match": etag})
    assert changed.status_code == 200
    for method in ("PATCH", "DELETE"):
        refused = await client.request(method, path, json={"age": 19}, headers={"If-Match": etag})
        assert refused.status_code == 412
        assert refused.json()["detail"] == (
            "Somebody changed this hero meanwhile. Read it again first."
        )
    assert [found.age for found in await stored.all(Hero)] == [18]
    fresh = changed.headers["etag"]
    assert (await client.get(path)).headers["etag"] == fresh
    deleted = await client.delete(path, headers={"If-Match": f'"other", {fresh}'})
    assert deleted.status_code == 204


@pytest.mark.parametrize("header", ["*", 'W/"{}"', '"x", "{}"', '"{}"'])
async def test_a_program_may_name_the_version_in_every_way(
    client: httpx.AsyncClient, session: AsyncSession, header: str
) -> None:
    hero = await a_hero(session, age=17)
    path = f"/api/heroes/{hero.id}"
    etag = (await client.get(path)).headers["etag"].strip('"')
    named = header.format(etag)
    assert (await client.get(path, headers={"If-None-Match": named})).status_code == 304
    changed = await client.patch(path, json={"age": 18}, headers={"If-Match": named})
    assert changed.status_code == 200
    if header != "*":
        assert (await client.get(path, headers={"If-None-Match": named})).status_code == 200


@pytest.mark.parametrize("header", ["", "x", '"', "W/", ",", "\xff", '"' * 5_000])
async def test_a_broken_version_matches_nothing(
    client: httpx.AsyncClient, session: AsyncSession, header: str
) -> None:
    path = f"/api/heroes/{(await a_hero(session)).id}"
    headers = {b"If-Match": header.encode("latin-1")}
    assert (await client.patch(path, json={"age": 1}, headers=headers)).status_code == 412
    headers = {b"If-None-Match": header.encode("latin-1")}
    assert (await client.get(path, headers=headers)).status_code == 200


async def test_the_version_of_a_record_is_the_same_however_it_was_written(
    gadgets: httpx.AsyncClient,
) -> None:
    body = {"title": "Robot", "price": "1.5", "weight": 0.1, "data": {"a": 1.0}, "lasts": 90}
    made = await gadgets.post("/api/gadgets/", json=body)
    assert made.status_code == 201
    path = f"/api/gadgets/{made.json()['id']}"
    assert (await gadgets.get(path)).headers["etag"] == made.headers["etag"]
    changed = await gadgets.patch(path, json={"price": "2.0"})
    assert (await gadgets.get(path)).headers["etag"] == changed.headers["etag"]
    assert changed.headers["etag"] != made.headers["etag"]


async def test_a_page_and_a_program_do_not_overwrite_each_other(
    client: httpx.AsyncClient, session: AsyncSession, stored: Stored
) -> None:
    hero = await a_hero(session, "Nova", age=17)
    mine = await opened(client, f"/heroes/{hero.id}")
    await client.patch(f"/api/heroes/{hero.id}", json={"age": 18})
    assert (await submit(client, mine, age="19")).status_code == 409
    assert (await submit(client, mine, name="Nova Prime")).status_code == 303
    (found,) = await stored.all(Hero)
    assert (found.name, found.age) == ("Nova Prime", 18)


# Several records.


@pytest.mark.parametrize("action", ["delete", "change"])
async def test_what_is_done_to_many_is_asked_again_when_one_of_them_was_changed(
    client: httpx.AsyncClient,
    editor: httpx.AsyncClient,
    session: AsyncSession,
    stored: Stored,
    action: str,
) -> None:
    heroes = [await a_hero(session, name, age=17) for name in ("Nova", "Rusty", "Deadpond")]
    ids = [str(hero.id) for hero in heroes[:2]]
    question = await client.get(f"/heroes/{action}", params={"id": ids})
    await submit(editor, await opened(editor, f"/heroes/{ids[0]}"), age="18")
    typed: dict[str, str | bool] = {}
    if action == "change":
        typed = {"form.set.age": True, "age": "50"}
    asked = await submit(client, form_of(question), typed)
    assert asked.status_code == 409
    assert "Somebody changed one of these records meanwhile. Look again." in alert_of(asked)
    assert sorted(found.age or 0 for found in await stored.all(Hero)) == [17, 17, 18]
    if action == "change":
        assert form_of(asked).values.items() >= {"age": "50", "form.set.age": "1"}.items()
    assert (await submit(client, form_of(asked))).status_code == 303
    ages = sorted(found.age or 0 for found in await stored.all(Hero))
    assert ages == ([17, 50, 50] if action == "change" else [17])


@pytest.mark.parametrize("action", ["delete", "change"])
async def test_what_is_done_to_many_goes_on_with_those_that_are_left(
    client: httpx.AsyncClient,
    editor: httpx.AsyncClient,
    session: AsyncSession,
    stored: Stored,
    action: str,
) -> None:
    heroes = [await a_hero(session, name) for name in ("Nova", "Rusty", "Deadpond")]
    ids = [str(hero.id) for hero in heroes]
    question = await client.get(f"/heroes/{action}", params={"id": ids})
    await editor.post(f"/heroes/{ids[0]}/delete")
    typed: dict[str, str | bool] = {}
    if action == "change":
        typed = {"form.set.age": True, "age": "50"}
    asked = await submit(client, form_of(question), typed)
    assert asked.status_code == 409
    assert "1 of these heroes is not there any more; nothing was done." in alert_of(asked)
    assert (await submit(client, form_of(asked))).status_code == 303
    ages = [found.age for found in await stored.all(Hero)]
    assert ages == ([50, 50] if action == "change" else [])


async def test_a_question_about_one_that_was_changed_is_asked_again(
    client: httpx.AsyncClient, editor: httpx.AsyncClient, session: AsyncSession, stored: Stored
) -> None:
    team = await a_team(session)
    question = await client.get(f"/teams/{team.id}/delete")
    await editor.post(f"/teams/{team.id}", data={"name": "Z-Force"})
    asked = await submit(client, form_of(question))
    assert (asked.status_code, heading_of(asked)) == (409, "Delete Z-Force?")
    assert await stored.count(Team) == 1


@pytest.mark.parametrize("seen", ["x", "-1", "9" * 99, "\ud7ff", " "])
async def test_a_forged_count_asks_again_and_breaks_nothing(
    client: httpx.AsyncClient, session: AsyncSession, seen: str
) -> None:
    hero = await a_hero(session)
    page = await client.post(f"/heroes/{hero.id}/delete", data={"form.seen": seen})
    assert page.status_code == 409
