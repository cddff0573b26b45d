"""Row changes: of tables that are not administered, as the history records them."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from hero_admin.audit_log.changes import Change, Entry, Kind, Recorded
from hero_admin.writes.referencing_rows import Cause
from hero_admin.writes.table_rows import Raw, RawRow
from hero_admin.writes.tables import MARK, StoredTable, TableName

# The only “field” in an entry for such rows.
ROWS = "rows"
# Beside the fields of a record whose model lacks columns; no field has this name.
WHOLE_ROW = "whole row"


@dataclass(frozen=True)
class RowsChange:
    """Rows of one table before and after; None where they do not exist."""

    table: TableName
    columns: tuple[str, ...]
    before: list[RawRow] | None
    after: list[RawRow] | None
    causes: list[Cause]

    @property
    def kind(self) -> Kind:
        if self.before is not None and self.after is not None:
            return Kind.CHANGED
        return Kind.RESTORED if self.before is None else Kind.DELETED

    @property
    def count(self) -> int:
        return len(self.causes)

    def reversed(self) -> "RowsChange":
        return replace(self, before=self.after, after=self.before)

    def only(self, positions: Sequence[int]) -> "RowsChange":
        """Return the change of some of its rows."""

        def some(rows: list[RawRow] | None) -> list[RawRow] | None:
            return None if rows is None else [rows[position] for position in positions]

        causes = [self.causes[position] for position in positions]
        return replace(self, before=some(self.before), after=some(self.after), causes=causes)

    def entry(self, stored: StoredTable) -> Entry:
        """Return the entry; no page shows its values."""
        shared = {"table": self.table, "columns": self.columns, "causes": self.causes}
        before, after = (
            None if rows is None else json.dumps({**shared, "rows": rows}, separators=(",", ":"))
            for rows in (self.before, self.after)
        )
        title = stored.rows_text(self.count)
        return Entry(stored.mark, "", title, self.kind, {ROWS: (before, after)}, True)


def is_of_rows(change: Change) -> bool:
    """Whether a change is of rows that are not administered."""
    return change.resource.startswith(MARK)


def rows_change_of(change: Change) -> RowsChange:
    """Return the rows that an entry records."""
    before, after = (_loaded(each) for each in change.values[ROWS])
    either = before or after or {}
    return RowsChange(
        TableName(*either["table"]),
        tuple(either["columns"]),
        before and before["rows"],
        after and after["rows"],
        [None if each is None else (each[0], each[1]) for each in either["causes"]],
    )


def whole_row_text(columns: Sequence[str], row: RawRow) -> str:
    return json.dumps(dict(zip(columns, row, strict=True)), separators=(",", ":"))


def whole_row_of(change: Change) -> dict[str, Raw] | None:
    """Return the recorded values of all columns of a deleted record, None if there are none."""
    values: dict[str, Raw] | None = _loaded(change.values.get(WHOLE_ROW, (None, None))[0])
    return values


# Any: JSON.
def _loaded(recorded: Recorded) -> Any:
    return json.loads(recorded) if isinstance(recorded, str) else None
