"""Start the shop from nothing: its tables, its data, its server."""

import asyncio
from pathlib import Path

import uvicorn
from alembic import command
from alembic.config import Config

from record_shop.data import PASSWORD, ROLES, fill
from record_shop.database import engine
from record_shop.main import app

PORT = 8001
WELCOME = """\
The record shop is running at http://127.0.0.1:{port} (press Ctrl+C to stop)
Its admin is at http://127.0.0.1:{port}/admin/; sign in with the password “{password}” as
{people}"""


def main() -> None:
    if engine.url.database and engine.dialect.name == "sqlite":
        Path(engine.url.database).parent.mkdir(parents=True, exist_ok=True)
    command.upgrade(Config(Path(__file__).with_name("alembic.ini")), "head")
    asyncio.run(_fill())
    people = "\n".join(f"  {name.lower()}@shop.example ({role})" for name, role in ROLES.items())
    print(WELCOME.format(port=PORT, password=PASSWORD, people=people), flush=True)  # noqa: T201
    uvicorn.run(app, port=PORT, log_level="warning")


async def _fill() -> None:
    await fill(engine)
    await engine.dispose()


if __name__ == "__main__":
    main()
