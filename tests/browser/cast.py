"""The cast of the browser tests: heroes and teams that tests know by name and number.

By name the heroes are Deadpond, Hero 005 to Hero 100, Rusty-Man, Spider-Boy and Zoë Nova; the
teams Night Watch, Preventers, Team 05 to Team 60, Wakaland and Z-Force. So the heroes fill four
pages, and a picker, which offers 50 teams, has to be searched for the last ones.
"""

import sqlite3
from contextlib import closing
from pathlib import Path

from hero_admin.database.folding import fold

PREVENTERS, Z_FORCE, WAKALAND, NIGHT_WATCH = 1, 2, 3, 4
DEADPOND, SPIDER_BOY, RUSTY_MAN, ZOE_NOVA = 1, 2, 3, 4
TEAMS = 60
HEROES = 100


def write_cast(database: Path) -> None:
    """Store the cast in a SQLite file that has the tables already."""
    with closing(sqlite3.connect(database)) as connection, connection:
        # The triggers that keep the search index ask for it.
        connection.create_function("fold", 1, lambda text: text and fold(text), deterministic=True)
        connection.executemany(
            "INSERT INTO team (id, name, headquarters) VALUES (?, ?, ?)",
            [
                (PREVENTERS, "Preventers", "Sharp Tower"),
                (Z_FORCE, "Z-Force", "Sister Margaret’s Bar"),
                (WAKALAND, "Wakaland", "Wakaland Capital City"),
                (NIGHT_WATCH, "Night Watch", None),
                *((number, f"Team {number:02}", None) for number in range(5, TEAMS + 1)),
            ],
        )
        connection.executemany(
            "INSERT INTO hero (id, name, secret_name, age, team_id) VALUES (?, ?, ?, ?, ?)",
            [
                (DEADPOND, "Deadpond", "Dive Wilson", 28, Z_FORCE),
                (SPIDER_BOY, "Spider-Boy", "Pedro Parqueador", 16, PREVENTERS),
                (RUSTY_MAN, "Rusty-Man", "Tommy Sharp", 48, PREVENTERS),
                (ZOE_NOVA, "Zoë Nova", "Anna Ångström", None, None),
                *(
                    (number, f"Hero {number:03}", f"Person {number:03}", number, _team_of(number))
                    for number in range(5, HEROES + 1)
                ),
            ],
        )


def _team_of(number: int) -> int | None:
    if number <= 40:
        return PREVENTERS
    return NIGHT_WATCH if number <= 60 else None
