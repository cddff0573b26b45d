"""Editing: only what was touched changes, and everything else stays as it is."""

import asyncio
from collections import Counter
from datetime import UTC, datetime, time
from decimal import Decimal

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from hero_admin.forms.hidden_fields import OPENED
from hero_admin.testing import Client, htmx_headers
from tests.cases import each
from tests.factories import a_hero, a_team, committed, some_teams
from tests.gadgets import Condition, Gadget, Maker
from tests.statements import Statements
from tests.stored import Stored
from webapp.heroes import Hero
from webapp.teams import Team

FORM = htmx_headers("form#form")


# Saving.


async def test_the_form_holds_what_is_stored(client: Client, session: AsyncSession) -> None:
    team = await a_team(session)
    hero = await a_hero(session, ' "Zoë" <b> ', "&amp;", 17, team)
    page = await client.get(f"/heroes/{hero.id}/edit")
    labels = ("Name", "Secret name", "Age", "Team")
    # What is masked is not in the page.
    assert [page.field(label).value for label in labels] == [
        ' "Zoë" <b> ',
        "",
        "17",
        str(team.id),
    ]


async def test_saving_leads_to_the_list_which_says_so_and_marks_the_row(
    client: Client, session: AsyncSession, stored: Stored
) -> None:
    hero = await a_hero(session)
    form = (await client.get(f"/heroes/{hero.id}/edit")).form()
    saved = await client.submit(form, name="Deadpool", age="48")
    assert (saved.status_code, saved.headers["location"]) == (303, "/heroes")
    page = await client.follow(saved)
    assert (page.flash, page.marked_rows) == ("Saved Deadpool", ["Deadpool"])
    (found,) = await stored.all(Hero)
    assert (found.name, found.secret_name, found.age) == ("Deadpool", "Dive Wilson", 48)


async def test_saving_leads_back_to_the_same_filtered_and_sorted_view(
    client: Client, session: AsyncSession
) -> None:
    for name, age in (("Nova", 17), ("Nova Prime", 40), ("Deadpond", 50)):
        await a_hero(session, name, age=age)
    listed = await client.get("/heroes?q=nova&sort=-age")
    form = (await client.get(listed.row("Nova").link("Edit Nova"))).form()
    page = await client.follow(await client.submit(form, age="60"))
    assert page.column("Age") == ["60", "40"]
    assert page.marked_rows == ["Nova"]


async def test_saving_a_hero_of_a_team_leads_back_to_the_team(
    client: Client, session: AsyncSession
) -> None:
    team = await a_team(session)
    await a_hero(session, "Nova", team=team)
    listed = await client.get(f"/teams/{team.id}")
    form = (await client.get(listed.link("Edit Nova"))).form()
    page = await client.follow(await client.submit(form, age="17"))
    assert page.heading.startswith("Preventers")
    assert page.marked_rows == ["Nova"]


async def test_the_page_is_titled_by_what_is_edited(client: Client, session: AsyncSession) -> None:
    hero = await a_hero(session, "Nova")
    page = await client.get(f"/heroes/{hero.id}/edit")
    assert (page.title, page.heading) == ("Edit Nova · Hero Admin", "Nova")
    assert page.link("Cancel") == f"/heroes/{hero.id}"


async def test_a_field_can_be_emptied(
    client: Client, session: AsyncSession, stored: Stored
) -> None:
    hero = await a_hero(session, age=17, team=await a_team(session))
    form = (await client.get(f"/heroes/{hero.id}/edit")).form()
    await client.submit(form, age="  ", team_id="")
    (found,) = await stored.all(Hero)
    assert (found.age, found.team_id) == (None, None)


# What was not touched.


async def test_editing_only_the_age_leaves_the_team(
    client: Client, session: AsyncSession, stored: Stored
) -> None:
    # More teams than the picker shows at first, and the hero is in the last one.
    teams = await some_teams(session, 60)
    hero = await a_hero(session, age=17, team=teams[-1])
    form = (await client.get(f"/heroes/{hero.id}/edit")).form()
    assert (await client.submit(form, age="18")).status_code == 303
    (found,) = await stored.all(Hero)
    assert (found.age, found.team_id) == (18, teams[-1].id)


