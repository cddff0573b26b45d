"""Files: bytes are shown as what they are, downloaded, replaced or kept, and never typed."""

import pickle
import random
from base64 import b64encode
from collections.abc import AsyncIterator
from hashlib import sha256
from typing import Any
from urllib.parse import urlencode

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import SQLModel

from hero_admin.application import create_app
from hero_admin.audit_log.blobs import HistoryBlob
from hero_admin.model.resource import Resource
from hero_admin.person import Role
from hero_admin.settings import Settings
from hero_admin.testing import Client, Page
from hero_admin.writes import single
from tests.factories import committed
from tests.serving import serving
from tests.signing_in import sign_in
from tests.specimens import Card, Leaf
from tests.statements import Statements
from tests.stored import Stored

BITMAP = b"BM" + bytes(12) + (40).to_bytes(4, "little") + bytes(range(256)) * 46
# What Northwind's pictures are: as long as that, and what Access writes before a bitmap.
OLE = b"\x15\x1c\x2f\x00" + bytes(74) + BITMAP
JPEG = b"\xff\xd8\xff\xe0" + b"jpeg" * 3_000
PNG = b"\x89PNG\r\n\x1a\n" + b"png" * 700
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
FILES = {
    "12 kB BMP": OLE,
    "12 kB JPEG": JPEG,
    "2 kB PNG": PNG,
    "26 bytes GIF": b"GIF89a" + bytes(20),
    "32 bytes WebP": b"RIFF\0\0\0\0WEBP" + bytes(20),
    "71 bytes": SVG,
    "0 bytes": b"",
    "4 bytes": b"BM\0\xff",
}


@pytest.fixture
async def cards(settings: Settings, session: AsyncSession) -> AsyncIterator[Client]:
    """A client of an admin of cards with files, one of them masked."""
    resource = Resource(Card, masked=(Card.secret,))
    connection = await session.connection()
    await connection.run_sync(lambda sync: SQLModel.metadata.create_all(sync, [resource.table]))
    await session.commit()
    async with serving(create_app(settings, (resource,)), role=Role.OWNER) as client:
        yield client


def digest(data: bytes) -> str:
    return sha256(data).hexdigest()


async def uploaded(client: Client, **files: bytes) -> Page:
    sent = {name: (f"{name}.bin", data) for name, data in files.items()}
    answer = await client.post("/cards", data={"name": "Nova"}, files=sent)
    assert answer.status_code == 303, answer.errors
    return await client.follow(answer)


async def test_a_file_is_shown_as_what_it_is_and_comes_back_as_it_was(
    cards: Client, stored: Stored, session: AsyncSession
) -> None:
    for called, data in FILES.items():
        card = await committed(session, Card(name=called, photo=data, scan=b"a scan"))
        page = await cards.get(f"/cards/{card.id}")
        assert page.facts["Photo"] == called
        file = await cards.get(page.link(called))
        assert file.content == data
        assert file.headers["Content-Disposition"].startswith('attachment; filename="cards-')
        assert file.headers["X-Content-Type-Options"] == "nosniff"
        assert file.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
        again = await cards.get(page.link(called), headers={"If-None-Match": file.headers["ETag"]})
        assert again.status_code == 304
    page = await cards.get("/cards?sort=id")
    assert page.column("Photo") == list(FILES)


async def test_only_pictures_are_looked_at_in_place(cards: Client, session: AsyncSession) -> None:
    for data, shown in ((OLE, BITMAP), (JPEG, JPEG), (SVG, None), (b"", None)):
        card = await committed(session, Card(name="Nova", photo=data))
        preview = await cards.get(f"/cards/{card.id}/file/photo?preview=1")
        if shown is None:
            assert preview.status_code == 404
        else:
            assert preview.content == shown
            assert preview.headers["Content-Disposition"] == "inline"
            assert preview.headers["Content-Type"].startswith("image/")
            (picture, *_) = (await cards.get(f"/cards/{card.id}")).find_all("img")
            assert picture.attribute("src") == f"/cards/{card.id}/file/photo?preview=1"


