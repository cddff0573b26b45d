"""Static files: an address that carries the digest of its content never changes its answer."""

from os import PathLike, stat_result

from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from webapp.templating import STATIC, static_url

FOREVER = "public, max-age=31536000, immutable"


class VersionedFiles(StaticFiles):
    """Serves the static files; with their own `?v=` in the address browsers keep them for good."""

    def __init__(self) -> None:
        super().__init__(directory=STATIC)

    def file_response(
        self,
        full_path: str | PathLike[str],
        stat_result: stat_result,
        scope: Scope,
        status_code: int = 200,
    ) -> Response:
        response = super().file_response(full_path, stat_result, scope, status_code)
        address = f"{scope['path']}?{scope['query_string'].decode('latin-1')}"
        # During an upgrade an old server may be asked for what only the new one has.
        is_current = address == static_url(self.get_path(scope))
        response.headers["Cache-Control"] = FOREVER if is_current else "no-cache"
        return response
