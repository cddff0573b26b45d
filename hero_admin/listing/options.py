"""Options: the choices of a filter or of a field in a form."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import NamedTuple

from hero_admin.model.fields import Field

# The number of options that a filter shows if there are too many to show all.
SAMPLE_OPTIONS = 10


class Option(NamedTuple):
    """One choice: the value that is submitted, and the title.

    detail: what distinguishes it from options with the same title, or where the search matched.
    """

    value: str
    title: str
    detail: str = ""

    @property
    def label(self) -> str:
        """Title and detail in one line."""
        return f"{self.title} · {self.detail}" if self.detail else self.title


@dataclass(frozen=True)
class Options:
    """The chosen options and the first others; `has_more` if a search finds others."""

    options: tuple[Option, ...] = ()
    has_more: bool = False

    @property
    def character_count(self) -> int:
        return sum(len(text) for option in self.options for text in option)

    def without(self, values: Collection[str]) -> "Options":
        others = tuple(option for option in self.options if option.value not in values)
        return replace(self, options=others)

    def headed_by(self, values: Collection[str]) -> "Options | None":
        """Return the options with those of `values` first; None if one of these is missing."""
        chosen = [option for option in self.options if option.value in values]
        if len(chosen) < len(values):
            return None
        return replace(self, options=(*chosen, *self.without(values).options))

    def sample(self, chosen_count: int) -> "Options":
        """Return the chosen options and a sample of the others, or all if there are no more."""
        shown = chosen_count + SAMPLE_OPTIONS if self.has_more else None
        return replace(self, options=self.options[:shown])


YES_AND_NO = Options((Option("true", "Yes"), Option("false", "No")))


def fixed_options(field: Field) -> Options | None:
    """Return the options of a boolean or enum field, None for other fields."""
    if field.input.kind == "bool":
        return YES_AND_NO
    if field.input.choices:
        return Options(tuple(Option(*choice) for choice in field.input.choices))
    return None