async def test_a_list_never_asks_for_the_bytes(
    cards: Client, session: AsyncSession, statements: Statements
) -> None:
    await committed(session, Card(name="Nova", photo=JPEG))
    with statements() as executed:
        page = await cards.get("/cards?q=nova")
    assert page.column("Photo") == ["12 kB JPEG"]
    assert "Photo" in page.columns
    listed = [each for each in executed if "length(" in each and "photo" in each]
    assert 1 <= len(listed) <= 2
    assert not [each for each in listed if "digest" in each or "sha256" in each]
    assert (await cards.get("/cards?sort=photo")).status_code == 400


async def test_a_file_is_uploaded_kept_replaced_and_removed(cards: Client, stored: Stored) -> None:
    page = await uploaded(cards, photo=OLE, scan=PNG)
    assert page.flash == "Created Nova"
    (card,) = await stored.all(Card)
    assert (card.photo, card.scan, card.secret) == (OLE, PNG, None)
    edit = await cards.get(f"/cards/{card.id}/edit")
    form = edit.form(press="Save changes")
    assert edit.field("Photo").type == "file"
    opened = form.values["form.opened"]
    answer = await cards.post(form.url, data={"form.opened": opened, "name": "Supernova"})
    assert answer.status_code == 303
    (card,) = await stored.all(Card)
    assert (card.name, card.photo, card.scan) == ("Supernova", OLE, PNG)
    data = {"form.opened": opened}
    replaced = await cards.post(form.url, data=data, files={"photo": ("a.jpg", JPEG)})
    assert replaced.status_code == 303, replaced.errors
    (card,) = await stored.all(Card)
    assert (card.photo, card.scan) == (JPEG, PNG)
    removed = await cards.post(form.url, data={"form.clear.photo": "1", "form.clear.scan": "1"})
    assert (removed.status_code, removed.errors) == (422, {"Scan": "Choose a scan."})
    removed = await cards.post(form.url, data={"form.clear.photo": "1"})
    assert removed.status_code == 303
    (card,) = await stored.all(Card)
    assert (card.photo, card.scan) == (None, PNG)


async def test_a_file_that_nobody_chose_leaves_the_one_that_is_there(
    cards: Client, stored: Stored
) -> None:
    await uploaded(cards, photo=OLE)
    (before,) = await stored.all(Card)
    # As browsers send an empty box; and a text, which is no file.
    answer = await cards.post(
        f"/cards/{before.id}", data={"scan": "typed"}, files={"photo": ("", b"")}
    )
    assert answer.status_code == 303
    assert await stored.all(Card) == [before]


async def test_a_form_that_is_refused_says_that_the_file_has_to_be_chosen_again(
    cards: Client, stored: Stored
) -> None:
    page = await cards.post("/cards", data={"name": ""}, files={"photo": ("a.jpg", JPEG)})
    assert (page.status_code, page.errors) == (422, {"Name": "Enter a name."})
    assert "Choose the file again." in page.text
    page = await cards.post("/cards", data={"name": "x"}, files={"photo": ("a", b"x" * 100_001)})
    assert page.error("Photo") == "Choose a file with at most 100,000 bytes."
    assert await stored.count(Card) == await stored.count(HistoryBlob) == 0


@pytest.mark.parametrize("is_signed_out", [True, False])
async def test_a_form_that_cannot_be_saved_now_keeps_all_but_the_file_and_asks_for_it_again(
    cards: Client,
    settings: Settings,
    stored: Stored,
    monkeypatch: pytest.MonkeyPatch,
    is_signed_out: bool,
) -> None:
    await uploaded(cards, photo=OLE)
    (before,) = await stored.all(Card)
    edit = (await cards.get(f"/cards/{before.id}/edit")).form(press="Save changes")
    given = {"form.opened": edit["form.opened"], "name": "Supernova"}
    if is_signed_out:
        cards.cookies.clear()
        asked = await cards.post(edit.url, data=given, files={"photo": ("a.png", PNG)})
        assert (asked.status_code, asked.heading) == (401, "Sign in")
        await sign_in(cards, settings, Role.EDITOR)
        # What the browser does once it is signed in.
        held = asked.form().values
        sent = {name: value for name, value in held.items() if "account." not in name}
        page = await cards.post(edit.url, data=sent)
    else:
        with monkeypatch.context() as broken:
            broken.setattr(single, "change", None)
            asked = await cards.post(edit.url, data=given, files={"photo": ("a.png", PNG)})
        assert asked.status_code == 500
        assert "You'll choose its files again in the next step." in asked.visible_text
        page = await cards.submit(asked.form())
    assert page.status_code == 422
    assert page.errors == {"Photo": "Choose the file again: it could not be kept."}
    assert page.field("Name").value == "Supernova"
    assert await stored.all(Card) == [before]
    form = page.form(press="Save changes")
    await cards.post(form.url, data=form.data, files={"photo": ("a.png", PNG)})
    (card,) = await stored.all(Card)
    assert (card.name, card.photo) == ("Supernova", PNG)


