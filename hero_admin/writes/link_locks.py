"""Locks of links: whoever adds the same link at the same moment, from either side, takes turns.

Where no unique index keeps two records from being linked twice, both people would find that they
are not linked yet. And where both also change a unique value of their own record, each would wait
for the record of the other, which PostgreSQL ends with an error. So they wait here, before either
changes its record.
"""

from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from hero_admin.database.transactions import take_turns
from hero_admin.model.links import ManyToMany
from hero_admin.model.resource import Record
from hero_admin.model.stored_values import comparable
from hero_admin.writes.deltas import Delta

# An arbitrary key for the advisory locks of this library.
LINKS_LOCK = 5_214_003
# A server holds a few thousand locks for all, and a request may add 10,000 links. So links share
# them: two of them may have the same, by which they wait for no reason, but not for long.
MAX_LOCKS = 128


async def lock_links(
    session: AsyncSession, records: Sequence[Record], deltas: Mapping[ManyToMany, Delta]
) -> None:
    """Wait until nobody else adds one of these links, and lock them until the transaction ends.

    To be called before fields of the records are changed.
    """
    locks = {
        _lock_of(link, record[link.own.name], value)
        for link, delta in deltas.items()
        for record in records
        for value in delta.added
    }
    if locks:
        await take_turns(session, LINKS_LOCK, sorted(locks))


# Any: values of any field.
def _lock_of(link: ManyToMany, own: Any, other: Any) -> int:
    """Return the lock of a link, the same from both sides."""
    near, far = link.columns
    pair = sorted([(near.name, comparable(own)), (far.name, comparable(other))])
    digest = sha256(repr((near.table.fullname, pair)).encode()).digest()
    return int.from_bytes(digest[:4]) % MAX_LOCKS