@pytest.mark.parametrize(
    ("name", "typed", "changed"),
    [
        ("name", "Nova", {"name": "Nova"}),
        ("secret_name", "Sam", {"secret_name": "Sam"}),
        ("age", "18", {"age": 18}),
        ("age", "", {"age": None}),
        ("team_id", "", {"team_id": None}),
        ("nickname", "Nov", {}),
        ("id", "99", {}),
    ],
)
async def test_what_is_absent_from_the_form_stays_unchanged(
    client: Client,
    session: AsyncSession,
    stored: Stored,
    name: str,
    typed: str,
    changed: dict[str, object],
) -> None:
    hero = await a_hero(session, age=17, team=await a_team(session))
    before = hero.model_dump()
    saved = await client.post(f"/heroes/{hero.id}", data={name: typed})
    assert saved.status_code == 303
    (found,) = await stored.all(Hero)
    assert found.model_dump() == before | changed


async def test_an_empty_submission_changes_nothing(
    client: Client, session: AsyncSession, stored: Stored
) -> None:
    hero = await a_hero(session, age=17)
    before = hero.model_dump()
    assert (await client.post(f"/heroes/{hero.id}")).status_code == 303
    assert [found.model_dump() for found in await stored.all(Hero)] == [before]


async def test_saving_what_was_not_touched_writes_nothing(
    client: Client, session: AsyncSession, statements: Statements
) -> None:
    hero = await a_hero(session, "  Two  blanks ", age=17)
    form = (await client.get(f"/heroes/{hero.id}/edit")).form()
    with statements() as executed:
        assert (await client.submit(form)).status_code == 303
    assert not [text for text in executed if text.startswith(("UPDATE", "INSERT"))]


async def test_two_people_who_edit_different_fields_both_keep_their_change(
    client: Client, session: AsyncSession, stored: Stored
) -> None:
    hero = await a_hero(session, age=17)
    await asyncio.gather(
        client.post(f"/heroes/{hero.id}", data={"name": "Nova"}),
        client.post(f"/heroes/{hero.id}", data={"age": "18"}),
    )
    (found,) = await stored.all(Hero)
    assert (found.name, found.age) == ("Nova", 18)


# Refusing.


async def test_a_refused_change_shows_the_form_again_with_everything_that_was_typed(
    client: Client, session: AsyncSession, stored: Stored
) -> None:
    team = await a_team(session)
    hero = await a_hero(session, "Nova", age=17)
    form = (await client.get(f"/heroes/{hero.id}/edit?back=/heroes%3Fq%3Dn")).form()
    typed = {"name": " ", "secret_name": " Sam ", "age": "old", "team_id": str(team.id)}
    page = await client.submit(form, typed)
    assert page.status_code == 422
    assert page.errors == {"Name": "Enter a name.", "Age": "Enter a whole number."}
    sent = page.form()
    assert sent.values == typed | {OPENED: form[OPENED]}
    assert page.heading == "Nova"
    (found,) = await stored.all(Hero)
    assert (found.name, found.age, found.team_id) == ("Nova", 17, None)
    saved = await client.submit(page.form(), name="Nova", age="")
    assert saved.headers["location"] == "/heroes?q=n"


async def test_the_summary_links_to_the_fields_and_the_first_bad_one_is_focused(
    client: Client, session: AsyncSession
) -> None:
    hero = await a_hero(session)
    page = await client.post(f"/heroes/{hero.id}", data={"age": "old", "name": ""})
    assert page.alert == "There are 2 problems Enter a name. Age: Enter a whole number."
    summary = page.by_id("summary").links
    assert [one.href for one in summary] == [f"#{page.field(n).id}" for n in ("Name", "Age")]
    focused = [tag.attribute("id") for tag in page.find_all(autofocus=True)]
    assert focused == [page.field("Name").id]


@pytest.fixture
async def member(session: AsyncSession) -> Hero:
    """A hero in a team."""
    return await a_hero(session, team=await a_team(session))


@each("team_id", ["999", "-1", "abc", str(2**63), "9" * 99])
async def test_an_unknown_team_is_refused_beside_its_field(
    client: Client, member: Hero, stored: Stored, team_id: str
) -> None:
    page = await client.post(f"/heroes/{member.id}", data={"team_id": team_id})
    assert page.status_code == 422
    assert page.error("Team")
    assert page.field("Team").value == team_id
    (found,) = await stored.all(Hero)
    assert found.team_id == member.team_id


async def test_a_taken_team_name_is_refused_beside_its_field(
    client: Client, session: AsyncSession, stored: Stored
) -> None:
    await a_team(session, "Preventers")
    team = await a_team(session, "Z-Force")
    page = await client.post(f"/teams/{team.id}", data={"name": "Preventers"})
    assert page.status_code == 422
    assert page.errors == {"Name": "Another team is called “Preventers”."}
    assert page.heading == "Z-Force"
    assert [team.name for team in await stored.all(Team)] == ["Preventers", "Z-Force"]


