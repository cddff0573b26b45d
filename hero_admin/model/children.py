"""Children: records that belong to a record, such as the lines of an invoice."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import Column
from sqlalchemy.orm import ColumnProperty
from sqlalchemy.orm.attributes import QueryableAttribute

if TYPE_CHECKING:
    from hero_admin.model.resource import Resource


@dataclass(frozen=True)
class Child:
    """Records that are added, changed and removed on the page of the one that they refer to.

    `Child(InvoiceLine.invoice_id)` among the `children=` of the invoices.

    reference: the attribute of the other model that refers to the record.
    """

    # Any: an attribute of a model is typed as the values it holds.
    reference: Any

    @property
    def column(self) -> Column[Any] | None:
        """The column of the reference, None for anything but a column of a model."""
        made = getattr(self.reference, "property", None)
        if not isinstance(self.reference, QueryableAttribute) or not isinstance(
            made, ColumnProperty
        ):
            return None
        (column, *_) = made.columns
        return column if isinstance(column, Column) else None


def wrong_children(resource: "Resource", resources: Sequence["Resource"]) -> Iterator[str]:
    """Yield the mistakes in the children of a resource, which are records of other resources."""
    seen: list[Column[Any]] = []
    for child in resource.children:
        # Arguments may have any type.
        given: object = child
        column = given.column if isinstance(given, Child) else None
        if column is None:
            shown = getattr(child, "reference", child)
            yield f"children= takes columns, as in Child(Line.invoice_id), and {shown} isn't one"
            continue
        name = f"{child.reference.class_.__name__}.{child.reference.key}"
        found = [each for each in resources if column in [field.column for field in each.fields]]
        if not found:
            yield f"children= names {name}, and no resource of this Admin has that model"
        elif column in seen:
            yield f"children= names {name} twice"
        elif found[0].read_only:
            yield f"children= names {name}, whose resource is read_only"
        elif not any(
            field.relation is not None and field.relation.target is resource.model
            for field in found[0].fields
            if field.column is column
        ):
            yield f"children= names {name}, which doesn't refer to this model"
        seen.append(column)
