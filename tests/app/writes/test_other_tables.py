"""Other tables: what deleting does to rows that are not administered is told, and comes back."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from sqlalchemy import make_url, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import Field, SQLModel

from hero_admin.application import create_app
from hero_admin.audit_log.changes import Change
from hero_admin.database.engines import Database, is_postgresql
from hero_admin.model.resource import Resource
from hero_admin.person import Role
from hero_admin.settings import Settings
from hero_admin.testing import Client, Page
from tests.app.history.test_restore import reason_of, restore
from tests.serving import serving
from tests.statements import Statements
from tests.stored import Stored


class Mood(SQLModel, table=True):
    code: str = Field(primary_key=True)


class Album(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    name: str


class Song(SQLModel, table=True):
    """Its model knows less than its table: neither what happens to it nor all of its columns."""

    id: int | None = Field(default=None, primary_key=True)
    name: str
    album_id: int | None = Field(default=None, foreign_key="album.id")


class Listing(SQLModel, table=True):
    """A list of songs; what links them is administered in some tests, and in others not."""

    id: int | None = Field(default=None, primary_key=True)
    name: str


class Listed(SQLModel, table=True):
    listing_id: int = Field(foreign_key="listing.id", primary_key=True)
    song_id: int = Field(foreign_key="song.id", primary_key=True)


TABLES = """
CREATE TABLE mood (code VARCHAR PRIMARY KEY);
CREATE TABLE felt (mood VARCHAR REFERENCES mood ON DELETE CASCADE);
CREATE TABLE album (id INTEGER PRIMARY KEY, name VARCHAR NOT NULL);
CREATE TABLE song (id INTEGER PRIMARY KEY, name VARCHAR NOT NULL,
    album_id INTEGER REFERENCES album ON DELETE CASCADE,
    lyrics VARCHAR NOT NULL DEFAULT '', UNIQUE (id, name));
CREATE TABLE listing (id INTEGER PRIMARY KEY, name VARCHAR NOT NULL);
CREATE TABLE listed (listing_id INTEGER NOT NULL REFERENCES listing,
    song_id INTEGER NOT NULL REFERENCES song ON DELETE CASCADE, PRIMARY KEY (listing_id, song_id));
-- No key at all, and rows that are equal.
CREATE TABLE played (song_id INTEGER REFERENCES song ON DELETE CASCADE, note VARCHAR);
CREATE TABLE cover (id INTEGER PRIMARY KEY, secret VARCHAR,
    song_id INTEGER REFERENCES song ON DELETE SET NULL);
CREATE TABLE "Second Level" ("the id" INTEGER PRIMARY KEY,
    "of:cover" INTEGER NOT NULL REFERENCES cover ON DELETE CASCADE);
CREATE TABLE note (id INTEGER PRIMARY KEY, song_id INTEGER, song_name VARCHAR,
    FOREIGN KEY (song_id, song_name) REFERENCES song (id, name) ON DELETE CASCADE)
