"""Titles: the text that names a record: of a column, of its key, of a function or of `__str__`."""

import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from sqlalchemy import Column
from sqlalchemy.orm import QueryableAttribute
from sqlmodel import SQLModel

from hero_admin.model.fields import Field
from hero_admin.model.stored_values import Stored, plain, readable
from hero_admin.model.title_reads import names_read
from hero_admin.web.texts import capitalised, shortened

MAX_CHARACTERS = 200
# Enough to distinguish people of one name.
MAX_DETAILS = 2
LIBRARIES = ("builtins", "pydantic", "sqlmodel", "sqlalchemy")

# Any: the record is of a model that is known at run time only, and the function is not ours.
TitleFunction = Callable[[Any], Any]

logger = logging.getLogger("hero_admin.model")


@dataclass(frozen=True, eq=False)
class Titles:
    """How the records of a resource are titled.

    given: the `title` argument of the resource: a column, a function, or None.
    label: what a record is called in a sentence.
    """

    model: type[SQLModel]
    # Any: an attribute of the model is typed as the value it holds.
    given: Any
    columns: tuple[Field, ...]
    label: str

    @cached_property
    def function(self) -> TitleFunction | None:
        """The function that makes a title, None where it is the value of a column."""
        if self.given is None:
            return own_text_of(self.model)
        return None if self._is_column else self.given

    @cached_property
    def field(self) -> Field:
        """The column that is the title, or by which records with a made title are sorted.

        For a function this is the first column that it reads and that has an order.
        """
        if self._is_column:
            return next(field for field in self.columns if field.name == self.given.key)
        if self.function is not None and (read := self._first_read(self.function)):
            return read
        texts = [
            field
            for field in self.columns
            if field.is_text and not (field.relation or field.is_masked or field.is_restricted)
        ]
        named = [field for field in texts if field.name in {"name", "title"}]
        # A line of an invoice is known by its number, not by a note that many lines share.
        others = [] if len(self._key) > 1 else texts
        return (named or others or self._key)[0]

    @cached_property
    def fields(self) -> tuple[Field, ...]:
        """The fields that make the title: all parts of a composite key.

        For a function these are all fields, as it may read any, but files and those that not
        everybody may read.
        """
        if self.function is not None:
            return tuple(
                field
                for field in self.columns
                if field.is_key
                or not (field.is_masked or field.is_restricted or field.input.kind == "bytes")
            )
        is_part = self.given is None and self.field.is_key
        return tuple(self._key) if is_part else (self.field,)

    def of(self, values: Mapping[str, Any], titles: Mapping[str, str] | None = None) -> str:
        """Return the title of a record with these values.

        `titles` are those of the records that its relations lead to, by field.
        """
        if self.function is not None:
            own = {each.name: readable(values.get(each.name)) for each in self.fields}
            return made_title(self.function, self.model, own) or self._named_by_key(values)
        if len(self.fields) == 1:
            return _text_of(self.field, values.get(self.field.name))
        return " · ".join(
            (titles or {}).get(field.name) or _part_of(field, values.get(field.name))
            for field in self.fields
        )

    def _named_by_key(self, values: Mapping[str, Any]) -> str:
        key = ", ".join(_text_of(field, values[field.name]) for field in self._key)
        return f"{capitalised(self.label)} {key}"

    def _first_read(self, function: TitleFunction) -> Field | None:
        by_name = {field.name: field for field in self.fields}
        read = (by_name[name] for name in names_read(function, self.model, frozenset(by_name)))
        ordered = (each for each in read if each.is_text or each.is_range)
        return next((each for each in ordered if each.is_sortable and not each.relation), None)

    @property
    def _is_column(self) -> bool:
        return isinstance(self.given, QueryableAttribute | Column)

    @property
    def _key(self) -> list[Field]:
        return [field for field in self.columns if field.is_key]


def own_text_of(model: type[SQLModel]) -> TitleFunction | None:
    """Return the `__str__` of a model; None if it leaves that to pydantic."""
    owner = next(each for each in model.__mro__ if "__str__" in vars(each))
    is_own = owner.__module__.partition(".")[0] not in LIBRARIES
    return model.__str__ if is_own else None


def made_title(function: TitleFunction, model: type[SQLModel], values: Mapping[str, Any]) -> str:
    """Return the title of a record with these values on one line; "" where the function fails.

    Whatever it raises for an unexpected value, the page is still shown.
    """
    try:
        record = model()
        for name, value in values.items():
            setattr(record, name, value)
        made = function(record)
        text = "" if made is None else str(made)
    except Exception:
        logger.debug("The title of a %s could not be made", model.__name__, exc_info=True)
        return ""
    # What a database cannot store would prevent the change from being recorded.
    text = text.replace("\0", "").encode(errors="replace").decode()
    return " ".join(text.split())[:MAX_CHARACTERS]


def _text_of(field: Field, value: Any) -> str:
    value = plain(value)
    if isinstance(value, Stored):
        return shortened(value.text)
    return field.input.shown(value) if value not in (None, "") else "(empty)"


def _part_of(field: Field, value: Any) -> str:
    text = _text_of(field, value)
    if value in (None, "") or (field.is_text and not field.relation):
        return text
    return f"{field.label} {text}"


def distinctive_fields(
    title: Field, searched: Sequence[Field], fields: Sequence[Field], unique: Collection[Field]
) -> tuple[Field, ...]:
    """Return the fields that tell records of the same title apart, the most distinctive first."""
    texts = [
        field
        for field in dict.fromkeys((*searched, *fields))
        if field.is_text and not (field.is_masked or field.relation or field.is_key)
        if field.input.kind == "text" and field is not title
    ]
    mails = [field for field in texts if "mail" in field.name.lower()]
    alone = [field for field in texts if field in unique]
    others = [field for field in texts if field in searched]
    return tuple(dict.fromkeys((*alone, *others, *mails)))[:MAX_DETAILS]