async def test_bytes_survive_being_edited_deleted_and_undone(cards: Client, stored: Stored) -> None:
    await uploaded(cards, photo=OLE, scan=b"\0\xff")
    (before,) = await stored.all(Card)
    at = f"/cards/{before.id}"
    page = await cards.follow(await cards.post(at, files={"photo": ("a.png", PNG)}))
    await cards.submit(page.form(press="Undo"))
    assert await stored.all(Card) == [before]
    question = await cards.get(f"{at}/delete")
    page = await cards.follow(await cards.submit(question.form()))
    assert await stored.count(Card) == 0
    await cards.submit(page.form(press="Undo"))
    assert await stored.all(Card) == [before]
    recorded = {blob.digest: blob.data for blob in await stored.all(HistoryBlob)}
    assert recorded == {digest(data): data for data in (OLE, PNG, b"\0\xff")}


async def test_bytes_of_other_programs_survive_as_well(
    cards: Client, stored: Stored, session: AsyncSession
) -> None:
    before = await committed(session, Card(name="Nova", photo=OLE, secret=JPEG))
    at = f"/cards/{before.id}"
    await cards.post(at, files={"photo": ("a.png", PNG)})
    page = await cards.get(f"{at}/history")
    await cards.submit(page.form(press="Restore the version before this"))
    assert await stored.all(Card) == [before]
    page = await cards.follow(await cards.post(f"{at}/delete", data={}))
    await cards.submit(page.form(press="Undo"))
    assert await stored.all(Card) == [before]


async def test_bytes_are_the_same_whatever_a_version_before_has_called_them(
    cards: Client, stored: Stored, session: AsyncSession
) -> None:
    await uploaded(cards, photo=JPEG)
    (before,) = await stored.all(Card)
    page = await cards.follow(await cards.post("/cards/1", files={"photo": ("a.png", PNG)}))
    await session.execute(
        text("UPDATE hero_admin_change SET values_json = replace(values_json, 'PNG', 'Picture')")
    )
    await session.commit()
    assert (await cards.submit(page.undo)).status_code == 303
    assert await stored.all(Card) == [before]


async def test_bytes_that_somebody_took_out_of_the_history_are_said_to_be_gone(
    cards: Client, stored: Stored, session: AsyncSession
) -> None:
    await uploaded(cards, photo=JPEG)
    page = await cards.follow(await cards.post("/cards/1", files={"photo": ("a.png", PNG)}))
    old = "/cards/1/file/photo/1?new=1"
    assert (await cards.get(old)).content == JPEG
    await session.execute(text("DELETE FROM hero_admin_blob"))
    await session.commit()
    before = await stored.all(Card)
    assert (await cards.get(old)).status_code == 404
    refused = await cards.submit(page.undo)
    assert (refused.status_code, refused.heading) == (409, "Nothing was undone")
    assert "The history has no copy of this file any more." in refused.visible_text
    refused = await cards.submit(
        (await cards.get("/cards/1/history")).form(press="Undo this change")
    )
    assert "The history has no copy of this file any more." in refused.visible_text
    assert await stored.all(Card) == before


async def test_a_text_in_a_column_of_bytes_comes_back_as_a_text(
    cards: Client, session: AsyncSession
) -> None:
    if session.get_bind().dialect.name != "sqlite":
        return
    # And bytes in a column of texts, which are no page of digits.
    statement = "INSERT INTO card (name, photo, scan) VALUES (:name, 'ü', 5)"
    await session.execute(text(statement), {"name": bytes(12_107)})
    await session.commit()
    (row,) = (await cards.get("/cards")).rows
    assert len(row["Name"]) < 200
    page = await cards.get("/cards/1")
    assert (page.facts["Photo"], page.facts["Scan"]) == ("2 bytes", "1 byte")
    page = await cards.follow(await cards.post("/cards/1/delete", data={}))
    await cards.submit(page.form(press="Undo"))
    kinds = await session.execute(text("SELECT typeof(photo), photo, scan, name FROM card"))
    assert [tuple(row) for row in kinds] == [("text", "ü", 5, bytes(12_107))]


