"""Singulars: a model that has the plural name of its table is still called one “customer”."""

import re

from hero_admin.model.labels import (
    IRREGULAR_PLURALS,
    PLURAL_OES,
    SINGULAR_S,
    WITHOUT_PLURAL,
    plural_of,
)

# “New data” and “new media” are usual.
IRREGULAR_SINGULARS = {
    plural: singular
    for singular, plural in IRREGULAR_PLURALS.items()
    if plural not in {"data", "media"}
}
# The ends of longer words: salespeople, bookshelves.
IRREGULAR_ENDINGS = ("women", "people", "children", "shelves", "men")
# They look like plurals of something, or have no singular that anybody uses.
NO_SINGULAR = re.compile(
    "(analyt|econom|electron|logist|mathemat|phys|polit|statist)ics$|^(goods|settings)$"
    "|(abdo|acu|^o|regi|speci|sta)men$"
)
GREEK = re.compile("(aly|cri|agno|hypothe|enthe|^the|ynop)ses$")
WITH_IE = re.compile("(^[a-z]|brown|calor|cook|gen|mov|self|zomb)ies$")
# Words that end with a hiss and not with an -e: box, branch, but not cache.
HISSING = re.compile("(x|[tz]z|(?<!ca)(?<!da)(?<!lan)(?<!^ni)ch|sh)$")
# House, clause.
WITH_SE = re.compile("(au|ou)s$")


def singular_of(noun: str) -> str:
    """Return the singular of a noun in the plural, and any other noun as it is."""
    before, space, word = noun.rpartition(" ")
    singular = _singular_of_word(word)
    # Otherwise it was no plural.
    return f"{before}{space}{singular}" if plural_of(singular) == word else noun


def _singular_of_word(word: str) -> str:
    if word[:2].isupper():
        return word.removesuffix("s")
    if word in WITHOUT_PLURAL - IRREGULAR_SINGULARS.keys() or NO_SINGULAR.search(word):
        return word
    if word in IRREGULAR_SINGULARS:
        return IRREGULAR_SINGULARS[word]
    for ending in IRREGULAR_ENDINGS:
        if word.endswith(ending):
            return word.removesuffix(ending) + IRREGULAR_SINGULARS[ending]
    is_plural = word.endswith("s") and plural_of(word) == word
    return _regular_singular(word) if is_plural else word


def _regular_singular(word: str) -> str:
    if word.endswith("ies") and not WITH_IE.search(word):
        return word[:-3] + "y"
    if GREEK.search(word):
        return word[:-2] + "is"
    stem = word.removesuffix("es")
    is_hissing = HISSING.search(stem) or (SINGULAR_S.search(stem) and not WITH_SE.search(stem))
    return stem if stem != word and (is_hissing or PLURAL_OES.search(stem)) else word[:-1]
