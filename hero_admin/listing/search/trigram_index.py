"""The trigram index of a resource, which finds a text anywhere in a column.

It offers candidates; the predicates are then checked on their rows.
"""

from hero_admin.database.folding import fold
from hero_admin.database.identifiers import MAX_BYTES, quoted, shortened
from hero_admin.database.own_tables import PREFIX as OWN_PREFIX
from hero_admin.listing.search.patterns import words_of
from hero_admin.model.resource import Resource

PREFIX = f"{OWN_PREFIX}search_"
# A shorter text has no trigram.
TRIGRAM_CHARACTERS = 3


def index_name(resource: Resource, prefix: str = PREFIX) -> str:
    """Return the name of the trigram index of a resource, or of a table that belongs to it."""
    # The prefix has up to 20 bytes. Names on SQLite, which may have suffixes, have no limit.
    return f"{prefix}{shortened(resource.table.name, MAX_BYTES - 20)}"


def trigrams_of(text: str) -> str:
    """Return the FTS5 query, the parameter `trigrams`: all trigrams of all words of a text.

    For a word of two characters it is that of words beginning with them.
    """
    words = list(map(fold, words_of(text)))
    if len(words) == 1 and len(words[0]) < TRIGRAM_CHARACTERS:
        words = [f" {words[0]}"]
    trigrams = dict.fromkeys(
        word[start : start + TRIGRAM_CHARACTERS]
        for word in words
        for start in range(len(word) - TRIGRAM_CHARACTERS + 1)
    )
    return " AND ".join(map(quoted, trigrams))


def has_trigrams(text: str) -> bool:
    """Whether a word of a text is long enough for the trigram index."""
    return "\0" not in text and any(
        len(fold(word)) >= TRIGRAM_CHARACTERS for word in words_of(text)
    )