async def test_the_history_tells_files_apart_and_gives_them_to_whoever_sees_the_field(
    cards: Client, settings: Settings, stored: Stored
) -> None:
    await uploaded(cards, photo=JPEG)
    (card,) = await stored.all(Card)
    await cards.post(f"/cards/{card.id}", files={"photo": ("a.png", PNG)})
    page = await cards.get(f"/cards/{card.id}/history")
    assert "12 kB JPEG" in page.text
    assert (await cards.get(page.link("2 kB PNG"))).content == PNG
    old = next(one.href for one in page.links if one.text == "12 kB JPEG")
    assert (await cards.get(old)).content == JPEG
    # The same database, seen by an application of its own.
    app = create_app(settings, (Resource(Card, masked=(Card.secret,)),))
    async with serving(app) as viewer:
        await sign_in(viewer, settings, Role.VIEWER)
        assert (await viewer.get(f"/cards/{card.id}/file/photo")).content == PNG
        assert (await viewer.get(old)).content == JPEG
        page = await viewer.get(f"/cards/{card.id}/history")
        assert old in [one.href for one in page.links]
    # What is masked now was not always; its old bytes are for nobody all the same.
    masked = create_app(settings, (Resource(Card, masked=(Card.photo,)),))
    async with serving(masked, role=Role.OWNER) as owner:
        assert (await owner.get(old)).status_code == 404
        page = await owner.get(f"/cards/{card.id}/history")
        assert not [one for one in page.links if "/file/photo" in one.href]


async def test_what_is_masked_is_given_to_a_post_only(cards: Client, session: AsyncSession) -> None:
    card = await committed(session, Card(name="Nova", secret=JPEG))
    assert (await cards.get(f"/cards/{card.id}/file/secret")).status_code == 404
    page = await cards.get(f"/cards/{card.id}")
    assert "12 kB JPEG" not in page.facts["Secret"]
    revealed = await cards.post(f"/cards/{card.id}/reveal/secret", data={})
    assert revealed.content == JPEG
    assert "viewed" in (await cards.get(f"/cards/{card.id}/history")).text


async def test_a_masked_file_is_uploaded_kept_and_removed_unseen(
    cards: Client, stored: Stored
) -> None:
    await uploaded(cards, secret=JPEG)
    edit = await cards.get("/cards/1/edit")
    assert edit.field("Secret").type == "file"
    assert "12 kB" not in edit.text
    await cards.submit(edit.form(press="Save changes"), name="Supernova")
    assert [(card.name, card.secret) for card in await stored.all(Card)] == [("Supernova", JPEG)]
    # What was ticked stays ticked where something else is wrong.
    page = await cards.post("/cards/1", data={"name": "", "form.clear.secret": "1"})
    assert page.errors == {"Name": "Enter a name."}
    again = page.form(press="Save changes")
    assert again["form.clear.secret"] == "1"
    await cards.submit(again, name="Nova")
    assert [(card.name, card.secret) for card in await stored.all(Card)] == [("Nova", None)]


async def test_a_list_is_narrowed_to_those_with_a_file_or_without(
    cards: Client, session: AsyncSession
) -> None:
    for name, photo in (("Nova", JPEG), ("Deadpond", b""), ("Zoe", None)):
        await committed(session, Card(name=name, photo=photo))

    async def listed(query: str) -> list[str]:
        page = await cards.get(f"/cards?sort=name{query}")
        assert page.status_code == 200
        return page.column("Name")

    assert await listed("&photo=any") == ["Deadpond", "Nova"]
    assert await listed("&photo=none") == ["Zoe"]
    assert await listed("&photo=none&photo=any") == ["Deadpond", "Nova", "Zoe"]
    assert await listed("&photo=any&q=nova") == ["Nova"]
    page = await cards.get("/cards?photo=any")
    assert list(page.chips) == ["Photo: Has a file"]
    assert [page.field(each).value for each in ("No photo", "Has a file")] == ["", "any"]
    assert (await cards.get("/cards.csv?photo=none")).text.count("\n") == 2
    assert (await cards.get("/cards?photo=x")).status_code == 400
    # There always is one; and a masked one is for nobody to ask about.
    filters = {field.name for field in Resource(Card, masked=(Card.secret,)).filter_fields}
    assert filters == {"photo"}


