"""Runs: the records that an action is about, and what it does to them."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from pydantic import ValidationError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import SQLModel

from hero_admin.model.primary_keys import Key, key_text, key_values
from hero_admin.model.resource import Record, Resource
from hero_admin.model.rules import altered_values, instance_of
from hero_admin.model.schemas import named_values
from hero_admin.model.sentences import sentences_of
from hero_admin.person import Person
from hero_admin.web.errors import Invalid
from hero_admin.writes import bulk, deletion, single
from hero_admin.writes.referencing_rows import portions
from hero_admin.writes.transaction import Transaction

Model = TypeVar("Model", bound=SQLModel)
Other = TypeVar("Other", bound=SQLModel)


@dataclass(frozen=True)
class Redirect:
    """An answer of an action: another page of the Admin, below its prefix, as “/heroes?team=3”.

    message: the sentence that is shown there.
    """

    path: str
    message: str = ""


@dataclass(frozen=True)
class Download:
    """An answer of an action: a file."""

    name: str
    content: bytes | str
    media_type: str = "application/octet-stream"


# What an action returns; a text is a sentence that says what was done.
Answer = str | Redirect | Download | None


@dataclass(eq=False)
class Run(Generic[Model]):
    """One run of an action on some records, which stay locked until its transaction ends.

    What it changes passes the same checks as a form, is recorded in the history, and is undone by
    one Undo. `async for hero in run` reads the records, in batches. They are changed by
    `await run.change(hero, age=hero.age + 1)`; assigning to their attributes is an error.

    A run on so many records that a request would take too long is a job: the function is then
    called for one batch after the other, each in a transaction of its own.
    """

    _transaction: Transaction
    # None for an action on no records in particular.
    _resource: Resource | None = None
    _keys: Sequence[Key] = ()
    # How many records earlier batches had.
    _earlier: int = 0
    # What is locked at the moment, by the text of its key.
    _states: dict[str, Record] = field(default_factory=dict)
    is_change: bool = False

    @property
    def count(self) -> int:
        """How many records the action has had: these, and in a job those of earlier batches."""
        return self._earlier + len(self._keys)

    @property
    def by(self) -> Person:
        """Who does it."""
        return self._transaction.operation.by

    @property
    def session(self) -> AsyncSession:
        """The session of the transaction, to read what else the action needs.

        What is written by it past the run has no history and no Undo.
        """
        return self._transaction.session

    @property
    def operation_id(self) -> str:
        """The id of its operation in the history, by which it is undone."""
        return self._transaction.operation.id

    # Any: values of any fields.
    async def change(self, record: Model | None = None, /, **values: Any) -> int:
        """Set fields of all records, or of one; return how many had other values.

        Raises Invalid with a sentence for each field that cannot be stored, and TypeError for a
        field that the model does not have.
        """
        resource = self._own()
        if record is not None:
            return await self._change_one(resource, record, values)
        valid = _validated(resource.entire, values)
        await bulk.lock_targets(self.session, self._transaction.site, resource, valid)
        count = 0
        for keys in portions(self._keys):
            count += len(await bulk.change_many(self._transaction, resource, keys, valid))
        self.is_change = self.is_change or bool(count)
        return count

    async def delete(self, record: Model | None = None, /) -> None:
        """Delete all records, or one, with what the database deletes with them.

        Raises Invalid if other records need one of them; then none is deleted.
        """
        resource = self._own()
        keys = self._keys if record is None else [_key_of(resource, record)]
        try:
            await deletion.remove(self._transaction, resource, keys)
        except Invalid as invalid:
            raise self._named(resource, record, invalid) from None
        self.is_change = self.is_change or bool(keys)

    # Any: values of any fields.
    async def create(self, model: type[Other], /, **values: Any) -> Other:
        """Create a record of any model that the Admin has; return it as stored.

        Raises Invalid as `change` does.
        """
        site = self._transaction.site
        resource = site.of(model)
        if resource not in site.resources or resource.read_only:
            raise TypeError(f"This Admin creates no records of {model.__name__}.")
        valid = _validated(resource, values, is_new=True)
        made = await single.create(self._transaction, resource, valid)
        self.is_change = True
        return self._instance(model, resource, made)

    async def __aiter__(self) -> AsyncIterator[Model]:
        """Yield the records, in batches that are read and locked at once."""
        resource = self._own()
        for keys in portions(self._keys):
            self._states = await bulk.fetch_states(self.session, resource, keys)
            for key in keys:
                state = self._states.get(key_text(resource, key))
                if state is not None:
                    # Any: the model of a resource is known at run time only.
                    model: Any = resource.model
                    made = self._instance(model, resource, state)
                    yield made
                    _check_unset(resource, made, state)

    def _instance(self, model: type[Other], resource: Resource, values: Record) -> Other:
        made = instance_of(model, resource.fields, values)
        assert isinstance(made, model)
        return made

    def _own(self) -> Resource:
        if self._resource is None:
            raise TypeError("This action is on no records: it can only create some.")
        return self._resource

    async def _change_one(
        self, resource: Resource, record: Model, values: Mapping[str, Any]
    ) -> int:
        key = _key_of(resource, record)
        state = self._states.get(key_text(resource, key))
        if state is None:
            found = await bulk.fetch_states(self.session, resource, [key])
            state = found.get(key_text(resource, key))
        if state is None:
            raise Invalid({"": deletion.gone_sentence(resource, 1, 1)})
        try:
            valid = _validated(resource.entire, values)
            is_changed = await single.change(self._transaction, resource, state, valid)
        except Invalid as invalid:
            raise self._named(resource, record, invalid) from None
        for name in values:
            setattr(record, name, state[name])
        self.is_change = self.is_change or is_changed
        return int(is_changed)

    def _named(self, resource: Resource, record: Model | None, invalid: Invalid) -> Invalid:
        """Return an error that says about which of several records it is."""
        if record is None or len(self._keys) == 1:
            return invalid
        values = {each.name: getattr(record, each.name, None) for each in resource.fields}
        title, labels = resource.titles.of(values), resource.labels
        sentences = [
            f"{title}, {labels[name]}: {sentence}" if name in labels else f"{title}: {sentence}"
            for name, sentence in invalid.sentences.items()
        ]
        return Invalid({"": " ".join(sentences)})


def _check_unset(resource: Resource, record: SQLModel, state: Record) -> None:
    """Raise TypeError for attributes that were set without `change`, as that stores nothing."""
    for name in altered_values(record, resource.fields, state):
        raise TypeError(
            f"{resource.model.__name__}.{name} was set without storing it:"
            f" write `await run.change(record, {name}=…)`."
        )


def _validated(
    resource: Resource, values: Mapping[str, Any], *, is_new: bool = False
) -> dict[str, Any]:
    """Return values as the schema takes them; what it does not have is left to the columns."""
    schema = resource.schemas.create if is_new else resource.schemas.update
    for name in values:
        if name not in resource.by_name or not resource.by_name[name].is_editable:
            raise TypeError(f"{resource.model.__name__} has no field {name} that can be set.")
    given = {name: value for name, value in values.items() if name in schema.model_fields}
    try:
        valid = named_values(schema, given)
    except ValidationError as error:
        raise Invalid(sentences_of(error, schema, resource.labels)) from None
    return {**values, **{name: getattr(valid, name) for name in given}}


# Any: values of any fields.
def _key_of(resource: Resource, record: SQLModel) -> Key:
    return key_values(resource, {each.name: getattr(record, each.name) for each in resource.key})