"""
ROWS = [
    "INSERT INTO album VALUES (1, 'Blue'), (2, 'Red')",
    "INSERT INTO song VALUES (1, 'One', 1, 'la'), (2, 'Two', 1, 'li'), (3, 'Three', 2, 'lu')",
    "INSERT INTO listing VALUES (1, 'Morning'), (2, 'Evening')",
    "INSERT INTO listed VALUES (1, 1), (1, 2), (1, 3), (2, 3)",
    "INSERT INTO played VALUES (1, 'x'), (1, 'x'), (1, NULL), (3, 'y')",
    "INSERT INTO cover VALUES (1, 'hidden', 1), (2, 'hidden', 2), (3, 'hidden', 3)",
    'INSERT INTO "Second Level" VALUES (1, 1)',
    "INSERT INTO note VALUES (1, 1, 'One'), (2, 2, 'Two'), (3, NULL, 'Two')",
]
NAMES = ("album", "song", "listing", "listed", "played", "cover", '"Second Level"', "note")


async def contents(database: Database, *names: str) -> dict[str, list[tuple[Any, ...]]]:
    """What all the tables hold."""
    found = {}
    async with database.session(is_read_only=True) as session:
        for name in names or NAMES:
            rows = await session.execute(text(f"SELECT * FROM {name}"))
            found[name] = sorted((tuple(row) for row in rows), key=repr)
    return found


async def arrange(session: AsyncSession, *statements: str) -> None:
    for statement in statements:
        await (await session.connection()).exec_driver_sql(statement)
    await session.commit()


@pytest.fixture
async def client(settings: Settings, session: AsyncSession) -> AsyncIterator[Client]:
    """A client of an admin of albums, songs and lists, but of nothing else."""
    await arrange(session, *TABLES.split(";"), *ROWS)
    resources = [Resource(model) for model in (Album, Song, Listing, Mood)]
    async with serving(create_app(settings, resources), role=Role.OWNER) as client:
        yield client


def said(page: Page) -> list[str]:
    return [tag.visible_text for tag in page.by_id("confirm").find_all("p")]


async def test_cascading_deletions_are_counted_in_every_table_and_at_every_level(
    client: Client, database: Database
) -> None:
    assert said(await client.get("/albums/1/delete")) == [
        "2 songs will be deleted too.",
        "2 rows of listed will be deleted too.",
        "2 rows of note will be deleted too.",
        "3 rows of played will be deleted too.",
        "2 rows of cover will have no song_id.",
        "You can undo this afterwards.",
    ]


@pytest.mark.parametrize("way", ["page", "bulk", "api"])
async def test_all_that_went_along_comes_back_and_goes_again(
    client: Client, database: Database, stored: Stored, way: str
) -> None:
    before = await contents(database)
    match way:
        case "page":
            answer = await client.post("/albums/1/delete")
        case "bulk":
            answer = await client.post("/albums/delete", data={"id": ["1", "2"]})
        case _:
            answer = await client.delete("/api/albums/1")
    assert answer.status_code in (204, 303)
    after = await contents(database)
    assert after["played"] == ([] if way == "bulk" else [(3, "y")])
    for wanted in (before, after, before):
        operation = (await stored.all(Change))[-1].operation
        assert (await client.post(f"/undo/{operation}")).status_code == 303
        assert await contents(database) == wanted


async def test_a_record_is_restored_with_its_own_rows_alone(
    client: Client, database: Database, stored: Stored
) -> None:
    before = await contents(database)
    await client.post("/songs/delete", data={"id": ["1", "2", "3"]})
    deletions = {change.title: change for change in await stored.all(Change)}
    assert (await restore(client, deletions["One"])).status_code == 303
    restored = await contents(database)
    assert restored["song"] == [(1, "One", 1, "la")]
    assert restored["played"] == [row for row in before["played"] if row[0] == 1]
    assert restored["listed"] == [(1, 1)]
    assert restored["note"] == [(1, 1, "One"), (3, None, "Two")]
    assert restored["cover"] == [(1, "hidden", 1), (2, "hidden", None), (3, "hidden", None)]
    for title in ("Two", "Three"):
        assert (await restore(client, deletions[title])).status_code == 303
    assert await contents(database) == before


async def test_the_history_tells_of_other_rows_and_shows_none_of_their_values(
    client: Client,
) -> None:
    await client.post("/songs/1/delete")
    page = await client.get("/history")
    told = [entry.sentence.removeprefix("Olive Owner ") for entry in page.entries]
    assert "deleted 3 rows of played as a consequence" in told
    assert "changed 1 row of cover as a consequence" in told
    assert "hidden" not in page.tag.get_text()


async def test_links_that_are_not_administered_can_be_given_to_another_record(
    client: Client, database: Database
) -> None:
    before = await contents(database)
    page = await client.get("/listings/1/delete")
    assert said(page)[0] == "3 rows of listed need another listing."
    refused = await client.submit(page.form())
    assert refused.alert == "Other records need it, so it wasn't deleted."
    choice = page.field("New listing_id for rows of listed")
    assert choice.options == {"Choose…": "", "Evening": "2"}
    answer = await client.submit(page.form(), {choice.name: "2"})
    after = await contents(database)
    assert after["listed"] == [(2, 1), (2, 2), (2, 3)]
    page = await client.follow(answer)
    for wanted in (before, after, before):
        page = await client.follow(await client.submit(page.undo))
        assert await contents(database) == wanted


async def test_administered_links_can_be_given_to_another_record_and_come_back(
    settings: Settings, session: AsyncSession, database: Database
) -> None:
    await arrange(session, *TABLES.split(";"), *ROWS)
    resources = [Resource(model) for model in (Album, Song, Listing, Listed)]
    async with serving(create_app(settings, resources), role=Role.OWNER) as client:
        before = await contents(database)
        page = await client.get("/listings/1/delete")
        answer = await client.submit(page.form(), listeds="2")
        after = await contents(database)
        assert after["listed"] == [(2, 1), (2, 2), (2, 3)]
        page = await client.follow(answer)
        for wanted in (before, after, before):
            page = await client.follow(await client.submit(page.undo))
            assert await contents(database) == wanted


async def test_both_lists_go_and_their_links_with_one_heir_are_there_once(
    client: Client, session: AsyncSession, database: Database
) -> None:
    await arrange(session, "INSERT INTO listing VALUES (3, 'Night')")
    before = await contents(database)
    page = await client.get("/listings/delete", params={"id": ["1", "2"]})
    choice = page.field("New listing_id for rows of listed")
    answer = await client.submit(page.form(), {choice.name: "3"})
    assert (await contents(database))["listed"] == [(3, 1), (3, 2), (3, 3)]
    await client.submit((await client.follow(answer)).undo)
    assert await contents(database) == before


async def test_rows_that_changed_since_are_left_alone_and_reported(
    client: Client, session: AsyncSession, database: Database
) -> None:
    page = await client.follow(await client.post("/songs/1/delete"))
    await arrange(
        session,
        "UPDATE cover SET song_id = 2 WHERE id = 1",
        "INSERT INTO note VALUES (1, 3, 'Three')",
    )
    page = await client.follow(await client.submit(page.undo))
    assert page.flash.endswith("2 related records were changed since, and kept as is.")
    found = await contents(database)
    assert (1, 3, "Three") in found["note"]
    assert (1, "hidden", 2) in found["cover"]
    assert len(found["played"]) == 4


async def test_a_creation_that_other_rows_point_at_is_left_alone(
    client: Client, session: AsyncSession, stored: Stored
) -> None:
    page = await client.follow(await client.post("/moods", data={"code": "blue"}))
    await arrange(session, "INSERT INTO felt VALUES ('blue')")
    refused = await client.submit(page.undo)
    assert reason_of(refused) == "Another record points at “blue” now."
    assert await stored.count(Mood) == 1


async def test_what_triggers_do_is_said_before(
    client: Client, session: AsyncSession, database: Database
) -> None:
    if database.loop_reader:
        await arrange(
            session,
            "CREATE TRIGGER noted AFTER DELETE ON played BEGIN DELETE FROM note; END",
        )
    else:
        await arrange(
            session,
            "CREATE FUNCTION noting() RETURNS trigger LANGUAGE plpgsql"
            " AS 'BEGIN DELETE FROM note; RETURN NULL; END'",
            "CREATE TRIGGER noted AFTER DELETE ON played EXECUTE FUNCTION noting()",
        )
    *_, limit, last = said(await client.get("/songs/1/delete"))
    assert limit == "Undo doesn't revert what database triggers do (played)."
    assert last == "You can undo the rest."


async def test_what_a_trigger_owns_in_other_tables_keeps_nothing_else_from_coming_back(
    client: Client, session: AsyncSession, database: Database
) -> None:
    await arrange(session, "ALTER TABLE note ADD COLUMN remark VARCHAR DEFAULT 'r'")
    changes = {"played": "INSERT", "note": "INSERT", "cover": "UPDATE OF song_id"}
    own = {"played": "note", "note": "remark", "cover": "secret"}
    for table, event in changes.items():
        if database.loop_reader:
            await arrange(
                session,
                f"CREATE TRIGGER {table}_owned AFTER {event} ON {table} BEGIN UPDATE {table}"
                f" SET {own[table]} = {own[table]} || '!' WHERE rowid = NEW.rowid; END",
            )
        else:
            await arrange(
                session,
                f"CREATE FUNCTION {table}_owned() RETURNS trigger LANGUAGE plpgsql AS"
                f" 'BEGIN NEW.{own[table]} := NEW.{own[table]} || ''!''; RETURN NEW; END'",
                f"CREATE TRIGGER {table}_owned BEFORE {event} ON {table} FOR EACH ROW"
                f" EXECUTE FUNCTION {table}_owned()",
            )
    told = "Set by a trigger, so not as before: "
    page = await client.follow(await client.post("/songs/2/delete"))
    for song_id in (2, None, 2):
        page = await client.follow(await client.submit(page.undo))
        found = await contents(database, "note", "cover", "listed")
        assert found["cover"][1][2] == song_id
        if song_id:
            assert f"{told}remark of note." in page.flash
            assert found["listed"] == [(1, 1), (1, 2), (1, 3), (2, 3)]
            assert found["note"][1][:3] == (2, 2, "Two")
    # Nothing tells rows without a key apart: all are back, and what they are is left at that.
    page = await client.follow(await client.post("/songs/1/delete"))
    page = await client.follow(await client.submit(page.undo))
    assert f"{told}rows of played" in page.flash
    found = await contents(database, "played")
    assert found["played"] == [(1, "x!"), (1, "x!"), (1, None), (3, "y")]


async def test_values_of_any_kind_come_back_as_they_were(
    client: Client, session: AsyncSession, database: Database, stored: Stored
) -> None:
    if database.loop_reader:
        await arrange(
            session,
            "CREATE TABLE odd (song_id INTEGER REFERENCES song ON DELETE CASCADE, a, b, c, d, e,"
            " f GENERATED ALWAYS AS (song_id + 1) STORED)",
            "INSERT INTO odd VALUES"
            " (1, 9e999, x'00ff', CAST(x'ff41' AS TEXT), 1.0, 'a' || char(0))",
            "CREATE TABLE keyed (name TEXT PRIMARY KEY, at NUMERIC, song_id INTEGER"
            " REFERENCES song ON DELETE CASCADE) WITHOUT ROWID",
            "INSERT INTO keyed VALUES ('it''s :named', '12.50', 1)",
        )
    else:
        await arrange(
            session,
            "CREATE SCHEMA elsewhere",
            "CREATE TYPE elsewhere.mood AS ENUM ('sad', 'it''s :fine')",
            "CREATE TABLE elsewhere.odd (song_id INTEGER REFERENCES song ON DELETE CASCADE,"
            " a double precision, b bytea, c jsonb, d numeric, e elsewhere.mood[], f tsrange,"
            " g inet, h timestamptz, i interval, j char(5), k json, l bit(3),"
            " m INTEGER GENERATED ALWAYS AS (song_id + 1) STORED)",
            "INSERT INTO elsewhere.odd VALUES (1, 'NaN', '\\x00ff', '{\"b\": 1, \"a\": 2}', 1.500,"
            " ARRAY['it''s :fine', NULL]::elsewhere.mood[], '[2026-01-01, infinity)', '::1/64',"
            " '-infinity', '1 mon -3 days', 'ab', '{\"b\":  1}', B'101')",
            "CREATE TABLE keyed (id INTEGER GENERATED ALWAYS AS IDENTITY PRIMARY KEY,"
            " song_id INTEGER REFERENCES song ON DELETE CASCADE)",
            "INSERT INTO keyed (song_id) VALUES (1), (1)",
        )
    names = ("odd" if database.loop_reader else "elsewhere.odd", "keyed")
    before = await texts(database, *names)
    assert all(before.values())
    page = await client.follow(await client.post("/songs/1/delete"))
    assert not any((await texts(database, *names)).values())
    await client.submit(page.undo)
    assert await texts(database, *names) == before


on_postgresql = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)


@on_postgresql
async def test_rows_of_partitions_and_of_inheriting_tables_are_told_apart(
    client: Client, session: AsyncSession, database: Database
) -> None:
    """Each of them numbers its rows for itself, and no foreign key knows of who inherits."""
    to_song = "song_id INTEGER REFERENCES song ON DELETE CASCADE"
    await arrange(
        session,
        f"CREATE TABLE heard ({to_song}, year INTEGER) PARTITION BY LIST (year)",
        "CREATE TABLE heard_2025 PARTITION OF heard FOR VALUES IN (2025)",
        "CREATE TABLE heard_2026 PARTITION OF heard FOR VALUES IN (2026)",
        "INSERT INTO heard VALUES (1, 2025), (2, 2025), (2, 2026), (1, 2026)",
        f"CREATE TABLE remark (id INTEGER PRIMARY KEY, {to_song})",
        "CREATE TABLE old_remark () INHERITS (remark)",
        "INSERT INTO remark VALUES (1, 1), (2, 2)",
        "INSERT INTO old_remark VALUES (1, 1), (2, 1), (1, 2)",
        "CREATE RULE noted AS ON DELETE TO remark DO ALSO DELETE FROM note WHERE id = 3",
    )
    names = ("heard", "remark", "old_remark")
    before = await contents(database, *names)
    paragraphs = said(await client.get("/songs/1/delete"))
    assert {"2 rows of heard will be deleted too.", "1 row of remark will be deleted too."} <= {
        *paragraphs
    }
    assert "Undo doesn't revert what database triggers do (remark)." in paragraphs
    page = await client.follow(await client.post("/songs/1/delete"))
    after = await contents(database, *names)
    assert after["heard"] == [(2, 2025), (2, 2026)]
    assert after["old_remark"] == before["old_remark"]
    for wanted in (before, after, before):
        page = await client.follow(await client.submit(page.undo))
        assert await contents(database, *names) == wanted


@on_postgresql
async def test_rows_hidden_by_row_level_security_are_announced_before_they_are_deleted_for_good(
    settings: Settings, session: AsyncSession, database: Database
) -> None:
    await arrange(
        session,
        *TABLES.split(";"),
        *ROWS,
        "CREATE ROLE undoer LOGIN",
        "GRANT ALL ON ALL TABLES IN SCHEMA public TO undoer",
        "GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO undoer",
        "REVOKE UPDATE ON played FROM undoer",
        "ALTER TABLE note ENABLE ROW LEVEL SECURITY",
        "CREATE POLICY later ON note USING (id > 1)",
    )
    url = make_url(settings.database_url).set(username="undoer")
    own = settings.model_copy(update={"database_url": url.render_as_string(hide_password=False)})
    resources = [Resource(model) for model in (Album, Song, Listing, Mood)]
    try:
        async with serving(create_app(own, resources), role=Role.OWNER) as client:
            before = await contents(database)
            *_, unread, hidden, last = said(await client.get("/albums/1/delete"))
            assert unread.startswith(
                "Rows of played may change or be deleted too; they can't be shown"
            )
            assert hidden.startswith("Rows of note that the database hides from this application")
            assert last == "You can undo the rest."
            page = await client.follow(await client.post("/albums/1/delete"))
            await client.submit(page.undo)
            found = await contents(database)
            assert found.pop("played") == [(3, "y")]
            assert found.pop("note") == before["note"][1:]
            assert found == {name: before[name] for name in found}
            await arrange(session, "REVOKE DELETE ON song FROM undoer")
            for answer in (
                await client.post("/songs/1/delete"),
                await client.delete("/api/songs/1"),
            ):
                assert answer.status_code == 409
    finally:
        await arrange(session, "DROP OWNED BY undoer", "DROP ROLE undoer")


async def texts(database: Database, *names: str) -> dict[str, list[str]]:
    """What tables hold, as the database itself writes it."""
    found = {}
    async with database.session(is_read_only=True) as session:
        for name in names:
            if database.loop_reader:
                info = await session.execute(text(f"SELECT name FROM pragma_table_xinfo('{name}')"))
                row = " || '|' || ".join(f"typeof({each}) || hex({each})" for (each,) in info)
                row = f"{row} || '|'"
            else:
                row = "t::text"
            rows = await session.scalars(text(f"SELECT {row} FROM {name} t ORDER BY 1"))
            found[name] = list(rows)
    return found


async def test_what_only_a_model_declares_is_followed_too(
    settings: Settings, session: AsyncSession, database: Database
) -> None:
    await arrange(
        session,
        "CREATE TABLE album (id INTEGER PRIMARY KEY, name VARCHAR NOT NULL)",
        "CREATE TABLE song (id INTEGER PRIMARY KEY, name VARCHAR NOT NULL, album_id INTEGER)",
        "INSERT INTO album VALUES (1, 'Blue')",
        "INSERT INTO song VALUES (1, 'One', 1)",
    )
    async with serving(
        create_app(settings, [Resource(Album), Resource(Song)]), role=Role.OWNER
    ) as client:
        assert said(await client.get("/albums/1/delete"))[0].startswith("1 song will have no ")
        page = await client.follow(await client.post("/albums/1/delete"))
        assert (await contents(database, "song"))["song"] == [(1, "One", None)]
        await client.submit(page.undo)
        assert (await contents(database, "song"))["song"] == [(1, "One", 1)]


async def test_a_link_that_says_more_is_never_merged_away(
    client: Client, session: AsyncSession, database: Database
) -> None:
    await arrange(
        session,
        "CREATE TABLE seat (song_id INTEGER NOT NULL REFERENCES song, number INTEGER NOT NULL,"
        " UNIQUE (song_id, number))",
        "INSERT INTO seat VALUES (1, 7), (2, 7)",
    )
    before = await contents(database, "seat", "song")
    page = await client.get("/songs/1/delete")
    choice = page.field("New song_id for rows of seat")
    refused = await client.submit(page.form(), {choice.name: "2"})
    assert refused.status_code == 409
    assert refused.alert == (
        "The database doesn't accept this choice for the rows of seat. Choose another."
    )
    assert await contents(database, "seat", "song") == before


async def test_rows_that_are_needed_only_when_all_is_done_keep_a_record(
    client: Client, session: AsyncSession, database: Database
) -> None:
    await arrange(
        session,
        "CREATE TABLE later (song_id INTEGER NOT NULL REFERENCES song"
        " DEFERRABLE INITIALLY DEFERRED)",
        "INSERT INTO later VALUES (1)",
    )
    assert (await client.post("/songs/1/delete")).status_code == 409
    assert (await client.delete("/api/songs/1")).status_code == 409
    assert len((await contents(database, "song"))["song"]) == 3


async def test_more_rows_than_fit_into_one_step_come_back(
    client: Client, session: AsyncSession, database: Database, statements: Statements
) -> None:
    numbers = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2500)"
    await arrange(session, f"INSERT INTO played {numbers} SELECT 2, 'many' FROM n")
    before = await contents(database, "played")
    with statements() as executed:
        page = await client.post("/songs/2/delete")
    assert len(executed) < 100
    page = await client.follow(page)
    await client.submit(page.undo)
    assert await contents(database, "played") == before


async def test_of_two_deletions_that_share_rows_both_succeed_or_one_is_refused(
    client: Client, database: Database, stored: Stored
) -> None:
    before = await contents(database)
    answers = await asyncio.gather(
        client.post("/albums/1/delete"), client.post("/songs/delete", data={"id": ["1", "2", "3"]})
    )
    assert sorted(answer.status_code for answer in answers) in ([303, 303], [303, 404], [303, 409])
    for operation in reversed(dict.fromkeys(each.operation for each in await stored.all(Change))):
        assert (await client.post(f"/undo/{operation}")).status_code == 303
    assert await contents(database) == before


class Band(SQLModel, table=True):
    code: str = Field(primary_key=True, max_length=5)


class Gig(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    band_code: str | None = Field(default=None, foreign_key="band.code", ondelete="SET NULL")


async def test_what_points_at_its_record_in_another_spelling_gets_it_back(
    settings: Settings, session: AsyncSession, stored: Stored
) -> None:
    kind = "char(5)" if is_postgresql(session) else "text COLLATE NOCASE"
    points = "varchar(5) REFERENCES band ON DELETE SET NULL"
    for statement in (
        f"CREATE TABLE band (code {kind} PRIMARY KEY)",
        f"CREATE TABLE gig (id integer PRIMARY KEY, band_code {points})",
        "INSERT INTO band VALUES ('EU')",
        f"INSERT INTO gig VALUES (1, '{'EU' if is_postgresql(session) else 'eu'}')",
    ):
        await session.execute(text(statement))
    await session.commit()
    resources = [Resource(Band), Resource(Gig)]
    before = [await stored.records(resource) for resource in resources]
    async with serving(create_app(settings, resources), role=Role.OWNER) as client:
        assert len((await client.get("/gigs?sort=band_code")).rows) == 1
        question = await client.get((await client.get("/bands")).link("Delete EU"))
        page = await client.follow(await client.submit(question.form()))
        assert [gig.band_code for gig in await stored.all(Gig)] == [None]
        await client.submit(page.form(press="Undo"))
    assert [await stored.records(resource) for resource in resources] == before
