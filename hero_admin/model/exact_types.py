"""Exact types: how the values of columns come and go as they are, and none takes others down."""

import json
import math
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    CHAR,
    BigInteger,
    Boolean,
    ColumnElement,
    Enum,
    Integer,
    String,
    Text,
    cast,
    type_coerce,
)
from sqlalchemy.dialects.postgresql import CITEXT, JSONB
from sqlalchemy.engine import Dialect
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.elements import BindParameter
from sqlalchemy.sql.functions import FunctionElement
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
    UserDefinedType,
    Uuid,
)

from hero_admin.model.inputs import DATABASE_TEXT, Input, check_json, in_zone
from hero_admin.model.postgresql_texts import decoder_of, encoded, is_carried
from hero_admin.model.storable import is_aware, unwrapped_type
from hero_admin.model.stored_values import Stored, Unbindable, hashable, is_storable

# What asyncpg and SQLAlchemy call the types of numbers with digits and of those in bits.
NUMERIC_OID, FLOAT_OID, UNKNOWN_OID = 1700, 701, -1
# What asyncpg takes for columns whose values it carries exactly.
CARRIED: dict[type[TypeEngine[Any]], tuple[type, ...]] = {
    Integer: (int,),
    Boolean: (bool,),
    Float: (int, float, Decimal),
    Uuid: (UUID, str),
    LargeBinary: (bytes, memoryview),
}
# Kinds of input whose texts give the same value back, whatever it is.
EXACT_KINDS = frozenset({"integer", "bool", "date", "datetime", "uuid"})
CLASSES: dict[str, type] = {
    "integer": int,
    "bool": bool,
    "date": date,
    "time": time,
    "datetime": datetime,
    "duration": timedelta,
    "uuid": UUID,
}

# Any: the values of any column, as its driver or as Python has them.
Convert = Callable[[Any], Any]


