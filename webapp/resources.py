"""What is administered, in menu order."""

from webapp.heroes import heroes
from webapp.teams import teams

RESOURCES = (heroes, teams)
