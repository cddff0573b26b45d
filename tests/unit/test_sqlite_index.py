"""The search index on SQLite: any program may write, and a search finds what it wrote."""

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import ClauseElement, Executable, create_engine, select
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlmodel import SQLModel

from hero_admin.database.folding import fold
from hero_admin.database.sqlite_files import fold_text
from hero_admin.listing.search.patterns import matches_words, search_parameters, words_of
from hero_admin.listing.search.sqlite_candidates import TrigramIndex, is_candidate
from hero_admin.listing.search.sqlite_index import SqliteIndex
from hero_admin.listing.search.sqlite_refresh import Refresher
from hero_admin.listing.search.trigram_index import trigrams_of
from hero_admin.model.resource import Resource
from tests.gadgets import Gadget, Maker, Slot
from webapp.teams import teams

makers, slots = Resource(Maker), Resource(Slot)
NEEDLES = ("zoe", "Oda", "ß-1", " no")
TEXTS = st.sampled_from(["Zoë Oda", "ZOE", "nova zoe", "Super Nova", "Straß-1", "x", "", "Łoda"])
NUMBERS = st.integers(1, 5)

# What a program does to teams: a statement, and its parameters.
Write = tuple[str, tuple[object, ...]]
CONFLICTS = ("", " OR REPLACE", " OR IGNORE", " OR ABORT", " OR FAIL", " OR ROLLBACK")
INSERT = "INSERT{} INTO team VALUES (?, ?, ?)"
UPSERT = "INSERT INTO team VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET headquarters = 'zoe'"
UPDATES = (
    "UPDATE{} team SET name = ?, headquarters = ? WHERE id = ?",
    "UPDATE{} team SET id = ? WHERE id = ?",
    "UPDATE{} team SET rowid = ? WHERE id = ?",
)
VALUES = st.tuples(TEXTS.filter(bool), st.none() | TEXTS, NUMBERS)


def any_of(statement: str) -> st.SearchStrategy[str]:
    return st.sampled_from([statement.format(conflict) for conflict in CONFLICTS])


WRITES: st.SearchStrategy[Write] = st.one_of(
    st.tuples(any_of(INSERT), VALUES),
    st.tuples(any_of(UPDATES[0]), VALUES),
    st.tuples(any_of(UPDATES[1]) | any_of(UPDATES[2]), st.tuples(NUMBERS, NUMBERS)),
    st.tuples(
        st.just(f"{INSERT.format('')} ON CONFLICT DO UPDATE SET headquarters = 'zoe'"), VALUES
    ),
    st.tuples(st.just("DELETE FROM team WHERE id >= ?"), st.tuples(NUMBERS)),
    st.tuples(
        st.sampled_from(["VACUUM", "PRAGMA recursive_triggers = ON", "REFRESH"]), st.just(())
    ),
)


@contextmanager
def opened(path: Path, *, is_ours: bool) -> Iterator[sqlite3.Connection]:
    """A connection as any program has it, or one that can fold."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        if is_ours:
            connection.create_function("fold", 1, fold_text)
        yield connection


@pytest.fixture(scope="module")
def path(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with three tables that are searched, each with a key of another kind."""
    path = tmp_path_factory.mktemp("searched") / "heroes.db"
    shutil.copy(sqlite_template, path)
    engine = create_engine(f"sqlite:///{path}")
    SQLModel.metadata.create_all(engine, tables=[makers.table, slots.table, Resource(Gadget).table])
    engine.dispose()
    with opened(path, is_ours=True) as connection:
        for resource in (makers, slots):
            index = SqliteIndex(resource)
            for statement in (*index.tables.values(), *index.triggers.values()):
                connection.execute(statement)
    return path


def found(path: Path, resource: Resource, needle: str) -> list[tuple[object, ...]]:
    """The keys of the rows that a search finds by the index."""
    columns = [field.column for field in resource.search_fields]
    key = [field.column for field in resource.key]
    fits = matches_words(columns, len(words_of(needle)))
    by_index = TrigramIndex(resource).select(key).where(fits)
    as_condition = select(*key).where(fits, is_candidate(resource))
    parameters = search_parameters(needle) | {"trigrams": trigrams_of(needle), "max_candidates": 99}
    with opened(path, is_ours=True) as held:
        engine = create_engine("sqlite://", creator=lambda: held)
        with engine.connect() as connection:
            plan = connection.execute(Explained(by_index), parameters)
            assert not [step for *_, step in plan if f"SCAN {resource.table.name}" in step]
            answers = [
                sorted(map(tuple, connection.execute(statement, parameters)))
                for statement in (by_index, as_condition)
            ]
    assert answers[0] == answers[1]
    return answers[0]


