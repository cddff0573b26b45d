"""Actions: what people do to records besides editing them, and who may do it."""

import inspect
import re
from collections.abc import Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from string import Formatter
from typing import Any, TypeVar

from pydantic import BaseModel

from hero_admin.model.arguments import ResourceError
from hero_admin.model.labels import in_sentence
from hero_admin.person import Person, Role

# Where an action is offered: on the page of a record, for ticked rows, for all rows of a list.
PLACES = ("row", "selected", "all")
PLACEHOLDERS = {"count", "records"}
MAX_LABEL_CHARACTERS = 80
# URL segments beside the names of actions.
TAKEN_ACTIONS = frozenset({"change", "delete"})

# Any: the function is not ours; it takes a `Run` and the form, and returns an `Answer`.
Function = Callable[..., Awaitable[Any]]
Given = TypeVar("Given", bound=Function)


@dataclass(frozen=True, eq=False)
class Action:
    """What people can do to records, or to none in particular: `@heroes.action("Retire")`.

    label: the text of its button, at most 80 characters.
    function: a coroutine function of a `Run` and, with a form, of an instance of that. It returns
        a sentence, a `Redirect` or a `Download`.
    form: a class of pydantic or SQLModel whose fields are asked for; a `foreign_key` is a picker.
    on: where it is offered: on the page of a "row", for "selected" rows, and for "all" that match.
    role: who may do it, and those above.
    confirm: the question before it, as “Retire {count} heroes?” or “Retire {records}?”.
    name: “retire” in URLs and in the API; made of the label.
    """

    label: str
    function: Function
    form: type[BaseModel] | None = None
    on: tuple[str, ...] = PLACES
    role: Role = Role.EDITOR
    confirm: str = ""
    name: str = ""

    def __post_init__(self) -> None:
        # Mistakes are reported when a site is made.
        made = re.sub(r"[\W_]+", "-", str(self.label).lower()).strip("-")
        object.__setattr__(self, "name", self.name or made)

    def is_on(self, place: str) -> bool:
        return place in self.on

    @cached_property
    def sends_file(self) -> bool:
        """Whether it says that it answers with a file, so that its page stays."""
        return "Download" in str(inspect.signature(self.function).return_annotation)

    def question(self, what: str, count: int) -> str:
        """Return the question before it; `what` is the title of a record, or “3 heroes”."""
        if not self.confirm:
            return f"{self.label} {what}?" if what else f"{self.label}?"
        return self.confirm.format(count=f"{count:,}", records=what)

    @property
    def noun(self) -> str:
        """Its label within a sentence."""
        return in_sentence(self.label)


class HasActions:
    """What actions can be added to by a decorator."""

    actions: tuple[Action, ...] = ()

    def action(
        self,
        label: str,
        *,
        form: type[BaseModel] | None = None,
        on: tuple[str, ...] = PLACES,
        role: Role = Role.EDITOR,
        confirm: str = "",
        name: str = "",
    ) -> Callable[[Given], Given]:
        """Add the decorated function as an action, and return it; see `Action`.

        To be used before the Admin is made, which raises ResourceError for a mistake in it.
        """
        # Without parentheses the function would be the label, and no action added.
        if callable(label):
            raise ResourceError('action() takes a label first, as in @heroes.action("Retire").')

        def add(function: Given) -> Given:
            made = Action(label, function, form, on, role, confirm, name)
            self._add_action(made)
            return function

        return add

    def _add_action(self, action: Action) -> None:
        # A resource is frozen, but for this: the function can only name it once it is made.
        object.__setattr__(self, "actions", (*self.actions, action))


def may_act(person: Person, action: Action) -> bool:
    """Whether a person may do an action."""
    return person.role.includes(action.role)


def allowed_actions(
    actions: Iterable[Action], person: Person, place: str = ""
) -> tuple[Action, ...]:
    """Return the actions that a person may do, of those that are offered in a place."""
    return tuple(
        each for each in actions if may_act(person, each) and (not place or each.is_on(place))
    )


def wrong_actions(actions: object, *, read_only: bool = False) -> Iterator[str]:
    """Yield the mistakes in the actions of a resource or an Admin."""
    if not isinstance(actions, tuple | list):
        yield "actions= takes several, such as (Action(…),) with a comma"
        return
    names: list[str] = []
    for action in actions:
        if not isinstance(action, Action):
            yield f"actions= takes Action(…), not {action!r}"
            continue
        shown = f"action({action.label!r})"
        yield from (f"{shown} {mistake}" for mistake in _mistakes(action))
        if action.name in names:
            yield f"{shown} is there twice, so give one another name="
        if read_only:
            yield f"{shown} can't be offered where read_only=True"
        names.append(action.name)


def _mistakes(action: Action) -> Iterator[str]:
    # Any: the arguments may have any type.
    given: Any = action
    if not isinstance(given.label, str) or not 0 < len(given.label) <= MAX_LABEL_CHARACTERS:
        yield f"needs a label of at most {MAX_LABEL_CHARACTERS} characters"
    elif not re.fullmatch(r"[\w-]+", str(given.name)):
        yield f"needs another name=, as {given.name!r} is not a valid URL segment"
    elif given.name in TAKEN_ACTIONS:
        yield f"needs another name=, as {given.name!r} is taken"
    if not inspect.iscoroutinefunction(given.function):
        yield "takes a function with async def"
    elif not _can_be_called(action):
        yield f"takes a function of {'(run, data)' if action.form else '(run)'}"
    is_form = isinstance(given.form, type) and issubclass(given.form, BaseModel)
    if given.form is not None and not is_form:
        yield f"form= takes a class of pydantic or SQLModel, not {given.form!r}"
    is_some = isinstance(given.on, tuple | list) and bool(given.on)
    if not is_some or not set(given.on) <= set(PLACES):
        yield f"on= takes some of {PLACES}, such as ('row',) with a comma, not {given.on!r}"
    if not isinstance(given.role, Role):
        yield f"role= takes a Role, not {given.role!r}"
    if not _is_question(given.confirm):
        yield f"confirm= takes a text with {{count}} or {{records}}, not {given.confirm!r}"


def _can_be_called(action: Action) -> bool:
    try:
        inspect.signature(action.function).bind(*([None, None] if action.form else [None]))
    except TypeError:
        return False
    return True


def _is_question(confirm: object) -> bool:
    if not isinstance(confirm, str):
        return False
    try:
        named = {name for _, name, _, _ in Formatter().parse(confirm) if name is not None}
    except ValueError:
        return False
    return named <= PLACEHOLDERS
