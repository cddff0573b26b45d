"""Resource: a model as it is administered."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Self

from sqlalchemy import ColumnElement, Table
from sqlmodel import SQLModel

from hero_admin.model.actions import Action, HasActions
from hero_admin.model.arguments import check_arguments
from hero_admin.model.children import Child
from hero_admin.model.computed_fields import ComputedColumns
from hero_admin.model.field_names import FilterName, filter_names
from hero_admin.model.fields import Field
from hero_admin.model.labels import in_sentence, noun_of, plural_of
from hero_admin.model.layout import Layout
from hero_admin.model.links import Link, ManyToMany, links_of, named_links
from hero_admin.model.mapped_fields import fields_of, never_reuse_keys
from hero_admin.model.resource_schemas import ResourceSchemas
from hero_admin.model.restrictions import Restrictions
from hero_admin.model.rules import Rules
from hero_admin.model.singulars import singular_of
from hero_admin.model.titles import Titles, distinctive_fields
from hero_admin.model.unique_sets import unique_sets_of
from hero_admin.web.texts import capitalised, ngettext

MAX_COLUMNS = 7
# Any: the values of a record by the names of its fields, as `Field.exact` reads them.
Record = dict[str, Any]
# URL segments that the library uses itself.
TAKEN_NAMES = frozenset(
    {"api", "static", "theme", "healthz", "readyz", "history", "undo", "sign-in", "sign-out"}
    | {"account", "actions", "audit-log", "jobs", "people", "welcome"}
)


@dataclass(frozen=True, eq=False)
class Resource(Layout, Rules, Restrictions, ComputedColumns, HasActions):
    """What is administered. `Resource(Hero)` is complete; every other argument overrides a default.

    Columns, search, filters and title are attributes of the model: `columns=(Hero.name, Hero.age)`.

    model: a SQLModel class with `table=True`; its relations should be `lazy="raise"`.
    create, update, read: schemas of the form and the API; derived from the model.
    columns: what the list shows, `Column(…)` computes more; the title, then the others, without
        long text, then links.
    search: the text columns that the search looks into; all short text.
    filters: the columns and links that the list filters by; relations, choices, numbers and dates.
    title: what names a record: a column, or a function of the record; the model's own `__str__`,
        or `name`, `title`, or the first text. A function gets no masked values; lists are sorted
        by the first column that it reads.
    masked: columns whose values are shown one at a time, on request, which is recorded; `SecretStr`
        columns always are.
    links: many-to-many relations, `links=(Link(Playlist.tracks),)`, whose records are added and
        removed one by one; all that the model has by `Relationship(link_model=…)`, or by a table as
        `secondary`, with resources of the same Admin.
    children: records edited on the page of one, `children=(Child(InvoiceLine.invoice_id),)`.
    sort: the order of a fresh list, `"name"` or `"-created_at"`; the title.
    name, label, label_plural: “heroes” in URLs, “hero” and “heroes” in sentences.
    icon: the name of a symbol in static/icons.svg.
    sections, tabs, show, inputs, read_only_fields, hidden, group: see `Layout`.
    actions: what else can be done to records; `@heroes.action("Retire")` adds one.
    read_only: whether nothing is ever changed: neither records nor, by indexes, their table.
    check, before, after_commit: see `Rules`.
    rows, rights, may: see `Restrictions`.
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
    links: tuple[Link, ...] | None = None
    children: tuple[Child, ...] = ()
    sort: str = ""
    name: str = ""
    label: str = ""
    label_plural: str = ""
    icon: str = "record"
    read_only: bool = False
    actions: tuple[Action, ...] = ()

    # Any: the arguments, not checked yet.
    def __new__(cls, *given: Any, **named: Any) -> Self:
        """Raise ResourceError for an unknown argument or a missing model."""
        check_arguments(cls, given, named)
        return super().__new__(cls)

    def __post_init__(self) -> None:
        # Mistakes are reported when a site is made of the resources.
        label = self.label or singular_of(noun_of(getattr(self.model, "__name__", "Record")))
        plural = self.label_plural or plural_of(str(label))
        object.__setattr__(self, "label", label)
        object.__setattr__(self, "label_plural", plural)
        name = f"{label}s" if plural in TAKEN_NAMES else str(plural)
        object.__setattr__(self, "name", self.name or name.lower().replace(" ", "-"))
        table = getattr(self.model, "__table__", None)
        if isinstance(table, Table):
            never_reuse_keys(table)

    @cached_property
    def table(self) -> Table:
        table = self.model.__table__  # type: ignore[attr-defined]  # SQLModel does not declare it
        assert isinstance(table, Table)
        return table

    @cached_property
    def fields(self) -> tuple[Field, ...]:
        masked = {column.key for column in self.masked}
        restricted = {column.key for column in self.rights}
        return tuple(
            replace(
                field,
                is_masked=field.is_masked or field.name in masked,
                is_restricted=field.name in restricted,
                is_read_only=field.is_read_only or field.name in self.fixed,
            )
            for field in self.laid_out(fields_of(self.model))
            if field.name not in self.unseen
        )

    @cached_property
    def by_name(self) -> dict[str, Field]:
        return {field.name: field for field in self.fields}

    def name_of(self, column: ColumnElement[Any]) -> str:
        """Return the name of the field that a column belongs to."""
        return next(field.name for field in self.fields if field.column is column)

    @cached_property
    def labels(self) -> dict[str, str]:
        """The label of each field as it stands within a sentence."""
        return {name: in_sentence(field.label) for name, field in self.by_any_name.items()}

    @cached_property
    def key(self) -> tuple[Field, ...]:
        """The fields of the primary key."""
        return tuple(field for field in self.fields if field.is_key)

    @cached_property
    def titles(self) -> Titles:
        return Titles(self.model, self.title, self.fields, self.label)

    @cached_property
    def schemas(self) -> ResourceSchemas:
        given = self.create, self.update, self.read
        return ResourceSchemas(
            self.model,
            self.fields,
            *given,
            unseen=self.unseen,
            fixed=self.fixed,
            computed=self.computed,
        )

    @cached_property
    def many_to_many(self) -> tuple[ManyToMany, ...]:
        """The links to other records, in the order in which they are given or declared."""
        found = links_of(self.model, self.links, self.by_name)
        return tuple(link for link in found if link.name not in self.unseen)

    @cached_property
    def list_fields(self) -> tuple[Field, ...]:
        if self.columns:
            found = self._named_fields(self.columns)
            fields = tuple(field for field in found if field.name in self.by_name)
            return fields or (self.titles.field,)
        rest = [
            field
            for field in self.fields
            if not (field.is_generated or field.is_hidden)
            and field.input.kind not in {"long_text", "json"}
        ]
        return tuple(dict.fromkeys([self.titles.field, *rest]))[:MAX_COLUMNS]

    @cached_property
    def list_links(self) -> tuple[ManyToMany, ...]:
        """The links that the list shows, after its fields."""
        return named_links(self.many_to_many, self.columns or None)

    @cached_property
    def search_fields(self) -> tuple[Field, ...]:
        if self.search is not None:
            return self._named_fields(self.search)
        return tuple(
            field
            for field in self.fields
            if field.input.kind == "text" and field.is_text and not field.is_masked
        )

    @cached_property
    def filter_fields(self) -> tuple[Field, ...]:
        if self.filters is not None:
            return self._named_fields(self.filters)
        return tuple(
            field
            for field in self.fields
            if not (field.is_generated or field.is_masked or field.is_hidden) and field.can_filter
        )

    @cached_property
    def filter_links(self) -> tuple[ManyToMany, ...]:
        """The links that the list filters by."""
        return named_links(self.many_to_many, self.filters)

    @cached_property
    def filter_names(self) -> dict[str, FilterName]:
        """The name of each filter's parameter in the URL of a list, by field."""
        return filter_names((*self.filter_fields, *(link.far for link in self.filter_links)))

    # Any: attributes of the model.
    def _named_fields(self, attributes: Sequence[Any]) -> tuple[Field, ...]:
        known = self.by_any_name
        return tuple(known[each.key] for each in attributes if each.key in known)

    @cached_property
    def masked_names(self) -> frozenset[str]:
        return frozenset(field.name for field in self.fields if field.is_masked)

    @cached_property
    def default_sort(self) -> str:
        if self.sort.removeprefix("-") in self.by_any_name:
            return self.sort
        # Not every title can be sorted by; a key can.
        return next(field for field in (self.titles.field, *self.key) if field.is_sortable).name

    @cached_property
    def unique_sets(self) -> tuple[tuple[Field, ...], ...]:
        """The sets of fields of which no two records may have the same values."""
        return unique_sets_of(self.table, self.fields)

    def counted(self, count: int) -> str:
        """Return “1 hero” or “5,000 heroes”."""
        return f"{count:,} {ngettext(self.label, self.label_plural, count)}"

    def label_of(self, field: Field) -> str:
        """Return the heading of a column: that of a made title is the label of the resource."""
        is_made = self.titles.function is not None and field is self.titles.field
        return capitalised(self.label) if is_made else field.label

    @cached_property
    def detail_fields(self) -> tuple[Field, ...]:
        """The fields that tell records of the same title apart, the most distinctive first."""
        singles = {fields[0] for fields in self.unique_sets if len(fields) == 1}
        return distinctive_fields(self.titles.field, self.search_fields, self.fields, singles)
