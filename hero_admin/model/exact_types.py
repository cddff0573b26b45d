"""Exact types: read and bind the values of any column without loss or errors."""

import json
import math
from collections.abc import Callable
from decimal import Decimal
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    CHAR,
    BigInteger,
    Boolean,
    ColumnElement,
    Integer,
    Text,
    cast,
    type_coerce,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.engine import Dialect
from sqlalchemy.sql.elements import BindParameter
from sqlalchemy.sql.operators import OperatorClass
from sqlalchemy.types import (
    Date,
    DateTime,
    Float,
    LargeBinary,
    Numeric,
    Time,
    TypeDecorator,
    TypeEngine,
    Uuid,
)

from hero_admin.model.exact_columns import Padded
from hero_admin.model.exact_values import EXACT_KINDS, checked_value, is_same_raw, is_typed_same
from hero_admin.model.inputs import DATABASE_TEXT, EXACT_DECIMAL_DIGITS, Input
from hero_admin.model.postgresql_texts import decoder_of, encoded, is_carried
from hero_admin.model.storable import unwrapped_type
from hero_admin.model.stored_values import Stored, Unbindable, is_storable

# The type ids of PostgreSQL for decimal and binary numbers, which SQLAlchemy's processors ask for.
NUMERIC_OID, FLOAT_OID, UNKNOWN_OID = 1700, 701, -1
# The classes that asyncpg takes for columns whose values it transfers exactly.
CARRIED: dict[type[TypeEngine[Any]], tuple[type, ...]] = {
    Integer: (int,),
    Boolean: (bool,),
    Float: (int, float, Decimal),
    Uuid: (UUID, str),
    LargeBinary: (bytes, memoryview),
}
# Any: the values of any column, the driver's or Python's.
Convert = Callable[[Any], Any]


