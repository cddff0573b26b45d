"""Other programs go on writing with plain SQL, and what they wrote is found and shown."""

import asyncio
import sqlite3
from contextlib import closing

from click.testing import CliRunner
from sqlalchemy import make_url, text

from hero_admin.cli.main import commands
from hero_admin.testing import Client
from tests.example.shops import Shop

INSERTS = """
INSERT INTO genre (id, name) VALUES (9001, 'Zydeco');
INSERT INTO artist (id, name, country) VALUES (9001, 'Zoë Quist', 'Norway');
INSERT INTO album (id, title, artist_id, genre_id, released_on, price)
  VALUES (9001, 'Zephyr', 9001, 9001, '2020-02-29', 9.5);
INSERT INTO track (id, title, album_id, position, duration, price)
  VALUES (9001, 'Zeppelin', 9001, 1, 200, 1);
INSERT INTO playlist (id, name) VALUES (9001, 'Zzz');
INSERT INTO playlist_track (playlist_id, track_id) VALUES (9001, 9001);
INSERT INTO employee (id, given_name, family_name, job, email, hired_on, reports_to)
  VALUES (9001, 'Zora', 'Quist', 'Sales', 'zora@shop.example', '2026-01-01', 1);
INSERT INTO staff (id, email, name, password_hash, role)
  VALUES (9001, 'zora@shop.example', 'Zora', 'none', 'viewer');
INSERT INTO customer (id, given_name, family_name, email, street, postal_code, city, country)
  VALUES (9001, 'Zita', 'Quist', 'zita@mail.example', 'Road 1', '1', 'Oslo', 'Norway');
INSERT INTO invoice (id, customer_id, date, status, total)
  VALUES (9001, 9001, '2026-11-29 10:11:12', 'PAID', 1);
INSERT INTO invoice_line (id, invoice_id, track_id, unit_price, quantity)
  VALUES (9001, 9001, 9001, 1, 1);
"""
UPDATES = """
UPDATE genre SET name = 'Zouk' WHERE id = 9001;
UPDATE artist SET name = 'Zoë Zander' WHERE id = 9001;
UPDATE album SET title = 'Zenith', price = price + 1 WHERE id = 9001;
UPDATE track SET title = 'Zigzag' WHERE id = 9001;
UPDATE playlist SET name = 'Zigzags' WHERE id = 9001;
UPDATE playlist_track SET track_id = 1 WHERE playlist_id = 9001;
UPDATE employee SET family_name = 'Zander' WHERE id = 9001;
UPDATE staff SET role = 'editor' WHERE id = 9001;
UPDATE customer SET family_name = 'Zander' WHERE id = 9001;
UPDATE invoice SET date = CURRENT_TIMESTAMP WHERE id = 9001;
UPDATE invoice_line SET quantity = 2 WHERE id = 9001;
"""
DELETES = """
DELETE FROM invoice_line WHERE id = 9001;
DELETE FROM invoice WHERE id = 9001;
DELETE FROM customer WHERE id = 9001;
DELETE FROM staff WHERE id = 9001;
DELETE FROM employee WHERE id = 9001;
DELETE FROM playlist_track WHERE playlist_id = 9001;
DELETE FROM playlist WHERE id = 9001;
DELETE FROM track WHERE id = 9001;
DELETE FROM album WHERE id = 9001;
DELETE FROM artist WHERE id = 9001;
DELETE FROM genre WHERE id = 9001;
"""
# What a search in a list finds before and after the updates.
FOUND = {
    "genres": ("Zydeco", "Zouk"),
    "artists": ("Zoë Quist", "Zoë Zander"),
    "albums": ("Zephyr", "Zenith"),
    "tracks": ("Zeppelin", "Zigzag"),
    "playlists": ("Zzz", "Zigzags"),
    "customers": ("Zita Quist", "Zita Zander"),
    "employees": ("Zora Quist", "Zora Zander"),
}


async def run(shop: Shop, script: str) -> None:
    """Run statements as another program would: on SQLite, one that knows nothing of us."""
    statements = script.strip().removesuffix(";").split(";")
    file = make_url(shop.url).database
    if shop.engine.dialect.name == "sqlite" and file is not None:
        with closing(sqlite3.connect(file)) as plain, plain:
            counts = [plain.execute(statement).rowcount for statement in statements]
    else:
        async with shop.engine.begin() as connection:
            results = [await connection.execute(text(statement)) for statement in statements]
            counts = [result.rowcount for result in results]
    assert counts == [1] * len(statements)


async def test_a_table_that_is_not_there_yet_is_said_to_be_missing(
    admin: Client, shop: Shop
) -> None:
    for statement in (
        "ALTER TABLE artist RENAME TO artist_old",
        "ALTER TABLE genre RENAME COLUMN name TO label",
    ):
        async with shop.engine.begin() as connection:
            await connection.execute(text(statement))
    for name in ("artists", "genres"):
        for address in (name, f"{name}/1", f"{name}/1/edit", f"api/{name}/"):
            page = await admin.get(f"{shop.start}{address}")
            assert page.status_code == 503, address
            assert "lacks a table or a column" in page.text
    assert (await admin.get(f"{shop.start}playlists")).status_code == 200
    doctor = await asyncio.to_thread(CliRunner().invoke, commands, ["doctor"], obj=shop.admin)
    assert doctor.stdout.startswith("There is no table artist: ")


async def test_other_programs_write_to_every_table_and_the_search_finds_it(
    admin: Client, shop: Shop
) -> None:
    assert INSERTS.count("INSERT") == len(shop.metadata.tables)
    for number, script in enumerate((INSERTS, UPDATES)):
        await run(shop, script)
        for name, found in FOUND.items():
            listed = await admin.get(f"{shop.start}{name}?q={found[number][:3]}")
            assert listed.link(f"Edit {found[number]}"), name
        for name in ("invoices", "invoice-lines"):
            assert (await admin.get(f"{shop.start}{name}/9001")).status_code == 200
    opened = await admin.get(f"{shop.start}customers/9001/edit")
    await run(shop, DELETES)
    gone = await admin.submit(opened.form(press="Save changes"), city="Bergen")
    assert (gone.status_code, gone.field("City").value) == (422, "Bergen")
    for name in FOUND:
        assert not (await admin.get(f"{shop.start}{name}?q=zo")).rows
