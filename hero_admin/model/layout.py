"""Layout: the arguments of a resource about its pages, which change neither API nor exports."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from hero_admin.model.controls import PLAIN, Control
from hero_admin.model.fields import Field
from hero_admin.model.formats import Formatter, money


class Section(NamedTuple):
    """The names of the fields and links that stand together, below a heading or, "", none."""

    title: str
    names: tuple[str, ...]


@dataclass(frozen=True, eq=False, kw_only=True)
class Layout:
    """How a resource lays out its forms and the page of a record.

    sections: the fields and links that stand together, by the heading above them, in order:
        `{"Name": (Hero.name, Hero.secret_name)}`. What is not named comes last, without a heading.
    tabs: whether only one section is seen at a time; without JavaScript all are.
    show: how values are shown: `{Hero.age: lambda age: f"{age} years"}`, or a format of
        `hero_admin.formats`. A text is escaped, `Markup` is HTML.
    inputs: how fields are entered: `{Hero.age: Control(help="In years"), Hero.bio: Markdown()}`.
    read_only_fields: columns that forms show and nobody changes, by page or by API.
    hidden: columns that no page shows; the API and exports have them.
    group: the heading above the resource in the menu; “Records”.
    """

    # Any: attributes of a model are typed as the values they hold.
    sections: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    tabs: bool = False
    show: Mapping[Any, Formatter] = field(default_factory=dict)
    inputs: Mapping[Any, Control] = field(default_factory=dict)
    read_only_fields: tuple[Any, ...] = ()
    hidden: tuple[Any, ...] = ()
    group: str = ""

    def laid_out(self, fields: Iterable[Field]) -> tuple[Field, ...]:
        """Return fields with what the arguments say of them."""
        formats = {column.key: given for column, given in self.show.items()}
        controls = {column.key: given for column, given in self.inputs.items()}
        read_only = {column.key for column in self.read_only_fields}
        hidden = {column.key for column in self.hidden}
        return tuple(
            replace(
                each,
                control=controls.get(each.name, PLAIN),
                show=(shown := formats.get(each.name, controls.get(each.name, PLAIN).show)),
                is_money=shown is money,
                is_read_only=each.name in read_only,
                is_hidden=each.name in hidden,
            )
            for each in fields
        )

    def sections_of(self, names: Iterable[str]) -> tuple[Section, ...]:
        """Return the sections of fields and links by name; those that have none are left out."""
        left = list(names)
        found = []
        for title, columns in self.sections.items():
            own = tuple(key for key in (each.key for each in columns) if key in left)
            left = [name for name in left if name not in own]
            found.append(Section(title, own))
        return tuple(each for each in (*found, Section("", tuple(left))) if each.names)

    def in_order(self, names: Iterable[str]) -> tuple[str, ...]:
        """Return the names of fields and links in the order of the sections."""
        return tuple(name for section in self.sections_of(names) for name in section.names)
