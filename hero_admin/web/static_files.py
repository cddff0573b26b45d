"""Static files: a URL with the digest of its content is cached for good."""

import gzip
import hashlib
from collections.abc import Callable, Mapping
from functools import partial
from mimetypes import guess_type
from typing import NamedTuple

import anyio.to_thread
import brotli
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.staticfiles import NotModifiedResponse, StaticFiles
from starlette.types import Scope

from hero_admin.web.assets import STATIC, static_content, static_names, static_url
from hero_admin.web.mount import local_path
from hero_admin.web.own_assets import NO_ASSETS, OWN, OwnAssets

FOREVER = "public, max-age=31536000, immutable"
MIN_BYTES_TO_COMPRESS = 500
# What is kept of the files of an application, in all encodings.
MAX_OWN_BYTES = 8 * 2**20

# At the highest level, as each file is compressed once; the best encoding first.
COMPRESSORS: Mapping[str, Callable[[bytes], bytes]] = {
    "br": partial(brotli.compress, quality=11),
    "gzip": partial(gzip.compress, compresslevel=9, mtime=0),
}


class CachedFile(NamedTuple):
    """The content of a file in one encoding; "" for none."""

    content: bytes
    encoding: str
    etag: str


class VersionedFiles(StaticFiles):
    """Serves the static files; browsers cache those with `?v=` for good."""

    def __init__(self, own: OwnAssets = NO_ASSETS) -> None:
        super().__init__(directory=STATIC)
        self._own = own
        # Each file in up to three encodings, 0.25 MB in all; compressing one takes up to 30 ms.
        self._cache: dict[tuple[str, str], CachedFile] = {}
        self._own_bytes = 0

    async def get_response(self, path: str, scope: Scope) -> Response:
        if scope["method"] not in ("GET", "HEAD"):
            raise HTTPException(405, headers={"Allow": "GET, HEAD"})
        if not self._has(path):
            raise HTTPException(404)
        asked = Headers(scope=scope)
        cached = await self._fetch(path, _encoding_for(asked.get("accept-encoding", "")))
        headers = {
            "Cache-Control": FOREVER if self._is_current(scope, path) else "no-cache",
            "Content-Length": str(len(cached.content)),
            "ETag": cached.etag,
            "Vary": "Accept-Encoding",
        }
        if cached.encoding:
            headers["Content-Encoding"] = cached.encoding
        response = Response(
            b"" if scope["method"] == "HEAD" else cached.content,
            headers=headers,
            media_type=guess_type(path)[0] or "text/plain",
        )
        is_known = self.is_not_modified(response.headers, asked)
        return NotModifiedResponse(response.headers) if is_known else response

    async def _fetch(self, name: str, encoding: str) -> CachedFile:
        key = (name, encoding)
        found = self._cache.get(key)
        if found is None:
            found = await anyio.to_thread.run_sync(self._read, name, encoding)
            if not name.startswith(OWN) or self._own_bytes + len(found.content) <= MAX_OWN_BYTES:
                self._own_bytes += len(found.content) if name.startswith(OWN) else 0
                self._cache[key] = found
        return found

    def _has(self, path: str) -> bool:
        if path.startswith(OWN):
            return path.removeprefix(OWN) in self._own.names
        return path in static_names()

    def _read(self, path: str, encoding: str) -> CachedFile:
        is_own = path.startswith(OWN)
        content = self._own.content(path.removeprefix(OWN)) if is_own else static_content(path)
        return _encoded(content, encoding)

    def _is_current(self, scope: Scope, path: str) -> bool:
        # During an upgrade an old server may get requests for files of the new one.
        is_own = path.startswith(OWN)
        url = self._own.url(path.removeprefix(OWN)) if is_own else static_url(path)
        return f"{local_path(scope)}?{scope['query_string'].decode('latin-1')}" == url


def _encoded(content: bytes, encoding: str) -> CachedFile:
    digest = hashlib.sha256(content).hexdigest()[:16]
    if not encoding or len(content) < MIN_BYTES_TO_COMPRESS:
        return CachedFile(content, "", f'"{digest}"')
    return CachedFile(COMPRESSORS[encoding](content), encoding, f'"{digest}-{encoding}"')


def _encoding_for(accepted: str) -> str:
    """Return the best encoding that a client accepts, "" for none."""
    names = {}
    for item in accepted.lower().split(","):
        name, _, parameter = item.partition(";")
        quality = parameter.replace(" ", "").removeprefix("q=")
        names[name.strip()] = quality not in {"0", "0.", "0.0", "0.00", "0.000"}
    return next((name for name in COMPRESSORS if names.get(name)), "")
