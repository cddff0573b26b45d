"""Creating: the form for a new record, what it refuses, and that sending it twice creates once."""

import asyncio
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import delete
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.applications import Starlette

from hero_admin.database.engines import Database
from hero_admin.testing import Client, htmx_headers
from hero_admin.writes.idempotency import Submission
from tests.cases import each
from tests.factories import a_hero, a_team, committed, some_teams
from tests.gadgets import Condition, Gadget, Slot
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


async def test_a_saved_hero_is_stored_as_typed(client: Client, stored: Stored) -> None:
    form = (await client.get("/heroes/new")).form()
    await client.submit(form, name=" Zoë “%_\\” 🦸 ", secret_name="O'Neil <b>", age="150000")
    (hero,) = await stored.all(Hero)
    assert (hero.name, hero.secret_name, hero.age) == ("Zoë “%_\\” 🦸", "O'Neil <b>", 150_000)
    assert hero.team_id is None


async def test_saving_leads_to_the_list_which_says_so_and_marks_the_row(client: Client) -> None:
    saved = await client.submit((await client.get("/heroes/new")).form(), NOVA)
    assert (saved.status_code, saved.headers["location"]) == (303, "/heroes")
    page = await client.follow(saved)
    assert page.flash == "Created Nova"
    assert page.marked_rows == ["Nova"]


async def test_the_message_links_to_the_new_hero(client: Client) -> None:
    page = await client.follow(await client.post("/heroes", data=NOVA))
    assert (await client.get(page.by_id("toasts").link("View"))).heading == "Nova"


async def test_the_message_is_shown_once(client: Client) -> None:
    page = await client.follow(await client.post("/heroes", data=NOVA))
    assert page.flash
    again = await client.get("/heroes")
    assert (again.flash, again.marked_rows) == ("", [])


async def test_saving_leads_back_to_the_view_that_the_form_was_opened_from(
    client: Client, session: AsyncSession
) -> None:
    await a_hero(session, "Nova Prime")
    await a_hero(session, "Rusty-Man")
    listed = await client.get("/heroes?q=nova&sort=-name")
    form = (await client.get(listed.link("New hero"))).form()
    page = await client.follow(await client.submit(form, NOVA))
    assert page.column("Name") == ["Nova Prime", "Nova"]
    assert page.marked_rows == ["Nova"]


async def test_save_and_add_another_saves_and_opens_an_empty_form(
    client: Client, stored: Stored
) -> None:
    opened = await client.get("/heroes/new?back=/heroes%3Fq%3Dnova")
    saved = await client.submit(opened.form(press="Save and add another"), NOVA)
    page = await client.follow(saved)
    assert (page.heading, page.flash) == ("New hero", "Created Nova")
    assert page.field("Name").value == ""
    assert await stored.count(Hero) == 1
    last = await client.submit(page.form(), name="Nova Prime", secret_name="Irani Rael")
    assert last.headers["location"] == "/heroes?q=nova"


async def test_save_and_add_another_keeps_the_team_that_the_form_was_opened_for(
    client: Client, session: AsyncSession
) -> None:
    team = await a_team(session)
    opened = await client.get((await client.get(f"/teams/{team.id}")).link("New hero"))
    saved = await client.submit(opened.form(press="Save and add another"), NOVA)
    page = await client.follow(saved)
    assert page.field("Team").value == str(team.id)


async def test_the_address_of_the_form_can_fill_it_in(
    client: Client, session: AsyncSession
) -> None:
    team = await a_team(session)
    page = await client.get(f"/heroes/new?team_id={team.id}&name=Nova")
    assert (page.field("Name").value, page.field("Team").value) == ("Nova", str(team.id))


@each("team_id", ["abc", "999", HUGE, "-1", "%00", "9" * 5000])
async def test_an_address_with_an_unknown_team_still_opens_the_form(
    client: Client, team_id: str
) -> None:
    page = await client.get(f"/heroes/new?team_id={team_id}")
    assert (page.status_code, page.heading) == (200, "New hero")


