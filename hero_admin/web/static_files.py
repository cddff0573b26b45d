"""Static files: an address that carries the digest of its content never changes its answer."""

import gzip
import hashlib
import os
from collections.abc import Callable, Mapping
from functools import partial
from os import PathLike, stat_result
from pathlib import Path
from typing import NamedTuple

import anyio.to_thread
import brotli
from starlette.datastructures import Headers
from starlette.responses import FileResponse, Response
from starlette.staticfiles import NotModifiedResponse, StaticFiles
from starlette.types import Scope

from hero_admin.web.templating import STATIC, static_url

FOREVER = "public, max-age=31536000, immutable"
MIN_BYTES_TO_COMPRESS = 500

# Each file is compressed once, so as well as can be; the best first.
COMPRESSORS: Mapping[str, Callable[[bytes], bytes]] = {
    "br": partial(brotli.compress, quality=11),
    "gzip": partial(gzip.compress, compresslevel=9, mtime=0),
}


class CachedFile(NamedTuple):
    """A file in the encoding in which it travels; the empty one is its own."""

    content: bytes
    encoding: str
    etag: str


class VersionedFiles(StaticFiles):
    """Serves the static files; with their own `?v=` in the address browsers keep them for good."""

    def __init__(self) -> None:
        super().__init__(directory=STATIC)
        # A file that was changed is another one: its time and size are part of the key.
        self._cache: dict[tuple[str, int, int, str], CachedFile] = {}

    async def get_response(self, path: str, scope: Scope) -> Response:
        found = await super().get_response(path, scope)
        assert isinstance(found, FileResponse)
        assert found.stat_result is not None
        asked = Headers(scope=scope)
        encoding = _encoding_for(asked.get("accept-encoding", ""))
        cached = await self._fetch(os.fspath(found.path), found.stat_result, encoding)
        headers = {
            "Cache-Control": FOREVER if _is_current(scope, self.get_path(scope)) else "no-cache",
            "Content-Length": str(len(cached.content)),
            "ETag": cached.etag,
            "Vary": "Accept-Encoding",
        }
        if cached.encoding:
            headers["Content-Encoding"] = cached.encoding
        response = Response(
            b"" if scope["method"] == "HEAD" else cached.content,
            headers=headers,
            media_type=found.media_type,
        )
        is_known = self.is_not_modified(response.headers, asked)
        return NotModifiedResponse(response.headers) if is_known else response

    def file_response(
        self,
        full_path: str | PathLike[str],
        stat_result: stat_result,
        scope: Scope,  # noqa: ARG002 - StaticFiles asks here whether the file was modified
        status_code: int = 200,
    ) -> Response:
        return FileResponse(full_path, status_code, stat_result=stat_result)

    async def _fetch(self, path: str, status: stat_result, encoding: str) -> CachedFile:
        key = (path, status.st_mtime_ns, status.st_size, encoding)
        if key not in self._cache:
            self._cache[key] = await anyio.to_thread.run_sync(_read, path, encoding)
        return self._cache[key]


def _read(path: str, encoding: str) -> CachedFile:
    content = Path(path).read_bytes()
    digest = hashlib.sha256(content).hexdigest()[:16]
    if not encoding or len(content) < MIN_BYTES_TO_COMPRESS:
        return CachedFile(content, "", f'"{digest}"')
    return CachedFile(COMPRESSORS[encoding](content), encoding, f'"{digest}-{encoding}"')


def _encoding_for(accepted: str) -> str:
    """The best encoding that a client takes, "" when it takes none of ours."""
    names = {}
    for item in accepted.lower().split(","):
        name, _, parameter = item.partition(";")
        quality = parameter.replace(" ", "").removeprefix("q=")
        names[name.strip()] = quality not in {"0", "0.", "0.0", "0.00", "0.000"}
    return next((name for name in COMPRESSORS if names.get(name)), "")


def _is_current(scope: Scope, path: str) -> bool:
    # During an upgrade an old server may be asked for what only the new one has.
    return f"{scope['path']}?{scope['query_string'].decode('latin-1')}" == static_url(path)