class Explained(Executable, ClauseElement):
    """The plan of a statement."""

    inherit_cache = False

    def __init__(self, statement: ClauseElement) -> None:
        self.statement = statement


@compiles(Explained)
def compile_explained(element: Explained, compiler: SQLCompiler, **options: Any) -> str:
    return f"EXPLAIN QUERY PLAN {compiler.process(element.statement, **options)}"


def fitting(path: Path, needle: str) -> list[tuple[object, ...]]:
    """The keys of the teams that hold each word of a text, each of them looked at."""
    with opened(path, is_ours=False) as connection:
        rows = connection.execute("SELECT id, name, headquarters FROM team ORDER BY id").fetchall()
    words = list(map(fold, words_of(needle)))
    return [
        (key,)
        for key, *texts in rows
        if all(any(word in fold(text or "") for text in texts) for word in words)
    ]


@settings(max_examples=40)
@given(writes=st.lists(WRITES, max_size=12))
def test_a_search_finds_whatever_any_program_has_written(path: Path, writes: list[Write]) -> None:
    with TemporaryDirectory() as folder:
        copied = Path(shutil.copy(path, folder))
        with opened(copied, is_ours=False) as program, opened(copied, is_ours=True) as ours:
            for statement, parameters in writes:
                if statement == "REFRESH":
                    Refresher([teams])(ours)
                    continue
                try:
                    program.execute(statement, parameters)
                except sqlite3.IntegrityError:
                    continue
        for needle in NEEDLES:
            assert found(copied, teams, needle) == fitting(copied, needle)
        with opened(copied, is_ours=True) as ours:
            Refresher([teams])(ours)
            assert ours.execute("SELECT count(*) FROM hero_admin_unsearched_team").fetchone() == (
                0,
            )
        for needle in NEEDLES:
            assert found(copied, teams, needle) == fitting(copied, needle)


def test_rows_of_any_key_are_found_whoever_wrote_them(path: Path, tmp_path: Path) -> None:
    copied = Path(shutil.copy(path, tmp_path))
    with opened(copied, is_ours=False) as program, opened(copied, is_ours=True) as ours:
        for needle in ("lamp", "lämp"):
            program.execute("INSERT INTO maker VALUES ('acme', 'Better lamps'), ('other', 'x')")
            program.execute("INSERT INTO slot VALUES ('lamps', 1, ?)", ("0" * 32,))
            for _ in range(2):
                assert found(copied, makers, needle) == [("acme",)]
                assert found(copied, slots, needle) == [("lamps", 1)]
                Refresher([makers, slots])(ours)
                program.execute("VACUUM")
            program.execute("UPDATE maker SET code = 'lamp' WHERE code = 'acme'")
            program.execute("UPDATE slot SET number = 3, shelf = 'some lamps'")
            assert found(copied, makers, needle) == [("lamp",)]
            assert found(copied, slots, needle) == [("some lamps", 3)]
            Refresher([makers, slots])(ours)
            program.execute("REPLACE INTO maker VALUES ('lamp', 'x'), ('other', 'lamp')")
            assert found(copied, makers, needle) == [("lamp",), ("other",)]
            program.execute("DELETE FROM maker")
            program.execute("DELETE FROM slot")
            assert found(copied, makers, needle) == found(copied, slots, needle) == []


def test_a_trigger_that_rewrites_what_is_searched_leaves_the_index_right(
    path: Path, tmp_path: Path
) -> None:
    copied = Path(shutil.copy(path, tmp_path))
    with opened(copied, is_ours=False) as program, opened(copied, is_ours=True) as ours:
        for event in ("INSERT", "UPDATE"):
            program.execute(
                f"CREATE TRIGGER rewrite_{event} AFTER {event} ON team WHEN new.name LIKE '% %'"
                " BEGIN UPDATE team SET name = replace(new.name, ' ', '-') WHERE id = new.id; END"
            )
        program.execute("INSERT INTO team (id, name) VALUES (1, 'zoe oda')")
        for name in ("nova zoe", "x", "super zoe", "zoe oda"):
            Refresher([teams])(ours)
            program.execute("UPDATE team SET name = ?", (name,))
            for _ in range(2):
                for needle in ("zoe", "oda", "nova", "super", "e-o"):
                    assert found(copied, teams, needle) == fitting(copied, needle)
                Refresher([teams])(ours)
                assert ours.execute(
                    "SELECT count(*) FROM hero_admin_unsearched_team"
                ).fetchone() == (0,)