async def test_the_form_says_which_fields_may_stay_empty(client: Client) -> None:
    page = await client.get("/heroes/new")
    labels = ("Name", "Secret name", "Age", "Team")
    required = [label for label in labels if page.field(label).is_required]
    assert required == ["Name", "Secret name"]
    assert page.title == "New hero · Hero Admin"


# Refusing.


@each_blank
async def test_text_that_shows_nothing_is_no_text(
    client: Client, stored: Stored, blank: str
) -> None:
    page = await client.post("/heroes", data={"name": blank, "secret_name": blank, "age": blank})
    assert page.status_code == 422
    assert page.errors == {"Name": "Enter a name.", "Secret name": "Enter a secret name."}
    assert await stored.count(Hero) == 0


async def test_a_field_that_is_needed_cannot_be_left_out(client: Client) -> None:
    page = await client.post("/heroes", data={"age": "17"})
    assert page.status_code == 422
    assert page.errors == {"Name": "Enter a name.", "Secret name": "Enter a secret name."}


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
    client: Client, stored: Stored, label: str, name: str, typed: str, sentence: str
) -> None:
    page = await client.post("/heroes", data={**NOVA, name: typed})
    assert page.status_code == 422
    assert page.errors == {label: sentence}
    assert page.field(label).value == typed
    assert await stored.count(Hero) == 0


@each("team_id", [HUGE, "-" + HUGE, "9" * 99, "-1", "0"])
async def test_a_team_that_cannot_exist_is_refused_beside_its_field(
    client: Client, stored: Stored, team_id: str
) -> None:
    page = await client.post("/heroes", data={**NOVA, "team_id": team_id})
    assert page.status_code == 422
    assert page.error("Team")
    assert await stored.count(Hero) == 0


async def test_a_name_of_a_megabyte_is_refused_like_any_that_is_too_long(client: Client) -> None:
    page = await client.post("/heroes", data={**NOVA, "name": "n" * 2**20})
    assert (page.status_code, page.error("Name")) == (422, "Use at most 200 characters.")


async def test_text_at_the_limit_is_stored(client: Client, stored: Stored) -> None:
    data = {"name": "🦸" * 200, "secret_name": f"  {'s' * 200}  ", "age": "0"}
    assert (await client.post("/heroes", data=data)).status_code == 303
    (hero,) = await stored.all(Hero)
    assert (hero.name, hero.secret_name, hero.age) == ("🦸" * 200, "s" * 200, 0)


async def test_a_refused_form_keeps_everything_that_was_typed(
    client: Client, session: AsyncSession
) -> None:
    team = await a_team(session)
    form = (await client.get("/heroes/new")).form()
    typed = {
        "name": '  "Nova" <b>&amp;',
        "secret_name": "  ",
        "age": "a b",
        "team_id": str(team.id),
    }
    page = await client.submit(form, typed)
    assert page.form().values == form.values | typed


async def test_a_refused_form_sums_up_what_is_wrong_in_the_order_of_its_fields(
    client: Client,
) -> None:
    page = await client.post("/heroes", data={"name": " ", "secret_name": LONG, "age": "abc"})
    assert page.alert == (
        "There are 3 problems Enter a name. Secret name: Use at most 200 characters."
        " Age: Enter a whole number."
    )


async def test_the_summary_links_to_the_fields(client: Client) -> None:
    page = await client.post("/heroes", data={"name": "", "secret_name": "", "age": "abc"})
    said = tuple(page.errors.values())
    targets = [one.href for one in page.links if one.text.endswith(said)]
    labels = ("Name", "Secret name", "Age")
    assert targets == [f"#{page.field(label).id}" for label in labels]


async def test_only_the_first_bad_field_is_focused(client: Client) -> None:
    page = await client.post("/heroes", data={"name": "Nova", "secret_name": "", "age": "abc"})
    focused = [tag.attribute("id") for tag in page.find_all(autofocus=True)]
    assert focused == [page.field("Secret name").id]


