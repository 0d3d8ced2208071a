"""The packed row: all features of one view and entity in a few bytes, with their types fixed by a layout.

Byte 0 is the encoding's version, then a bitmap of nulls, the values that are not null in the layout's order, and a
CRC-32 over all of it, so that a truncated or mixed-up row is noticed and never served. Version 1 has single values
only; version 2, for layouts with lists or maps, also has these: their length, then their items, each after its key.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Context, Decimal, Inexact, InvalidOperation
from functools import cached_property
from typing import Any

from ethogram.errors import EthogramError

SINGLE, NESTED = 1, 2  # versions of the encoding
TYPES = ("integer", "decimal", "double", "boolean", "timestamp", "date", "string", "bytes")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_DAY = _EPOCH.date().toordinal()
_MICRO = timedelta(microseconds=1)
_SCALE = 6
# Python's default context rounds to 28 digits; ours hold 38 and must not lose one.
_EXACT = Context(prec=60, traps=[Inexact, InvalidOperation])
_INT, _DOUBLE, _LENGTH, _DAY = struct.Struct("<q"), struct.Struct("<d"), struct.Struct("<I"), struct.Struct("<i")


class DamagedRow(EthogramError):
    """Bytes that are not what was packed."""

    code = "damaged-row"

    def __init__(self, what: str) -> None:
        super().__init__(f"a packed row is damaged ({what}); materialize its view again")


def key_of(entity: int) -> bytes:
    """The row key of our own views: the surrogate's eight bytes, as PostgreSQL's `int8send` gives them.

    >>> key_of(7).hex()
    '0000000000000007'
    """
    return entity.to_bytes(8, "big", signed=True)


@dataclass(frozen=True)
class Layout:
    """Names and types of a row's values, in order: a type of `TYPES`, or "list<…>" or "map<…>" (from texts) of one.

    >>> layout = Layout((("purchases_30d", "integer"), ("spend_90d", "decimal"), ("last_channel", "string")))
    >>> row = layout.pack([3, Decimal("12.50"), None])
    >>> layout.unpack(row)
    [3, Decimal('12.500000'), None]
    >>> nested = Layout((("last_3_channels", "list<string>"), ("by_channel", "map<integer>")))
    >>> nested.unpack(nested.pack([["web", "store"], {"web": 2, "store": 1}]))
    [['web', 'store'], {'store': 1, 'web': 2}]
    """

    features: tuple[tuple[str, str], ...]

    def __post_init__(self) -> None:
        unknown = [kind for _, kind in self.features if _divided(kind)[1] not in TYPES]
        if unknown:
            raise ValueError(f"no packed type {unknown[0]!r}; one of {', '.join(TYPES)}, or list<…> or map<…> of one")

    @cached_property
    def version(self) -> int:
        """Of the encoding: the oldest that can say it, so that rows of single values stay as they always were."""
        return NESTED if any(_divided(kind)[0] for _, kind in self.features) else SINGLE

    def pack(self, values: Sequence[Any]) -> bytes:
        """Bytes of `values`, one per feature, None for null; a decimal has at most six digits after the point."""
        if len(values) != len(self.features):
            raise ValueError(f"{len(values)} values for {len(self.features)} features")
        nulls = bytearray((len(values) + 7) // 8)
        parts: list[bytes] = [bytes([self.version]), b""]
        for place, ((_, kind), value) in enumerate(zip(self.features, values, strict=True)):
            if value is None:
                nulls[place >> 3] |= 1 << (place & 7)
            else:
                parts.append(_encode(kind, value))
        parts[1] = bytes(nulls)
        body = b"".join(parts)
        return body + _LENGTH.pack(zlib.crc32(body))

    def unpack(self, row: bytes) -> list[Any]:
        """Values of a row that this layout packed; anything else raises `DamagedRow`."""
        row = bytes(row)
        if len(row) < 5 or _LENGTH.unpack(row[-4:])[0] != zlib.crc32(row[:-4]):
            raise DamagedRow("its checksum differs")
        if row[0] != self.version:
            raise DamagedRow(f"encoding {row[0]}, this is {self.version}")
        size = (len(self.features) + 7) // 8
        nulls, position, end = row[1 : 1 + size], 1 + size, len(row) - 4
        values: list[Any] = []
        try:
            for place, (_, kind) in enumerate(self.features):
                if nulls[place >> 3] & (1 << (place & 7)):
                    values.append(None)
                else:
                    value, position = _decode(kind, row, position)
                    values.append(value)
        except (struct.error, IndexError, UnicodeDecodeError) as error:
            raise DamagedRow("it does not fit its layout") from error
        if position != end:
            raise DamagedRow("it does not fit its layout")
        return values


def _divided(kind: str) -> tuple[str, str]:
    """ "list<integer>" as "list" and "integer"; "integer" as nothing and "integer"."""
    outer, _, inner = kind.partition("<")
    if outer in {"list", "map"} and inner.endswith(">"):
        return outer, inner[:-1]
    return "", kind


def _encode(kind: str, value: Any) -> bytes:
    match kind:
        case "integer":
            return _INT.pack(value)
        case "double":
            return _DOUBLE.pack(value)
        case "decimal":
            units = _EXACT.to_integral_exact(_EXACT.scaleb(Decimal(value), _SCALE))
            return int(units).to_bytes(16, "little", signed=True)
        case "boolean":
            return b"\x01" if value else b"\x00"
        case "timestamp":
            return _INT.pack((value - _EPOCH) // _MICRO)
        case "date":
            return _DAY.pack(value.toordinal() - _EPOCH_DAY)
        case "string":
            text = value.encode()
            return _LENGTH.pack(len(text)) + bytes(text)
    outer, inner = _divided(kind)
    if outer == "list":
        return _LENGTH.pack(len(value)) + b"".join(_encode(inner, item) for item in value)
    if outer == "map":
        pairs = sorted(value.items() if isinstance(value, Mapping) else value)
        return _LENGTH.pack(len(pairs)) + b"".join(_encode("string", key) + _encode(inner, item) for key, item in pairs)
    return _LENGTH.pack(len(value)) + bytes(value)


def _decode(kind: str, row: bytes, at: int) -> tuple[Any, int]:
    match kind:
        case "integer":
            return _INT.unpack_from(row, at)[0], at + 8
        case "double":
            return _DOUBLE.unpack_from(row, at)[0], at + 8
        case "decimal":
            units = Decimal(int.from_bytes(row[at : at + 16], "little", signed=True))
            return _EXACT.scaleb(units, -_SCALE), at + 16
        case "boolean":
            return row[at] == 1, at + 1
        case "timestamp":
            return _EPOCH + _MICRO * _INT.unpack_from(row, at)[0], at + 8
        case "date":
            return date.fromordinal(_DAY.unpack_from(row, at)[0] + _EPOCH_DAY), at + 4
    length = _LENGTH.unpack_from(row, at)[0]
    outer, inner = _divided(kind)
    if outer:
        at += 4
        keys, items = [], []
        for _ in range(length):
            if outer == "map":
                key, at = _decode("string", row, at)
                keys.append(key)
            item, at = _decode(inner, row, at)
            items.append(item)
        return (dict(zip(keys, items, strict=True)) if outer == "map" else items), at
    content = row[at + 4 : at + 4 + length]
    if len(content) != length:
        raise IndexError(length)
    return (content.decode() if kind == "string" else content), at + 4 + length
