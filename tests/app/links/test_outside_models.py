"""Relations to a model that the Admin has no resource of: only titles of its records are shown."""

from collections.abc import AsyncIterator
from typing import Any

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
from tests.cases import on_one_database
from tests.serving import serving
from tests.stored import Stored

SECRET = "argon2-secret"


class Staff(SQLModel):
    metadata = MetaData()


class CrewUser(Staff, table=True):
    __tablename__ = "crew_user"

    crew_id: int = Field(foreign_key="crew.id", primary_key=True)
    user_id: int = Field(foreign_key="user.id", primary_key=True)


class User(Staff, table=True):
    id: int | None = Field(default=None, primary_key=True)
    name: str
    password_hash: str = Field(unique=True)


class Task(Staff, table=True):
    id: int | None = Field(default=None, primary_key=True)
    name: str
    crew_id: int | None = Field(default=None, foreign_key="crew.id")


class Crew(Staff, table=True):
    id: int | None = Field(default=None, primary_key=True)
    name: str
    owner_id: int | None = Field(default=None, foreign_key="user.id")
    owner: User | None = Relationship(sa_relationship_kwargs={"lazy": "raise"})
    users: list[User] = Relationship(link_model=CrewUser, sa_relationship_kwargs={"lazy": "raise"})
    tasks: list[Task] = Relationship(sa_relationship_kwargs={"lazy": "raise"})


@pytest.fixture
async def crews(settings: Settings, session: AsyncSession) -> AsyncIterator[Client]:
    """A client of an Admin of crews alone; the first one has two users of the same name."""
    await (await session.connection()).run_sync(Staff.metadata.create_all)
    session.add_all(
        User(id=number, name="Ann", password_hash=f"{SECRET}-{number}") for number in (1, 2)
    )
    await session.flush()
    session.add(Crew(id=1, name="Night", owner_id=1))
    await session.flush()
    session.add_all([CrewUser(crew_id=1, user_id=1), Task(name="Sweep", crew_id=1)])
    await session.commit()
    async with serving(create_app(settings, [Resource(Crew)]), role=Role.OWNER) as client:
        yield client


PAGES = ("/crews", "/crews/1", "/crews/new", "/crews/1/edit", "/crews/change?id=1")


@on_one_database
@pytest.mark.parametrize("path", [*PAGES, "/crews.csv", "/crews.json", "/crews/options/owner_id"])
async def test_pages_show_the_titles_alone(crews: Client, path: str) -> None:
    page = await crews.get(path)
    assert page.status_code == 200
    assert SECRET not in page.text
    assert "link.users" not in page.text
    assert "Users" not in page.text


async def test_a_picker_does_not_search_what_it_does_not_show(crews: Client) -> None:
    url = "/crews/options/owner_id?q="
    assert "No" in (await crews.get(f"{url}{SECRET}")).text
    assert "Ann" not in (await crews.get(f"{url}{SECRET}")).text
    assert "Ann" in (await crews.get(f"{url}ann")).text


@on_one_database
@pytest.mark.parametrize("path", ["/crews/1/users", "/crews/options/users", "/users", "/users/1"])
async def test_there_is_no_page_of_them(crews: Client, path: str) -> None:
    assert (await crews.get(path)).status_code == 404


async def test_the_api_has_the_keys_alone(crews: Client) -> None:
    found = await crews.get("/api/crews/1")
    assert found.json() == {"id": 1, "name": "Night", "owner_id": 1}
    for name in ("users", "owner", "tasks"):
        assert (await crews.get(f"/api/crews/1/with-{name}")).status_code == 404
    document = (await crews.get("/api/openapi.json")).text
    assert "password_hash" not in document
    assert "with-" not in document


async def test_nobody_changes_such_a_link(crews: Client, stored: Stored) -> None:
    sent = {"name": "Day", "link.users.add": "2", "link.users.remove": "1"}
    await crews.post("/crews/1", data=sent)
    await crews.post("/crews", data=sent)
    await crews.post("/crews/change", data={**sent, "form.id": "1", "form.set.name": "1"})
    assert (await crews.post("/crews/1/users", data={"id": "1"})).status_code in {404, 405}
    body = {"users": {"add": [2], "remove": [1]}}
    await crews.patch("/api/crews/1", json=body)
    await crews.post("/api/crews/", json={"name": "Dusk", **body})
    assert [(each.crew_id, each.user_id) for each in await stored.all(CrewUser)] == [(1, 1)]


async def test_with_a_resource_they_are_linked(settings: Settings, crews: Client) -> None:
    app = create_app(settings, [Resource(Crew), Resource(User, masked=(User.password_hash,))])
    async with serving(app, role=Role.OWNER) as client:
        assert (await client.get("/crews/1/users")).column("Name") == ["Ann"]
        assert [each["name"] for each in await _users(client)] == ["Ann"]


# Any: JSON.
async def _users(client: Client) -> list[dict[str, Any]]:
    users: list[dict[str, Any]] = (await client.get("/api/crews/1/with-users")).json()["users"]
    return users


@pytest.mark.parametrize(
    ("argument", "value"),
    [("links", (Link(Crew.users),)), ("columns", (Crew.users,)), ("filters", (Crew.users,))],
)
def test_naming_such_a_link_is_a_mistake(argument: str, value: Any) -> None:
    with pytest.raises(ResourceError) as refused:
        Site([Resource(Crew, **{argument: value})])
    assert str(refused.value) == (
        f"Resource(Crew): {argument}= names users, whose records are of User, and no resource of"
        " this Admin has that model."
    )
