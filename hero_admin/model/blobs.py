"""Blobs: the files of a column, known by their size, their first bytes and their digest.

Lists never fetch the files themselves.
"""

from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import LargeBinary, Text, type_coerce
from sqlalchemy.engine import Dialect
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeDecorator

from hero_admin.database.digests import bytes_digest
from hero_admin.database.sqlite_files import DIGEST_FUNCTION
from hero_admin.web.texts import size_text

# Enough to detect the type of a file, even after the header of an OLE object.
HEAD_BYTES = 160
# The header of an OLE object, which Access writes before a picture.
OLE_HEADER, OLE_PICTURE_OFFSET = b"\x15\x1c", 78
BITMAP_HEADER_SIZES = {12, 40, 52, 56, 64, 108, 124}
UNKNOWN_TYPE = "application/octet-stream"


@dataclass(frozen=True)
class FileType:
    """A type of file: the bytes by which it is detected, and their offset."""

    name: str
    media_type: str
    extension: str
    start: bytes
    offset: int = 0
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
    """A stored file: its size, its first bytes, and, in a record, its digest."""

    size: int = 0
    head: bytes = b""
    digest: str = ""
    # The recorded type of a file whose first bytes are unknown.
    name: str = ""
    # All bytes of a file to be stored that the history has no copy of.
    data: bytes | None = field(default=None, compare=False, repr=False)

    # For the length limits of schemas.
    def __len__(self) -> int:
        return self.size

    def __bool__(self) -> bool:
        return True

    @property
    def picture_offset(self) -> int:
        """The offset of the picture in bytes, after the header of an OLE object."""
        is_wrapped = self.head.startswith(OLE_HEADER)
        return OLE_PICTURE_OFFSET if is_wrapped else 0

    @property
    def file_type(self) -> FileType | None:
        """The type of the file, None if it is unknown."""
        head = self.head[self.picture_offset :]
        found = (each for each in FILE_TYPES if head[each.offset :].startswith(each.start))
        file_type = next(found, None)
        if file_type is not None and file_type.name == "BMP":
            # Two bytes alone are too few.
            size = int.from_bytes(head[14:18], "little")
            return file_type if size in BITMAP_HEADER_SIZES else None
        return file_type

    @property
    def is_image(self) -> bool:
        """Whether browsers show it as an image, which holds no script."""
        return self.file_type is not None and self.file_type.is_image

    @property
    def text(self) -> str:
        """Its size and type for people: “12 kB JPEG”."""
        return f"{size_text(self.size)} {self.type_name}".strip()

    @property
    def type_name(self) -> str:
        return self.file_type.name if self.file_type else self.name

    def __str__(self) -> str:
        return self.text


def blob_of(data: bytes) -> Blob:
    return Blob(len(data), data[:HEAD_BYTES], bytes_digest(data))


# Any: a value of any field.
def is_recorded(value: Any) -> bool:
    """Whether a value to be stored is a file that the history has a copy of."""
    return isinstance(value, Blob) and value.data is None


def known_by(digest: str) -> Blob:
    """Return a blob of which only the digest is known."""
    return Blob(digest=digest)


class _Summary(FunctionElement[str]):
    """Size, first bytes and, if wanted, digest of bytes as one text, on every database."""

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
    """The type of a column of bytes whose values are `Blob`.

    They are written by digest, from the table of files in the history.
    """

    impl = Text
    cache_ok = True

    def __init__(self, *, has_digest: bool = False) -> None:
        """`has_digest`: whether all bytes are read, as for a record but not for a list."""
        self.has_digest = has_digest
        super().__init__()

    def column_expression(self, column: ColumnElement[Any]) -> ColumnElement[Any]:
        summary = _WholeSummary if self.has_digest else _Summary
        return type_coerce(summary(column), self)

    # Any: values of drivers.
    def process_bind_param(self, value: Any, _: Dialect) -> str | None:
        return None if value is None else str(value.digest)

    def process_result_value(self, value: Any, _: Dialect) -> Blob | None:
        if value is None:
            return None
        digest, size, head = value.split(":")
        return Blob(int(size), bytes.fromhex(head), digest)


class FileData(TypeDecorator[Any]):
    """The type of files that are stored with their own bytes."""

    impl = LargeBinary
    cache_ok = True

    # Any: values of drivers.
    def process_bind_param(self, value: Any, _: Dialect) -> bytes | None:
        return None if value is None else value.data


# Any: options of the compiler.
@compiles(_Summary, "postgresql")
def _summary_of_postgresql(element: _Summary, compiler: SQLCompiler, **options: Any) -> str:
    column = compiler.process(element.clauses, **options)
    digest = _digest_of_postgresql(element, compiler, **options) if element.has_digest else "''"
    head = f"encode(substring({column} from 1 for {HEAD_BYTES}), 'hex')"
    return f"({digest} || ':' || octet_length({column}) || ':' || {head})"


@compiles(_Summary, "sqlite")
def _summary_of_sqlite(element: _Summary, compiler: SQLCompiler, **options: Any) -> str:
    # Such columns may hold texts and numbers, too.
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
