"""Editing what somebody else edits: changes are merged, or one is asked; nothing is overwritten."""

import asyncio
from collections import Counter
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from hero_admin.audit_log.changes import Change, Kind
from hero_admin.forms.hidden_fields import KEEP, OPENED, RESTORE
from hero_admin.testing import Client, Form, Page, htmx_headers
from tests.cases import each
from tests.factories import a_hero, a_team, committed
from tests.gadgets import Gadget, Maker
from tests.stored import Stored
from webapp.heroes import Hero

FORM = htmx_headers("form#form")


async def opened(client: Client, path: str) -> Form:
    return (await client.get(f"{path}/edit")).form()


def choices_of(page: Page) -> dict[str, list[str]]:
    """What one is asked about: the label of each field → what both made of it."""
    return {
        legend.visible_text: [label.visible_text for label in group.find_all("label")]
        for group in page.by_id("notice").find_all("fieldset")
        for legend in group.find_all("legend")
    }


# Merging.


async def test_what_somebody_else_changed_meanwhile_is_kept_and_told(
    client: Client, editor: Client, session: AsyncSession, stored: Stored
) -> None:
    team = await a_team(session)
    hero = await a_hero(session, "Nova", age=17)
    mine, theirs = [await opened(each, f"/heroes/{hero.id}") for each in (client, editor)]
    await editor.submit(theirs, name="Nova Prime", team_id=str(team.id))
    page = await client.follow(await client.submit(mine, age="18"))
    assert page.flash == (
        "Saved Nova Prime Someone else changed Name and Team; both changes were saved."
    )
    (found,) = await stored.all(Hero)
    assert (found.name, found.age, found.team_id) == ("Nova Prime", 18, team.id)


async def test_a_form_that_changes_nothing_undoes_nothing_of_others(
    client: Client, editor: Client, session: AsyncSession, stored: Stored
) -> None:
    hero = await a_hero(session, "Nova", age=17)
    mine = await opened(client, f"/heroes/{hero.id}")
    await editor.submit(await opened(editor, f"/heroes/{hero.id}"), age="18")
    assert (await client.submit(mine)).status_code == 303
    assert [found.age for found in await stored.all(Hero)] == [18]


async def test_what_both_made_the_same_is_no_conflict(
    client: Client, editor: Client, session: AsyncSession, stored: Stored
) -> None:
    hero = await a_hero(session, "Nova", age=17)
    mine = await opened(client, f"/heroes/{hero.id}")
    await editor.submit(await opened(editor, f"/heroes/{hero.id}"), age="18")
    assert (await client.submit(mine, age=" 18 ")).status_code == 303
    assert await stored.count(Change) == 1


# Asking.


async def in_conflict(client: Client, editor: Client, hero: Hero) -> Page:
    """The page after both have changed the age, and the other one the name as well."""
    mine, theirs = [await opened(each, f"/heroes/{hero.id}") for each in (client, editor)]
    await editor.submit(theirs, age="18", name="Nova Prime")
    return await client.submit(mine, age="99", secret_name="Sam")


async def test_what_both_changed_is_shown_side_by_side_and_nothing_is_saved_or_lost(
    client: Client, editor: Client, session: AsyncSession, stored: Stored
) -> None:
    hero = await a_hero(session, "Nova", "Cleo", 17)
    page = await in_conflict(client, editor, hero)
    assert page.status_code == 409
    assert "Edward Editor changed this hero while you were editing." in page.alert
    assert "Their new Name was kept." in page.alert
    assert choices_of(page) == {"Age": ["Theirs: 18", "Yours: 99"]}
    form = page.form()
    assert (form["name"], form["age"], form["secret_name"]) == ("Nova Prime", "99", "Sam")
    (found,) = await stored.all(Hero)
    assert (found.name, found.secret_name, found.age) == ("Nova Prime", "Cleo", 18)


@pytest.mark.parametrize(("choice", "age"), [("mine", 99), ("theirs", 18)])
async def test_saving_again_settles_it(
    client: Client,
    editor: Client,
    session: AsyncSession,
    stored: Stored,
    choice: str,
    age: int,
) -> None:
    hero = await a_hero(session, "Nova", "Cleo", 17)
    page = await in_conflict(client, editor, hero)
    saved = await client.submit(page.form(), {KEEP + "age": choice})
    assert saved.status_code == 303
    (found,) = await stored.all(Hero)
    assert (found.name, found.secret_name, found.age) == ("Nova Prime", "Sam", age)