async def test_two_who_choose_different_files_decide(cards: Client, stored: Stored) -> None:
    await uploaded(cards, photo=JPEG)
    (card,) = await stored.all(Card)
    edit = await cards.get(f"/cards/{card.id}/edit")
    mine = edit.form(press="Save changes")
    await cards.post(f"/cards/{card.id}", files={"photo": ("a.png", PNG)})
    opened = {"form.opened": str(mine.values["form.opened"])}
    page = await cards.post(mine.url, data=opened, files={"photo": ("a.bmp", OLE)})
    assert page.status_code == 409
    assert "Theirs: 2 kB PNG" in page.alert
    answer = await cards.post(mine.url, data={**opened, "name": "Supernova"})
    assert answer.status_code == 303
    (card,) = await stored.all(Card)
    assert (card.name, card.photo) == ("Supernova", PNG)


async def test_the_api_has_files_as_base64_and_lists_leave_them_out(
    cards: Client, stored: Stored
) -> None:
    sent = {"name": "Nova", "photo": b64encode(OLE).decode(), "scan": b64encode(PNG).decode()}
    created = await cards.post("/api/cards/", json=sent)
    assert created.status_code == 201, created.text
    at = f"/api/cards/{created.json()['id']}"
    assert created.json() == {**sent, "id": created.json()["id"], "secret": None}
    assert (await cards.get(at)).json() == created.json()
    (card,) = await stored.all(Card)
    assert (card.photo, card.scan) == (OLE, PNG)
    same = await cards.patch(at, json={"photo": sent["photo"]})
    assert same.headers["ETag"] == created.headers["ETag"]
    other = await cards.patch(at, json={"photo": None})
    assert other.json()["photo"] is None
    assert other.headers["ETag"] != created.headers["ETag"]
    (listed,) = (await cards.get("/api/cards/")).json()
    assert listed == {"id": card.id, "name": "Nova", "photo": None, "secret": None}
    refused = await cards.patch(at, json={"photo": "no Base64!"})
    assert refused.json()["detail"][0]["msg"].endswith("Send this file as Base64.")
    assert (await cards.patch(at, json={"scan": None})).status_code == 422
    document = (await cards.get("/api/openapi.json")).json()
    photo = document["components"]["schemas"]["CardRead"]["properties"]["photo"]
    assert photo["anyOf"][0]["contentEncoding"] == "base64"
    sent = document["components"]["schemas"]["CardCreate"]["properties"]
    assert sent["photo"]["anyOf"][0]["maxLength"] == len(b64encode(bytes(100_000)))
    # What would be sent as Base64 is no text.
    assert "default" not in sent["scan"]
    page = await cards.get("/api/docs")
    assert page.text.count("A file as Base64; lists leave it out.") == 9


async def test_an_export_says_what_files_there_are(cards: Client, session: AsyncSession) -> None:
    await committed(session, Card(name="Nova", photo=JPEG))
    exported = (await cards.get("/cards.csv")).text.splitlines()
    assert exported[1].endswith("Nova,12 kB JPEG,4 bytes")
    (line,) = (await cards.get("/cards.json")).json()
    assert line == {"id": 1, "name": "Nova", "secret": None}


async def test_files_are_not_changed_for_many_at_once(cards: Client, session: AsyncSession) -> None:
    card = await committed(session, Card(name="Nova"))
    page = await cards.get(f"/cards/change?id={card.id}")
    assert "Photo" not in page.text


async def test_a_form_that_is_too_large_says_how_large_it_may_be_and_comes_back_without_its_file(
    cards: Client, settings: Settings, stored: Stored
) -> None:
    data = b"x" * (settings.max_body_bytes + 1)
    sent = {"name": "Nova", "note": "typed"}
    page = await cards.post("/cards", data=sent, files={"photo": ("a", data)})
    assert page.status_code == 413
    assert "5.2 MB" in page.text
    assert "kept on this page, except for what is too large" in page.visible_text
    again = await cards.submit(page.form(press="Try again"))
    assert again.field("Name").value == "Nova"
    assert "Choose the file again" in again.visible_text
    # Of a text that is cut off nothing is kept, and another site has nothing sent again.
    fields = urlencode({"name": "Nova", "note": "y" * settings.max_body_bytes}).encode()
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    page = await cards.post("/cards", content=fields, headers=kind)
    assert page.form(press="Try again").data == {"name": ["Nova"]}
    foreign = {**kind, "Sec-Fetch-Site": "cross-site"}
    page = await cards.post("/cards", content=fields, headers=foreign)
    assert (page.status_code, "Nova" in page.text) == (403, False)
    assert await stored.count(Card) == 0


