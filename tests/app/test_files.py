"""Files: bytes are shown as what they are, downloaded, replaced or kept, and never typed."""

from base64 import b64encode
from collections.abc import AsyncIterator
from hashlib import sha256

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import SQLModel

from tests.factories import committed
from tests.html import (
    alert_of,
    columns_of,
    error_beside,
    errors_of,
    facts_of,
    field_of,
    flash_of,
    follow,
    form_of,
    link,
    links_of,
    parsed,
    rows_of,
    submit,
)
from tests.serving import serving
from tests.signing_in import sign_in
from tests.specimens import Card
from tests.statements import Statements
from tests.stored import Stored
from webapp.admin.resource import Resource
from webapp.app import create_app
from webapp.history_blobs import HistoryBlob
from webapp.identity import Role
from webapp.settings import Settings

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
async def cards(settings: Settings, session: AsyncSession) -> AsyncIterator[httpx.AsyncClient]:
    """A client of an admin of cards with files, one of them masked."""
    resource = Resource(Card, masked=(Card.secret,))
    connection = await session.connection()
    await connection.run_sync(lambda sync: SQLModel.metadata.create_all(sync, [resource.table]))
    await session.commit()
    async with serving(create_app(settings, (resource,)), role=Role.OWNER) as client:
        yield client


def digest(data: bytes) -> str:
    return sha256(data).hexdigest()


async def uploaded(client: httpx.AsyncClient, **files: bytes) -> httpx.Response:
    sent = {name: (f"{name}.bin", data) for name, data in files.items()}
    answer = await client.post("/cards", data={"name": "Nova"}, files=sent)
    assert answer.status_code == 303, errors_of(answer)
    return await follow(client, answer)


async def test_a_file_is_shown_as_what_it_is_and_comes_back_as_it_was(
    cards: httpx.AsyncClient, stored: Stored, session: AsyncSession
) -> None:
    for called, data in FILES.items():
        card = await committed(session, Card(name=called, photo=data, scan=b"a scan"))
        page = await cards.get(f"/cards/{card.id}")
        assert facts_of(page)["Photo"] == called
        file = await cards.get(link(page, called))
        assert file.content == data
        assert file.headers["Content-Disposition"].startswith('attachment; filename="cards-')
        assert file.headers["X-Content-Type-Options"] == "nosniff"
        assert file.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
        again = await cards.get(link(page, called), headers={"If-None-Match": file.headers["ETag"]})
        assert again.status_code == 304
    page = await cards.get("/cards?sort=id")
    assert [row["Photo"] for row in rows_of(page)] == list(FILES)


async def test_only_pictures_are_looked_at_in_place(
    cards: httpx.AsyncClient, session: AsyncSession
) -> None:
    for data, shown in ((OLE, BITMAP), (JPEG, JPEG), (SVG, None), (b"", None)):
        card = await committed(session, Card(name="Nova", photo=data))
        preview = await cards.get(f"/cards/{card.id}/file/photo?preview=1")
        if shown is None:
            assert preview.status_code == 404
        else:
            assert preview.content == shown
            assert preview.headers["Content-Disposition"] == "inline"
            assert preview.headers["Content-Type"].startswith("image/")
            picture = parsed(await cards.get(f"/cards/{card.id}")).find("img")
            assert picture is not None
            assert picture["src"] == f"/cards/{card.id}/file/photo?preview=1"


async def test_a_list_never_asks_for_the_bytes(
    cards: httpx.AsyncClient, session: AsyncSession, statements: Statements
) -> None:
    await committed(session, Card(name="Nova", photo=JPEG))
    with statements() as executed:
        page = await cards.get("/cards?q=nova")
    assert [row["Photo"] for row in rows_of(page)] == ["12 kB JPEG"]
    assert "Photo" in columns_of(page)
    listed = [each for each in executed if "length(" in each and "photo" in each]
    assert len(listed) == 1
    assert "digest" not in listed[0]
    assert "sha256" not in listed[0]
    assert (await cards.get("/cards?sort=photo")).status_code == 400


