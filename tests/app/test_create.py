"""Creating: the form for a new record, what it refuses, and that sending it twice creates once."""

import asyncio
from collections import Counter

import httpx
import pytest
from sqlalchemy import delete
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.applications import Starlette

from hero_admin.database.engines import Database
from hero_admin.writes.idempotency import Submission
from tests.cases import each
from tests.factories import a_hero, a_team, committed, some_teams
from tests.gadgets import Condition, Gadget, Slot
from tests.html import (
    alert_of,
    attribute,
    by_id,
    error_beside,
    errors_of,
    field_of,
    flash_of,
    follow,
    form_of,
    heading_of,
    htmx_headers,
    link,
    links_of,
    marked_rows_of,
    parsed,
    rows_of,
    submit,
    text_of,
    title_of,
)
from tests.stored import Stored
from tests.waiting import until
from webapp.heroes import Hero
from webapp.teams import Team

FORM = htmx_headers("form#form")
NOVA = {"name": "Nova", "secret_name": "Sam Alexander"}
LONG = "n" * 201
HUGE = str(2**63)

each_blank = each("blank", ["", "   ", "\t\r\n", "\u200b", "\u2060 \ufeff", "\u00a0\u3000"])


# Saving.


async def test_a_saved_hero_is_stored_as_typed(client: httpx.AsyncClient, stored: Stored) -> None:
    form = form_of(await client.get("/heroes/new"))
    await submit(client, form, name=" Zoë “%_\\” 🦸 ", secret_name="O'Neil <b>", age="150000")
    (hero,) = await stored.all(Hero)
    assert (hero.name, hero.secret_name, hero.age) == ("Zoë “%_\\” 🦸", "O'Neil <b>", 150_000)
    assert hero.team_id is None


async def test_saving_leads_to_the_list_which_says_so_and_marks_the_row(
    client: httpx.AsyncClient,
) -> None:
    saved = await submit(client, form_of(await client.get("/heroes/new")), NOVA)
    assert (saved.status_code, saved.headers["location"]) == (303, "/heroes")
    page = await follow(client, saved)
    assert flash_of(page) == "Created Nova"
    assert marked_rows_of(page) == ["Nova"]


async def test_the_message_links_to_the_new_hero(client: httpx.AsyncClient) -> None:
    page = await follow(client, await client.post("/heroes", data=NOVA))
    assert heading_of(await client.get(link(by_id(page, "toasts"), "View"))) == "Nova"


async def test_the_message_is_shown_once(client: httpx.AsyncClient) -> None:
    page = await follow(client, await client.post("/heroes", data=NOVA))
    assert flash_of(page)
    again = await client.get("/heroes")
    assert (flash_of(again), marked_rows_of(again)) == ("", [])


async def test_saving_leads_back_to_the_view_that_the_form_was_opened_from(
    client: httpx.AsyncClient, session: AsyncSession
) -> None:
    await a_hero(session, "Nova Prime")
    await a_hero(session, "Rusty-Man")
    listed = await client.get("/heroes?q=nova&sort=-name")
    form = form_of(await client.get(link(listed, "New hero")))
    page = await follow(client, await submit(client, form, NOVA))
    assert [row["Name"] for row in rows_of(page)] == ["Nova Prime", "Nova"]
    assert marked_rows_of(page) == ["Nova"]


async def test_save_and_add_another_saves_and_opens_an_empty_form(
    client: httpx.AsyncClient, stored: Stored
) -> None:
    opened = await client.get("/heroes/new?back=/heroes%3Fq%3Dnova")
    saved = await submit(client, form_of(opened, press="Save and add another"), NOVA)
    page = await follow(client, saved)
    assert (heading_of(page), flash_of(page)) == ("New hero", "Created Nova")
    assert field_of(page, "Name").value == ""
    assert await stored.count(Hero) == 1
    last = await submit(client, form_of(page), name="Nova Prime", secret_name="Irani Rael")
    assert last.headers["location"] == "/heroes?q=nova"


