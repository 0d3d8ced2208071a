"""Our feature types as Feast's, and values as Feast's protobuf ones."""

from __future__ import annotations

from datetime import UTC, datetime, time
from decimal import Decimal
from typing import Any

from feast import types as feast_types
from feast.protos.feast.types.Value_pb2 import Value
from feast.types import PrimitiveFeastType

FEAST_TYPE: dict[str, PrimitiveFeastType] = {
    "integer": feast_types.Int64,
    "decimal": feast_types.Decimal,
    "double": feast_types.Float64,
    "boolean": feast_types.Bool,
    "string": feast_types.String,
    "timestamp": feast_types.UnixTimestamp,
    "date": feast_types.UnixTimestamp,
}


def to_proto(kind: str, value: Any) -> Value:
    """`value` of type `kind` as Feast's; an empty message is null.

    >>> to_proto("integer", 3).int64_val, to_proto("decimal", Decimal("1.50")).decimal_val
    (3, '1.50')
    """
    if value is None:
        return Value()
    match kind:
        case "integer":
            return Value(int64_val=value)
        case "decimal":
            return Value(decimal_val=str(value))
        case "double":
            return Value(double_val=value)
        case "boolean":
            return Value(bool_val=value)
        case "timestamp":
            return Value(unix_timestamp_val=int(value.timestamp()))
        case "date":
            return Value(unix_timestamp_val=int(datetime.combine(value, time(), UTC).timestamp()))
    return Value(string_val=value)


def from_proto(kind: str, value: Value) -> Any:
    """The plain value of `kind` in Feast's message; None for an empty one."""
    field = value.WhichOneof("val")
    if field is None:
        return None
    plain = getattr(value, field)
    match kind:
        case "decimal":
            return Decimal(plain)
        case "timestamp":
            return datetime.fromtimestamp(plain, UTC)
        case "date":
            return datetime.fromtimestamp(plain, UTC).date()
    return plain
