"""Fill the shop, if there is nothing in it, and start its server."""

import asyncio
from argparse import ArgumentParser

import uvicorn

from record_shop.data import PASSWORD, ROLES, fill
from record_shop.database import engine
from record_shop.main import app

WELCOME = """\
The record shop is running at http://127.0.0.1:{port} (press Ctrl+C to stop)
Its admin is at http://127.0.0.1:{port}/admin/; sign in with the password “{password}” as
{people}"""


def main() -> None:
    parser = ArgumentParser(prog="python -m record_shop", description=__doc__)
    parser.add_argument("--port", type=int, default=8001)
    port: int = parser.parse_args().port
    asyncio.run(_fill())
    people = "\n".join(f"  {email} ({role})" for email, role in ROLES.items())
    print(WELCOME.format(port=port, password=PASSWORD, people=people), flush=True)  # noqa: T201 - its output
    uvicorn.run(app, port=port, log_level="warning")


async def _fill() -> None:
    await fill(engine)
    await engine.dispose()


if __name__ == "__main__":
    main()
