"""Long histories: the changes of one operation are read without those of others."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import insert, text
from sqlalchemy.ext.asyncio import AsyncSession

from hero_admin.audit_log.changes import Change, Entry, Kind, Operation
from hero_admin.audit_log.further_changes import record_further
from hero_admin.database.engines import Database
from hero_admin.history.id_pages import PAGE_SIZE
from hero_admin.person import Person, Role
from hero_admin.testing import Client
from tests.plans import assert_is_read_by_index, queries

EACH = 4_000
FIRST, SECOND = "a" * 32, "b" * 32


@pytest.fixture
async def two_long_operations(session: AsyncSession) -> None:
    """One after the other, each of one line."""
    entry = {
        "at": datetime.now(UTC),
        "by_name": "Ann",
        "via": "action",
        "resource": "heroes",
        "title": "Nova",
        "kind": Kind.CHANGED.value,
        "values_json": "{}",
    }
    rows = [
        {**entry, "operation": operation, "key": str(key), "group_size": 0 if key else EACH}
        for operation in (FIRST, SECOND)
        for key in range(EACH)
    ]
    await session.execute(insert(Change), rows)
    await session.commit()
    await session.execute(text("ANALYZE"))
    await session.commit()


async def test_another_batch_finds_the_line_of_its_operation(
    two_long_operations: None, session: AsyncSession, database: Database
) -> None:
    operation = Operation(Person("Ann", Role.OWNER), "action", SECOND)
    with queries("hero_admin_change") as executed:
        await record_further(session, operation, [Entry("heroes", "7", "Nova", Kind.CHANGED, {})])
    await session.commit()
    await assert_is_read_by_index(database, executed, most=10, table="hero_admin_change")


@pytest.mark.parametrize("query", ["", "?resource=heroes", "?by=Ann", "?kind=changed"])
async def test_the_history_does_not_read_what_its_lines_sum_up(
    two_long_operations: None, client: Client, database: Database, query: str
) -> None:
    with queries("hero_admin_change") as executed:
        page = await client.get(f"/history{query}")
    assert "4,000 heroes" in page.visible_text
    await assert_is_read_by_index(database, executed, most=10, table="hero_admin_change")


async def test_a_page_of_an_earlier_operation_does_not_read_later_ones(
    two_long_operations: None, client: Client, database: Database
) -> None:
    with queries("hero_admin_change") as executed:
        page = await client.get(f"/history?operation={FIRST}")
    assert page.visible_text.count("Nova") == PAGE_SIZE
    await assert_is_read_by_index(database, executed, most=PAGE_SIZE + 1, table="hero_admin_change")