async def test_save_and_add_another_keeps_the_team_that_the_form_was_opened_for(
    client: httpx.AsyncClient, session: AsyncSession
) -> None:
    team = await a_team(session)
    opened = await client.get(link(await client.get(f"/teams/{team.id}"), "New hero"))
    saved = await submit(client, form_of(opened, press="Save and add another"), NOVA)
    page = await follow(client, saved)
    assert field_of(page, "Team").value == str(team.id)


async def test_the_address_of_the_form_can_fill_it_in(
    client: httpx.AsyncClient, session: AsyncSession
) -> None:
    team = await a_team(session)
    page = await client.get(f"/heroes/new?team_id={team.id}&name=Nova")
    assert (field_of(page, "Name").value, field_of(page, "Team").value) == ("Nova", str(team.id))


@each("team_id", ["abc", "999", HUGE, "-1", "%00", "9" * 5000])
async def test_an_address_with_an_unknown_team_still_opens_the_form(
    client: httpx.AsyncClient, team_id: str
) -> None:
    page = await client.get(f"/heroes/new?team_id={team_id}")
    assert (page.status_code, heading_of(page)) == (200, "New hero")


async def test_the_form_says_which_fields_may_stay_empty(client: httpx.AsyncClient) -> None:
    page = await client.get("/heroes/new")
    labels = ("Name", "Secret name", "Age", "Team")
    required = [label for label in labels if field_of(page, label).is_required]
    assert required == ["Name", "Secret name"]
    assert title_of(page) == "New hero · Hero Admin"


# Refusing.


@each_blank
async def test_text_that_shows_nothing_is_no_text(
    client: httpx.AsyncClient, stored: Stored, blank: str
) -> None:
    page = await client.post("/heroes", data={"name": blank, "secret_name": blank, "age": blank})
    assert page.status_code == 422
    assert errors_of(page) == {"Name": "Enter a name.", "Secret name": "Enter a secret name."}
    assert await stored.count(Hero) == 0


async def test_a_field_that_is_needed_cannot_be_left_out(client: httpx.AsyncClient) -> None:
    page = await client.post("/heroes", data={"age": "17"})
    assert page.status_code == 422
    assert errors_of(page) == {"Name": "Enter a name.", "Secret name": "Enter a secret name."}


@each(
    ("label", "name", "typed", "sentence"),
    [
        ("Name", "name", LONG, "Use at most 200 characters."),
        ("Secret name", "secret_name", "🦸" * 201, "Use at most 200 characters."),
        ("Name", "name", "No\0va", "Remove the invisible NUL character from this text."),
        ("Age", "age", "abc", "Enter a whole number."),
        ("Age", "age", "4.5", "Enter a whole number."),
        ("Age", "age", "٤٢", "Enter a whole number."),
        ("Age", "age", "-1", "Enter 0 or more."),
        ("Age", "age", "150001", "Enter 150,000 or less."),
        ("Age", "age", HUGE, "Enter 150,000 or less."),
        ("Age", "age", "9" * 5000, "Enter a shorter number."),
        ("Team", "team_id", "abc", "Enter a whole number."),
        ("Team", "team_id", "999", "This team no longer exists. Choose another one."),
    ],
)
async def test_what_cannot_be_stored_is_refused_in_a_sentence_beside_its_field(
    client: httpx.AsyncClient, stored: Stored, label: str, name: str, typed: str, sentence: str
) -> None:
    page = await client.post("/heroes", data={**NOVA, name: typed})
    assert page.status_code == 422
    assert errors_of(page) == {label: sentence}
    assert field_of(page, label).value == typed
    assert await stored.count(Hero) == 0


@each("team_id", [HUGE, "-" + HUGE, "9" * 99, "-1", "0"])
async def test_a_team_that_cannot_exist_is_refused_beside_its_field(
    client: httpx.AsyncClient, stored: Stored, team_id: str
) -> None:
    page = await client.post("/heroes", data={**NOVA, "team_id": team_id})
    assert page.status_code == 422
    assert error_beside(page, "Team")
    assert await stored.count(Hero) == 0


