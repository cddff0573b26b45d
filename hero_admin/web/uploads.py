"""Uploads: the files of a form, each identified by its digest."""

from typing import Self

from starlette.datastructures import FormData, UploadFile

from hero_admin.database.digests import bytes_digest


class Upload(str):
    """A file that was sent. As a text it is its digest, so that forms can compare it."""

    __slots__ = ("data",)

    data: bytes

    def __new__(cls, data: bytes) -> Self:
        made = super().__new__(cls, bytes_digest(data))
        made.data = data
        return made


class LostUpload(Upload):
    """A file of a pending form, which has no files: it has to be chosen again."""

    __slots__ = ()

    def __new__(cls) -> Self:
        # Not a digest: it equals no file.
        return str.__new__(cls, "lost")


async def read_uploads(form: FormData) -> FormData:
    """Return a form with its files read; a field without a chosen file is left out."""
    parts: list[tuple[str, str | UploadFile]] = []
    for name, value in form.multi_items():
        if not isinstance(value, UploadFile):
            parts.append((name, value))
        elif value.filename:
            parts.append((name, Upload(await value.read())))
    return FormData(parts)
