"""Sample data in the history: told, and taken back, like whatever else is done."""

from sqlmodel import select

from hero_admin.audit_log.changes import Change
from hero_admin.database.engines import Database
from hero_admin.history.id_pages import PAGE_SIZE
from hero_admin.testing import Client
from hero_admin.writes.load import MAX_SINGLE_ENTRIES
from tests.replay import replayed, tables
from tests.stored import Stored
from webapp.heroes import Hero, heroes
from webapp.sample import SAMPLE
from webapp.teams import Team, teams


async def test_each_sample_record_tells_who_created_it_and_with_which_values(
    client: Client, database: Database, stored: Stored
) -> None:
    await SAMPLE.add(database, (3, 2))
    hero = (await stored.all(Hero))[0]
    (created,) = (await client.get(f"/heroes/{hero.id}/history")).entries
    assert created.sentence == "Command line created this hero command"
    assert created.values["Name"] == hero.name
    assert created.values["Secret name"] == "••••••••"
    assert len({change.operation for change in await stored.all(Change)}) == 1


async def test_the_history_replayed_gives_the_sample_data(
    database: Database, stored: Stored
) -> None:
    await SAMPLE.add(database, (1_200, 20))
    assert await replayed(stored, heroes, teams) == await tables(stored, heroes, teams)


async def test_a_whole_sample_is_a_line_for_each_kind_and_read_page_by_page_behind_it(
    client: Client, database: Database
) -> None:
    await SAMPLE.add(database, (120, 10))
    page = await client.get("/history")
    assert [entry.sentence for entry in page.entries] == [
        "Command line loaded 120 heroes command",
        "Command line loaded 10 teams command",
    ]
    assert (await client.get("/history?kind=loaded")).entries == page.entries
    page = await client.get(page.link("120 heroes"))
    told = page.entries
    while any(link.text == "Older" for link in page.links):
        assert len(page.entries) == PAGE_SIZE
        page = await client.get(page.link("Older"))
        told += page.entries
    assert len(told) == 130
    assert told[-1].sentence == "Command line created team Preventers command"


async def test_a_sample_record_goes_back_to_what_it_was_loaded_with(
    client: Client, database: Database, stored: Stored
) -> None:
    await SAMPLE.add(database, (3, 2))
    before = (await stored.all(Hero))[0]
    (change,) = await stored.select(
        select(Change).where(Change.resource == "heroes", Change.key == str(before.id))
    )
    await client.post(f"/heroes/{before.id}", data={"name": "Nova", "age": "17"})
    await client.post(f"/heroes/{before.id}/delete")
    answer = await client.post(f"/heroes/{before.id}/restore", data={"change": str(change.id)})
    assert answer.status_code == 303
    assert await stored.get(Hero, before.id) == before


async def test_a_whole_sample_can_be_taken_back_and_brought_again(
    client: Client, database: Database, stored: Stored
) -> None:
    await SAMPLE.add(database, (1_100, 10))
    before = await tables(stored, heroes, teams)
    operation = (await stored.all(Change))[0].operation
    page = await client.follow(await client.post(f"/undo/{operation}"))
    assert page.flash == "Deleted 1,110 records"
    assert await tables(stored, heroes, teams) == {}
    operation = (await stored.all(Change))[-1].operation
    assert (await client.post(f"/undo/{operation}")).status_code == 303
    assert await tables(stored, heroes, teams) == before


async def test_a_sample_that_somebody_has_changed_is_not_taken_back(
    client: Client, database: Database, stored: Stored
) -> None:
    await SAMPLE.add(database, (3, 2))
    operation = (await stored.all(Change))[0].operation
    await client.post("/heroes/2", data={"name": "Nova"})
    assert (await client.post(f"/undo/{operation}")).status_code == 409
    assert (await stored.count(Hero), await stored.count(Team)) == (3, 2)


async def test_a_large_sample_is_one_line_per_resource(
    client: Client, database: Database, stored: Stored
) -> None:
    await SAMPLE.add(database, (MAX_SINGLE_ENTRIES - 1, 2))
    assert await stored.count(Hero) == MAX_SINGLE_ENTRIES - 1
    assert [entry.sentence for entry in (await client.get("/history")).entries] == [
        "Command line loaded 9,999 heroes as a sample command",
        "Command line loaded 2 teams as a sample command",
    ]