async def test_a_name_of_a_megabyte_is_refused_like_any_that_is_too_long(
    client: httpx.AsyncClient,
) -> None:
    page = await client.post("/heroes", data={**NOVA, "name": "n" * 2**20})
    assert (page.status_code, error_beside(page, "Name")) == (422, "Use at most 200 characters.")


async def test_text_at_the_limit_is_stored(client: httpx.AsyncClient, stored: Stored) -> None:
    data = {"name": "🦸" * 200, "secret_name": f"  {'s' * 200}  ", "age": "0"}
    assert (await client.post("/heroes", data=data)).status_code == 303
    (hero,) = await stored.all(Hero)
    assert (hero.name, hero.secret_name, hero.age) == ("🦸" * 200, "s" * 200, 0)


async def test_a_refused_form_keeps_everything_that_was_typed(
    client: httpx.AsyncClient, session: AsyncSession
) -> None:
    team = await a_team(session)
    form = form_of(await client.get("/heroes/new"))
    typed = {
        "name": '  "Nova" <b>&amp;',
        "secret_name": "  ",
        "age": "a b",
        "team_id": str(team.id),
    }
    page = await submit(client, form, typed)
    assert form_of(page).values == form.values | typed


async def test_a_refused_form_sums_up_what_is_wrong_in_the_order_of_its_fields(
    client: httpx.AsyncClient,
) -> None:
    page = await client.post("/heroes", data={"name": " ", "secret_name": LONG, "age": "abc"})
    assert alert_of(page) == (
        "There are 3 problems Enter a name. Use at most 200 characters. Enter a whole number."
    )


async def test_the_summary_links_to_the_fields(client: httpx.AsyncClient) -> None:
    page = await client.post("/heroes", data={"name": "", "secret_name": "", "age": "abc"})
    targets = [one.href for one in links_of(page) if one.text in errors_of(page).values()]
    labels = ("Name", "Secret name", "Age")
    assert targets == [f"#{field_of(page, label).id}" for label in labels]


async def test_only_the_first_bad_field_is_focused(client: httpx.AsyncClient) -> None:
    page = await client.post("/heroes", data={"name": "Nova", "secret_name": "", "age": "abc"})
    focused = [attribute(tag, "id") for tag in parsed(page).find_all(autofocus=True)]
    assert focused == [field_of(page, "Secret name").id]


async def test_a_refused_form_can_be_put_right_and_sent_again(
    client: httpx.AsyncClient, stored: Stored
) -> None:
    form = form_of(await client.get("/heroes/new?back=/heroes%3Fq%3Dn"))
    refused = await submit(client, form, {**NOVA, "age": "abc"})
    saved = await submit(client, form_of(refused), age="17")
    assert (saved.status_code, saved.headers["location"]) == (303, "/heroes?q=n")
    assert [hero.age for hero in await stored.all(Hero)] == [17]


# Names that are taken.


async def test_a_taken_team_name_is_refused_beside_its_field(
    client: httpx.AsyncClient, session: AsyncSession, stored: Stored
) -> None:
    await a_team(session, "Preventers")
    page = await client.post("/teams", data={"name": " Preventers ", "headquarters": "Elsewhere"})
    assert page.status_code == 422
    assert errors_of(page) == {"Name": "Another team is called “Preventers”."}
    assert field_of(page, "Headquarters").value == "Elsewhere"
    assert await stored.count(Team) == 1


async def test_of_several_people_who_take_a_name_at_once_one_gets_it(
    client: httpx.AsyncClient, stored: Stored
) -> None:
    pages = await asyncio.gather(
        *(client.post("/teams", data={"name": "Z-Force"}) for _ in range(8))
    )
    assert Counter(page.status_code for page in pages) == {303: 1, 422: 7}
    for page in pages:
        if page.status_code == 422:
            assert error_beside(page, "Name") == "Another team is called “Z-Force”."
    assert await stored.count(Team) == 1


