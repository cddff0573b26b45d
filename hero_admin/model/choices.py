"""Choices: the inputs of enums, literals and lists of texts, and the labels of their options.

The label of a member is its `label` or `title`, or its `__str__`; else a text value, or the name in
words.
"""

import enum
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import FunctionType
from typing import Any

from hero_admin.model.inputs import Input
from hero_admin.model.sentences import CHOOSE


@dataclass(frozen=True)
class Choices:
    """The values of a column, by the text that is submitted for each."""

    # Any: members of an enum, or values of a literal.
    values: Mapping[str, Any]
    titles: Mapping[str, str]

    def parse(self, text: str) -> Any:
        try:
            return self.values[text]
        except KeyError:
            raise ValueError(CHOOSE) from None

    def format(self, value: Any) -> str:
        """Return the text of an option; of any other value its string."""
        same = [text for text, known in self.values.items() if _is_same(known, value)]
        # 1 and True are equal.
        exact = [text for text in same if type(self.values[text]) is type(value)]
        return next(iter(exact or same), str(value))

    def show(self, value: Any) -> str:
        text = self.format(value)
        return self.titles.get(text, text)

    def store(self, value: Any) -> Any:
        """Return the stored value of an option or of its member."""
        value = self.values.get(self.format(value))
        if value is None:
            raise ValueError(CHOOSE)
        return value

    def input(self) -> Input:
        options = tuple((text, self.titles[text]) for text in self.values)
        return Input(
            "choice", self.parse, self.format, choices=options, show=self.show, store=self.store
        )


def _is_same(known: Any, value: Any) -> bool:
    return bool(known == value) or (isinstance(value, enum.Enum) and bool(known == value.value))


def members_of(options: type[enum.Enum]) -> list[enum.Enum]:
    """Return the members of an enum, of a flag also the combined and empty ones."""
    return [each for name, each in options.__members__.items() if each.name == name]


def choice_of_members(options: type[enum.Enum], *, is_raw: bool = False) -> Input:
    """Return the input of a column of enum members, which are submitted by name.

    is_raw: whether the column stores the values of members.
    """
    members = members_of(options)
    return Choices(
        {each.name: each.value if is_raw else each for each in members},
        {each.name: title_of(each) for each in members},
    ).input()


def choice_of_values(values: Sequence[Any]) -> Input:
    """Return the input of a literal, or of a column with a list of texts."""
    texts: dict[str, Any] = {}
    for value in values:
        text = value if isinstance(value, str) else str(value)
        # A literal may have 1 and "1".
        texts[repr(value) if text in texts else text] = value
    return Choices(texts, {text: text for text in texts}).input()


def title_of(option: enum.Enum) -> str:
    """Return the label of a member.

    Its `label` or `title`; its `__str__`; a text value, in words if it is the name in lower case:
    NEW = "new" is “New”; or the name: ON_LEAVE is “On leave”, PG is “PG”.
    """
    for name in ("label", "title"):
        text = getattr(option, name, None)
        # `str.title` is a method.
        if isinstance(text, str) and text:
            return text
    writes = type(option).__str__
    if isinstance(writes, FunctionType) and writes.__module__ != enum.__name__:
        return str(option)
    value = option.value
    if not isinstance(value, str) or not value.strip():
        return _in_words(option.name.split("_"))
    is_name = value.replace(" ", "_").replace("-", "_") == option.name.lower()
    return _capitalised(value.replace("_", " ")) if is_name else value


def _in_words(parts: Iterable[str]) -> str:
    words = [part if _is_abbreviation(part) else part.lower() for part in parts if part]
    return _capitalised(" ".join(words))


def _capitalised(text: str) -> str:
    return text if _is_abbreviation(text.partition(" ")[0]) else text[:1].upper() + text[1:]


def _is_abbreviation(word: str) -> bool:
    # PG, NC and kg have no vowel.
    return not set(word.lower()) & set("aeiouy")
