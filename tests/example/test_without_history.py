"""The shop's admin without history: it works, says what is missing, and makes nothing."""

import asyncio
import json
from collections.abc import AsyncIterator

import pytest
from click.testing import CliRunner
from sqlalchemy import text
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.routing import Mount

from hero_admin import Admin, Person, Role
from hero_admin.cli.main import commands
from hero_admin.model.arguments import ResourceError
from hero_admin.testing import AdminClient, Client, client_on
from hero_admin.testing.admin_client import form_of_main
from hero_admin.testing.checks.sampling import changes_of, others_moved, samples_of
from tests.example.shops import Shop

PNG = b"\x89PNG\r\n\x1a\n and more"
ADMIN = "/admin/"
CANT_UNDO = "You can't undo this: changes aren't recorded here."
SAVE = "Save changes"


# What needs others is dropped before them: accounts last, FTS5's tables with their index.
OURS = {
    "sqlite": """
        SELECT type, name FROM sqlite_master WHERE name LIKE 'hero!_admin!_%' ESCAPE '!'
        ORDER BY type = 'table', sql NOT LIKE 'CREATE VIRTUAL%', name = 'hero_admin_user'
    """,
    "postgresql": """
        SELECT kind, name FROM (
            SELECT 1 AS turn, 'INDEX' AS kind, i.indexrelid::regclass::text AS name FROM pg_index i
            JOIN pg_class t ON t.oid = i.indrelid WHERE NOT starts_with(t.relname, 'hero_admin_')
            UNION SELECT 2, 'FUNCTION', oid::regprocedure::text FROM pg_proc
            UNION SELECT 3 + (tablename = 'hero_admin_user')::int, 'TABLE', tablename FROM pg_tables
        ) AS things WHERE starts_with(name, 'hero_admin_') ORDER BY turn
    """,
}


def ada(_: Request) -> Person:
    return Person("Ada", Role.OWNER)


async def ours_in(shop: Shop) -> list[str]:
    """What the library has in the database, each as it would be dropped."""
    async with shop.engine.connect() as connection:
        found = await connection.execute(text(OURS[shop.engine.dialect.name]))
        return [f"{kind} IF EXISTS {name}" for kind, name in found]


async def remove_ours(shop: Shop) -> None:
    """Leave what a database has in which the library was never told to make anything."""
    ours = await ours_in(shop)
    async with shop.engine.begin() as connection:
        for each in ours:
            await connection.execute(text(f"DROP {each}"))


@pytest.fixture
async def without_history(shop: Shop) -> AsyncIterator[Admin]:
    await remove_ours(shop)
    admin = Admin(shop.admin.resources, database=shop.engine, authenticate=ada, history=False)
    yield admin
    await admin.close()
    assert await ours_in(shop) == []
    await shop.close()


@pytest.fixture
async def owner(shop: Shop, without_history: Admin) -> AsyncIterator[AdminClient]:
    app = Starlette(routes=[Mount("/admin", without_history)])
    async with client_on(without_history, shop.url, app=app, start=ADMIN) as client:
        yield client


@pytest.fixture
def client(owner: AdminClient) -> Client:
    return owner.browser


async def test_every_page_is_there_but_for_those_of_the_history(owner: AdminClient) -> None:
    for sample in await samples_of(owner):
        address = sample.addresses[0]
        for page in ("", "/edit", "/delete"):
            shown = await owner.browser.get(f"{address}{page}")
            assert shown.status_code == 200, f"{address}{page}"
            leading = [link.href for link in shown.links if "history" in link.href]
            assert leading == [], f"{address}{page}"
    for address in ("history", "artists/1/history", "undo/1", "artists/1/restore"):
        found = await owner.browser.get(f"{ADMIN}{address}")
        assert found.status_code in (404, 405), address
    deleted = await owner.browser.get(f"{ADMIN}artists/99999")
    assert deleted.status_code == 404


async def test_events_are_lines_of_a_log(
    owner: AdminClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "hero_admin.audit")
    await owner.browser.get(f"{ADMIN}artists.csv?q=a")
    lines = [json.loads(each) for each in caplog.messages if each.startswith("{")]
    assert (lines[0]["kind"], lines[0]["by_name"], lines[0]["resource"]) == (
        "exported",
        "Ada",
        "artists",
    )
    assert lines[0]["details"]["query"] == "q=a"
    assert (await owner.browser.get(f"{ADMIN}audit-log")).status_code == 404


async def test_what_is_saved_has_no_undo(owner: AdminClient) -> None:
    saved, client = 0, owner.browser
    for sample in await samples_of(owner):
        address = sample.addresses[-1]
        page = await client.get(f"{address}/edit")
        assert "History" not in page.by_id("main").visible_text
        if SAVE not in page.by_id("main").visible_text:
            continue
        change = next(changes_of(page.form(press=SAVE)))
        done = await client.follow(await client.submit(page.form(press=SAVE), change))
        assert done.flash.startswith("Saved")
        assert "Undo" not in done.text
        again = await client.get(f"{address}/edit")
        (name,) = change
        assert again.form(press=SAVE).data != page.form(press=SAVE).data, f"{address}: {name}"
        saved += 1
    assert saved >= 6


