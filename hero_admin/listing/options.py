"""Options: what a filter or a form offers to choose from."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import NamedTuple

from hero_admin.model.fields import Field

# Of options that have to be searched, a filter shows the first ones.
SAMPLE_OPTIONS = 10


class Option(NamedTuple):
    """One choice: the text that is submitted and the title that is read.

    `detail` tells it from another one of the same title, or why it was found.
    """

    value: str
    title: str
    detail: str = ""

    @property
    def label(self) -> str:
        """What is read where there is one line only."""
        return f"{self.title} · {self.detail}" if self.detail else self.title


@dataclass(frozen=True)
class Options:
    """The chosen options and the first of the others, and whether there are more to search for."""

    options: tuple[Option, ...] = ()
    has_more: bool = False

    def without(self, values: Collection[str]) -> "Options":
        others = tuple(option for option in self.options if option.value not in values)
        return replace(self, options=others)

    def headed_by(self, values: Collection[str]) -> "Options | None":
        """Return the same ones with those of some values first; None if one is missing."""
        chosen = [option for option in self.options if option.value in values]
        if len(chosen) < len(values):
            return None
        return replace(self, options=(*chosen, *self.without(values).options))

    def sample(self, chosen_count: int) -> "Options":
        """Return all if these are all, else the chosen options and a few of the others."""
        shown = chosen_count + SAMPLE_OPTIONS if self.has_more else None
        return replace(self, options=self.options[:shown])


YES_AND_NO = Options((Option("true", "Yes"), Option("false", "No")))


def fixed_options(field: Field) -> Options | None:
    """Return the options of a field that chooses among a few values of its own."""
    if field.input.kind == "bool":
        return YES_AND_NO
    if field.input.choices:
        return Options(tuple(Option(*choice) for choice in field.input.choices))
    return None
