"""Actions: asked for with a form, done to records, recorded and undone; by pages and by the API."""

from sqlalchemy.ext.asyncio import AsyncSession

from hero_admin.audit_log.changes import Change
from hero_admin.audit_log.events import EventKind, StoredEvent
from hero_admin.testing import Client, Form, htmx_headers
from tests.cases import on_one_database
from tests.factories import a_hero, some_heroes, some_teams
from tests.statements import Statements
from tests.stored import Stored
from webapp.heroes import Hero
from webapp.teams import Team

DIALOG = htmx_headers("div#confirm")


def ticked(form: Form, *heroes: Hero) -> Form:
    form.data["id"] = [str(hero.id) for hero in heroes]
    return form


async def test_an_action_on_ticked_rows_asks_with_a_form_and_is_undone_at_once(
    client: Client, session: AsyncSession, stored: Stored
) -> None:
    first, _, third = await some_heroes(session, 3)
    team = (await some_teams(session, 1))[0]
    listed = await client.get("/heroes?sort=age")
    form = ticked(listed.form(name="selection", press="Transfer…"), first, third)
    question = await client.submit(form)
    assert question.heading == "Transfer 2 heroes?"
    assert [tag.visible_text for tag in question.by_id("confirm").find_all("li")] == [
        "Hero 001",
        "Hero 003",
    ]
    form = question.form(press="Transfer 2 heroes")
    page = await client.follow(await client.submit(form, team_id=str(team.id), years="4"))
    assert page.flash == "2 heroes transferred"
    assert str(page.url).endswith("/heroes?sort=age")
    changed = {hero.name: (hero.team_id, hero.age) for hero in await stored.all(Hero)}
    assert changed == {"Hero 001": (team.id, 5), "Hero 002": (None, 2), "Hero 003": (team.id, 7)}
    changes = await stored.all(Change)
    assert {(each.via, each.action) for each in changes} == {("action", "Transfer")}
    assert len({each.operation for each in changes}) == 1
    assert "Transfer" in (await client.get("/history")).text
    undone = await client.follow(await client.submit(page.form(press="Undo")))
    assert undone.flash == "Restored 2 heroes"
    assert {(hero.team_id, hero.age) for hero in await stored.all(Hero)} == {
        (None, 1),
        (None, 2),
        (None, 3),
    }


async def test_an_invalid_form_is_shown_again_as_it_was_typed(
    client: Client, session: AsyncSession, stored: Stored
) -> None:
    (hero,) = await some_heroes(session, 1)
    await some_teams(session, 2)
    question = await client.get(f"/heroes/actions/transfer?id={hero.id}")
    assert question.heading == "Transfer Hero 001?"
    form = question.form()
    form.data["years"] = ["many"]
    answer = await client.submit(form, headers=DIALOG)
    assert answer.status_code == 422
    assert answer.error("Years older") == "Enter a whole number."
    assert answer.error("Team") == "Choose a team."
    assert answer.form()["years"] == "many"
    form.data |= {"years": ["11"], "team_id": ["999"]}
    answer = await client.submit(form)
    assert answer.error("Years older") == "Enter 10 or less."
    form.data["years"] = ["1"]
    answer = await client.submit(form)
    assert answer.status_code == 422
    assert answer.error("Team") == "This team no longer exists. Choose another one."
    assert (await stored.all(Hero))[0].age == 1
    assert await stored.count(Change) == 0


async def test_a_picker_of_an_action_is_searched_with_and_without_javascript(
    client: Client, session: AsyncSession
) -> None:
    (hero,) = await some_heroes(session, 1)
    await some_teams(session, 60)
    question = await client.get(f"/heroes/actions/transfer?id={hero.id}")
    again = await client.submit(question.form(press="Find"), {"team_id.q": "Team 059"}, years="3")
    assert again.status_code == 200
    assert "Team 059" in again.text
    assert again.form(press="Transfer")["years"] == "3"
    options = await client.get("/heroes/actions/transfer/options/team_id?q=058")
    assert "Team 058" in options.text
    assert (await client.get("/heroes/actions/transfer/options/years")).status_code == 404


async def test_an_action_that_fails_for_one_changes_none(
    client: Client, session: AsyncSession, stored: Stored
) -> None:
    old = await a_hero(session, "Old", age=149_999)
    young = await a_hero(session, "Young", age=1)
    team = (await some_teams(session, 1))[0]
    question = await client.get("/heroes/actions/transfer", params={"id": [young.id, old.id]})
    answer = await client.submit(question.form(), team_id=str(team.id), years="4")
    assert answer.status_code == 422
    assert answer.alert == "Old, age: Enter 150,000 or less."
    assert {hero.age for hero in await stored.all(Hero)} == {1, 149_999}
    assert await stored.count(Change) == 0


