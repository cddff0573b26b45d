"""Fields: the columns of a model with their labels, inputs and formatting."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from annotated_types import Ge, Le, MaxLen
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from hero_admin.model.annotations import (
    FileText,
    file_annotation,
    is_encoded,
    plain_annotation,
    takes_none,
    text_annotation,
)
from hero_admin.model.controls import PLAIN, Control
from hero_admin.model.field_columns import FieldColumn
from hero_admin.model.formats import Formatter
from hero_admin.model.relations import Relation
from hero_admin.model.storable import is_aware, rounded


@dataclass(frozen=True, eq=False, kw_only=True)
class Field(FieldColumn):
    """One column of a model and how people and programs read and write it."""

    name: str
    label: str
    info: FieldInfo
    relation: Relation | None
    is_key: bool
    is_generated: bool
    is_masked: bool = False
    # How it is entered and, beyond its type, how its values are shown.
    control: Control = PLAIN
    show: Formatter | None = None
    # Whether its numbers are amounts of money.
    is_money: bool = False
    # Whether forms show it and nobody changes it, and whether pages leave it out.
    is_read_only: bool = False
    is_hidden: bool = False
    # Whether not everybody may read or change it.
    is_restricted: bool = False

    @property
    def public_name(self) -> str:
        """Its name in answers of the API and in exports."""
        return self.info.serialization_alias or self.info.alias or self.name

    @property
    def is_sortable(self) -> bool:
        """Whether a list can be sorted by it; the order would disclose masked values."""
        # A key has an order, whatever its type: that of its index.
        return (self.input.is_sortable or self.is_key) and not self.is_masked

    @cached_property
    def is_range(self) -> bool:
        """Whether its values are numbers or moments, and not those of a relation."""
        return self.input.is_range and not self.relation

    @property
    def can_filter(self) -> bool:
        """Whether a field has few values, or an order, or is a file that may be missing."""
        has_few = self.relation or self.input.kind in {"choice", "bool"}
        return bool(has_few or self.input.is_range or (self.is_bytes and self.is_optional))

    @property
    def is_editable(self) -> bool:
        """Whether people and programs can set it."""
        return self._has_value_to_set and not self.is_read_only

    @property
    def _has_value_to_set(self) -> bool:
        return self.input.is_editable and not self.is_computed

    @property
    def is_computed(self) -> bool:
        """Whether the database alone computes its value."""
        identity = self.column.identity
        is_always = identity is not None and bool(identity.always)
        return self.column.computed is not None or is_always

    @property
    def has_column_default(self) -> bool:
        """Whether its column has a default for new records that its model lacks."""
        has_own = self.column.default is not None and self.info.is_required()
        return has_own or self.column.server_default is not None

    @cached_property
    def takes_nothing(self) -> bool:
        """Whether a form may leave it empty: a model may require more than its table."""
        return self.is_optional and takes_none(self.info.annotation)

    @property
    def is_demanded(self) -> bool:
        """Whether this part of a key must be given, because nothing generates it."""
        is_made = self.is_generated or self.has_column_default
        has_default = self.info.default not in (None, PydanticUndefined)
        return self.is_key and not (is_made or has_default)

    @property
    def display(self) -> str:
        """The kind of value that pages show: its input's, but for relations and time zones."""
        if self.relation:
            return "relation"
        if self.input.kind == "datetime" and not is_aware(self.column.type):
            return "clock"
        if self.input.kind == "time" and is_aware(self.column.type):
            return "zoned_time"
        return self.input.kind

    @cached_property
    def default(self) -> Any:
        """The default value of new records, as its column stores it; None without one."""
        # A factory runs when a record is made.
        if self.info.is_required() or self.info.default_factory is not None:
            return None
        default = rounded(self.info.default, self.column.type)
        try:
            return self.clean(default)
        except ValueError:
            # The error is shown beside the field if the value is submitted.
            return default

    @cached_property
    def written_annotation(self) -> Any:
        """The annotation for values to write; the validated value is one that the column takes."""
        if self.is_bytes:
            return file_annotation(self.info)
        if self.is_read_by_database:
            return str | None if self.is_optional else str
        is_plain = plain_annotation(self.info.annotation) is str and not is_encoded(self.info)
        return self.info.annotation if is_plain or not self.is_text else text_annotation(self.info)

    @cached_property
    def read_annotation(self) -> Any:
        """The annotation for stored values, whatever their type."""
        if self.is_bytes:
            return FileText | None if self.is_optional else FileText
        if self.is_read_by_database:
            return self.written_annotation
        if self.is_text and self.written_annotation is not self.info.annotation:
            return str | None if self.is_optional else str
        return self.info.annotation if self._has_value_to_set else Any

    @property
    def help(self) -> str:
        """The sentence below its control, "" for none."""
        return self.control.help or self.info.description or ""

    @property
    def is_wide(self) -> bool:
        """Whether it takes the whole width of a page."""
        return self.control.is_wide or self.input.kind in {"long_text", "json", "bytes"}

    def typed(self, text: str) -> Any:
        """Return the value of a text typed in its control; raises ValueError with a sentence."""
        return self.control.parse(text) if self.control.has_parser else self.input(text)

    @cached_property
    def attributes(self) -> dict[str, str]:
        """The HTML attributes of its control: bounds and step."""
        found: dict[str, str] = {}
        for limit in self.info.metadata:
            match limit:
                case MaxLen(bound) if self.is_bytes:
                    # For the script that checks a file before it is sent.
                    found["data-most"] = str(bound)
                case Ge(bound) if self.input.is_range:
                    found["min"] = self.input.format(bound)
                case Le(bound) if self.input.is_range:
                    found["max"] = self.input.format(bound)
        if self.input.kind == "integer":
            found["step"] = "1"
        elif self.input.kind in {"number", "time", "datetime"}:
            found["step"] = "any"
        return found