class ExactType(TypeDecorator[Any]):
    """A column type whose results are Python values, or `Stored` where one would lose something.

    Either is bound as it was read. Values that no column of the type can hold raise Unbindable.
    """

    impl = Text
    cache_ok = True
    # Every column can be compared, whatever its own type makes of an operator.
    operator_classes = OperatorClass.ANY

    def __init__(self, kind: TypeEngine[Any], control: Input, number: type | None) -> None:
        """`number`: float or Decimal for an input of numbers, None for others."""
        self.kind, self.control, self.number = kind, control, number
        # TypeDecorator would make an instance of a class; this one exists already.
        self.impl = self.impl_instance = kind  # type: ignore[assignment]

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        if dialect.name != "postgresql":
            return self.kind
        own = unwrapped_type(self.kind.dialect_impl(dialect))
        if isinstance(own, Integer):
            # The column may be wider than its model says.
            return BigInteger()
        if isinstance(own, CHAR):
            return Padded()
        return self.kind if is_carried(own) else _Texts(self)

    def bind_processor(self, dialect: Dialect) -> Convert:
        convert, is_text = self._binder(dialect), self._is_text(dialect)
        is_bindable, is_integer = self._bindable(dialect), self.control.kind == "integer"
        is_sqlite = dialect.name == "sqlite"

        def bound(value: Any) -> Any:
            if value is None:
                return None
            raw = value.raw if isinstance(value, Stored) else convert(value)
            if is_integer and type(raw) is Decimal and _is_integer(raw):
                # The key of a decimal column that an integer column refers to.
                raw = int(raw)
            if is_text:
                raw = encoded(raw)
            # SQLite has neither, so they are no values of it.
            is_foreign = isinstance(value, Stored) and type(raw) in (Decimal, UUID)
            if (is_sqlite and is_foreign) or not is_bindable(raw):
                raise Unbindable(raw)
            return raw

        return bound

    def result_processor(self, dialect: Dialect, _: object) -> Convert:
        read, is_same = self._reader(dialect), self._comparer(dialect)
        plain_class = self._plain_class(dialect)

        def exact(raw: Any) -> Any:
            # Almost always.
            if raw is None or type(raw) is plain_class:
                return raw
            try:
                value = read(raw)
                # JSON's null differs from NULL.
                is_exact = value is not None and is_same(value, raw)
                return value if is_exact else Stored(raw, value)
            except Exception:  # noqa: BLE001 - types raise anything
                return Stored(raw)

        return exact

    # Any: the value of any type.
    def process_literal_param(self, value: Any, dialect: Dialect) -> str:
        raise NotImplementedError

    @property
    def python_type(self) -> type[Any]:
        return object

    def _plain_class(self, dialect: Dialect) -> type | None:
        """Return the class whose values need no conversion, None if there is none."""
        own, is_text = self.kind.dialect_impl(dialect), self.control.is_plain_text
        if not is_text and self.control.kind != "integer":
            return None
        if own.result_processor(dialect, UNKNOWN_OID) or own.bind_processor(dialect):
            return None
        return str if is_text else int

    def _bindable(self, dialect: Dialect) -> Callable[[Any], bool]:
        """Return a predicate for values that the driver takes: a forged cursor may hold any."""
        if dialect.name != "postgresql":
            return lambda raw: type(raw) is not int or is_storable(raw)
        own = unwrapped_type(self.load_dialect_impl(dialect).dialect_impl(dialect))
        found = (classes for kind, classes in CARRIED.items() if isinstance(own, kind))
        classes = next(found, (str,))

        def is_bindable(raw: Any) -> bool:
            if type(raw) is int and not is_storable(raw):
                return False
            is_whole = type(raw) is not str or "\0" not in raw
            return isinstance(raw, classes) and is_whole

        return is_bindable

    def _is_text(self, dialect: Dialect) -> bool:
        return isinstance(self.load_dialect_impl(dialect), _Texts)

    def _binder(self, dialect: Dialect) -> Convert:
        if self.control.kind == "bytes" or self.control is DATABASE_TEXT:
            return _same
        return self.kind.dialect_impl(dialect).bind_processor(dialect) or _same

    def _reader(self, dialect: Dialect) -> Convert:
        """Return the conversion of a driver's value to a Python value, which may raise."""
        own = self.kind.dialect_impl(dialect)
        plain_type = unwrapped_type(own)
        is_text = self._is_text(dialect)
        decode = decoder_of(plain_type) if is_text else None
        # An array reads each item by the type of its items.
        item = unwrapped_type(plain_type.item_type) if isinstance(plain_type, ARRAY) else plain_type
        number = FLOAT_OID if isinstance(item, Float) else NUMERIC_OID
        oid = number if isinstance(item, Numeric | Float) else UNKNOWN_OID
        # Never unpickle what others may have written.
        is_raw = self.control.kind == "bytes"
        process = _same if is_raw else own.result_processor(dialect, oid) or _same
        checked = partial(checked_value, self.control, self.number, self.kind)

        if is_text and decode is None:
            return checked
        if decode is not None:
            return lambda raw: checked(process(decode(raw)))
        return lambda raw: checked(process(raw), raw)

    def _comparer(self, dialect: Dialect) -> Callable[[Any, Any], bool]:
        """Return a predicate: whether storing a value, or its text, gives the same one back."""
        is_stored_same = self._stored_comparer(dialect)
        control = self.control
        if control.kind in EXACT_KINDS or control.is_plain_text:
            return is_stored_same
        return lambda value, raw: is_stored_same(value, raw) and is_typed_same(control, value)

    def _stored_comparer(self, dialect: Dialect) -> Callable[[Any, Any], bool]:
        convert = self._binder(dialect)
        if not self._is_text(dialect):
            if dialect.name == "postgresql":
                return lambda value, _: type(value) is not float or math.isfinite(value)
            is_number = isinstance(
                unwrapped_type(self.kind.dialect_impl(dialect)), Numeric | Float | Integer | Boolean
            )
            return lambda value, raw: is_same_raw(convert(value), raw, is_number=is_number)
        own = unwrapped_type(self.kind.dialect_impl(dialect))
        if isinstance(own, Time) and own.timezone:
            # The text of a time in another zone is in UTC.
            return lambda _, raw: raw.endswith("+00")
        if isinstance(own, Date | DateTime | Time):
            # Equal, except for values that Python lacks, which do not get here.
            return lambda _, __: True
        if isinstance(own, JSONB):
            return lambda value, raw: json.dumps(value, ensure_ascii=False) == raw
        return lambda value, raw: encoded(convert(value)) == raw


class ComputedDecimal(ExactType):
    """The type of a decimal that SQL computes, for which SQLite takes binary numbers.

    35.09 * 6 is 210.54000000000002 there: a float holds fifteen digits, and the others are noise.
    """

    cache_ok = True

    def result_processor(self, dialect: Dialect, _: object) -> Convert:
        exact = super().result_processor(dialect, _)
        if dialect.name != "sqlite":
            return exact
        return lambda raw: exact(
            float(f"{raw:.{EXACT_DECIMAL_DIGITS}g}") if type(raw) is float else raw
        )


class _Texts(TypeDecorator[Any]):
    """The text form in which PostgreSQL transfers what the driver cannot transfer exactly."""

    impl = Text
    cache_ok = True

    def __init__(self, exact: ExactType) -> None:
        self.exact = exact
        super().__init__()

    def bind_expression(self, bindparam: BindParameter[Any]) -> ColumnElement[Any]:
        # Without a type, the server would expect a value of the column's from the driver.
        return cast(cast(bindparam, Text), self.exact.kind)

    def column_expression(self, column: ColumnElement[Any]) -> ColumnElement[Any]:
        return type_coerce(cast(column, Text), self.exact)


def _same(value: Any) -> Any:
    return value


def _is_integer(number: Decimal) -> bool:
    """Whether a decimal may be the value of an integer column, which has at most 19 digits."""
    return number.is_finite() and number.adjusted() < 19 and number == number.to_integral_value()
