"""Forms of models whose fields are called like parts of the page."""

from collections.abc import AsyncIterator

import pytest
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import Field, SQLModel

from hero_admin.application import create_app
from hero_admin.model.resource import Resource
from hero_admin.person import Role
from hero_admin.settings import Settings
from hero_admin.testing import Client, Page
from tests.serving import serving
from tests.stored import Stored


class Report(SQLModel, table=True):
    """Names that pages, forms and addresses use for themselves."""

    id: int | None = Field(default=None, primary_key=True)
    title: str
    summary: str = Field(max_length=20)
    form: int
    menu: str = ""
    total: int | None = None
    token: str
    path: str = ""
    q: str = ""
    back: str = ""
    then: str = ""


REPORT = {"title": "T" * 5000, "summary": "Short", "form": "1", "token": "First"}


@pytest.fixture
async def reports(settings: Settings, session: AsyncSession) -> AsyncIterator[Client]:
    resource = Resource(Report)
    connection = await session.connection()
    await connection.run_sync(lambda sync: SQLModel.metadata.create_all(sync, [resource.table]))
    await session.commit()
    async with serving(create_app(settings, [resource]), role=Role.OWNER) as client:
        yield client


def ids_of(page: Page) -> list[str]:
    return [tag.attribute("id") for tag in page.find_all(id=True)]


async def test_no_two_parts_of_a_form_share_an_id(reports: Client) -> None:
    opened = await reports.get("/reports/new")
    refused = await reports.submit(opened.form(), {**REPORT, "summary": "s" * 21, "form": "x"})
    assert refused.errors == {
        "Summary": "Use at most 20 characters.",
        "Form": "Enter a whole number.",
    }
    for page in (opened, refused):
        assert len(ids_of(page)) == len(set(ids_of(page)))


async def test_a_form_sent_twice_is_told_apart_from_a_field_of_any_name(
    reports: Client, stored: Stored
) -> None:
    form = (await reports.get("/reports/new")).form()
    for _ in range(2):
        assert (await reports.submit(form, REPORT)).status_code == 303
    assert [report.token for report in await stored.all(Report)] == ["First"]


async def test_a_form_filled_in_by_its_address_opens_whatever_the_field_is_called(
    reports: Client,
) -> None:
    names = ("path", "q", "then", "token", "self", "name", "request")
    query = "&".join(f"{name}=x" for name in names)
    assert (await reports.get(f"/reports/new?{query}")).status_code == 200


async def test_the_message_about_a_record_with_an_endless_title_still_arrives(
    reports: Client,
) -> None:
    form = (await reports.get("/reports/new")).form()
    saved = await reports.submit(form, {**REPORT, "title": "🦸" * 5000})
    # More than this, and browsers drop it.
    assert len(saved.headers["set-cookie"]) < 4096
    assert (await reports.follow(saved)).flash.startswith("Created 🦸🦸🦸")
