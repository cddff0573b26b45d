"""Uploads: the files that come with a form; from then on each is known by its digest."""

from typing import Self

from starlette.datastructures import FormData, UploadFile

from hero_admin.database.digests import bytes_digest


class Upload(str):
    """A file that was sent: as a text its digest, so that forms compare it like any other."""

    __slots__ = ("data",)

    data: bytes

    def __new__(cls, data: bytes) -> Self:
        made = super().__new__(cls, bytes_digest(data))
        made.data = data
        return made


class LostUpload(Upload):
    """A file that came with a form which was kept without it: it has to be chosen again."""

    __slots__ = ()

    def __new__(cls) -> Self:
        # No digest: it is like no file.
        return str.__new__(cls, "lost")


async def read_uploads(form: FormData) -> FormData:
    """Return a form with the content of its files; where none was chosen, nothing is sent."""
    parts: list[tuple[str, str | UploadFile]] = []
    for name, value in form.multi_items():
        if not isinstance(value, UploadFile):
            parts.append((name, value))
        elif value.filename:
            parts.append((name, Upload(await value.read())))
    return FormData(parts)