async def test_a_refused_form_can_be_put_right_and_sent_again(
    client: Client, stored: Stored
) -> None:
    form = (await client.get("/heroes/new?back=/heroes%3Fq%3Dn")).form()
    refused = await client.submit(form, {**NOVA, "age": "abc"})
    saved = await client.submit(refused.form(), age="17")
    assert (saved.status_code, saved.headers["location"]) == (303, "/heroes?q=n")
    assert [hero.age for hero in await stored.all(Hero)] == [17]


# Names that are taken.


async def test_a_taken_team_name_is_refused_beside_its_field(
    client: Client, session: AsyncSession, stored: Stored
) -> None:
    await a_team(session, "Preventers")
    page = await client.post("/teams", data={"name": " Preventers ", "headquarters": "Elsewhere"})
    assert page.status_code == 422
    assert page.errors == {"Name": "Another team is called “Preventers”."}
    assert page.field("Headquarters").value == "Elsewhere"
    assert await stored.count(Team) == 1


async def test_of_several_people_who_take_a_name_at_once_one_gets_it(
    client: Client, stored: Stored
) -> None:
    pages = await asyncio.gather(
        *(client.post("/teams", data={"name": "Z-Force"}) for _ in range(8))
    )
    assert Counter(page.status_code for page in pages) == {303: 1, 422: 7}
    for page in pages:
        if page.status_code == 422:
            assert page.error("Name") == "Another team is called “Z-Force”."
    assert await stored.count(Team) == 1