class ExactType(TypeDecorator[Any]):
    """The type of a column whose values come as Python's, or `Stored`, and go back as they came."""

    impl = Text
    cache_ok = True
    # Any column is compared, whatever its own type makes of an operator.
    operator_classes = OperatorClass.ANY

    def __init__(self, kind: TypeEngine[Any], control: Input, number: type | None) -> None:
        """`number`: whether the numbers of an input are float or Decimal."""
        self.kind, self.control, self.number = kind, control, number
        # What TypeDecorator makes of a class, done with a type that is there already.
        self.impl = self.impl_instance = kind  # type: ignore[assignment]

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        if dialect.name != "postgresql":
            return self.kind
        own = unwrapped_type(self.kind.dialect_impl(dialect))
        if isinstance(own, Integer):
            # A model may know less of its column than there is in it.
            return BigInteger()
        if isinstance(own, CHAR):
            return _Padded()
        return self.kind if is_carried(own) else _Texts(self)

    def bind_processor(self, dialect: Dialect) -> Convert:
        convert, is_text = self._binder(dialect), self._is_text(dialect)
        is_bindable, is_integer = self._bindable(dialect), self.control.kind == "integer"

        def bound(value: Any) -> Any:
            if value is None:
                return None
            raw = value.raw if isinstance(value, Stored) else convert(value)
            if is_integer and type(raw) is Decimal and raw == raw.to_integral_value():
                # As that of a decimal column that integers point at.
                raw = int(raw)
            if is_text:
                raw = encoded(raw)
            if not is_bindable(raw):
                raise Unbindable(raw)
            return raw

        return bound

    def result_processor(self, dialect: Dialect, _: object) -> Convert:
        read, is_same = self._reader(dialect), self._comparer(dialect)
        plain_class = self._plain_class(dialect)

        def exact(raw: Any) -> Any:
            # As almost all are.
            if raw is None or type(raw) is plain_class:
                return raw
            try:
                value = read(raw)
                # JSON's null is another one than that of the database.
                is_exact = value is not None and is_same(value, raw)
                return value if is_exact else Stored(raw, value)
            except Exception:  # noqa: BLE001 - types raise what they like
                return Stored(raw)

        return exact

    # Any: the value of any type.
    def process_literal_param(self, value: Any, dialect: Dialect) -> str:
        raise NotImplementedError

    @property
    def python_type(self) -> type[Any]:
        return object

    def _plain_class(self, dialect: Dialect) -> type | None:
        """Return what the driver gives and takes as it is, if there is such a type."""
        own, is_text = self.kind.dialect_impl(dialect), self.control.is_plain_text
        if not is_text and self.control.kind != "integer":
            return None
        if own.result_processor(dialect, UNKNOWN_OID) or own.bind_processor(dialect):
            return None
        return str if is_text else int

    def _bindable(self, dialect: Dialect) -> Callable[[Any], bool]:
        """Return what tells whether the driver takes a value, as a forged cursor may hold any."""
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
        """Return what makes a Python value of what the driver gives, or raises."""
        own = self.kind.dialect_impl(dialect)
        plain_type = unwrapped_type(own)
        is_text = self._is_text(dialect)
        decode = decoder_of(plain_type) if is_text else None
        # An array asks the type of its items to read each of them.
        item = unwrapped_type(plain_type.item_type) if isinstance(plain_type, ARRAY) else plain_type
        number = FLOAT_OID if isinstance(item, Float) else NUMERIC_OID
        oid = number if isinstance(item, Numeric | Float) else UNKNOWN_OID
        # Nobody unpickles what anybody may have written into a database.
        is_raw = self.control.kind == "bytes"
        process = _same if is_raw else own.result_processor(dialect, oid) or _same
        checked = self._checked

        if is_text and decode is None:
            return checked
        if decode is not None:
            return lambda raw: checked(process(decode(raw)))
        return lambda raw: checked(process(raw), raw)

    def _checked(self, value: Any, raw: Any = None) -> Any:
        """Return a value as its field has it; raises for one that is of another kind."""
        kind = self.control.kind
        if self.number is not None:
            return self._number(value, raw)
        if kind == "json":
            # What is too deep, or half a character, cannot be shown.
            check_json(value)
            return hashable(value)
        if self.control.is_plain_text and type(value) is not str:
            raise TypeError
        if kind == "integer" and type(value) is not int and int(value) == value:
            value = int(value) if is_storable(int(value)) else value
        expected = CLASSES.get(kind)
        if expected is not None and (
            not isinstance(value, expected) or (expected is int and isinstance(value, bool))
        ):
            raise ValueError
        if kind == "date" and isinstance(value, datetime):
            raise ValueError
        if kind == "datetime":
            return in_zone(value, is_aware(self.kind))
        if kind == "bool" and raw not in (None, 0, 1):
            raise ValueError
        if kind == "choice" and self.control.parse(self.control.format(value)) != value:
            raise ValueError
        return value

    def _number(self, value: Any, raw: Any) -> Any:
        if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
            raise TypeError
        if self.number is float:
            return float(value)
        is_number = isinstance(raw, int | float) and math.isfinite(raw)
        if is_number and isinstance(self.kind, Numeric):
            return _shortest(raw, self.kind.scale)
        return Decimal(value)

    def _comparer(self, dialect: Dialect) -> Callable[[Any, Any], bool]:
        """Return what tells whether storing a value, or its text, gives the very same again."""
        is_stored_same = self._stored_comparer(dialect)
        control = self.control
        if control.kind in EXACT_KINDS or control.is_plain_text:
            return is_stored_same
        return lambda value, raw: is_stored_same(value, raw) and _is_typed_same(control, value)

    def _stored_comparer(self, dialect: Dialect) -> Callable[[Any, Any], bool]:
        convert = self._binder(dialect)
        if not self._is_text(dialect):
            if dialect.name == "postgresql":
                return lambda value, _: type(value) is not float or math.isfinite(value)
            is_number = isinstance(
                unwrapped_type(self.kind.dialect_impl(dialect)), Numeric | Float | Integer | Boolean
            )
            return lambda value, raw: _is_same_raw(convert(value), raw, is_number=is_number)
        own = unwrapped_type(self.kind.dialect_impl(dialect))
        if isinstance(own, Time) and own.timezone:
            # One of another zone is typed as one of UTC.
            return lambda _, raw: raw.endswith("+00")
        if isinstance(own, Date | DateTime | Time):
            # Both have the same values, but for those that Python does not have.
            return lambda _, __: True
        if isinstance(own, JSONB):
            return lambda value, raw: json.dumps(value, ensure_ascii=False) == raw
        return lambda value, raw: encoded(convert(value)) == raw


