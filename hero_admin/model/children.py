"""Children: records that belong to a record, such as the lines of an invoice."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column
from sqlalchemy.orm import ColumnProperty
from sqlalchemy.orm.attributes import QueryableAttribute


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
        made = self.reference.property if isinstance(self.reference, QueryableAttribute) else None
        column = made.columns[0] if isinstance(made, ColumnProperty) else None
        return column if isinstance(column, Column) else None
