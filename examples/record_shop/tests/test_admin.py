"""What staff can do in the admin of the shop."""

from datetime import date

import pytest

from hero_admin.testing import AdminClient, Refused
from record_shop.models import Album, Artist, Genre


@pytest.fixture
async def quist(admin: AdminClient) -> Artist:
    artist = Artist(name="Zoë Quist", country="Norway")
    await admin.add(artist)
    return artist


async def test_an_editor_adds_an_album(admin: AdminClient, quist: Artist) -> None:
    await admin.sign_in(role="editor")
    made = {"title": "Zenith", "artist_id": quist, "released_on": date(2020, 2, 29), "price": "9.5"}
    page = await admin.create("albums", **made)
    page.sees("Created Zenith")
    listed = await admin.list(Album, q="zen", artist=quist.id)
    assert listed.column("Price") == ["9.50"]
    await admin.undo()
    assert (await admin.list(Album)).rows == []


async def test_a_price_is_never_negative(admin: AdminClient, quist: Artist) -> None:
    await admin.sign_in(role="editor")
    with pytest.raises(Refused) as refused:
        await admin.create("albums", title="Zenith", artist_id=quist, price="-1")
    assert refused.value.errors.keys() == {"Released on", "Price"}


async def test_viewers_change_nothing(admin: AdminClient) -> None:
    await admin.add(Genre(name="Zydeco"))
    await admin.sign_in(role="viewer")
    (await admin.list("genres")).sees("Zydeco").lacks("New genre")