@pytest.fixture
async def leaves(settings: Settings, session: AsyncSession) -> AsyncIterator[Client]:
    """A client of an admin of leaves, at which scraps point that nobody administers."""
    resource = Resource(Leaf)
    connection = await session.connection()
    await connection.run_sync(lambda sync: SQLModel.metadata.create_all(sync, [resource.table]))
    kind = "BLOB" if connection.dialect.name == "sqlite" else "BYTEA"
    await session.execute(
        text(
            f"CREATE TABLE scrap (id INTEGER PRIMARY KEY, book VARCHAR, page INTEGER, data {kind},"
            " FOREIGN KEY (book, page) REFERENCES leaf (book, page) ON DELETE CASCADE)"
        )
    )
    await session.commit()
    async with serving(create_app(settings, (resource,)), role=Role.OWNER) as client:
        yield client


async def rows_in(session: AsyncSession) -> list[tuple[object, ...]]:
    """What is in both tables, byte by byte."""
    leaf = 'SELECT book, page, note, "img data", action, "фото", state, sealed FROM leaf'
    found = []
    for statement in (leaf, "SELECT id, book, page, data FROM scrap"):
        found += [tuple(row) for row in await session.execute(text(statement))]
    await session.rollback()
    return found


async def test_any_bytes_under_any_name_make_every_round_trip(
    leaves: Client, session: AsyncSession
) -> None:
    data, other = random.Random(9).randbytes(12_107), random.Random(8).randbytes(12_107)
    new = (await leaves.get("/leaves/new")).form()
    assert sorted(new.files) == ["field.action", "image", "stamp", "фото"]
    created = await leaves.post(
        new.url,
        data={"book": "b", "page": "1"},
        files={"image": ("a", data), "field.action": ("b", b"")},
    )
    assert created.status_code == 303, created.errors
    await session.execute(text("INSERT INTO scrap VALUES (1, 'b', 1, :data)"), {"data": other})
    await session.commit()
    before = await rows_in(session)
    state = before[0][6]
    assert before[0][2:] == (None, data, b"", b"a default", state, None)
    assert isinstance(state, bytes)
    assert pickle.loads(state) == {"a": 1}
    for name, held in (("image", data), ("action", b""), ("фото", b"a default"), ("state", state)):
        assert (await leaves.get(f"/leaves/b,1/file/{name}")).content == held
    name = (await leaves.get("/leaves/b,1/file/фото")).headers["Content-Disposition"]
    assert name.endswith("; filename*=UTF-8''leaves-b%2C1-%D1%84%D0%BE%D1%82%D0%BE")

    async def undone(answer: Page, press: str = "Undo") -> Page:
        assert answer.status_code == 303, answer.errors
        page = await leaves.follow(answer)
        return await leaves.submit(page.form(press=press))

    edit = (await leaves.get("/leaves/b,1/edit")).form(press="Save changes")
    taken_back = await undone(await leaves.submit(edit, note="x"))
    assert await rows_in(session) == before
    for sent in ({"image": ("a", other)}, {"image": ("a", b"")}):
        taken_back = await undone(await leaves.post("/leaves/b,1", files=sent))
        assert await rows_in(session) == before
        redone = await undone(taken_back, "Redo")
        assert (await rows_in(session))[0][3] == sent["image"][1]
        await undone(redone)
        assert await rows_in(session) == before
    await leaves.post("/leaves/b,1", data={"form.clear.image": "1"})
    assert (await rows_in(session))[0][3] is None
    newest, *_ = (await leaves.get("/leaves/b,1/history")).find_all("input", name="change")
    await leaves.post("/leaves/b,1/undo", data={"change": newest.attribute("value")})
    assert await rows_in(session) == before
    question = await leaves.get("/leaves/b,1/delete")
    assert "1 row of scrap" in question.visible_text
    deleted = await leaves.submit(question.form())
    assert await rows_in(session) == []
    await undone(deleted)
    assert await rows_in(session) == before

    own = {"book": "b", "page": 2, "action": "", "note": "n"}
    made = await leaves.post("/api/leaves/", json={**own, "imageData": b64encode(other).decode()})
    assert made.status_code == 201, made.text
    sendings: list[tuple[str | None, bytes | None]] = [("", b""), (None, None)]
    for value, expected in ((b64encode(data).decode(), data), *sendings):
        assert (await leaves.patch("/api/leaves/b,2", json={"imageData": value})).status_code == 200
        assert (await leaves.get("/api/leaves/b,2")).json()["imageData"] == value
        assert (await rows_in(session))[1][2:5] == ("n", expected, b"")
    for bad in ("a", "ab$=", 5, ["YQ=="], {"a": 1}, True):
        refused = await leaves.patch("/api/leaves/b,2", json={"imageData": bad})
        assert refused.status_code == 422, bad
    assert (await leaves.get("/leaves?sort=image")).status_code == 400


