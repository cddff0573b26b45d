"""Downloads: what a file is called that a browser keeps."""

import re
from urllib.parse import quote


def attachment(name: str) -> str:
    """Return the `Content-Disposition` of a file to keep, whose name may have any letters.

    https://datatracker.ietf.org/doc/html/rfc6266#section-5
    """
    name = re.sub(r"[^\w.,~-]", "_", name)
    if name.isascii():
        return f'attachment; filename="{name}"'
    plain = name.encode("ascii", "replace").decode().replace("?", "_")
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name)}"