async def test_a_team_that_vanishes_while_a_hero_joins_it_is_refused_beside_its_field(
    app: Starlette,
    client: httpx.AsyncClient,
    session: AsyncSession,
    database: Database,
    stored: Stored,
) -> None:
    team = await a_team(session)
    writing = app.state.database.writing.sync_engine.pool
    async with database.session(is_read_only=False) as other:
        await other.execute(delete(Team))
        joining = asyncio.create_task(
            client.post("/heroes", data={**NOVA, "team_id": str(team.id)})
        )
        # It waits for the other transaction from here on; should it not yet, it sees it done.
        await until(lambda: writing.checkedout() == 1)
        await other.commit()
    page = await joining
    assert page.status_code == 422
    assert error_beside(page, "Team") == "This team no longer exists. Choose another one."
    assert await stored.count(Hero) == 0


# The same form sent more than once.


async def test_a_form_sent_twice_creates_one_hero_and_leads_to_the_same_page(
    client: httpx.AsyncClient, stored: Stored
) -> None:
    form = form_of(await client.get("/heroes/new?back=/heroes%3Fsort%3D-age"))
    first = await submit(client, form, NOVA)
    second = await submit(client, form, NOVA)
    assert [first.status_code, second.status_code] == [303, 303]
    assert first.headers["location"] == second.headers["location"] == "/heroes?sort=-age"
    assert await stored.count(Hero) == 1
    page = await follow(client, second)
    assert flash_of(page) == "Already created; not created twice."
    assert marked_rows_of(page) == ["Nova"]


async def test_ten_copies_of_a_form_at_once_create_one_hero(
    client: httpx.AsyncClient, stored: Stored
) -> None:
    form = form_of(await client.get("/heroes/new"))
    saved = await asyncio.gather(*(submit(client, form, NOVA) for _ in range(10)))
    assert Counter(page.status_code for page in saved) == {303: 10}
    assert {page.headers["location"] for page in saved} == {"/heroes"}
    assert await stored.count(Hero) == 1


async def test_a_form_sent_twice_to_add_another_opens_an_empty_form_both_times(
    client: httpx.AsyncClient, stored: Stored
) -> None:
    form = form_of(await client.get("/heroes/new"), press="Save and add another")
    for _ in range(2):
        assert heading_of(await follow(client, await submit(client, form, NOVA))) == "New hero"
    assert await stored.count(Hero) == 1


async def test_every_form_that_is_opened_creates_its_own_hero(
    client: httpx.AsyncClient, stored: Stored
) -> None:
    for _ in range(2):
        await submit(client, form_of(await client.get("/heroes/new")), NOVA)
    assert await stored.count(Hero) == 2


async def test_a_form_that_is_gone_back_to_and_changed_creates_a_second_hero(
    client: httpx.AsyncClient, stored: Stored
) -> None:
    form = form_of(await client.get("/heroes/new"))
    await submit(client, form, NOVA)
    await submit(client, form, {**NOVA, "name": "Nova Prime"})
    assert [hero.name for hero in await stored.all(Hero)] == ["Nova", "Nova Prime"]


async def test_a_form_sent_twice_after_it_was_refused_creates_one_hero(
    client: httpx.AsyncClient, stored: Stored
) -> None:
    refused = await submit(client, form_of(await client.get("/heroes/new")), NOVA, age="abc")
    for _ in range(2):
        assert (await submit(client, form_of(refused), age="17")).status_code == 303
    assert await stored.count(Hero) == 1


async def test_a_refused_form_is_not_taken_for_a_sent_one(
    client: httpx.AsyncClient, stored: Stored
) -> None:
    form = form_of(await client.get("/heroes/new"))
    for _ in range(2):
        assert (await submit(client, form, {**NOVA, "age": "abc"})).status_code == 422
    assert await stored.count(Submission) == 0