async def test_records_changed_since_the_question_are_asked_about_again(
    client: Client, session: AsyncSession, stored: Stored
) -> None:
    first, second = await some_heroes(session, 2)
    team = (await some_teams(session, 1))[0]
    question = await client.get("/heroes/actions/transfer", params={"id": [first.id, second.id]})
    await client.post(f"/heroes/{second.id}", data={"name": "Other"})
    answer = await client.submit(question.form(), team_id=str(team.id))
    assert answer.status_code == 409
    assert answer.alert == "Someone else has changed one of these records. Check again."
    await client.post(f"/heroes/{second.id}/delete")
    assert (await client.submit(question.form(), team_id=str(team.id))).status_code == 409
    assert (await stored.all(Hero))[0].team_id is None


async def test_an_action_may_create_and_delete_and_lead_to_another_page(
    client: Client, session: AsyncSession, stored: Stored
) -> None:
    first, second = await some_heroes(session, 2)
    shown = await client.get(f"/heroes/{first.id}")
    question = await client.get(shown.link("Clone…"))
    assert question.heading == "Clone Hero 001?"
    answer = await client.submit(question.form())
    assert answer.headers["location"] == "/heroes?sort=-name"
    page = await client.follow(answer)
    assert page.flash == "Cloned"
    assert page.column("Name") == ["Hero 002", "Hero 001 II"]
    await client.submit(page.form(press="Undo"))
    assert {hero.name for hero in await stored.all(Hero)} == {first.name, second.name}


async def test_what_an_action_refuses_is_a_sentence(client: Client, session: AsyncSession) -> None:
    hero = await a_hero(session, "Nobody")
    question = await client.get(f"/heroes/actions/clone?id={hero.id}")
    answer = await client.submit(question.form())
    assert answer.status_code == 422
    assert answer.alert == "Nobody can't be cloned."


async def test_an_action_may_answer_with_a_file(client: Client, session: AsyncSession) -> None:
    heroes = await some_heroes(session, 2)
    question = await client.get(
        "/heroes/actions/roster", params={"id": [each.id for each in heroes]}
    )
    answer = await client.submit(question.form())
    assert answer.text == "Hero 001\nHero 002"
    assert answer.headers["content-disposition"] == 'attachment; filename="roster.txt"'


async def test_an_action_is_offered_to_those_who_may_do_it_where_it_makes_sense(
    client: Client, editor: Client, viewer: Client, session: AsyncSession
) -> None:
    (hero,) = await some_heroes(session, 1)
    for person, offered in (
        (client, {"Transfer…", "Clone…", "Roster…"}),
        (editor, {"Transfer…", "Roster…"}),
        (viewer, {"Roster…"}),
    ):
        listed = await person.get("/heroes")
        buttons = {tag.visible_text for tag in listed.by_id("selection").find_all("button")}
        assert buttons - {"Edit…", "Delete…"} == offered
        shown = await person.get(f"/heroes/{hero.id}")
        links = {tag.visible_text for tag in shown.find_all("a")} & {
            "Transfer…",
            "Clone…",
            "Roster…",
        }
        assert links == offered - {"Roster…"}
    for method in ("GET", "POST"):
        refused = await editor.request(method, f"/heroes/actions/clone?id={hero.id}")
        assert refused.status_code == 403
        assert (await viewer.request(method, "/heroes/actions/transfer")).status_code == 403
    assert (await viewer.post("/api/heroes/actions/transfer", json={})).status_code == 403
    assert (await client.get(f"/heroes/actions/roster?id={hero.id}")).status_code == 200
    assert (await client.get("/heroes/actions/clone?form.all=")).status_code == 400


async def test_an_action_on_no_records_is_on_the_overview(
    client: Client, viewer: Client, stored: Stored
) -> None:
    assert "Found a team…" not in (await viewer.get("/")).text
    question = await client.get((await client.get("/")).link("Found a team…"))
    assert question.heading == "Found a team?"
    assert (await client.submit(question.form())).error("Name") == "Enter a name."
    page = await client.follow(await client.submit(question.form(), name="X-Men"))
    assert page.flash == "X-Men founded by Olive Owner"
    await client.submit(page.form(press="Undo"))
    assert await stored.count(Team) == 0


