"""Writes: forms to save and to create heroes with, whether they worked, and what they leave."""

import sqlite3
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from itertools import cycle

from asyncpg.exceptions import PostgresError

from benchmarks.databases import Database
from benchmarks.running import Running, TargetError

SAVE_SECONDS = 1.0


class Writes:
    """The writes of one run at a time: make them, send them, `check`, `undo`."""

    def __init__(self, database: Database) -> None:
        # Of whoever wrote last.
        self.database = database
        # The ages that the heroes are to have, in the order of the requests.
        self._ages: dict[int, int] = {}
        self._is_creating = False

    def creations(self, running: Running, ids: Sequence[int]) -> list[bytes]:
        """Return a request for a new hero for each of these numbers. Raises TargetError."""
        self.database, self._is_creating = running.place.database, True
        values = {"secret_name": "Nobody Yet", "age": "30"}
        path = running.target.new_path
        return [running.form_request(path, {"name": f"New Hero {id}", **values}) for id in ids]

    def changes(self, running: Running, ids: Sequence[int]) -> list[bytes]:
        """Return a request that gives each of these heroes another age. Raises TargetError."""
        self.database, self._is_creating = running.place.database, False
        listed = ", ".join(map(str, ids))
        found = dict(
            self.database.execute(f"SELECT id, coalesce(age, 0) FROM hero WHERE id IN ({listed})")
        )
        self._ages = {id: found[id] % 100 + 1 for id in ids}
        path = running.target.edit_path
        return [
            running.form_request(path.format(id=id), {"age": str(age)})
            for id, age in self._ages.items()
        ]

    def before_each(self, running: Running, request: bytes) -> Iterator[bytes]:
        """Yield the request for ever, each time after a hero has got another age.

        Raises TargetError.
        """
        database = running.place.database
        # Another thread: the event loop that asks is in this one.
        with ThreadPoolExecutor(1) as thread:
            for age in cycle(range(20, 60)):
                statement = f"UPDATE hero SET age = {age} WHERE id = 1"
                try:
                    thread.submit(database.execute, statement).result()
                except (sqlite3.Error, PostgresError) as error:
                    raise TargetError(f"nobody else can write: {error}") from error
                yield request

    @contextmanager
    def beside(self, running: Running) -> Iterator[None]:
        """Change another hero at once and then every second, as another program does."""
        database, is_over = running.place.database, threading.Event()
        ids = cycle(database.facts.ids)

        def save() -> None:
            while True:
                # Whoever holds the database for long is told apart by its own answers.
                with suppress(sqlite3.Error, PostgresError):
                    database.execute(f"UPDATE hero SET age = age WHERE id = {next(ids)}")
                if is_over.wait(SAVE_SECONDS):
                    return

        saving = threading.Thread(target=save)
        saving.start()
        try:
            yield
        finally:
            is_over.set()
            saving.join()

    def check(self, answers: int) -> None:
        """Raise TargetError unless so many writes are in the database, whatever was answered."""
        if self._is_creating:
            written = self._count(f"id > {self.database.facts.heroes}")
        else:
            sent = list(self._ages.items())[:answers]
            written = self._count(" OR ".join(f"id = {id} AND age = {age}" for id, age in sent))
        if written < answers:
            raise TargetError(f"wrote {written} of {answers}")

    def undo(self) -> None:
        """Delete what was created; a changed age does no harm. Raises TargetError."""
        if not self._is_creating:
            return
        self._is_creating = False
        try:
            self.database.execute(f"DELETE FROM hero WHERE id > {self.database.facts.heroes}")
        except (sqlite3.Error, PostgresError) as error:
            raise TargetError(f"what it created cannot be deleted again: {error}") from error

    def _count(self, predicate: str) -> int:
        count: int = self.database.execute(f"SELECT count(*) FROM hero WHERE {predicate}")[0][0]
        return count