async def test_a_file_is_uploaded_kept_replaced_and_removed(
    cards: httpx.AsyncClient, stored: Stored
) -> None:
    page = await uploaded(cards, photo=OLE, scan=PNG)
    assert flash_of(page) == "Created Nova"
    (card,) = await stored.all(Card)
    assert (card.photo, card.scan, card.secret) == (OLE, PNG, None)
    edit = await cards.get(f"/cards/{card.id}/edit")
    form = form_of(edit, press="Save changes")
    assert field_of(edit, "Photo").type == "file"
    opened = form.values["form.opened"]
    kept = await cards.post(form.url, data={"form.opened": opened, "name": "Supernova"})
    assert kept.status_code == 303
    (card,) = await stored.all(Card)
    assert (card.name, card.photo, card.scan) == ("Supernova", OLE, PNG)
    data = {"form.opened": opened}
    replaced = await cards.post(form.url, data=data, files={"photo": ("a.jpg", JPEG)})
    assert replaced.status_code == 303, errors_of(replaced)
    (card,) = await stored.all(Card)
    assert (card.photo, card.scan) == (JPEG, PNG)
    removed = await cards.post(form.url, data={"form.clear.photo": "1", "form.clear.scan": "1"})
    assert (removed.status_code, errors_of(removed)) == (422, {"Scan": "Choose a scan."})
    removed = await cards.post(form.url, data={"form.clear.photo": "1"})
    assert removed.status_code == 303
    (card,) = await stored.all(Card)
    assert (card.photo, card.scan) == (None, PNG)


async def test_a_file_that_nobody_chose_leaves_the_one_that_is_there(
    cards: httpx.AsyncClient, stored: Stored
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
    cards: httpx.AsyncClient, stored: Stored
) -> None:
    page = await cards.post("/cards", data={"name": ""}, files={"photo": ("a.jpg", JPEG)})
    assert (page.status_code, errors_of(page)) == (422, {"Name": "Enter a name."})
    assert "Choose the file again: browsers do not keep it." in page.text
    page = await cards.post("/cards", data={"name": "x"}, files={"photo": ("a", b"x" * 100_001)})
    assert error_beside(page, "Photo") == "Choose a file of at most 100,000 bytes."
    assert await stored.count(Card) == await stored.count(HistoryBlob) == 0


async def test_bytes_survive_being_edited_deleted_and_undone(
    cards: httpx.AsyncClient, stored: Stored
) -> None:
    await uploaded(cards, photo=OLE, scan=b"\0\xff")
    (before,) = await stored.all(Card)
    at = f"/cards/{before.id}"
    page = await follow(cards, await cards.post(at, files={"photo": ("a.png", PNG)}))
    await submit(cards, form_of(page, press="Undo"))
    assert await stored.all(Card) == [before]
    question = await cards.get(f"{at}/delete")
    page = await follow(cards, await submit(cards, form_of(question)))
    assert await stored.count(Card) == 0
    await submit(cards, form_of(page, press="Undo"))
    assert await stored.all(Card) == [before]
    kept = {blob.digest: blob.data for blob in await stored.all(HistoryBlob)}
    assert kept == {digest(data): data for data in (OLE, PNG, b"\0\xff")}


async def test_bytes_of_other_programs_survive_as_well(
    cards: httpx.AsyncClient, stored: Stored, session: AsyncSession
) -> None:
    before = await committed(session, Card(name="Nova", photo=OLE, secret=JPEG))
    at = f"/cards/{before.id}"
    await cards.post(at, files={"photo": ("a.png", PNG)})
    page = await cards.get(f"{at}/history")
    await submit(cards, form_of(page, press="Restore the version before"))
    assert await stored.all(Card) == [before]
    page = await follow(cards, await cards.post(f"{at}/delete", data={}))
    await submit(cards, form_of(page, press="Undo"))
    assert await stored.all(Card) == [before]


async def test_a_text_in_a_column_of_bytes_comes_back_as_a_text(
    cards: httpx.AsyncClient, session: AsyncSession
) -> None:
    if session.get_bind().dialect.name != "sqlite":
        return
    await session.execute(text("INSERT INTO card (name, photo, scan) VALUES ('Nova', 'ü', 5)"))
    await session.commit()
    page = await cards.get("/cards/1")
    assert (facts_of(page)["Photo"], facts_of(page)["Scan"]) == ("2 bytes", "1 byte")
    page = await follow(cards, await cards.post("/cards/1/delete", data={}))
    await submit(cards, form_of(page, press="Undo"))
    kinds = await session.execute(text("SELECT typeof(photo), photo, scan FROM card"))
    assert [tuple(row) for row in kinds] == [("text", "ü", 5)]


