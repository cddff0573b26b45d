"""Controls: how a field is entered, where its type doesn't say it all."""

from dataclasses import dataclass
from typing import Any, ClassVar

from hero_admin.model import formats
from hero_admin.model.formats import Formatter


@dataclass(frozen=True, kw_only=True)
class Control:
    """How a field is entered: `Resource(inputs={Hero.age: Control(help="In years")})`.

    help: a sentence below the control; `Field(description=…)` of the model by default.
    placeholder: an example, shown while the control is empty.
    depends_on: a column of the same model: the field is shown only while that one has a value; or
        one of those that follow it: `(Hero.status, Status.RETIRED, Status.LOST)`. What is hidden is
        not erased. Without JavaScript the field is always shown.

    A control of one's own is a subclass with a template and, if people type something else than
    the type of the column has, with a parser and its inverse.

    template: the name of the template of the control. It gets `field`, with `id`, `control` (the
        name of its value in the form), `text` and `placeholder`, and `extra`: attributes that tell
        of errors and help.
    is_wide: whether it takes the whole width of the form.
    """

    help: str = ""
    placeholder: str = ""
    # Any: attributes of a model are typed as the values they hold.
    depends_on: Any = None
    template: ClassVar[str] = ""
    is_wide: ClassVar[bool] = False

    def parse(self, text: str) -> Any:
        """Return the value of a text, which is not blank; raises ValueError with a sentence."""
        raise NotImplementedError

    def format(self, value: Any) -> str:
        """Return the text of a value, the inverse of `parse`."""
        raise NotImplementedError

    @property
    def show(self) -> Formatter | None:
        """How lists and pages show the values, unless `Resource(show=…)` says otherwise."""
        return None

    # Any: an attribute of the model, and values of its type.
    @property
    def dependency(self) -> tuple[Any, tuple[Any, ...]]:
        """The column that it depends on, None for none, and the values of that, none for any."""
        given = self.depends_on
        return (given[0], given[1:]) if isinstance(given, tuple) and given else (given, ())

    @property
    def has_parser(self) -> bool:
        return type(self).parse is not Control.parse


@dataclass(frozen=True, kw_only=True)
class Markdown(Control):
    """A text in Markdown with a preview, which its pages show as HTML."""

    template: ClassVar[str] = "controls/markdown.html"
    is_wide: ClassVar[bool] = True

    @property
    def show(self) -> Formatter:
        return formats.markdown


@dataclass(frozen=True, kw_only=True)
class Color(Control):
    """A colour such as #3d4dd6, beside the colour chooser of the browser."""

    template: ClassVar[str] = "controls/color.html"

    @property
    def show(self) -> Formatter:
        return formats.color


PLAIN = Control()
