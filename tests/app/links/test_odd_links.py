"""Links of records to others of their kind, of any name, and by an association that has pages."""

from collections.abc import AsyncIterator
from uuid import UUID, uuid4

import pytest
from sqlalchemy import MetaData
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import Field, Relationship, SQLModel

from hero_admin.application import create_app
from hero_admin.model.arguments import ResourceError
from hero_admin.model.links import Link
from hero_admin.model.resource import Resource
from hero_admin.model.site import Site
from hero_admin.person import Role
from hero_admin.settings import Settings
from hero_admin.testing import Client
from tests.serving import serving
from tests.stored import Stored


class Odd(SQLModel):
    metadata = MetaData()


class Friendship(Odd, table=True):
    one_id: UUID = Field(foreign_key="friend.id", primary_key=True, ondelete="CASCADE")
    other_id: UUID = Field(foreign_key="friend.id", primary_key=True, ondelete="CASCADE")


class Shadowing(Odd, table=True):
    one_id: UUID = Field(foreign_key="friend.id", primary_key=True)
    other_id: UUID = Field(foreign_key="friend.id", primary_key=True)


class Friend(Odd, table=True):
    """Linked with others of its kind, under names that mean something else in URLs and forms."""

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    name: str = ""
    q: list["Friend"] = Relationship(
        link_model=Friendship,
        sa_relationship_kwargs={
            "primaryjoin": "Friend.id == Friendship.one_id",
            "secondaryjoin": "Friend.id == Friendship.other_id",
            "lazy": "raise",
        },
    )
    history: list["Friend"] = Relationship(
        link_model=Shadowing,
        sa_relationship_kwargs={
            "primaryjoin": "Friend.id == Shadowing.other_id",
            "secondaryjoin": "Friend.id == Shadowing.one_id",
            "lazy": "raise",
        },
    )


ANN, BOB, CAT = (UUID(int=number) for number in (1, 2, 3))


@pytest.fixture
async def friends(settings: Settings, session: AsyncSession) -> AsyncIterator[Client]:
    await (await session.connection()).run_sync(Odd.metadata.create_all)
    names = {ANN: "Ann", BOB: "Bob", CAT: "Cat"}
    session.add_all(Friend(id=id, name=name) for id, name in names.items())
    await session.commit()
    resources = [Resource(Friend), Resource(Friendship)]
    async with serving(create_app(settings, resources), role=Role.OWNER) as client:
        yield client


async def test_records_are_linked_with_others_of_their_kind(
    friends: Client, stored: Stored
) -> None:
    page = await friends.get(f"/friends/{ANN}/edit")
    sent = {"link.q.add": [str(BOB)], "link.history.add": [str(CAT)]}
    await friends.submit(page.form(press="Save changes"), sent)
    (friendship,) = await stored.all(Friendship)
    assert (friendship.one_id, friendship.other_id) == (ANN, BOB)
    (shadowing,) = await stored.all(Shadowing)
    assert (shadowing.one_id, shadowing.other_id) == (CAT, ANN)
    assert (await friends.get(f"/friends/{ANN}")).column("Name") == ["Bob"]
    assert (await friends.get(f"/friends/{BOB}")).rows == []
    linked = await friends.get(f"/friends/{ANN}/linked-history")
    assert linked.column("Name") == ["Cat"]
    assert (await friends.get(f"/friends/{ANN}/history")).heading == "Ann: history"
    lists = {row["Name"]: row["Q"] for row in (await friends.get("/friends")).rows}
    assert lists == {"Ann": "Bob", "Bob": "—", "Cat": "—"}
    assert (await friends.get(f"/friends?filter.q={BOB}")).column("Name") == ["Ann"]
    assert (await friends.get(f"/friends?history={CAT}&q=ann")).column("Name") == ["Ann"]


async def test_the_search_box_of_a_link_called_q_is_no_value(friends: Client) -> None:
    data = {"name": "Ann", "link.q.add.q": "cat"}
    found = await friends.post(f"/friends/{ANN}", data=data)
    assert found.status_code == 200
    assert (await friends.post(f"/friends/{ANN}", data={"link.q.add": "x"})).status_code == 422


async def test_an_association_with_pages_of_its_own_is_still_a_link(
    friends: Client, stored: Stored
) -> None:
    await friends.post("/friendships", data={"one_id": str(ANN), "other_id": str(BOB)})
    page = await friends.get(f"/friends/{ANN}/q")
    removed = await friends.follow(await friends.submit(page.form(press="Remove Bob")))
    assert removed.flash == "Removed Bob"
    assert await stored.all(Friendship) == []
    await friends.submit(removed.undo)
    assert len(await stored.all(Friendship)) == 1
    deleted = await friends.post(f"/friends/{BOB}/delete", data={})
    assert (await friends.follow(deleted)).flash == "Deleted Bob"
    assert await stored.all(Friendship) == []


def test_an_association_gets_a_name_that_is_free() -> None:
    site = Site([Resource(Friend), Resource(Friendship, name="shadowings")])
    names = [each.name for each in site.recorded]
    assert names == ["friends", "shadowings", "shadowings-links"]


def test_a_link_of_another_model_is_a_mistake() -> None:
    with pytest.raises(ResourceError, match=r"Friend\.q isn't one"):
        Site([Resource(Friendship, links=(Link(Friend.q),))])


async def test_a_read_only_association_is_shown_and_not_changed(
    settings: Settings, session: AsyncSession, stored: Stored
) -> None:
    await (await session.connection()).run_sync(Odd.metadata.create_all)
    session.add_all([Friend(id=ANN, name="Ann"), Friend(id=BOB, name="Bob")])
    await session.flush()
    session.add(Friendship(one_id=ANN, other_id=BOB))
    await session.commit()
    resources = [Resource(Friend), Resource(Friendship, read_only=True)]
    async with serving(create_app(settings, resources), role=Role.OWNER) as client:
        page = await client.get(f"/friends/{ANN}/q")
        assert page.column("Name") == ["Bob"]
        assert "Remove" not in page.text
        assert "link.q" not in (await client.get(f"/friends/{ANN}/edit")).text
        for answer in (
            await client.post(f"/friends/{ANN}", data={"link.q.remove": str(BOB)}),
            await client.patch(f"/api/friends/{ANN}", json={"q": {"remove": [str(BOB)]}}),
        ):
            assert answer.status_code == 422
            assert "can't be changed here" in answer.text.replace("&#39;", "'")
    assert len(await stored.all(Friendship)) == 1