async def test_a_team_may_keep_its_own_name(
    client: Client, session: AsyncSession, stored: Stored
) -> None:
    team = await a_team(session, "Preventers")
    data = {"name": " Preventers ", "headquarters": "Here"}
    assert (await client.post(f"/teams/{team.id}", data=data)).status_code == 303
    assert [team.headquarters for team in await stored.all(Team)] == ["Here"]


async def test_of_several_people_who_give_teams_one_name_at_once_one_succeeds(
    client: Client, session: AsyncSession, stored: Stored
) -> None:
    teams = await some_teams(session, 6)
    pages = await asyncio.gather(
        *(client.post(f"/teams/{team.id}", data={"name": "Z-Force"}) for team in teams)
    )
    assert Counter(page.status_code for page in pages) == {303: 1, 422: 5}
    for page in pages:
        if page.status_code == 422:
            assert page.error("Name") == "Another team is called “Z-Force”."
    names = Counter(team.name for team in await stored.all(Team))
    assert names["Z-Force"] == 1


async def test_a_hero_that_was_never_there_is_not_found(client: Client) -> None:
    for path in ("/heroes/1", "/heroes/1/edit"):
        page = await client.post(path, data={"name": "Nova"})
        assert (page.status_code, page.heading) == (404, "Not found")
        assert "This hero doesn't exist. It may have been deleted." in page.visible_text


async def test_a_deleted_hero_has_no_form(client: Client, session: AsyncSession) -> None:
    hero = await a_hero(session)
    await client.post(f"/heroes/{hero.id}/delete")
    for method in ("GET", "POST"):
        assert (await client.request(method, f"/heroes/{hero.id}/edit")).status_code == 404


# htmx, the picker, the way back.


async def test_htmx_gets_only_the_form_when_it_is_refused(
    client: Client, session: AsyncSession
) -> None:
    hero = await a_hero(session)
    answer = await client.post(f"/heroes/{hero.id}", data={"age": "old"}, headers=FORM)
    assert answer.status_code == 422
    (top,) = answer.children
    assert (top.tag.name, top.attribute("id")) == ("form", "form")
    assert answer.error("Age") == "Enter a whole number."


async def test_htmx_is_sent_on_after_saving(client: Client, session: AsyncSession) -> None:
    hero = await a_hero(session)
    url = f"/heroes/{hero.id}?back=/heroes%3Fsort%3D-age"
    answer = await client.post(url, data={"age": "17"}, headers=FORM)
    assert (answer.status_code, answer.headers["hx-redirect"]) == (200, "/heroes?sort=-age")
    page = await client.follow(answer)
    assert (page.flash, page.marked_rows) == ("Saved Deadpond", ["Deadpond"])


@pytest.mark.parametrize("press", ["Find", None], ids=["button", "enter"])
async def test_searching_the_teams_keeps_what_was_typed_and_saves_nothing(
    client: Client, session: AsyncSession, stored: Stored, press: str | None
) -> None:
    teams = await some_teams(session, 60)
    hero = await a_hero(session, age=17, team=teams[0])
    url = f"/heroes/{hero.id}/edit?back=/heroes%3Fq%3Dd"
    form = (await client.get(url)).form(press=press)
    page = await client.submit(form, {"name": "", "age": "18", "team_id.q": "team 059"})
    assert (page.status_code, page.errors) == (200, {})
    assert (page.field("Name").value, page.field("Age").value) == ("", "18")
    assert list(page.field("Team").options) == ["No team", "Team 001", "Team 059"]
    assert page.field("Team").value == str(teams[0].id)
    assert [found.age for found in await stored.all(Hero)] == [17]
    saved = await client.submit(page.form(), name="Nova", team_id=str(teams[58].id))
    assert saved.headers["location"] == "/heroes?q=d"
    assert [found.team_id for found in await stored.all(Hero)] == [teams[58].id]