async def test_a_form_sent_again_brings_a_deleted_hero_back_only_when_asked_once_more(
    client: httpx.AsyncClient, stored: Stored
) -> None:
    form = form_of(await client.get("/heroes/new"))
    await submit(client, form, NOVA)
    (hero,) = await stored.all(Hero)
    await client.post(f"/heroes/{hero.id}/delete")
    page = await submit(client, form, NOVA)
    assert page.status_code == 422
    assert "This hero was created, but has been deleted since. Create it again?" in alert_of(page)
    assert await stored.count(Hero) == 0
    assert (await submit(client, form_of(page))).status_code == 303
    assert await stored.count(Hero) == 1


# htmx.


async def test_htmx_gets_only_the_form_when_it_is_refused(client: httpx.AsyncClient) -> None:
    answer = await client.post("/heroes", data={**NOVA, "age": "abc"}, headers=FORM)
    assert answer.status_code == 422
    (top,) = parsed(answer).find_all(True, recursive=False)
    assert (top.name, attribute(top, "id")) == ("form", "form")
    assert error_beside(answer, "Age") == "Enter a whole number."
    assert "HX-Target" in answer.headers["vary"]


async def test_htmx_is_sent_on_after_saving_with_no_redirect_of_its_own(
    client: httpx.AsyncClient,
) -> None:
    answer = await client.post("/heroes?back=/heroes%3Fq%3DNova", data=NOVA, headers=FORM)
    assert (answer.status_code, answer.headers["hx-redirect"]) == (200, "/heroes?q=Nova")
    assert ("location" in answer.headers, answer.text) == (False, "")
    page = await follow(client, answer)
    assert (flash_of(page), marked_rows_of(page)) == ("Created Nova", ["Nova"])


async def test_a_form_sent_twice_by_htmx_leads_to_the_same_page(
    client: httpx.AsyncClient, stored: Stored
) -> None:
    form = form_of(await client.get("/heroes/new"))
    answers = [await submit(client, form, NOVA, headers=FORM) for _ in range(2)]
    assert [answer.headers["hx-redirect"] for answer in answers] == ["/heroes", "/heroes"]
    assert await stored.count(Hero) == 1


# The picker without JavaScript.


async def test_the_teams_can_be_searched_without_losing_what_was_typed(
    client: httpx.AsyncClient, session: AsyncSession, stored: Stored
) -> None:
    await some_teams(session, 60)
    form = form_of(await client.get("/heroes/new?back=/heroes%3Fq%3Dn"), press="Find")
    page = await submit(client, form, {"name": " Nova ", "age": "abc", "team_id.q": "team 059"})
    assert (page.status_code, errors_of(page)) == (200, {})
    assert (field_of(page, "Name").value, field_of(page, "Age").value) == (" Nova ", "abc")
    options = field_of(page, "Team").options
    assert list(options) == ["No team", "Team 059"]
    saved = await submit(
        client, form_of(page), secret_name="Sam", age="", team_id=options["Team 059"]
    )
    assert saved.headers["location"] == "/heroes?q=n"
    (hero,) = await stored.all(Hero)
    assert (hero.name, hero.team_id) == ("Nova", int(options["Team 059"]))


async def test_enter_in_the_search_for_a_team_searches_and_saves_nothing(
    client: httpx.AsyncClient, session: AsyncSession, stored: Stored
) -> None:
    await some_teams(session, 60)
    form = form_of(await client.get("/heroes/new"))
    page = await submit(client, form, {**NOVA, "team_id.q": "team 059"})
    assert (page.status_code, heading_of(page)) == (200, "New hero")
    assert "Team 059" in field_of(page, "Team").options
    assert await stored.count(Hero) == await stored.count(Submission) == 0


