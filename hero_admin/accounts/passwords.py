"""Passwords: hashed with argon2id, in threads of their own, a few at a time."""

import asyncio
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar
from unicodedata import normalize

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from hero_admin.accounts.weak_passwords import weakness_of
from hero_admin.web.errors import Invalid

MIN_CHARACTERS = 12
MAX_BYTES = 1024
# Each hash takes 64 MiB while it is computed.
THREADS = 2

SAME_AS_BEFORE = "This is the current password. Choose another one."

Answer = TypeVar("Answer")


def check_password(password: str, names: Iterable[str]) -> None:
    """Raise Invalid for the field `password` if it may not become one.

    names: those of its owner and of the site.
    """
    if len(password) < MIN_CHARACTERS:
        raise Invalid({"password": f"Use at least {MIN_CHARACTERS} characters."})
    if is_too_long(password):
        raise Invalid({"password": f"Use at most {MAX_BYTES} bytes."})
    weakness = weakness_of(password, names)
    if weakness:
        raise Invalid({"password": weakness})


def is_same(password: str, other: str) -> bool:
    """Whether two passwords are the same to whoever types them."""
    return _encoded(password) == _encoded(other)


def is_too_long(password: str) -> bool:
    """Whether a password is longer than the limit, so that hashing it is refused."""
    # Counted first: normalizing many marks in a row takes quadratic time.
    return len(password) > MAX_BYTES or len(_encoded(password)) > MAX_BYTES


class Passwords:
    """Hashes and verifies passwords; waiting for it needs no database connection."""

    def __init__(self) -> None:
        self._hasher = PasswordHasher()
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="passwords")
        # Verified where there is no password: it takes as long as any other, and never matches.
        hasher = self._hasher
        self._nobodys = (
            f"$argon2id$v=19$m={hasher.memory_cost},t={hasher.time_cost},p={hasher.parallelism}"
            f"${'A' * 22}${'A' * 43}"
        )

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def hash(self, password: str) -> str:
        """Return the hash to store of a password."""
        return await self._in_thread(self._hasher.hash, _encoded(password))

    async def hash_new(self, password: str, names: Iterable[str], old_hash: str | None) -> str:
        """Return the hash to store of a new password; raises Invalid for `password`.

        names: those of its owner and of the site. old_hash: that of the password before, which
        the new one may not be.
        """
        await self._in_thread(check_password, password, names)
        if old_hash and await self.verify(old_hash, password):
            raise Invalid({"password": SAME_AS_BEFORE})
        return await self.hash(password)

    async def verify(self, password_hash: str | None, password: str) -> bool:
        """Whether the password matches; without a hash never, after the same time."""
        return await self._in_thread(
            self._verify, password_hash or self._nobodys, _encoded(password)
        )

    async def rehash(self, password_hash: str | None, password: str) -> str | None:
        """Return a new hash if the parameters differ from those of the old one, else None."""
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
    # Keyboards send different code points for the same letters.
    return normalize("NFKC", password).encode("utf-8", "surrogatepass")
