"""The trigram index of a resource, which finds a text anywhere in a column.

It offers candidates, which are checked again.
"""

from hero_admin.database.folding import fold
from hero_admin.database.identifiers import MAX_BYTES, quoted, shortened
from hero_admin.listing.search.patterns import words_of
from hero_admin.model.resource import Resource

PREFIX = "search_"
# What a trigram consists of; a shorter text is in none.
TRIGRAM_CHARACTERS = 3


def index_name(resource: Resource, prefix: str = PREFIX) -> str:
    """Return the name of the index of a resource, or of what belongs to it."""
    # What is called after it has a few characters more.
    return f"{prefix}{shortened(resource.table.name, MAX_BYTES - 20)}"


def trigrams_of(text: str) -> str:
    """Return the parameter `trigrams` for a text: those of all its words, in whatever columns.

    For one of two characters the candidates are the rows in which a word begins with it.
    """
    words = list(map(fold, words_of(text)))
    if len(words) == 1 and len(words[0]) < TRIGRAM_CHARACTERS:
        words = [f" {words[0]}"]
    trigrams = dict.fromkeys(
        word[place : place + TRIGRAM_CHARACTERS]
        for word in words
        for place in range(len(word) - TRIGRAM_CHARACTERS + 1)
    )
    return " AND ".join(map(quoted, trigrams))


def has_trigrams(text: str) -> bool:
    """Whether an index of trigrams holds a word of a text."""
    return "\0" not in text and any(
        len(fold(word)) >= TRIGRAM_CHARACTERS for word in words_of(text)
    )