async def test_a_team_that_vanishes_while_a_hero_joins_it_is_refused_beside_its_field(
    app: Starlette,
    client: Client,
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
    assert page.error("Team") == "This team no longer exists. Choose another one."
    assert await stored.count(Hero) == 0


# The same form sent more than once.


async def test_a_form_sent_twice_creates_one_hero_and_leads_to_the_same_page(
    client: Client, stored: Stored
) -> None:
    form = (await client.get("/heroes/new?back=/heroes%3Fsort%3D-age")).form()
    first = await client.submit(form, NOVA)
    second = await client.submit(form, NOVA)
    assert [first.status_code, second.status_code] == [303, 303]
    assert first.headers["location"] == second.headers["location"] == "/heroes?sort=-age"
    assert await stored.count(Hero) == 1
    page = await client.follow(second)
    assert page.flash == "Already created; not created twice."
    assert page.marked_rows == ["Nova"]


async def test_ten_copies_of_a_form_at_once_create_one_hero(client: Client, stored: Stored) -> None:
    form = (await client.get("/heroes/new")).form()
    saved = await asyncio.gather(*(client.submit(form, NOVA) for _ in range(10)))
    assert Counter(page.status_code for page in saved) == {303: 10}
    assert {page.headers["location"] for page in saved} == {"/heroes"}
    assert await stored.count(Hero) == 1


async def test_a_form_sent_twice_to_add_another_opens_an_empty_form_both_times(
    client: Client, stored: Stored
) -> None:
    form = (await client.get("/heroes/new")).form(press="Save and add another")
    for _ in range(2):
        assert (await client.follow(await client.submit(form, NOVA))).heading == "New hero"
    assert await stored.count(Hero) == 1


async def test_every_form_that_is_opened_creates_its_own_hero(
    client: Client, stored: Stored
) -> None:
    for _ in range(2):
        await client.submit((await client.get("/heroes/new")).form(), NOVA)
    assert await stored.count(Hero) == 2


async def test_a_form_that_is_gone_back_to_and_changed_creates_a_second_hero(
    client: Client, stored: Stored
) -> None:
    form = (await client.get("/heroes/new")).form()
    await client.submit(form, NOVA)
    await client.submit(form, {**NOVA, "name": "Nova Prime"})
    assert [hero.name for hero in await stored.all(Hero)] == ["Nova", "Nova Prime"]


async def test_a_form_sent_twice_after_it_was_refused_creates_one_hero(
    client: Client, stored: Stored
) -> None:
    refused = await client.submit((await client.get("/heroes/new")).form(), NOVA, age="abc")
    for _ in range(2):
        assert (await client.submit(refused.form(), age="17")).status_code == 303
    assert await stored.count(Hero) == 1


async def test_a_refused_form_is_not_taken_for_a_sent_one(client: Client, stored: Stored) -> None:
    form = (await client.get("/heroes/new")).form()
    for _ in range(2):
        assert (await client.submit(form, {**NOVA, "age": "abc"})).status_code == 422
    assert await stored.count(Submission) == 0


async def test_forms_are_forgotten_a_week_after_they_were_sent(
    client: Client, session: AsyncSession, stored: Stored
) -> None:
    for age, digest in {timedelta(days=8): "old", timedelta(days=6): "new"}.items():
        sent_at = datetime.now(UTC) - age
        session.add(Submission(digest=digest, resource="heroes", key="1", created_at=sent_at))
    await session.commit()
    form = (await client.get("/heroes/new")).form()
    known = {"old"}
    # One form in sixteen cleans up: 200 leave it in one run of 400,000.
    for number in range(200):
        if "old" in known:
            await client.submit(form, {**NOVA, "name": f"Nova {number}"})
            known = {submission.digest for submission in await stored.all(Submission)}
    assert "old" not in known
    assert "new" in known


async def test_a_form_sent_again_brings_a_deleted_hero_back_only_when_asked_once_more(
    client: Client, stored: Stored
) -> None:
    form = (await client.get("/heroes/new")).form()
    await client.submit(form, NOVA)
    (hero,) = await stored.all(Hero)
    await client.post(f"/heroes/{hero.id}/delete")
    page = await client.submit(form, NOVA)
    assert page.status_code == 422
    assert "This hero was created, but has been deleted since. Create it again?" in page.alert
    assert await stored.count(Hero) == 0
    assert (await client.submit(page.form())).status_code == 303
    assert await stored.count(Hero) == 1


# htmx.


async def test_htmx_gets_only_the_form_when_it_is_refused(client: Client) -> None:
    answer = await client.post("/heroes", data={**NOVA, "age": "abc"}, headers=FORM)
    assert answer.status_code == 422
    (top,) = answer.children
    assert (top.tag.name, top.attribute("id")) == ("form", "form")
    assert answer.error("Age") == "Enter a whole number."
    assert "HX-Target" in answer.headers["vary"]


async def test_htmx_is_sent_on_after_saving_with_no_redirect_of_its_own(client: Client) -> None:
    answer = await client.post("/heroes?back=/heroes%3Fq%3DNova", data=NOVA, headers=FORM)
    assert (answer.status_code, answer.headers["hx-redirect"]) == (200, "/heroes?q=Nova")
    assert ("location" in answer.headers, answer.text) == (False, "")
    page = await client.follow(answer)
    assert (page.flash, page.marked_rows) == ("Created Nova", ["Nova"])


async def test_a_form_sent_twice_by_htmx_leads_to_the_same_page(
    client: Client, stored: Stored
) -> None:
    form = (await client.get("/heroes/new")).form()
    answers = [await client.submit(form, NOVA, headers=FORM) for _ in range(2)]
    assert [answer.headers["hx-redirect"] for answer in answers] == ["/heroes", "/heroes"]
    assert await stored.count(Hero) == 1


# The picker without JavaScript.


async def test_the_teams_can_be_searched_without_losing_what_was_typed(
    client: Client, session: AsyncSession, stored: Stored
) -> None:
    await some_teams(session, 60)
    form = (await client.get("/heroes/new?back=/heroes%3Fq%3Dn")).form(press="Find")
    page = await client.submit(form, {"name": " Nova ", "age": "abc", "team_id.q": "team 059"})
    assert (page.status_code, page.errors) == (200, {})
    assert (page.field("Name").value, page.field("Age").value) == (" Nova ", "abc")
    options = page.field("Team").options
    assert list(options) == ["No team", "Team 059"]
    saved = await client.submit(page.form(), secret_name="Sam", age="", team_id=options["Team 059"])
    assert saved.headers["location"] == "/heroes?q=n"
    (hero,) = await stored.all(Hero)
    assert (hero.name, hero.team_id) == ("Nova", int(options["Team 059"]))


async def test_enter_in_the_search_for_a_team_searches_and_saves_nothing(
    client: Client, session: AsyncSession, stored: Stored
) -> None:
    await some_teams(session, 60)
    form = (await client.get("/heroes/new")).form()
    page = await client.submit(form, {**NOVA, "team_id.q": "team 059"})
    assert (page.status_code, page.heading) == (200, "New hero")
    assert "Team 059" in page.field("Team").options
    assert await stored.count(Hero) == await stored.count(Submission) == 0


async def test_a_search_for_another_team_keeps_the_one_that_is_chosen(
    client: Client, session: AsyncSession
) -> None:
    teams = await some_teams(session, 60)
    form = (await client.get(f"/heroes/new?team_id={teams[54].id}")).form(press="Find")
    page = await client.submit(form, {"team_id.q": "team 059"})
    assert page.field("Team").value == str(teams[54].id)


async def test_a_search_that_finds_no_team_says_so(client: Client, session: AsyncSession) -> None:
    await some_teams(session, 60)
    form = (await client.get("/heroes/new")).form(press="Find")
    page = await client.submit(form, {"team_id.q": "100%"})
    assert "No teams match “100%”." in page.by_id("form").visible_text


async def test_a_search_after_which_a_team_is_made_does_not_lose_the_one_time_token(
    client: Client, session: AsyncSession, stored: Stored
) -> None:
    await some_teams(session, 60)
    form = (await client.get("/heroes/new")).form(press="Find")
    page = await client.submit(form, {**NOVA, "team_id.q": "team 059"})
    for _ in range(2):
        await client.submit(page.form())
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
async def test_the_way_back_never_leads_off_the_site(client: Client, back: str) -> None:
    opened = await client.get("/heroes/new", params={"back": back})
    assert opened.link("Cancel") == "/heroes"
    plain = await client.submit(opened.form(), NOVA)
    assert plain.headers["location"] == "/heroes"
    answer = await client.post("/heroes", params={"back": back}, data=NOVA, headers=FORM)
    assert answer.headers["hx-redirect"] == "/heroes"


@pytest.mark.parametrize("headers", [{}, FORM], ids=["plain", "htmx"])
async def test_the_way_back_may_hold_any_text(client: Client, headers: dict[str, str]) -> None:
    back = "/heroes?q=Nova–日本 🦸&sort=-name"
    saved = await client.post("/heroes", params={"back": back}, data=NOVA, headers=headers)
    page = await client.follow(saved)
    assert page.field("Search heroes").value == "Nova–日本 🦸"


# Any model.


@pytest.mark.parametrize("is_ticked", [True, False])
async def test_a_box_is_stored_as_it_was_left(
    gadgets: Client, stored: Stored, is_ticked: bool
) -> None:
    form = (await gadgets.get("/gadgets/new")).form()
    saved = await gadgets.submit(form, title="Robot", is_secret=is_ticked)
    assert saved.status_code == 303
    assert [gadget.is_secret for gadget in await stored.all(Gadget)] == [is_ticked]


async def test_what_is_left_out_gets_its_default(gadgets: Client, stored: Stored) -> None:
    assert (await gadgets.post("/gadgets", data={"title": "Robot"})).status_code == 303
    (gadget,) = await stored.all(Gadget)
    assert (gadget.count, gadget.is_secret, gadget.is_licensed) == (0, False, None)
    assert (gadget.condition, gadget.data, gadget.seen_at.year > 2000) == (Condition.NEW, {}, True)


async def test_a_key_of_several_fields_that_is_taken_is_refused(
    gadgets: Client, session: AsyncSession, stored: Stored
) -> None:
    gadget = await committed(session, Gadget(title="Robot"))
    data = {"shelf": "A", "number": "1", "gadget_id": str(gadget.id)}
    pages = [await gadgets.post("/slots", data=data) for _ in range(2)]
    assert [page.status_code for page in pages] == [303, 422]
    assert pages[1].error("Number") == "Another slot has this shelf and number."
    assert await stored.count(Slot) == 1