async def test_the_api_does_an_action(
    client: Client, session: AsyncSession, stored: Stored
) -> None:
    heroes = await some_heroes(session, 3)
    team = (await some_teams(session, 1))[0]
    url = "/api/heroes/actions/transfer"
    form = {"team_id": team.id, "years": 1}
    ids = [heroes[0].id, str(heroes[1].id)]
    done = await client.post(url, json={"ids": ids, "form": form})
    answer = done.json()
    assert answer.pop("operation")
    assert answer == {"message": "2 heroes transferred", "count": 2, "job": None}
    matching = {"age_min": 3, "q": "hero"}
    done = await client.post(url, json={"all_matching": matching, "form": form})
    assert done.json()["count"] == 2
    assert sorted(hero.age or 0 for hero in await stored.all(Hero)) == [2, 4, 4]
    await client.post(f"/undo/{done.json()['operation']}")
    assert sorted(hero.age or 0 for hero in await stored.all(Hero)) == [2, 3, 3]
    document = (await client.get("/api/openapi.json")).json()
    body = document["components"]["schemas"]["HeroTransfer"]
    assert body["properties"]["form"] == {"$ref": "#/components/schemas/Transfer"}
    assert (await client.get("/api/docs")).status_code == 200


@on_one_database
async def test_the_api_refuses_what_is_no_action(
    client: Client, session: AsyncSession, statements: Statements
) -> None:
    (hero,) = await some_heroes(session, 1)
    url, form = "/api/heroes/actions/transfer", {"team_id": 999}
    for body, location in (
        ({"form": form}, ["body"]),
        ({"ids": [], "form": form}, ["body", "ids"]),
        ({"ids": [hero.id]}, ["body", "form"]),
        ({"ids": [hero.id], "form": {"team_id": 1, "years": -1}}, ["body", "form", "years"]),
        ({"ids": [hero.id], "form": form}, ["body", "form.team_id"]),
        ({"all_matching": {"taem": 3}, "form": form}, ["body", "all_matching"]),
        ({"all_matching": {"age_min": "old"}, "form": form}, ["body", "all_matching"]),
    ):
        answer = await client.post(url, json=body)
        assert answer.status_code == 422, body
        assert answer.json()["detail"][0]["loc"] == location, answer.text
    assert (await client.post(url, json={"ids": ["x"], "form": form})).status_code == 404
    assert (await client.post(url, json={"ids": [9], "form": form})).status_code == 409


async def test_an_action_sent_twice_is_done_once(
    client: Client, session: AsyncSession, stored: Stored
) -> None:
    question = (await client.get("/actions/found")).form()
    pages = [await client.follow(await client.submit(question, name="Recruits")) for _ in range(2)]
    assert [page.flash for page in pages] == [
        "Recruits founded by Olive Owner",
        "Already done; not done twice.",
    ]
    assert await stored.count(Team) == 1
    # The page of a second click is the one that is seen.
    await client.submit(pages[1].form(press="Undo"))
    assert await stored.count(Team) == 0
    await client.submit((await client.get("/actions/found")).form(), name="Recruits")
    # Another form, or another answer in the same one, is another action.
    await client.submit((await client.get("/actions/found")).form(), name="Recruits of May")
    await client.submit(question, name="Recruits of June")
    assert await stored.count(Team) == 3
    (hero,) = await some_heroes(session, 1)
    again = (await client.get(f"/heroes/actions/transfer?id={hero.id}")).form()
    for _ in range(2):
        await client.submit(again, team_id=str((await stored.all(Team))[0].id), years="2")
    assert [each.age for each in await stored.all(Hero)] == [3]


async def test_a_file_of_an_action_is_in_the_audit_log(
    client: Client, session: AsyncSession, stored: Stored
) -> None:
    heroes = await some_heroes(session, 3)
    question = ticked((await client.get("/heroes/actions/roster?id=1&id=2")).form(), *heroes)
    # Whoever wants it again gets it again.
    for _ in range(2):
        assert "Hero 001" in (await client.submit(question)).text
    sent = {"ids": [1, 2]}
    assert "Hero 002" in (await client.post("/api/heroes/actions/roster", json=sent)).text
    told = [each for each in await stored.all(StoredEvent) if each.kind == EventKind.EXPORTED]
    assert [(each.resource, each.count) for each in told] == [("heroes", 2)] * 3
    assert {each.by_name for each in told} == {"Olive Owner"}
    page = await client.get("/audit-log?kind=exported")
    assert page.visible_text.count("roster.txt") == 3
