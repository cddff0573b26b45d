"""CSV: the text of cells and lines, in which no spreadsheet sees a formula."""

import csv
import io
import re
from collections.abc import Iterable, Sequence
from datetime import datetime, time, timedelta
from decimal import Decimal
from typing import Any

from hero_admin.model.fields import Field
from hero_admin.model.formatting import exact_text, shown
from hero_admin.model.stored_values import plain, readable
from hero_admin.model.texts import INVISIBLE

# Where a spreadsheet may see a formula: at the start of a cell, or after any separator in it, then
# after quotes and invisible characters. Some treat full-width and small signs alike. A run of
# quotes and invisible characters is matched from its start, and so only once.
MARKED = str.maketrans({c: f"{c}'" for c in "\t\n\v\f\r\x1c\x1d\x1e\x1f\x85\u2028\u2029"})
BETWEEN = f"""["'{INVISIBLE}]"""
SIGN = r"[=+\-@\uff1d\uff0b\uff0d\uff20\ufe66\ufe62\ufe63\ufe6b]"
A_SIGN = re.compile(SIGN)
FORMULA = re.compile(rf"([;,|]|\A|(?<!{BETWEEN})(?={BETWEEN}))({BETWEEN}*+)({SIGN})")
NUMBERS = int | float | Decimal


# Any: values of any field.
def csv_cells(
    fields: Sequence[Field], row: Sequence[Any], *, has_masked: bool = False
) -> list[str]:
    """Return the texts of the fields of a row, without masked ones, then those after them."""
    cells = []
    for field, value in zip(fields, row, strict=False):
        if field.is_masked and not has_masked:
            continue
        text = shown(field, value) if field.is_bytes else _csv_cell(field, value)
        # A negative number is no formula; a text in a column of numbers may be one.
        cells.append(text if isinstance(plain(value), NUMBERS) else defused(text))
    titles = map(readable, row[len(fields) :])
    return cells + ["" if title is None else defused(str(title)) for title in titles]


def _csv_cell(field: Field, value: Any) -> str:
    """Return the exact text of a value; an instant has its zone, another datetime none."""
    text, value = exact_text(field, value), plain(value)
    is_instant = isinstance(value, datetime | time) and value.utcoffset() == timedelta(0)
    return f"{text}Z" if is_instant else text


def defused(text: str) -> str:
    """Return a text in which no spreadsheet sees a formula: it has a ' before each.

    Removing these gives the text back. Source: https://owasp.org/www-community/attacks/CSV_Injection
    """
    return FORMULA.sub(_defuse, text) if A_SIGN.search(text) else text


def _defuse(found: re.Match[str]) -> str:
    separator, between, sign = found.groups()
    mark = "'" if separator or not found.start() else ""
    return separator + mark + between.translate(MARKED) + sign


def csv_text(lines: Iterable[Sequence[str]], separator: str) -> str:
    """Return lines of a CSV file."""
    buffer = io.StringIO()
    csv.writer(buffer, delimiter=separator).writerows(lines)
    return buffer.getvalue()
