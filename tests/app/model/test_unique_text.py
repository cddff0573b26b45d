"""Unique text: names that look the same are the same, and a database's own rules have a field."""

import unicodedata
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import Index, func, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import Field, SQLModel, col

from hero_admin.application import create_app
from hero_admin.model.resource import Resource
from hero_admin.person import Role
from hero_admin.settings import Settings
from hero_admin.testing import Client
from tests.factories import a_team, committed
from tests.serving import serving
from tests.stored import Stored
from webapp.teams import Team

COMPOSED, DECOMPOSED = "Café", unicodedata.normalize("NFD", "Café")


class Member(SQLModel, table=True):
    """Rules of a database that no constraint of the model tells."""

    id: int | None = Field(default=None, primary_key=True)
    first_name: str = Field(max_length=40)
    last_name: str = Field(default="", max_length=40)
    nick: str | None = Field(default=None, max_length=40)
    left: bool = False
    code: str | None = Field(default=None, max_length=40)
    city: str | None = Field(default=None, max_length=40)


Index(
    "ux_member_name",
    func.lower(col(Member.first_name)),
    func.lower(col(Member.last_name)),
    unique=True,
)


class Nickname(SQLModel, table=True):
    """Names that the text of an index tells to be unique, or only the database, or nothing."""

    __table_args__ = (Index("ux_nickname", text("lower(name)"), unique=True),)

    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(max_length=40)
    alias: str | None = Field(default=None, max_length=40, sa_column_kwargs={"name": "Alias"})
    note: str = Field(default="", max_length=40)


@pytest.fixture
async def members(settings: Settings, session: AsyncSession) -> AsyncIterator[Client]:
    """A client of an app for a table with unique indexes, one of which no model knows."""
    connection = await session.connection()
    await connection.run_sync(SQLModel.metadata.create_all, [Resource(Member).table])
    unknown = 'CREATE UNIQUE INDEX "ux nick, too" ON member (upper(nick)) WHERE NOT "left"'
    await session.execute(text(unknown))
    collated = "lower(code)" if connection.dialect.name == "postgresql" else "code COLLATE NOCASE"
    await session.execute(text(f"CREATE UNIQUE INDEX ux_code ON member ({collated})"))
    either = "(coalesce(city, first_name) || 'nick('), \"left\""
    await session.execute(text(f'CREATE UNIQUE INDEX "Ux City" ON member ({either})'))
    await session.commit()
    async with serving(create_app(settings, [Resource(Member)]), role=Role.OWNER) as client:
        yield client


@pytest.mark.parametrize("there", [COMPOSED, DECOMPOSED])
async def test_a_name_that_looks_the_same_is_taken(
    client: Client, session: AsyncSession, there: str
) -> None:
    await a_team(session, there)
    other = await a_team(session, "Other")
    for typed in (COMPOSED, DECOMPOSED, f"\ufeff{COMPOSED}\u200b", f"{DECOMPOSED}\xad\u200e"):
        taken = f"Another team is called “{COMPOSED}”."
        page = await client.submit((await client.get("/teams/new")).form(), name=typed)
        assert (page.status_code, page.error("Name")) == (422, taken)
        assert page.field("Name").value == typed
        edit = (await client.get(f"/teams/{other.id}/edit")).form()
        page = await client.submit(edit, name=typed)
        assert (page.status_code, page.error("Name")) == (422, taken)
        for answer in (
            await client.post("/api/teams/", json={"name": typed}),
            await client.patch(f"/api/teams/{other.id}", json={"name": typed}),
        ):
            assert (answer.status_code, answer.json()["detail"][0]["msg"]) == (422, taken)


async def test_a_name_is_stored_composed_and_with_nothing_invisible_around_it(
    client: Client, stored: Stored
) -> None:
    flag = "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f"
    for typed, name in (
        (f"\u2066{DECOMPOSED}\u2069", COMPOSED),
        (f"Team\u200b {flag}", f"Team\u200b {flag}"),
        ("\u3164Ann\u2800", "Ann"),
    ):
        answer = await client.post("/api/teams/", json={"name": typed})
        assert answer.json()["name"] == name
    page = await client.post("/teams", data={"name": "\u3164\u200b"})
    assert page.error("Name") == "Enter a name."
    assert len(await stored.all(Team)) == 3


