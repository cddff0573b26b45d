"""SQLite's files: how they are opened, and the functions that queries call in them."""

import os
import sqlite3
from pathlib import Path
from urllib.parse import quote

from hero_admin.database.broken_texts import decoded
from hero_admin.database.digests import bytes_digest
from hero_admin.database.folding import fold

# Only our own queries call it: the digest of bytes, which PostgreSQL has by itself.
DIGEST_FUNCTION = "digest_of_bytes"


def open_file(path: Path, *, is_read_only: bool, busy_seconds: float) -> sqlite3.Connection:
    """Open an existing file. Raises sqlite3.OperationalError.

    A connection that writes waits for locks for `busy_seconds`; one that reads does not wait.
    """
    # mode=rw: a file that vanished is an error, not a fresh database without tables.
    mode = "mode=ro&immutable=1" if is_unchangeable(path) else "mode=rw"
    opened = sqlite3.connect(
        f"file:{quote(str(path))}?{mode}",
        uri=True,
        timeout=busy_seconds,
        isolation_level=None,
        check_same_thread=False,
    )
    try:
        opened.execute("PRAGMA foreign_keys = ON")
        if is_read_only:
            opened.execute("PRAGMA query_only = ON")
            set_busy_timeout(opened, 0)
        else:
            # Of readers there are many, and the system caches what they read as well.
            opened.execute("PRAGMA cache_size = -8000")
            opened.execute("PRAGMA journal_mode = WAL")
            # A commit that was acknowledged outlives a power failure.
            opened.execute("PRAGMA synchronous = FULL")
            # A write must not be repeated, as a read is that meets a broken text.
            opened.text_factory = decoded
        opened.create_function("fold", 1, fold_text, deterministic=True)
        opened.create_function(DIGEST_FUNCTION, 2, _digest, deterministic=True)
    except BaseException:
        opened.close()
        raise
    return opened


def is_unchangeable(path: Path) -> bool:
    """Whether a file is complete and read-only, as is its folder, where SQLite needs a lock file.

    It is not complete where a write-ahead log lies beside it.
    """
    is_fixed = not os.access(path.parent, os.W_OK) and path.exists()
    log = path.with_name(f"{path.name}-wal")
    return is_fixed and not (log.exists() and log.stat().st_size)


def set_busy_timeout(connection: sqlite3.Connection, seconds: float) -> None:
    connection.execute(f"PRAGMA busy_timeout = {round(seconds * 1000)}")


def fold_text(value: bytes | str | None) -> str | None:
    """Fold a text, or the bytes of one, which need not be UTF-8."""
    if isinstance(value, bytes):
        return fold(value.decode("utf-8", "replace"))
    return None if value is None else fold(value)


def _digest(data: bytes | None, kind: str) -> str | None:
    if data is None:
        return None
    # A text in a column of bytes is to come back as a text.
    return bytes_digest(data if kind == "blob" else f"{kind}:".encode() + data)