async def test_bytes_that_have_to_be_unique_are_refused_beside_their_field(
    leaves: Client, session: AsyncSession
) -> None:
    async def create(page: str, stamp: bytes) -> Page:
        given = {"book": "b", "page": page}
        return await leaves.post("/leaves", data=given, files={"stamp": ("a", stamp)})

    assert (await create("1", b"\0\1")).status_code == 303
    taken = await create("2", b"\0\1")
    assert taken.status_code == 422
    assert taken.errors["Stamp"].startswith("Another leaf has")
    assert (await create("2", b"x")).errors["Stamp"] == "Choose a file with at least 2 bytes."
    deleted = await leaves.follow(await leaves.post("/leaves/b,1/delete", data={}))
    assert (await create("2", b"\0\1")).status_code == 303
    before = await rows_in(session)
    assert (await leaves.submit(deleted.undo)).status_code == 409
    assert await rows_in(session) == before
    assert (await create("3", b"\0\2")).status_code == 303
    sent = {"stamp": b64encode(b"\0\1").decode()}
    assert (await leaves.patch("/api/leaves/b,3", json=sent)).status_code == 422


async def test_nobody_unpickles_what_is_in_a_database(
    leaves: Client, session: AsyncSession
) -> None:
    bomb = pickle.dumps(Bomb())
    statement = text(
        "INSERT INTO leaf (book, page, \"фото\", state, sealed) VALUES ('b', 1, :b, :b, :b)"
    )
    await session.execute(statement, {"b": bomb})
    await session.commit()
    before = await rows_in(session)
    for url in ("/leaves", "/leaves/b,1", "/leaves/b,1/edit", "/leaves.csv", "/leaves.json"):
        assert (await leaves.get(url)).status_code == 200
    page = await leaves.get("/leaves/b,1")
    assert page.facts["State"] == page.facts["Sealed"] == f"{len(bomb)} bytes"
    assert (await leaves.get("/leaves/b,1/file/sealed")).content == bomb
    stored = (await leaves.get("/api/leaves/b,1")).json()
    assert stored["state"] == stored["sealed"] == b64encode(bomb).decode()
    assert (
        await leaves.patch("/api/leaves/b,1", json={"state": "YQ==", "note": "x"})
    ).response.is_success
    assert [row[6:] for row in await rows_in(session)] == [(bomb, bomb)]
    await leaves.patch("/api/leaves/b,1", json={"note": None})
    page = await leaves.follow(await leaves.post("/leaves/b,1/delete", data={}))
    await leaves.submit(page.form(press="Undo"))
    assert await rows_in(session) == before
    assert not Bomb.went_off


async def test_files_of_what_is_only_looked_at_are_given_out_as_well(
    settings: Settings, session: AsyncSession, cards: Client
) -> None:
    await committed(session, Card(name="Nova", photo=JPEG))
    async with serving(
        create_app(settings, (Resource(Card, read_only=True),)), role=Role.VIEWER
    ) as client:
        page = await client.get("/cards/1")
        assert (await client.get(page.link("12 kB JPEG"))).content == JPEG
        assert (await client.get("/cards/1/edit")).status_code == 404
        refused = await client.post("/cards/1", files={"photo": ("a", PNG)})
        assert refused.status_code in (403, 405)


class Bomb:
    """What does something as soon as it is unpickled."""

    went_off = False

    def __reduce__(self) -> tuple[Any, ...]:
        return (setattr, (Bomb, "went_off", True))
