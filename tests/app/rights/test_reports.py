"""“Why can't this person see that?” is answered for owners, by page and by command."""

import asyncio

import pytest
from click.testing import CliRunner
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from hero_admin.accounts.users import User
from hero_admin.admin import Admin
from hero_admin.cli.main import commands
from hero_admin.person import Role
from hero_admin.settings import Settings
from hero_admin.testing import Client
from tests.agents import RESOURCES
from tests.signing_in import NAMES


async def id_of(session: AsyncSession, role: Role) -> int:
    found: int | None = await session.scalar(select(User.id).where(col(User.name) == NAMES[role]))
    await session.rollback()
    assert found is not None
    return found


@pytest.mark.usefixtures("editor")
async def test_a_page_says_who_sees_a_record_and_why(owner: Client, session: AsyncSession) -> None:
    at = f"/people/{await id_of(session, Role.EDITOR)}/rights"
    page = await owner.get(f"{at}?resource=agents&record=2")
    assert page.status_code == 200
    text = page.visible_text
    assert "Edward Editor is an editor." in text
    assert "can't see this agent" in text
    assert page.facts["Branch"] == "2"
    assert "agent.branch_id = 1" in text
    assert "can see this agent" in (await owner.get(f"{at}?resource=agents&record=1")).visible_text
    assert (await owner.get(f"{at}?resource=agents&record=99")).status_code == 404
    assert (await owner.get(f"{at}?resource=unknown")).status_code == 404
    rows = (await owner.get(at)).visible_text
    assert "Read Salary No owners" in rows
    assert "Create branches No owners" in rows


async def test_only_owners_read_it(editor: Client, session: AsyncSession) -> None:
    at = f"/people/{await id_of(session, Role.EDITOR)}/rights"
    assert (await editor.get(at)).status_code == 403


@pytest.mark.usefixtures("editor")
async def test_the_doctor_says_the_same(settings: Settings) -> None:
    admin = Admin(RESOURCES, database=settings.database_url)
    done = await output_of(admin, "Edward Editor", "agents", "2")
    assert "cannot see “Bob zqx”" in done
    assert "rows: agent.branch_id = 1" in done
    assert "no   Read Salary (owners)" in done
    assert "There is no account named Nobody." in await output_of(admin, "Nobody")


async def output_of(admin: Admin, *arguments: str) -> str:
    """What a command prints; it has an event loop of its own."""
    run = CliRunner().invoke
    result = await asyncio.to_thread(run, commands, ["doctor", "rights", *arguments], obj=admin)
    return result.output
