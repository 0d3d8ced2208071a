"""Our feature types as Feast's, and values as Feast's protobuf ones."""

from __future__ import annotations

from datetime import UTC, datetime, time
from decimal import Decimal
from typing import Any

from feast import types as feast_types
from feast.protos.feast.types.Value_pb2 import (
    BoolList,
    DoubleList,
    Int64List,
    Map,
    StringList,
    Value,
)
from feast.types import FeastType, PrimitiveFeastType

FEAST_TYPE: dict[str, PrimitiveFeastType] = {
    "integer": feast_types.Int64,
    "decimal": feast_types.Decimal,
    "double": feast_types.Float64,
    "boolean": feast_types.Bool,
    "string": feast_types.String,
    "timestamp": feast_types.UnixTimestamp,
    "date": feast_types.UnixTimestamp,
}
_LISTS: dict[str, tuple[str, Any]] = {
    "integer": ("int64_list_val", Int64List),
    "decimal": ("decimal_list_val", StringList),
    "double": ("double_list_val", DoubleList),
    "boolean": ("bool_list_val", BoolList),
    "string": ("string_list_val", StringList),
    "timestamp": ("unix_timestamp_list_val", Int64List),
    "date": ("unix_timestamp_list_val", Int64List),
}


def divided(kind: str) -> tuple[str, str]:
    """ "list<integer>" as "list" and "integer"; "integer" as nothing and "integer"."""
    outer, _, inner = kind.rstrip(">").partition("<")
    return (outer, inner) if inner else ("", outer)


def feast_type(kind: str) -> FeastType:
    """Feast's type of a feature's; its maps do not say of what.

    >>> print(feast_type("integer"), feast_type("list<decimal>"), feast_type("map<integer>"))
    Int64 Array(Decimal) Map
    """
    outer, inner = divided(kind)
    if outer == "list":
        return feast_types.Array(FEAST_TYPE[inner])
    return feast_types.Map if outer == "map" else FEAST_TYPE[inner]


def to_proto(kind: str, value: Any) -> Value:
    """`value` of type `kind` as Feast's; an empty message is null.

    >>> to_proto("integer", 3).int64_val, to_proto("decimal", Decimal("1.50")).decimal_val
    (3, '1.50')
    """
    if value is None:
        return Value()
    outer, inner = divided(kind)
    if outer == "list":
        field, message = _LISTS[inner]
        return Value(**{field: message(val=[_single(inner, item) for item in value])})
    if outer == "map":
        return Value(map_val=Map(val={key: to_proto(inner, item) for key, item in value.items()}))
    match kind:
        case "integer":
            return Value(int64_val=value)
        case "decimal":
            return Value(decimal_val=_single(kind, value))
        case "double":
            return Value(double_val=value)
        case "boolean":
            return Value(bool_val=value)
        case "timestamp" | "date":
            return Value(unix_timestamp_val=_single(kind, value))
    return Value(string_val=value)


def _single(kind: str, value: Any) -> Any:
    """A value as Feast's messages hold it: decimals as texts, instants and days as whole seconds."""
    match kind:
        case "decimal":
            return str(value)
        case "timestamp":
            return int(value.timestamp())
        case "date":
            return int(datetime.combine(value, time(), UTC).timestamp())
    return value


def from_proto(kind: str, value: Value) -> Any:
    """The plain value of `kind` in Feast's message; None for an empty one."""
    field = value.WhichOneof("val")
    if field is None:
        return None
    plain = getattr(value, field)
    outer, inner = divided(kind)
    if outer == "list":
        return [_plain(inner, item) for item in plain.val]
    if outer == "map":
        return {key: from_proto(inner, plain.val[key]) for key in sorted(plain.val)}
    return _plain(kind, plain)


def _plain(kind: str, plain: Any) -> Any:
    match kind:
        case "decimal":
            return Decimal(plain)
        case "timestamp":
            return datetime.fromtimestamp(plain, UTC)
        case "date":
            return datetime.fromtimestamp(plain, UTC).date()
    return plain