async def test_the_history_tells_files_apart_and_gives_them_to_editors(
    cards: httpx.AsyncClient, settings: Settings, stored: Stored
) -> None:
    await uploaded(cards, photo=JPEG)
    (card,) = await stored.all(Card)
    await cards.post(f"/cards/{card.id}", files={"photo": ("a.png", PNG)})
    page = await cards.get(f"/cards/{card.id}/history")
    assert "12 kB JPEG" in page.text
    assert (await cards.get(link(page, "2 kB PNG"))).content == PNG
    old = next(one.href for one in links_of(page) if one.text == "12 kB JPEG")
    assert (await cards.get(old)).content == JPEG
    # The same database, seen by an application of its own.
    app = create_app(settings, (Resource(Card, masked=(Card.secret,)),))
    async with serving(app) as viewer:
        await sign_in(viewer, settings, Role.VIEWER)
        assert (await viewer.get(f"/cards/{card.id}/file/photo")).content == PNG
        assert (await viewer.get(old)).status_code == 403


async def test_what_is_masked_is_given_to_a_post_only(
    cards: httpx.AsyncClient, session: AsyncSession
) -> None:
    card = await committed(session, Card(name="Nova", secret=JPEG))
    assert (await cards.get(f"/cards/{card.id}/file/secret")).status_code == 404
    page = await cards.get(f"/cards/{card.id}")
    assert "12 kB JPEG" not in facts_of(page)["Secret"]
    revealed = await cards.post(f"/cards/{card.id}/reveal/secret", data={})
    assert revealed.content == JPEG
    assert "viewed" in (await cards.get(f"/cards/{card.id}/history")).text


async def test_two_who_choose_different_files_decide(
    cards: httpx.AsyncClient, stored: Stored
) -> None:
    await uploaded(cards, photo=JPEG)
    (card,) = await stored.all(Card)
    edit = await cards.get(f"/cards/{card.id}/edit")
    mine = form_of(edit, press="Save changes")
    await cards.post(f"/cards/{card.id}", files={"photo": ("a.png", PNG)})
    opened = {"form.opened": str(mine.values["form.opened"])}
    page = await cards.post(mine.url, data=opened, files={"photo": ("a.bmp", OLE)})
    assert page.status_code == 409
    assert "Theirs: 2 kB PNG" in alert_of(page)
    kept = await cards.post(mine.url, data={**opened, "name": "Supernova"})
    assert kept.status_code == 303
    (card,) = await stored.all(Card)
    assert (card.name, card.photo) == ("Supernova", PNG)


async def test_the_api_has_files_as_base64_and_lists_leave_them_out(
    cards: httpx.AsyncClient, stored: Stored
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
    assert (await cards.get("/api/docs")).status_code == 200


async def test_an_export_says_what_files_there_are(
    cards: httpx.AsyncClient, session: AsyncSession
) -> None:
    await committed(session, Card(name="Nova", photo=JPEG))
    exported = (await cards.get("/cards.csv")).text.splitlines()
    assert exported[1].endswith("Nova,12 kB JPEG,4 bytes")
    (line,) = (await cards.get("/cards.json")).json()
    assert line == {"id": 1, "name": "Nova", "secret": None}


async def test_files_are_not_changed_for_many_at_once(
    cards: httpx.AsyncClient, session: AsyncSession
) -> None:
    card = await committed(session, Card(name="Nova"))
    page = await cards.get(f"/cards/change?id={card.id}")
    assert "Photo" not in page.text


async def test_a_body_that_is_too_large_says_how_large_it_may_be(
    cards: httpx.AsyncClient, settings: Settings
) -> None:
    data = b"x" * (settings.max_body_bytes + 1)
    page = await cards.post("/cards", data={"name": "Nova"}, files={"photo": ("a", data)})
    assert page.status_code == 413
    assert "5.2 MB" in page.text