async def test_the_question_before_a_deletion_says_that_it_is_final(client: Client) -> None:
    made = f"{ADMIN}artists/1"
    question = await client.get(f"{made}/delete")
    assert CANT_UNDO in question.text
    answer = await client.submit(
        form_of_main(question, "Delete "), others_moved(form_of_main(question, "Delete "))
    )
    assert answer.status_code == 303
    done = await client.follow(answer)
    assert done.flash.startswith("Deleted")
    assert "Undo" not in done.text
    assert (await client.get(made)).status_code == 404
    several = await client.get(f"{ADMIN}artists/change?id=2&id=3")
    assert CANT_UNDO in several.by_id("form").visible_text
    changed = await client.submit(
        several.form(press="Edit 2 artists"), {"form.set.country": True, "country": "Norway"}
    )
    assert (await client.follow(changed)).flash == "Changed 2 artists"
    one = await client.get(f"{ADMIN}api/artists/2")
    assert one.json()["country"] == "Norway"


async def test_the_document_of_the_api_promises_neither_undo_nor_tokens(client: Client) -> None:
    document = (await client.get(f"{ADMIN}api/openapi.json")).json()
    deletes = document["paths"]["/artists/{id}"]["delete"]["description"]
    assert deletes.endswith("It can't be undone: changes aren't recorded here.")
    for word in ("Undo", "token", "account"):
        assert word not in str(document), word


async def test_what_was_typed_about_a_deleted_record_is_kept(client: Client) -> None:
    playlist = await client.get(f"{ADMIN}playlists/1/edit")
    question = await client.get(f"{ADMIN}playlists/1/delete")
    assert (await client.submit(form_of_main(question, "Delete "))).status_code == 303
    typed = {"name": "Typed meanwhile", "link.tracks.add": "294"}
    gone = await client.submit(playlist.form(press=SAVE), typed)
    assert gone.status_code == 422
    assert "This playlist has been deleted meanwhile." in gone.alert
    again = await client.submit(gone.form(press="Create playlist"))
    assert (await client.follow(again)).flash.startswith("Created Typed meanwhile")
    (made,) = (await client.get(f"{ADMIN}api/playlists/?q=meanwhile")).json()
    linked = await client.get(f"{ADMIN}api/playlists/{made['id']}/with-tracks")
    assert [track["id"] for track in linked.json()["tracks"]] == [294]
    assert (await client.post(f"{ADMIN}playlists/1", data={"name": "No form"})).status_code == 404


async def test_files_are_stored_and_replaced(client: Client) -> None:
    page = await client.get(f"{ADMIN}albums/1/edit")
    form = page.form(press=SAVE)
    for cover in (PNG, PNG + b"!"):
        answer = await client.post(
            form.url, data=dict(form.filled_in({})), files={"cover": ("a.png", cover)}
        )
        assert answer.status_code == 303, answer.errors
        assert (await client.get(f"{ADMIN}albums/1/file/cover")).content == cover
        form = (await client.get(f"{ADMIN}albums/1/edit")).form(press=SAVE)


async def test_search_and_sort_fold_as_ever(client: Client, shop: Shop) -> None:
    made = ["ÉTIENNE Straße", "Łukasz Ægir", "zoë"]
    for name in made:
        data = {"name": name, "country": "Iceland"}
        assert (await client.post(f"{ADMIN}artists", data=data)).status_code == 303
    for search, found in zip(("etienne STRASSE", "lukasz aegir"), made, strict=False):
        assert (await client.get(f"{ADMIN}artists?q={search}")).column("Name") == [found]
    names = (await client.get(f"{ADMIN}artists?sort=name&size=100")).column("Name")
    # On SQLite, letters with accents follow the others.
    is_folded = shop.engine.dialect.name == "postgresql"
    assert [name for name in names if name in made] == (made if is_folded else [made[2], *made[:2]])


async def test_commands_make_nothing(without_history: Admin) -> None:
    done = await asyncio.to_thread(run, without_history, "migrate")
    assert done.splitlines()[0] == "The database is up to date."


async def test_the_doctor_makes_what_it_is_asked_for(shop: Shop) -> None:
    await remove_ours(shop)
    admin = Admin(shop.admin.resources, database=shop.engine, authenticate=ada, history=False)
    await asyncio.to_thread(run, admin, "doctor", "--fix")
    assert await asyncio.to_thread(run, admin, "doctor") == "All indexes are in place.\n"
    await shop.close()


def run(admin: Admin, *arguments: str) -> str:
    """Run a command; what it prints."""
    done = CliRunner().invoke(commands, arguments, obj=admin, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.stdout


def test_accounts_need_tables() -> None:
    with pytest.raises(ResourceError, match="history=False needs authenticate="):
        Admin((), history=False)
