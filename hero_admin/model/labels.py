"""Labels: the names of models and columns for people, derived from those in code."""

import re

from hero_admin.web.texts import capitalised

# Written in capitals, whatever the name has.
_ACRONYMS = """
API BIC CPU CSS CSV CVV DNS DOI EAN ETA FAQ GPS HTML HTTP HTTPS IBAN ID IP ISBN ISO JSON MAC NFC OTP
PDF QR RFID SKU SMS SQL SSH SSL SSN TLS UPC URI URL USB UTC UUID VAT VIN XML ZIP
"""
ACRONYMS = frozenset(_ACRONYMS.split())
# The suffixes of foreign keys.
POINTERS = frozenset({"fk", "id", "uuid"})
# Matches a name in which U is a capital, s an s, l another letter and d a digit: acronyms in the
# plural, acronyms, words, and numbers.
WORD = re.compile(r"U{2,}s(?![ls])|U+d*(?![ls])|U?[ls]+d*|d+[ls]*")
# A number at the end of a longer word is a word: “address 2”, but “sha256”.
NUMBERED = re.compile(r"([^\W\d]{4,})(\d+)")
VOWELS = frozenset("AEIOUY")

_IRREGULAR_PLURALS = """
appendix appendices axis axes calf calves child children criterion criteria datum data die dice
foot feet goose geese half halves knife knives leaf leaves life lives loaf loaves man men
matrix matrices medium media mouse mice ox oxen person people phenomenon phenomena quiz quizzes
self selves shelf shelves thief thieves tooth teeth vertex vertices wife wives wolf wolves
woman women
"""
_PAIRS = _IRREGULAR_PLURALS.split()
IRREGULAR_PLURALS = dict(zip(_PAIRS[::2], _PAIRS[1::2], strict=True))
# The ends of longer words: chairman, bookshelf; but not human.
IRREGULAR_ENDINGS = re.compile(
    r"(?<!hu)(?<!ger)(?<!ro)(?<!nor)(?<!sha)(?<!talis)(person|man|woman|child|shelf)$"
)
# Nouns whose plural is the same, or that are plurals.
_WITHOUT_PLURAL = """
advice aircraft chassis debris deer equipment evidence feedback fish furniture hardware headquarters
information knowledge luggage means metadata money music news offspring research series sheep
software spacecraft species staff traffic
"""
WITHOUT_PLURAL = frozenset(_WITHOUT_PLURAL.split()) | frozenset(IRREGULAR_PLURALS.values())
PLURAL_OES = re.compile("(echo|embargo|hero|mosquito|potato|tomato|torpedo|veto|volcano)$")
HARD_CH = re.compile("(epoch|monarch|patriarch|stomach|tech)$")
# Singular nouns in -s; all others are plurals, which models are named, too.
SINGULAR_S = re.compile("(ss|us|is|alias|atlas|bias|canvas|chaos|gas|lens)$")

# Letters whose names begin with a vowel sound, and acronyms that are read as a word.
SPELT_WITH_AN = frozenset("AEFHILMNORSX")
READ_AS_WORDS = frozenset({"LAN", "NASA", "NATO", "RAM", "ROM", "SIM", "SWIFT"})
WITH_AN = re.compile(r"[aeiou]|heir|honest|hono|hour|8|1[18](?!\d)")
# A vowel with the first sound of “you” or “won”.
WITH_A = re.compile(r"eu|ewe|once|one(?![a-z])|u(ni(?![dmn]|ss)|[bcfhkrst][aeiou])")


def label_of(name: str, *, is_relation: bool = False) -> str:
    """Return the label of a column: `dateOfBirth` → “Date of birth”, `CustomerID` → “Customer ID”.

    The suffix of a foreign key is left out: `customerTypeID` → “Customer type”.
    """
    words = words_of(name)
    if is_relation and len(words) > 1 and words[-1].lower() in POINTERS:
        words.pop()
    return capitalised(" ".join(words)) or name


def noun_of(name: str) -> str:
    """Return the noun for records of a model in a sentence: `HTTPLog` → “HTTP log”."""
    return " ".join(words_of(name)) or name


def words_of(name: str) -> list[str]:
    """Return the words of a name in code, in lower case but for acronyms."""
    # Old databases have names in capitals.
    is_loud = len(name) > len("ID") and not any(map(str.islower, name))
    found = WORD.finditer("".join(map(_kind_of, name)))
    words = [_word(name[one.start() : one.end()], is_loud=is_loud) for one in found]
    return " ".join(NUMBERED.sub(r"\1 \2", word) for word in words).split()


def in_sentence(label: str) -> str:
    """Return a label as it stands in a sentence: “Secret name” → “secret name”, “VAT rate” stays.

    So does a single letter: “X position”, “T-shirt”.
    """
    rest = label.partition(" ")[0][1:]
    is_letter = not rest[:1].isalnum()
    is_name = rest != rest.lower() or not any(map(str.isalpha, rest))
    return label if is_letter or is_name else label[:1].lower() + label[1:]


def plural_of(noun: str) -> str:
    """Return the plural; `label_plural` of a resource overrides it."""
    before, space, word = noun.rpartition(" ")
    return f"{before}{space}{_plural_of_word(word)}"


def article_of(noun: str) -> str:
    """Return the indefinite article by the sound: “a team”, “an hour”, “a user”, “an MBA”."""
    word = re.split(r"\W", noun, maxsplit=1)[0]
    is_spelt = len(word) == 1 or (word[:2].isupper() and word not in READ_AS_WORDS)
    if is_spelt and word.isalnum() and not word[0].isdigit():
        return "an" if word[0].upper() in SPELT_WITH_AN else "a"
    is_vowel = WITH_AN.match(noun.lower()) and not WITH_A.match(noun.lower())
    return "an" if is_vowel else "a"


def _kind_of(character: str) -> str:
    if character.isupper():
        return "U"
    if character.isdigit():
        return "d"
    if character == "s":
        return "s"
    return "l" if character.isalpha() or character in "'’" else " "


def _word(text: str, *, is_loud: bool) -> str:
    stem, end = (text[:-1], "s") if text.endswith("s") else (text, "")
    if stem.upper() in ACRONYMS:
        return stem.upper() + end
    if is_loud:
        is_acronym = len(text) > len("ID") and not VOWELS & set(text)
    else:
        is_acronym = stem.isupper() and (len(stem) > 1 or not end)
    return text if is_acronym else text.lower()


def _plural_of_word(word: str) -> str:
    if word[:2].isupper():
        return word if word.endswith("s") else word + ("es" if word.endswith("S") else "s")
    if word in WITHOUT_PLURAL:
        return word
    if word in IRREGULAR_PLURALS:
        return IRREGULAR_PLURALS[word]
    ending = IRREGULAR_ENDINGS.search(word)
    if ending:
        return word[: ending.start()] + IRREGULAR_PLURALS[ending[0]]
    return _regular_plural(word)


def _regular_plural(word: str) -> str:
    if re.search(r"([^aeiou]|qu)y$", word):
        return word[:-1] + "ies"
    if word.endswith("sis"):
        return word[:-2] + "es"
    if word.endswith("s") and not SINGULAR_S.search(word):
        return word
    is_hissing = re.search(r"(s|x|z|ch|sh)$", word) and not HARD_CH.search(word)
    return word + ("es" if is_hissing or PLURAL_OES.search(word) else "s")
