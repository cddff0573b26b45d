"""Resource: one model, and all that its pages and its API need to know of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from functools import cached_property
from typing import Any, Self

from sqlalchemy import (
    Column,
    ColumnElement,
    Index,
    Table,
    UniqueConstraint,
)
from sqlalchemy.dialects import sqlite
from sqlalchemy.orm import QueryableAttribute
from sqlmodel import SQLModel

from hero_admin.model.field_names import FilterName, filter_names
from hero_admin.model.fields import Field, fields_of
from hero_admin.model.formatting import shortened
from hero_admin.model.labels import in_sentence, noun_of, plural_of
from hero_admin.model.schemas import derive, partial
from hero_admin.model.stored_values import Stored, plain, readable
from hero_admin.model.titles import Titler, made_title, own_text_of
from hero_admin.web.templating import capitalised

MAX_COLUMNS = 7
# Any: the values of a record by the names of its fields, as `Field.exact` reads them.
Record = dict[str, Any]
# So many values are enough to know one of two Janes by.
MAX_DETAILS = 2
# What the application has at these addresses already.
TAKEN_NAMES = frozenset(
    {"api", "static", "theme", "healthz", "readyz", "history", "undo", "sign-in", "sign-out"}
    | {"account", "people", "welcome"}
)


class ResourceError(TypeError):
    """A resource is not as it has to be: one sentence that names it and its argument."""


@dataclass(frozen=True, eq=False)
class Resource:
    """What is administered. `Resource(Hero)` is complete; every other argument overrides a default.

    Columns, search, filters and title are attributes of the model: `columns=(Hero.name, Hero.age)`.

    model: a SQLModel class with `table=True`; its relations should be `lazy="raise"`.
    create, update, read: schemas of the form and the API; derived from the model.
    columns: what the list shows; the title, then the others, without long text.
    search: the text columns that the search looks into; all short text.
    filters: the columns that the list filters by; relations, choices, numbers and dates.
    title: what people know a record by: a column, or a function of the record; the `__str__` of the
        model, if it has one of its own, or `name`, `title`, or the first text. Lists are sorted by
        a column; masked values are none for a function.
    masked: columns whose values are shown one at a time, on request, and that is written down; so
        are those of `SecretStr`.
    money: columns of amounts, shown like 1,234.50; forms and exports have what is stored.
    sort: the order of a fresh list, `"name"` or `"-created_at"`; the title.
    name, label, label_plural: “heroes” in URLs, “hero” and “heroes” in sentences.
    icon: the name of a symbol in static/icons.svg.
    read_only: whether its records are only looked at, as those of a view. Nothing is changed then,
        neither its records nor, for indexes and migrations, its table.
    """

    # Any: attributes of a model are typed as the values they hold.
    model: type[SQLModel]
    create: type[SQLModel] | None = None
    update: type[SQLModel] | None = None
    read: type[SQLModel] | None = None
    columns: tuple[Any, ...] = ()
    search: tuple[Any, ...] | None = None
    filters: tuple[Any, ...] | None = None
    title: Any = None
    masked: tuple[Any, ...] = ()
    money: tuple[Any, ...] = ()
    sort: str = ""
    name: str = ""
    label: str = ""
    label_plural: str = ""
    icon: str = "record"
    read_only: bool = False

    # Any: whatever somebody wrote.
    def __new__(cls, *given: Any, **named: Any) -> Self:
        """Raise ResourceError for an argument that there is not, or if there is no model."""
        for name in named.keys() - set(cls.__match_args__):
            model = next(iter(given), named.get("model"))
            meant = get_close_matches(name, cls.__match_args__, n=1)
            hint = f"; did you mean {meant[0]}=?" if meant else "."
            raise ResourceError(f"Resource({name_of(model)}): there is no argument {name}={hint}")
        if not given and "model" not in named:
            raise ResourceError("Resource(): name the model to administer, as in Resource(Hero).")
        return super().__new__(cls)

    def __post_init__(self) -> None:
        # What is wrong with it is said when it becomes a part of a site.
        label = self.label or noun_of(getattr(self.model, "__name__", "Record"))
        plural = self.label_plural or plural_of(str(label))
        object.__setattr__(self, "label", label)
        object.__setattr__(self, "label_plural", plural)
        name = f"{label}s" if plural in TAKEN_NAMES else str(plural)
        object.__setattr__(self, "name", self.name or name.lower().replace(" ", "-"))
        table = getattr(self.model, "__table__", None)
        # The history knows a record by its key, so SQLite shall not give one a second time.
        if isinstance(table, Table) and _is_counted_by_sqlite(table):
            table.dialect_options["sqlite"]["autoincrement"] = True

    @cached_property
    def table(self) -> Table:
        table = self.model.__table__  # type: ignore[attr-defined]  # SQLModel does not declare it
        assert isinstance(table, Table)
        return table

    @cached_property
    def fields(self) -> tuple[Field, ...]:
        masked = {column.key for column in self.masked}
        money = {column.key for column in self.money}
        return tuple(
            replace(
                field,
                is_masked=field.is_masked or field.name in masked,
                is_money=field.name in money,
            )
            for field in fields_of(self.model)
        )

    @cached_property
    def by_name(self) -> dict[str, Field]:
        return {field.name: field for field in self.fields}

    def name_of(self, column: ColumnElement[Any]) -> str:
        """Return the name of the field that a column belongs to."""
        return next(field.name for field in self.fields if field.column is column)

    @cached_property
    def labels(self) -> dict[str, str]:
        """How each field is called in the middle of a sentence."""
        return {field.name: in_sentence(field.label) for field in self.fields}

    @cached_property
    def key(self) -> tuple[Field, ...]:
        """The fields of the primary key."""
        return tuple(field for field in self.fields if field.is_key)

    @cached_property
    def titler(self) -> Titler | None:
        """What makes a title of a record, unless it is that of its column."""
        if self.title is None:
            return own_text_of(self.model)
        return None if isinstance(self.title, QueryableAttribute | Column) else self.title

    @cached_property
    def title_field(self) -> Field:
        """The column that is the title, or that records with another title are sorted by."""
        if isinstance(self.title, QueryableAttribute | Column):
            return self.by_name[self.title.key]
        texts = [
            field
            for field in self.fields
            if field.is_text and not field.relation and not field.is_masked
        ]
        named = [field for field in texts if field.name in {"name", "title"}]
        # A line of an invoice is known by its place, not by a note that many lines have.
        others = [] if len(self.key) > 1 else texts
        return (named or others or list(self.key))[0]

    @cached_property
    def title_fields(self) -> tuple[Field, ...]:
        """The fields that make the title: of a key of several parts all of them.

        What a function looks at only the function knows.
        """
        if self.titler is not None:
            return tuple(
                field
                for field in self.fields
                if field.is_key or not (field.is_masked or field.input.kind == "bytes")
            )
        is_part = self.title is None and self.title_field.is_key
        return self.key if is_part else (self.title_field,)

    @cached_property
    def list_fields(self) -> tuple[Field, ...]:
        if self.columns:
            return tuple(self.by_name[column.key] for column in self.columns)
        rest = [
            field
            for field in self.fields
            if not field.is_generated and field.input.kind not in {"long_text", "json"}
        ]
        return tuple(dict.fromkeys([self.title_field, *rest]))[:MAX_COLUMNS]

    @cached_property
    def search_fields(self) -> tuple[Field, ...]:
        if self.search is not None:
            return tuple(self.by_name[column.key] for column in self.search)
        return tuple(
            field
            for field in self.fields
            if field.input.kind == "text" and field.is_text and not field.is_masked
        )

    @cached_property
    def filter_fields(self) -> tuple[Field, ...]:
        if self.filters is not None:
            return tuple(self.by_name[column.key] for column in self.filters)
        return tuple(
            field
            for field in self.fields
            if not (field.is_generated or field.is_masked) and can_filter(field)
        )

    @cached_property
    def filter_names(self) -> dict[str, FilterName]:
        """What the parameter of each filter is called in the URL of a list, by field."""
        return filter_names(self.filter_fields)

    @cached_property
    def masked_names(self) -> frozenset[str]:
        return frozenset(field.name for field in self.fields if field.is_masked)

    @cached_property
    def default_sort(self) -> str:
        if self.sort:
            return self.sort
        # What a title may be is not always in any order; a key is.
        return next(field for field in (self.title_field, *self.key) if field.is_sortable).name

    @cached_property
    def create_schema(self) -> type[SQLModel]:
        fields = [field for field in self.fields if field.is_editable and not field.is_generated]
        return self.create or self._derive("Create", fields)

    @cached_property
    def update_schema(self) -> type[SQLModel]:
        if self.update is not None:
            return self.update
        changeable = [name for name in self.create_schema.model_fields if not self._is_key(name)]
        if len(changeable) == len(self.create_schema.model_fields):
            return partial(self.create_schema, f"{self.model.__name__}Update")
        unkeyed = self._derive("Change", [self.by_name[name] for name in changeable])
        return partial(unkeyed, f"{self.model.__name__}Update")

    @cached_property
    def read_schema(self) -> type[SQLModel]:
        if self.read is not None:
            return self.read
        annotations = {
            # Null for whoever may not read it.
            field.name: field.read_annotation | None if field.is_masked else field.read_annotation
            for field in self.fields
        }
        return derive(self.model, f"{self.model.__name__}Read", annotations, annotations)

    @cached_property
    def new_fields(self) -> tuple[Field, ...]:
        """The fields of the form for a new record."""
        return tuple(
            field
            for field in self.fields
            if field.name in self.create_schema.model_fields and field.is_editable
        )

    @cached_property
    def edit_fields(self) -> tuple[Field, ...]:
        """The fields of the form for an existing record, whose key never changes."""
        return tuple(
            field
            for field in self.fields
            if field.name in self.update_schema.model_fields and field.is_editable
        )

    @cached_property
    def unique_sets(self) -> tuple[tuple[Field, ...], ...]:
        """The sets of fields of which no two records may have the same values.

        Of files only the database can tell, and says so when it is told to store them.
        """
        sets = [
            list(constraint.columns)
            for constraint in self.table.constraints
            if isinstance(constraint, UniqueConstraint)
        ]
        sets += [list(index.columns) for index in self.table.indexes if _is_plainly_unique(index)]
        sets += [[column] for column in self.table.columns if column.unique]
        if not any(field.is_generated for field in self.key):
            sets.append([field.column for field in self.key])
        found = {frozenset(columns): columns for columns in sets}.values()
        sets_of_fields = (
            tuple(field for field in self.fields if field.column in columns) for columns in found
        )
        return tuple(
            fields for fields in sets_of_fields if not any(field.is_bytes for field in fields)
        )

    def title_of(self, record: Record) -> str:
        """Return the text that people know this record by."""
        return self.title_among(record)

    def title_among(
        self, values: Mapping[str, Any], titles: Mapping[str, str] | None = None
    ) -> str:
        """Return the same for the values of a record.

        `titles` are those of the records that its relations lead to, by field.
        """
        if self.titler is not None:
            own = {each.name: readable(values.get(each.name)) for each in self.title_fields}
            return made_title(self.titler, self.model, own) or self._name_by_key(values)
        if len(self.title_fields) == 1:
            return self.title_text(values.get(self.title_field.name))
        return " · ".join(
            (titles or {}).get(field.name) or _title_part(field, values.get(field.name))
            for field in self.title_fields
        )

    def title_text(self, value: Any) -> str:
        """Return the same for the value of its title."""
        return _title_text(self.title_field, value)

    def _name_by_key(self, values: Mapping[str, Any]) -> str:
        key = ", ".join(_title_text(field, values[field.name]) for field in self.key)
        return f"{capitalised(self.label)} {key}"

    def label_of(self, field: Field) -> str:
        """Return what stands above a column: what is not a column of the model has another name."""
        is_made = self.titler is not None and field is self.title_field
        return capitalised(self.label) if is_made else field.label

    @cached_property
    def detail_fields(self) -> tuple[Field, ...]:
        """The fields that tell records of the same title apart, those that do so best first."""
        singles = {fields[0] for fields in self.unique_sets if len(fields) == 1}
        texts = [
            field
            for field in dict.fromkeys((*self.search_fields, *self.fields))
            if field.is_text and not (field.is_masked or field.relation or field.is_key)
            if field.input.kind == "text" and field is not self.title_field
        ]
        mails = [field for field in texts if "mail" in field.name.lower()]
        unique = [field for field in texts if field in singles]
        others = [field for field in texts if field in self.search_fields]
        return tuple(dict.fromkeys((*unique, *others, *mails)))[:MAX_DETAILS]

    def _derive(self, suffix: str, fields: Sequence[Field]) -> type[SQLModel]:
        annotations = {field.name: field.written_annotation for field in fields}
        defaults = {field.name: field.default for field in fields}
        # Nothing makes the key that these would be left out of.
        demanded = {field.name for field in fields if field.is_demanded}
        left_out = {field.name for field in fields if field.has_column_default}
        name = f"{self.model.__name__}{suffix}"
        return derive(self.model, name, annotations, annotations, defaults, demanded, left_out)

    def given(self, valid: SQLModel) -> dict[str, Any]:
        """Return the values of a new record, but for those that are left to the database."""
        values = {name: getattr(valid, name) for name in type(valid).model_fields}
        return {
            name: value
            for name, value in values.items()
            if value is not None
            or name in valid.model_fields_set
            or not (name in self.by_name and self.by_name[name].has_column_default)
        }

    def _is_key(self, name: str) -> bool:
        return name in self.by_name and self.by_name[name].is_key


def _title_text(field: Field, value: Any) -> str:
    value = plain(value)
    if isinstance(value, Stored):
        return shortened(value.text)
    return field.input.shown(value) if value not in (None, "") else "(empty)"


def _title_part(field: Field, value: Any) -> str:
    text = _title_text(field, value)
    if value in (None, ""):
        return text
    return text if field.is_text and not field.relation else f"{field.label} {text}"


def _is_counted_by_sqlite(table: Table) -> bool:
    # Of a key of several columns, or of one that is no plain INTEGER, SQLite counts nothing.
    counted = table.autoincrement_column
    is_alone = len(table.primary_key.columns) == 1
    return counted is not None and is_alone and counted.type.compile(sqlite.dialect()) == "INTEGER"


def name_of(model: Any) -> str:
    """Return what somebody called a model, whatever it is."""
    return getattr(model, "__name__", None) or repr(model)


def can_filter(field: Field) -> bool:
    """Whether the values of a field are few, or have an order, or may be missing as files may."""
    has_few = field.relation or field.input.kind in {"choice", "bool"}
    return bool(has_few or field.input.is_range or (field.is_bytes and field.is_optional))


def _is_plainly_unique(index: Index) -> bool:
    # An index on expressions or on some of the rows is left to the database.
    is_partial = any(options.get("where") is not None for options in index.dialect_options.values())
    is_plain = all(isinstance(expression, Column) for expression in index.expressions)
    return bool(index.unique) and is_plain and not is_partial