async def test_what_others_have_stored_stays_as_it_is(
    client: Client, session: AsyncSession, stored: Stored
) -> None:
    team = await a_team(session, f"{DECOMPOSED}\u200b")
    form = (await client.get(f"/teams/{team.id}/edit")).form()
    page = await client.submit(form, headquarters="Elsewhere")
    assert page.status_code == 303
    (found,) = await stored.all(Team)
    assert (found.name, found.headquarters) == (f"{DECOMPOSED}\u200b", "Elsewhere")


async def test_an_index_on_expressions_has_its_field(
    members: Client, session: AsyncSession
) -> None:
    await committed(session, Member(first_name="Jane", last_name="Peacock", nick="jp"))
    other = await committed(session, Member(first_name="Steve", nick="sj"))
    name = {"first_name": "JANE", "last_name": "PeaCock"}
    same = "Another member has a first name and last name that count as the same."
    nick = "Another member has a nick that counts as the same."
    page = await members.post("/members", data=name)
    assert (page.status_code, page.errors) == (422, {"Last name": same})
    edit = (await members.get(f"/members/{other.id}/edit")).form()
    page = await members.submit(edit, nick="JP")
    assert (page.status_code, page.errors) == (422, {"Nick": nick})
    answer = await members.patch(f"/api/members/{other.id}", json=name)
    assert answer.status_code == 422
    assert answer.json()["detail"][0] == {
        "type": "invalid",
        "loc": ["body", "last_name"],
        "msg": same,
    }
    await session.execute(text("UPDATE member SET code = 'x', city = 'Rome' WHERE id = 1"))
    await session.commit()
    page = await members.post("/members", data={"first_name": "Y", "code": "X", "city": "Oslo"})
    assert page.errors == {"Code": "Another member has a code that counts as the same."}
    page = await members.post("/members", data={"first_name": "Y", "city": "Rome"})
    all_three = "Another member has a first name, left and city that count as the same."
    assert page.errors == {"City": all_three}
    # The index is not about everybody.
    left = {"first_name": "X", "nick": "JP", "left": "true"}
    assert (await members.post("/members", data=left)).status_code == 303


async def test_a_change_of_many_names_the_field_too(members: Client, session: AsyncSession) -> None:
    made = [await committed(session, Member(first_name=name)) for name in ("Ann", "Bob")]
    data = {"id": [str(each.id) for each in made], "form.set.nick": "1", "nick": "same"}
    page = await members.post("/members/change", data=data)
    assert page.status_code == 422
    assert page.errors == {"Nick": "Another member has a nick that counts as the same."}


async def test_an_index_on_expressions_knows_what_looks_the_same(
    settings: Settings, session: AsyncSession
) -> None:
    resource = Resource(Nickname)
    connection = await session.connection()
    await connection.run_sync(SQLModel.metadata.create_all, [resource.table])
    unknown = 'CREATE UNIQUE INDEX "ux ""alias""" ON nickname (lower(trim("Alias")))'
    await session.execute(text(unknown))
    await session.commit()
    async with serving(create_app(settings, [resource]), role=Role.OWNER) as client:
        made = {"name": f"{DECOMPOSED}\u200b", "alias": DECOMPOSED, "note": DECOMPOSED}
        answer = await client.post("/api/nicknames/", json=made)
        # Of a note there may be two.
        expected = {"name": COMPOSED, "alias": COMPOSED, "note": DECOMPOSED}
        assert {name: answer.json()[name] for name in made} == expected
        for typed in (COMPOSED, DECOMPOSED, f"{COMPOSED}\u200b", f"\ufeff{COMPOSED}"):
            for name, alias, refused in ((typed, "", "name"), ("Other", typed, "alias")):
                form = (await client.get("/nicknames/new")).form()
                page = await client.submit(form, name=name, alias=alias)
                assert (page.status_code, list(page.errors)) == (422, [refused.title()])
                data = {"name": name, "alias": alias or None}
                answer = await client.post("/api/nicknames/", json=data)
                (error,) = answer.json()["detail"]
                assert (answer.status_code, error["loc"]) == (422, ["body", refused])
        other = (await client.post("/api/nicknames/", json={"name": "Other"})).json()["id"]
        many = {"id": other, "form.set.alias": "on", "alias": f"\u200b{DECOMPOSED}"}
        page = await client.post("/nicknames/change", data=many)
        assert (page.status_code, list(page.errors)) == (422, ["Alias"])