async def test_a_search_for_another_team_keeps_the_one_that_is_chosen(
    client: httpx.AsyncClient, session: AsyncSession
) -> None:
    teams = await some_teams(session, 60)
    form = form_of(await client.get(f"/heroes/new?team_id={teams[54].id}"), press="Find")
    page = await submit(client, form, {"team_id.q": "team 059"})
    assert field_of(page, "Team").value == str(teams[54].id)


async def test_a_search_that_finds_no_team_says_so(
    client: httpx.AsyncClient, session: AsyncSession
) -> None:
    await some_teams(session, 60)
    form = form_of(await client.get("/heroes/new"), press="Find")
    page = await submit(client, form, {"team_id.q": "100%"})
    assert "No teams match “100%”." in text_of(form_of(page).tag)


async def test_a_search_after_which_a_team_is_made_does_not_lose_the_one_time_token(
    client: httpx.AsyncClient, session: AsyncSession, stored: Stored
) -> None:
    await some_teams(session, 60)
    form = form_of(await client.get("/heroes/new"), press="Find")
    page = await submit(client, form, {**NOVA, "team_id.q": "team 059"})
    for _ in range(2):
        await submit(client, form_of(page))
    assert await stored.count(Hero) == 1


# The way back.


@each(
    "back",
    [
        "//evil.example",
        "///evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "https://evil.example/",
        "javascript:alert(1)",
        "/\t/evil.example",
        "/\r\nSet-Cookie: theme=dark",
        " //evil.example",
        "heroes",
    ],
)
async def test_the_way_back_never_leads_off_the_site(client: httpx.AsyncClient, back: str) -> None:
    opened = await client.get("/heroes/new", params={"back": back})
    assert link(opened, "Cancel") == "/heroes"
    plain = await submit(client, form_of(opened), NOVA)
    assert plain.headers["location"] == "/heroes"
    answer = await client.post("/heroes", params={"back": back}, data=NOVA, headers=FORM)
    assert answer.headers["hx-redirect"] == "/heroes"


@pytest.mark.parametrize("headers", [{}, FORM], ids=["plain", "htmx"])
async def test_the_way_back_may_hold_any_text(
    client: httpx.AsyncClient, headers: dict[str, str]
) -> None:
    back = "/heroes?q=Nova–日本 🦸&sort=-name"
    saved = await client.post("/heroes", params={"back": back}, data=NOVA, headers=headers)
    page = await follow(client, saved)
    assert field_of(page, "Search heroes").value == "Nova–日本 🦸"


# Any model.


@pytest.mark.parametrize("is_ticked", [True, False])
async def test_a_box_is_stored_as_it_was_left(
    gadgets: httpx.AsyncClient, stored: Stored, is_ticked: bool
) -> None:
    form = form_of(await gadgets.get("/gadgets/new"))
    saved = await submit(gadgets, form, title="Robot", is_secret=is_ticked)
    assert saved.status_code == 303
    assert [gadget.is_secret for gadget in await stored.all(Gadget)] == [is_ticked]


async def test_what_is_left_out_gets_its_default(
    gadgets: httpx.AsyncClient, stored: Stored
) -> None:
    assert (await gadgets.post("/gadgets", data={"title": "Robot"})).status_code == 303
    (gadget,) = await stored.all(Gadget)
    assert (gadget.count, gadget.is_secret, gadget.is_licensed) == (0, False, None)
    assert (gadget.condition, gadget.data, gadget.seen_at.year > 2000) == (Condition.NEW, {}, True)


async def test_a_key_of_several_fields_that_is_taken_is_refused(
    gadgets: httpx.AsyncClient, session: AsyncSession, stored: Stored
) -> None:
    gadget = await committed(session, Gadget(title="Robot"))
    data = {"shelf": "A", "number": "1", "gadget_id": str(gadget.id)}
    pages = [await gadgets.post("/slots", data=data) for _ in range(2)]
    assert [page.status_code for page in pages] == [303, 422]
    assert error_beside(pages[1], "Number") == "Another slot has this shelf and number."
    assert await stored.count(Slot) == 1