class AsText(FunctionElement[str]):
    """A column of texts, which PostgreSQL compares as texts whatever type it has there.

    Where it is one of texts, that is the column itself, and its index is used.
    """

    name = "as_text"
    inherit_cache = True

    def __init__(self, column: ColumnElement[Any]) -> None:
        super().__init__(column)
        self.type = column.type


# Any: what SQLAlchemy passes on to the compiler.
@compiles(AsText)
def _write_as_text(element: AsText, compiler: SQLCompiler, **options: Any) -> str:
    column = compiler.process(element.clauses, **options)
    return f"CAST({column} AS TEXT)" if compiler.dialect.name == "postgresql" else column


def exactly(column: ColumnElement[Any], exact_type: TypeEngine[Any]) -> ColumnElement[Any]:
    """Return a column, read and compared by its exact type."""
    plain = unwrapped_type(column.type)
    # Padded texts and those of any case are compared in their own way.
    is_text = isinstance(plain, String) and not isinstance(plain, CHAR | CITEXT | Enum)
    return type_coerce(AsText(column) if is_text else column, exact_type)


class _Padded(UserDefinedType[Any]):
    """A text of fixed length, whose spaces at the end are none, and which its index knows so."""

    cache_ok = True
    # SQLAlchemy would have it compared as VARCHAR, in which they count.
    render_bind_cast = True

    def get_col_spec(self, **_: Any) -> str:
        return "BPCHAR"


class _Texts(TypeDecorator[Any]):
    """How PostgreSQL is told and tells what the driver cannot carry exactly."""

    impl = Text
    cache_ok = True

    def __init__(self, exact: ExactType) -> None:
        self.exact = exact
        super().__init__()

    def bind_expression(self, bindparam: BindParameter[Any]) -> ColumnElement[Any]:
        # Told no type, the server would ask the driver for a value of the column’s.
        return cast(cast(bindparam, Text), self.exact.kind)

    def column_expression(self, column: ColumnElement[Any]) -> ColumnElement[Any]:
        return type_coerce(cast(column, Text), self.exact)


def _same(value: Any) -> Any:
    return value


def _shortest(number: float, scale: int | None) -> Decimal:
    """Return the number of the fewest digits that is stored as this one, in its column's places."""
    exact = Decimal(repr(number))
    has_more = scale is None or -int(exact.as_tuple().exponent) > scale
    return exact if has_more else Decimal(f"{exact:.{scale}f}")


def _is_same_raw(bound: Any, raw: Any, *, is_number: bool) -> bool:
    if type(bound) is type(raw):
        # Not a negative zero, nor what is infinite, as no text stands for it.
        return bound == raw and (type(raw) is not float or repr(bound) == repr(raw))
    # SQLite makes whole numbers of 2.0, and the other way round, as its column says.
    numbers = (int, float)
    return is_number and type(bound) in numbers and type(raw) in numbers and bound == raw


def _is_typed_same(control: Input, value: Any) -> bool:
    try:
        return bool(control.parse(control.format(value)) == value)
    except ValueError:
        return False
