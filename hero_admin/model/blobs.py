"""Blobs: the bytes of a column, of which a page knows how many they are and how they begin.

What a list shows never takes the bytes themselves out of the database.
"""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Text, type_coerce
from sqlalchemy.engine import Dialect
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeDecorator

from hero_admin.database.digests import bytes_digest
from hero_admin.database.sqlite_files import DIGEST_FUNCTION
from hero_admin.web.texts import size_text

# Enough to see what a file is, also behind what Access writes before a picture.
HEAD_BYTES = 160
# What Access and Visual Basic write before a picture that was pasted into a form.
OLE_HEADER, OLE_PICTURE_PLACE = b"\x15\x1c", 78
BITMAP_HEADER_SIZES = {12, 40, 52, 56, 64, 108, 124}
UNKNOWN_TYPE = "application/octet-stream"


@dataclass(frozen=True)
class FileType:
    """What a file is: the bytes that it begins with, and where they stand."""

    name: str
    media_type: str
    extension: str
    start: bytes
    place: int = 0
    is_image: bool = False


FILE_TYPES = (
    FileType("JPEG", "image/jpeg", "jpg", b"\xff\xd8\xff", is_image=True),
    FileType("PNG", "image/png", "png", b"\x89PNG\r\n\x1a\n", is_image=True),
    FileType("GIF", "image/gif", "gif", b"GIF87a", is_image=True),
    FileType("GIF", "image/gif", "gif", b"GIF89a", is_image=True),
    FileType("WebP", "image/webp", "webp", b"WEBP", 8, is_image=True),
    FileType("BMP", "image/bmp", "bmp", b"BM", is_image=True),
    FileType("PDF", "application/pdf", "pdf", b"%PDF-"),
    FileType("ZIP", "application/zip", "zip", b"PK\x03\x04"),
    FileType("gzip", "application/gzip", "gz", b"\x1f\x8b"),
)


@dataclass(frozen=True)
class Blob:
    """Bytes that are stored: how many, how they begin, and, of a record, a digest of them all."""

    size: int = 0
    head: bytes = b""
    digest: str = ""
    # What kind of file it was, where that is all that is known of its beginning.
    name: str = ""

    # What limits the length of bytes limits this as well.
    def __len__(self) -> int:
        return self.size

    def __bool__(self) -> bool:
        return True

    @property
    def picture_place(self) -> int:
        """Where the picture begins in what Access has written."""
        is_wrapped = self.head.startswith(OLE_HEADER)
        return OLE_PICTURE_PLACE if is_wrapped else 0

    @property
    def file_type(self) -> FileType | None:
        """What kind of file it is, if it is one of the few that are known."""
        head = self.head[self.picture_place :]
        found = (each for each in FILE_TYPES if head[each.place :].startswith(each.start))
        file_type = next(found, None)
        if file_type is not None and file_type.name == "BMP":
            # Two letters alone may begin anything.
            size = int.from_bytes(head[14:18], "little")
            return file_type if size in BITMAP_HEADER_SIZES else None
        return file_type

    @property
    def is_image(self) -> bool:
        """Whether browsers show it as a picture, in which no program can be."""
        return self.file_type is not None and self.file_type.is_image

    @property
    def text(self) -> str:
        """What people read: “12 kB JPEG”."""
        return f"{size_text(self.size)} {self.type_name}".strip()

    @property
    def type_name(self) -> str:
        return self.file_type.name if self.file_type else self.name

    def __str__(self) -> str:
        return self.text


def blob_of(data: bytes) -> Blob:
    """Return what is known of bytes that are at hand."""
    return Blob(len(data), data[:HEAD_BYTES], bytes_digest(data))


def known_by(digest: str) -> Blob:
    """Return bytes of which only the digest is known."""
    return Blob(digest=digest)


class _Summary(FunctionElement[str]):
    """Size and head of bytes as one text, on every database, and their digest if it is wanted."""

    type = Text()
    inherit_cache = True
    has_digest = False


class _WholeSummary(_Summary):
    inherit_cache = True
    has_digest = True


class Digest(FunctionElement[str]):
    """The digest of all bytes in a column."""

    type = Text()
    inherit_cache = True


class BlobType(TypeDecorator[Any]):
    """The type of a column of bytes whose values come as `Blob`.

    They are written by their digest, out of the table of all bytes that the history knows.
    """

    impl = Text
    cache_ok = True

    def __init__(self, *, has_digest: bool = False) -> None:
        """`has_digest`: whether all bytes are looked at, as for a record but not for a list."""
        self.has_digest = has_digest
        super().__init__()

    def column_expression(self, column: ColumnElement[Any]) -> ColumnElement[Any]:
        summary = _WholeSummary if self.has_digest else _Summary
        return type_coerce(summary(column), self)

    # Any: what drivers give, and what TypeDecorator takes.
    def process_bind_param(self, value: Any, _: Dialect) -> str | None:
        return None if value is None else str(value.digest)

    def process_result_value(self, value: Any, _: Dialect) -> Blob | None:
        if value is None:
            return None
        digest, size, head = value.split(":")
        return Blob(int(size), bytes.fromhex(head), digest)


# Any: the options of compilers.
@compiles(_Summary, "postgresql")
def _summary_of_postgresql(element: _Summary, compiler: SQLCompiler, **options: Any) -> str:
    column = compiler.process(element.clauses, **options)
    digest = _digest_of_postgresql(element, compiler, **options) if element.has_digest else "''"
    head = f"encode(substring({column} from 1 for {HEAD_BYTES}), 'hex')"
    return f"({digest} || ':' || octet_length({column}) || ':' || {head})"


@compiles(_Summary, "sqlite")
def _summary_of_sqlite(element: _Summary, compiler: SQLCompiler, **options: Any) -> str:
    # Other programs write texts and numbers into such columns, too.
    column = compiler.process(element.clauses, **options)
    digest = _digest_of_sqlite(element, compiler, **options) if element.has_digest else "''"
    blob = f"CAST({column} AS BLOB)"
    # SQLite tells the length of a blob without reading it.
    size = f"CASE typeof({column}) WHEN 'blob' THEN length({column}) ELSE length({blob}) END"
    return f"({digest} || ':' || {size} || ':' || hex(substr({blob}, 1, {HEAD_BYTES})))"


@compiles(Digest, "postgresql")
def _digest_of_postgresql(
    element: FunctionElement[str], compiler: SQLCompiler, **options: Any
) -> str:
    return f"encode(sha256({compiler.process(element.clauses, **options)}), 'hex')"


@compiles(Digest, "sqlite")
def _digest_of_sqlite(element: FunctionElement[str], compiler: SQLCompiler, **options: Any) -> str:
    column = compiler.process(element.clauses, **options)
    return f"{DIGEST_FUNCTION}(CAST({column} AS BLOB), typeof({column}))"
