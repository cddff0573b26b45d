"""The application: what is administered, in menu order, and on which tables."""

from pathlib import Path

from hero_admin import Admin
from webapp.heroes import heroes
from webapp.sample import SAMPLE
from webapp.teams import teams

admin = Admin(
    resources=(heroes, teams),
    migrations=Path(__file__).with_name("migrations") / "versions",
    sample=SAMPLE,
    indexes=True,
    program="python -m webapp",
)
