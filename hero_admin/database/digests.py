"""The digest by which bytes are known, alike in Python and in SQLite."""

import hashlib


def bytes_digest(data: bytes) -> str:
    """Return the SHA-256 of bytes, in hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()