async def test_saving_again_without_a_word_saves_mine(
    client: Client, editor: Client, session: AsyncSession, stored: Stored
) -> None:
    page = await in_conflict(client, editor, await a_hero(session, age=17))
    await client.submit(page.form())
    assert [found.age for found in await stored.all(Hero)] == [99]


async def test_another_change_while_it_is_being_settled_is_asked_about_again(
    client: Client, editor: Client, session: AsyncSession, stored: Stored
) -> None:
    hero = await a_hero(session, age=17)
    page = await in_conflict(client, editor, hero)
    await editor.submit(await opened(editor, f"/heroes/{hero.id}"), age="20")
    again = await client.submit(page.form())
    assert (again.status_code, choices_of(again)) == (409, {"Age": ["Theirs: 20", "Yours: 99"]})
    assert [found.age for found in await stored.all(Hero)] == [20]


async def test_a_conflict_and_something_invalid_are_both_said_and_nothing_is_lost(
    client: Client, editor: Client, session: AsyncSession, stored: Stored
) -> None:
    hero = await a_hero(session, "Nova", age=17)
    mine, theirs = [await opened(each, f"/heroes/{hero.id}") for each in (client, editor)]
    await editor.submit(theirs, age="18")
    asked = await client.submit(mine, age="old", name=" ", secret_name="Sam")
    assert (asked.status_code, choices_of(asked)) == (409, {"Age": ["Theirs: 18", "Yours: old"]})
    refused = await client.submit(asked.form(), {KEEP + "age": "theirs"})
    assert (refused.status_code, refused.error("Name")) == (422, "Enter a name.")
    saved = await client.submit(refused.form(), name="Nova Prime", age="18")
    assert saved.status_code == 303
    (found,) = await stored.all(Hero)
    assert (found.name, found.age, found.secret_name) == ("Nova Prime", 18, "Sam")


async def test_what_is_invalid_stays_so_while_others_change_other_fields(
    client: Client, editor: Client, session: AsyncSession, stored: Stored
) -> None:
    hero = await a_hero(session, "Nova", age=17)
    mine, theirs = [await opened(each, f"/heroes/{hero.id}") for each in (client, editor)]
    await editor.submit(theirs, name="Nova Prime")
    refused = await client.submit(mine, age="old")
    assert (refused.status_code, refused.error("Age")) == (422, "Enter a whole number.")
    await client.submit(refused.form(), age="18")
    (found,) = await stored.all(Hero)
    assert (found.name, found.age) == ("Nova Prime", 18)


async def test_htmx_gets_only_the_form_with_both_values(
    client: Client, editor: Client, session: AsyncSession
) -> None:
    hero = await a_hero(session, age=17)
    mine = await opened(client, f"/heroes/{hero.id}")
    await editor.submit(await opened(editor, f"/heroes/{hero.id}"), age="18")
    answer = await client.submit(mine, age="19", headers=FORM)
    (top,) = answer.children
    assert (answer.status_code, top.tag.name) == (409, "form")
    assert choices_of(answer) == {"Age": ["Theirs: 18", "Yours: 19"]}


async def test_a_masked_value_that_both_changed_is_asked_about_and_shown_to_nobody(
    client: Client, editor: Client, session: AsyncSession, stored: Stored
) -> None:
    hero = await a_hero(session, "Nova", "Cleo")
    mine, theirs = [await opened(each, f"/heroes/{hero.id}") for each in (client, editor)]
    await editor.submit(theirs, secret_name="Theodora")
    page = await client.submit(mine, secret_name="Minerva")
    assert page.status_code == 409
    assert list(choices_of(page)) == ["Secret name"]
    assert "Theodora" not in page.text
    assert "Cleo" not in page.text
    await client.submit(page.form())
    assert [found.secret_name for found in await stored.all(Hero)] == ["Minerva"]


async def test_a_masked_value_that_i_left_alone_stays_theirs(
    client: Client, editor: Client, session: AsyncSession, stored: Stored
) -> None:
    hero = await a_hero(session, "Nova", "Cleo")
    mine, theirs = [await opened(each, f"/heroes/{hero.id}") for each in (client, editor)]
    await editor.submit(theirs, secret_name="Theodora")
    page = await client.follow(await client.submit(mine, age="18"))
    assert "Someone else changed Secret name; both changes were saved." in page.flash
    assert "Theodora" not in page.text
    (found,) = await stored.all(Hero)
    assert (found.secret_name, found.age) == ("Theodora", 18)