@each("back", ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:alert(1)"])
async def test_the_way_back_never_leads_off_the_site(
    client: Client, session: AsyncSession, back: str
) -> None:
    hero = await a_hero(session)
    opened = await client.get(f"/heroes/{hero.id}/edit", params={"back": back})
    assert opened.link("Cancel") == f"/heroes/{hero.id}"
    saved = await client.submit(opened.form(), age="18")
    assert saved.headers["location"] == "/heroes"


# Any model.


async def test_a_box_can_be_ticked_and_unticked(
    gadgets: Client, session: AsyncSession, stored: Stored
) -> None:
    gadget = await committed(session, Gadget(title="Robot"))
    for is_ticked in (True, False):
        form = (await gadgets.get(f"/gadgets/{gadget.id}/edit")).form()
        saved = await gadgets.submit(form, is_secret=is_ticked)
        assert saved.status_code == 303
        assert [found.is_secret for found in await stored.all(Gadget)] == [is_ticked]


async def test_a_box_that_is_absent_from_the_form_stays_ticked(
    gadgets: Client, session: AsyncSession, stored: Stored
) -> None:
    gadget = await committed(session, Gadget(title="Robot", is_secret=True, is_licensed=True))
    await gadgets.post(f"/gadgets/{gadget.id}", data={"count": "3"})
    (found,) = await stored.all(Gadget)
    assert (found.count, found.is_secret, found.is_licensed) == (3, True, True)


@pytest.mark.parametrize(
    ("typed", "expected"), [("true", True), ("false", False), ("", None)], ids=["yes", "no", "none"]
)
async def test_what_may_be_unknown_is_yes_no_or_none(
    gadgets: Client,
    session: AsyncSession,
    stored: Stored,
    typed: str,
    expected: bool | None,
) -> None:
    gadget = await committed(
        session, Gadget(title="Robot", is_licensed=None if expected is not None else True)
    )
    page = await gadgets.get(f"/gadgets/{gadget.id}/edit")
    assert page.field("Is licensed").options == {"None": "", "Yes": "true", "No": "false"}
    await gadgets.submit(page.form(), is_licensed=typed)
    assert [found.is_licensed for found in await stored.all(Gadget)] == [expected]


async def test_saving_an_untouched_form_loses_nothing_that_a_browser_cannot_show(
    gadgets: Client, session: AsyncSession, stored: Stored
) -> None:
    gadget = await committed(
        session,
        Gadget(
            title=" two\nlines ",
            note="\n\n a \r\n b \n",
            weight=1e-320,
            price=Decimal("12345678.90"),
            seen_at=datetime(2026, 11, 23, 14, 30, 0, 123456, UTC),
            checked_at=datetime.fromisoformat("0001-01-01T00:00:00.000007"),
            opens_at=time(23, 59, 59, 999999),
            condition=Condition.IN_USE,
            data={"1": True, "text": "a\nb\u2028"},
            extra=[1.0, None],
        ),
    )
    before = gadget.model_dump()
    page = await gadgets.get(f"/gadgets/{gadget.id}/edit")
    # A control of one line would leave the line ends out.
    assert page.field("Title").type == "textarea"
    saved = await gadgets.submit(page.form(), count="3")
    assert saved.status_code == 303
    (found,) = await stored.all(Gadget)
    assert found.model_dump() == before | {"count": 3}


async def test_json_in_which_a_number_becomes_a_truth_value_is_saved(
    gadgets: Client, session: AsyncSession, stored: Stored
) -> None:
    gadget = await committed(session, Gadget(title="Robot", data={"on": 1}))
    await gadgets.post(f"/gadgets/{gadget.id}", data={"data": '{"on": true}'})
    (found,) = await stored.all(Gadget)
    assert found.data["on"] is True


async def test_a_word_in_a_field_for_a_number_reaches_the_server(gadgets: Client) -> None:
    page = await gadgets.get("/gadgets/new")
    # Of a word in type="number" a browser sends nothing at all, which would erase the number.
    for label in ("Count", "Rank", "Weight", "Price"):
        assert page.field(label).type == "text"


async def test_a_field_that_fills_itself_in_cannot_be_emptied_later(
    gadgets: Client, session: AsyncSession
) -> None:
    gadget = await committed(session, Gadget(title="Robot"))
    page = await gadgets.get(f"/gadgets/{gadget.id}/edit")
    assert page.field("Seen at").is_required
    refused = await gadgets.submit(page.form(), seen_at="")
    assert (refused.status_code, refused.error("Seen at")) == (422, "Enter a seen at.")


async def test_a_key_is_shown_by_its_page_and_never_edited(
    gadgets: Client, session: AsyncSession, stored: Stored
) -> None:
    maker = await committed(session, Maker(code="Q branch/7,é", motto="Shaken"))
    listed = await gadgets.get("/makers")
    form = (await gadgets.get(listed.link(f"Edit {maker.code}"))).form()
    assert form.values == {"motto": "Shaken", OPENED: '{"motto":"Shaken"}'}
    page = await gadgets.follow(await gadgets.submit(form, {"motto": "Stirred"}))
    assert page.marked_rows == [maker.code]
    assert [found.motto for found in await stored.all(Maker)] == ["Stirred"]
