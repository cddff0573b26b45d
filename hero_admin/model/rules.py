"""Rules and hooks: functions of an application that every write of a record passes."""

from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass
from functools import partial
from inspect import Parameter, isawaitable, signature
from typing import Any, Generic, Literal, NoReturn, TypeVar

from sqlalchemy import inspect
from sqlalchemy.exc import InvalidRequestError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstanceState
from sqlmodel import SQLModel

from hero_admin.database.row_scopes import unscoped
from hero_admin.model.fields import Field
from hero_admin.model.stored_values import Stored, plain
from hero_admin.person import Person

Model = TypeVar("Model", bound=SQLModel)
# Any: it takes a record of any model or its change, and may be async.
Rule = Callable[..., Any]

POSITIONAL = (Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD)


@dataclass(frozen=True, eq=False, kw_only=True)
class Rules:
    """The arguments of a resource that are functions, called for every write of a record.

    check: a rule; it gets each record as it is stored, and raises Invalid to refuse that.
    before: gets each `Change` that is about to be written; it may set values or raise Invalid.
    after_commit: gets each `Change` that is saved.
    """

    check: Rule | None = None
    before: Rule | None = None
    after_commit: Rule | None = None


@dataclass(frozen=True)
class Change(Generic[Model]):
    """A record that is created, updated or deleted, for `before=` and `after_commit=`.

    before: the record as it was, None for a new one. after: as it will be stored, None for a
    deleted one. In `before=` the attributes of `after` may be set; what the database generates is
    None there. In `after_commit=` it is the record as stored.
    by, via: who does it, and by “page”, “api”, “bulk”, “undo”, “restore” or “command”.
    is_restored: whether an undo brings back a stored state, which `before=` can refuse, not alter.
    """

    kind: Literal["create", "update", "delete"]
    before: Model | None
    after: Model | None
    by: Person
    via: str
    is_restored: bool = False


# Any: what the function returns.
async def call(function: Rule, subject: object, session: AsyncSession) -> Any:
    """Return what a rule or a hook does, which may be async, and may take the session, too.

    It reads all rows, whoever writes: a ship is full whether or not one may see its crew.
    """
    takes_session = parameter_count(function) > 1
    with unscoped(session):
        made = function(subject, session) if takes_session else function(subject)
        return await made if isawaitable(made) else made


def parameter_count(function: Rule) -> int:
    """Return how many arguments a function needs."""
    parameters = signature(function).parameters.values()
    return sum(each.kind in POSITIONAL and each.default is Parameter.empty for each in parameters)


def instance_of(
    model: type[SQLModel], fields: tuple[Field, ...], values: Mapping[str, Any]
) -> SQLModel:
    """Return a record of a model with these values and the defaults of others, in no session.

    A value that its column's type cannot read is None. A file is its `Blob`, whose length is that
    of the file.
    """
    return detached(
        model, {each.name: _given(values[each.name]) for each in fields if each.name in values}
    )


# Any: values of any fields.
def detached(model: type[SQLModel], values: Mapping[str, Any]) -> SQLModel:
    """Return a record with these values in no session; to read a relationship of it is an error.

    It would be None or empty, as if nothing was related.
    """
    made = model()
    # Set by name: the constructor takes aliases, one of which may be the name of another field.
    for name, value in values.items():
        setattr(made, name, value)
    state: InstanceState[SQLModel] = inspect(made)
    # As SQLAlchemy has it for the options of a query; it is called only where there is no value.
    state.callables = {each.key: partial(_refuse, str(each)) for each in state.mapper.relationships}
    return made


def _refuse(relationship: str, *_: object) -> NoReturn:
    raise InvalidRequestError(
        f"{relationship} is not loaded here: read what is related with a session."
    )


def altered_values(
    instance: SQLModel, fields: tuple[Field, ...], values: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the attributes of a record made of `values` that have been set since."""
    found = {field.name: getattr(instance, field.name) for field in fields}
    return {name: value for name, value in found.items() if not _is_same(value, values.get(name))}


# Any: a value of any field.
def _is_same(value: Any, before: Any) -> bool:
    given = plain(before)
    if isinstance(given, Stored):
        return value is None
    return value is given or (type(value) is type(given) and bool(value == given))


def _given(value: Any) -> Any:
    """Return a value for a function that may change it."""
    value = plain(value)
    if isinstance(value, Stored):
        return None
    return deepcopy(value) if isinstance(value, dict | list) else value