async def test_teams_that_both_chose_are_called_by_their_names(
    client: Client, editor: Client, session: AsyncSession
) -> None:
    hero = await a_hero(session)
    wayne, stark = await a_team(session, "Wayne"), await a_team(session, "Stark")
    mine, theirs = [await opened(each, f"/heroes/{hero.id}") for each in (client, editor)]
    await editor.submit(theirs, team_id=str(wayne.id))
    page = await client.submit(mine, team_id=str(stark.id))
    assert choices_of(page) == {"Team": ["Theirs: Wayne", "Yours: Stark"]}


# Any type of field.


async def test_fields_of_every_kind_merge(
    gadgets: Client, session: AsyncSession, stored: Stored
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
    assert (await gadgets.submit(theirs, changed)).status_code == 303
    assert (await gadgets.submit(mine, title="Rocket")).status_code == 303
    (found,) = await stored.all(Gadget)
    assert (found.title, found.note, found.maker_code) == ("Rocket", "one\nthree", "wayne")
    assert (found.price, found.is_secret, repr(found.data)) == (
        Decimal("2.50"),
        True,
        "{'a': [1, True]}",
    )
    assert found.seen_at.replace(tzinfo=UTC) == datetime(2026, 11, 24, tzinfo=UTC)


async def test_fields_of_every_kind_conflict(
    gadgets: Client, session: AsyncSession, stored: Stored
) -> None:
    for code in ("acme", "wayne", "stark"):
        await committed(session, Maker(code=code, motto=f"{code} & sons"))
    gadget = await committed(session, Gadget(title="Robot", maker_code="acme", data={"a": 1}))
    mine, theirs = [await opened(gadgets, f"/gadgets/{gadget.id}") for _ in range(2)]
    await gadgets.submit(
        theirs,
        note="theirs",
        data='{"a": 2}',
        seen_at="2026-11-24T00:00",
        maker_code="wayne",
        is_licensed="true",
        condition="BROKEN",
    )
    page = await gadgets.submit(
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
    assert (await gadgets.submit(page.form(), settled)).status_code == 303
    (found,) = await stored.all(Gadget)
    assert (found.note, found.data, found.maker_code) == ("mine", {"a": 2}, "wayne")
    assert (found.is_licensed, found.condition.name) == (False, "BROKEN")


# Forms that do not say what they were opened with, or lie.


async def test_a_form_that_says_nothing_changes_what_it_names(
    client: Client, session: AsyncSession, stored: Stored
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


@each("text", FORGED)
async def test_a_forged_form_is_saved_or_asked_about_and_breaks_nothing(
    client: Client, session: AsyncSession, text: str
) -> None:
    hero = await a_hero(session, "Nova", "Cleo", 17)
    typed = {"name": "Nova Prime", "age": "18", "secret_name": "Sam", "team_id": ""}
    page = await client.post(f"/heroes/{hero.id}", data={**typed, OPENED: text})
    assert page.status_code in {303, 409}
    refused = await client.post(f"/heroes/{hero.id}", data={"age": "old", OPENED: text})
    assert refused.status_code in {409, 422}
    assert "<script>" not in refused.text.replace("<script src", "")


async def test_a_file_instead_of_what_it_was_opened_with_breaks_nothing(
    client: Client, session: AsyncSession
) -> None:
    hero = await a_hero(session, "Nova", age=17)
    files = {OPENED: ("x", b"{}"), KEEP + "age": ("x", b"x"), RESTORE: ("x", b"1")}
    page = await client.post(f"/heroes/{hero.id}", data={"age": "18"}, files=files)
    assert page.status_code == 303


# Many at once.


async def test_of_twenty_parallel_edits_every_acknowledged_one_is_in_the_history(
    client: Client, stored: Stored
) -> None:
    await client.post("/teams", data={"name": "Preventers"})
    await client.post("/heroes", data={"name": "Nova", "secret_name": "Cleo", "age": "0"})
    form = await opened(client, "/heroes/1")
    typed = [{"age": str(number)} for number in range(1, 11)]
    typed += [{"name": f"Nova {number}"} for number in range(10)]
    answers = await asyncio.gather(*(client.submit(form, each) for each in typed))
    counted = Counter(answer.status_code for answer in answers)
    # Of those who changed one field the first succeeds, and the others are asked.
    assert counted == {303: 2, 409: 18}
    saved = {name: text for each, answer in zip(typed, answers, strict=True)
            if answer.status_code == 303 for name, text in each.items()}  # fmt: skip
    (found,) = await stored.all(Hero)
    assert {"age": str(found.age), "name": found.name} == saved
    written = [change.values for change in await stored.all(Change) if change.kind == Kind.CHANGED]
    assert sorted(written, key=str) == sorted(
        [{"age": ("0", saved["age"])}, {"name": ("Nova", saved["name"])}], key=str
    )
