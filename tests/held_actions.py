"""Heroes with an action that stops for ever at one of them, so that its process can be killed."""

import asyncio
import os
import sys
from dataclasses import replace
from pathlib import Path

from hero_admin import Action, Admin, Run, run_commands
from hero_admin.jobs import batches, undoing
from hero_admin.pages import selected
from webapp.app import admin as heroes_and_teams
from webapp.heroes import Hero, heroes
from webapp.teams import teams

PROGRAM = (sys.executable, "-m", "tests.held_actions", "serve")
# The name of a hero at whom it stops, and the file that says that it has come there.
HELD_AT, HELD = "HELD_AT", "HELD"
# A job begins with 11 records, and does 7 at once.
MAX_SELECTED, PER_BATCH = 10, 7


async def age(run: Run[Hero]) -> str:
    async for hero in run:
        if hero.name == os.environ.get(HELD_AT):
            await asyncio.to_thread(Path(os.environ[HELD]).touch)
            await asyncio.Event().wait()
        await run.change(hero, age=(hero.age or 0) + 1)
    return f"{run.count} heroes aged"


admin = Admin(
    resources=(replace(heroes, actions=(Action("Age", age),)), teams),
    migrations=heroes_and_teams.chain.versions,
    indexes=True,
)

if __name__ == "__main__":
    selected.MAX_SELECTED = MAX_SELECTED
    batches.RECORDS_PER_BATCH = PER_BATCH
    undoing.RECORDS_PER_BATCH = PER_BATCH  # type: ignore[attr-defined] # imported there
    run_commands("tests.held_actions:admin")
