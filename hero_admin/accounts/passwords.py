"""Passwords: hashed with argon2id, in threads of their own, a few at a time."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar
from unicodedata import normalize

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from hero_admin.web.errors import Invalid

MIN_CHARACTERS = 12
MAX_BYTES = 1024
# Each hash takes 64 MiB while it is made.
THREADS = 2

Answer = TypeVar("Answer")


def check_password(password: str) -> None:
    """Raise Invalid for the field `password` if it may not become one."""
    if len(password) < MIN_CHARACTERS:
        raise Invalid({"password": f"Use at least {MIN_CHARACTERS} characters."})
    if is_too_long(password):
        raise Invalid({"password": f"Use at most {MAX_BYTES} bytes."})


def is_too_long(password: str) -> bool:
    """Whether it is more than anyone remembers, and not worth the work."""
    # Counted first: to normalise many marks in a row takes time that grows with their square.
    return len(password) > MAX_BYTES or len(_encoded(password)) > MAX_BYTES


class Passwords:
    """Hashes and verifies; what waits for its turn holds no database connection."""

    def __init__(self) -> None:
        self._hasher = PasswordHasher()
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="passwords")
        # Verified for who has no password: it takes as long as any other, and never fits.
        hasher = self._hasher
        self._nobodys = (
            f"$argon2id$v=19$m={hasher.memory_cost},t={hasher.time_cost},p={hasher.parallelism}"
            f"${'A' * 22}${'A' * 43}"
        )

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def hash(self, password: str) -> str:
        """Return the hash to store for a password that `check_password` has let through."""
        return await self._in_thread(self._hasher.hash, _encoded(password))

    async def verify(self, password_hash: str | None, password: str) -> bool:
        """Whether the password fits; never, and after the same time, if there is no hash."""
        return await self._in_thread(
            self._verify, password_hash or self._nobodys, _encoded(password)
        )

    async def rehash(self, password_hash: str | None, password: str) -> str | None:
        """Return a new hash if today's parameters are others than those of the old one."""
        if password_hash is None or not self._hasher.check_needs_rehash(password_hash):
            return None
        return await self.hash(password)

    def _verify(self, password_hash: str, password: bytes) -> bool:
        try:
            return self._hasher.verify(password_hash, password)
        except (VerificationError, InvalidHashError):
            return False

    async def _in_thread(self, function: Callable[..., Answer], *arguments: object) -> Answer:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, function, *arguments)


def _encoded(password: str) -> bytes:
    # The same letters come in other bytes from another keyboard.
    return normalize("NFKC", password).encode("utf-8", "surrogatepass")
