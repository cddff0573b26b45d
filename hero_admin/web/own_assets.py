"""Own assets: the static files of an application, below /static/own/."""

import hashlib
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path

OWN = "own/"


class OwnAssets:
    """The files of a folder, and those that are made of settings; read once, when first asked for.

    folder: None without files. made: the content of others, by name.
    """

    def __init__(self, folder: Path | None = None, made: Mapping[str, bytes] | None = None) -> None:
        self.folder = folder
        self.made = dict(made or {})
        self._urls: dict[str, str] = {}

    @cached_property
    def names(self) -> frozenset[str]:
        """The names of the files, relative to their folder; without those that begin with a dot."""
        folder = self.folder
        paths = folder.rglob("*") if folder is not None else ()
        found = {
            path.relative_to(folder).as_posix()
            for path in paths
            if folder is not None and path.is_file() and not path.name.startswith(".")
        }
        return frozenset(found | set(self.made))

    def content(self, name: str) -> bytes:
        """Return the content of one of the files."""
        if name in self.made:
            return self.made[name]
        assert self.folder is not None
        return (self.folder / name).read_bytes()

    def url(self, name: str) -> str:
        """Return the URL of a file below the prefix; it changes with its content."""
        # 0.2 kB for each file that a template names, so that no page reads and hashes it again.
        if name not in self._urls:
            digest = hashlib.sha256(self.content(name)).hexdigest()[:12]
            self._urls[name] = f"/static/{OWN}{name}?v={digest}"
        return self._urls[name]


NO_ASSETS = OwnAssets()
