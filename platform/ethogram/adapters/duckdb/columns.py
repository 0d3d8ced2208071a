"""Raw columns as expressions see them: of the type that the contract promises, times as UTC instants."""

from __future__ import annotations

from dataclasses import dataclass

from ethogram.adapters.duckdb.expressions import emit, quoted, sql_type, type_of
from ethogram.core.expressions import DATE, INTEGER, STRING, TIMESTAMP, Type, parse

_YEARS = "BETWEEN 1 AND 9999"
_OFFSET = r"(Z|z|[+-]\d{2}(:?\d{2})?)$"
_FINER_TEXT = r"\.\d{6}\d*[1-9]"
_DAY_TEXT = r"\d{4}-\d{2}-\d{2}"
_TRUE, _FALSE = "('true', 't', 'yes', 'y', '1')", "('false', 'f', 'no', 'n', '0')"


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a row is kept back: what broke, in which column, for people; and the SQL that is true of such a row."""

    rule: str
    column: str
    message: str
    condition: str


@dataclass(frozen=True, slots=True)
class TypedColumn:
    """SQL of the value, its type, and what can be wrong with the raw one.

    `local` is SQL of the local time as it was written, where the column is one without a zone.
    """

    sql: str
    type: Type
    reasons: tuple[Reason, ...] = ()
    local: str | None = None


def localised(sql: str, zone: str) -> str:
    """A local time as an instant: an ambiguous one is the later, one that a clock change skipped is shifted forward."""
    return sql if zone == "UTC" else f"timezone('UTC', timezone('{zone}', {sql}))"


def typed(name: str, raw: str, promised: Type | None, *, zone: str, finer: str | None = None) -> TypedColumn | None:
    """How column `name` of DuckDB's type `raw` is read; None if no expression can use it.

    Args:
        promised: The contract's type; the file's own if None.
        finer: SQL that is true where the value was finer than a microsecond.
    """
    x = quoted(name)
    own = type_of(raw)
    if own is None and raw in ("HUGEINT", "UBIGINT", "UHUGEINT"):
        return (
            _converted(name, f"TRY_CAST({x} AS BIGINT)", INTEGER, "does not fit 64 bits")
            if promised in (None, INTEGER)
            else None
        )
    wanted = promised or own
    if wanted is None:
        return None
    if own is not None and own.kind == wanted.kind:
        return _same_kind(name, raw, own, zone, finer)
    if own == STRING:
        return _from_text(name, wanted, zone)
    if own is not None and own.kind == "double" and wanted == INTEGER:
        return _converted(
            name, f"CASE WHEN {x} = trunc({x}) THEN TRY_CAST({x} AS BIGINT) END", INTEGER, "is no whole number"
        )
    if own is not None and own.kind == "decimal" and wanted == INTEGER:
        return _converted(
            name, f"CASE WHEN {x} = trunc({x}) THEN TRY_CAST({x} AS BIGINT) END", INTEGER, "is no whole number"
        )
    if own is not None and own.numeric and wanted.numeric:
        fits = _converted(name, f"TRY_CAST({x} AS {sql_type(wanted)})", wanted, f"is no {wanted}")
        finite = _finite(name) if own.kind == "double" else ()
        return TypedColumn(fits.sql, wanted, (*finite, *fits.reasons))
    if own == DATE and wanted == TIMESTAMP:
        local = f"CAST({x} AS TIMESTAMP)"
        return TypedColumn(localised(local, zone), TIMESTAMP, _in_calendar(name), local if zone != "UTC" else None)
    if own == TIMESTAMP and wanted == DATE:
        return _converted(
            name, f"CASE WHEN {x} = date_trunc('day', {x}) THEN CAST({x} AS DATE) END", DATE, "is no whole day"
        )
    if wanted == STRING and own is not None:
        return TypedColumn(f"CAST({x} AS VARCHAR)", STRING)
    return None


def _same_kind(name: str, raw: str, own: Type, zone: str, finer: str | None) -> TypedColumn:
    x = quoted(name)
    if own.kind == "double":
        return TypedColumn(x, own, _finite(name))
    if own == DATE:
        return TypedColumn(x, own, _in_calendar(name))
    if own != TIMESTAMP:
        return TypedColumn(f"CAST({x} AS VARCHAR)" if raw.startswith("ENUM") else x, own)
    reasons = _in_calendar(name)
    if finer:
        reasons = (*reasons, Reason("time", name, f"{name} is finer than a microsecond", finer))
    if raw == "TIMESTAMP WITH TIME ZONE":
        return TypedColumn(f"timezone('UTC', {x})", own, reasons)
    local = f"CAST({x} AS TIMESTAMP)"
    return TypedColumn(localised(local, zone), own, reasons, local if zone != "UTC" else None)


def _from_text(name: str, wanted: Type, zone: str) -> TypedColumn:
    x = quoted(name)
    types = {name: STRING}
    match wanted.kind:
        case "integer":
            return _converted(name, emit(parse(f"integer({x})"), types), wanted, "is no whole number")
        case "double":
            return _converted(name, emit(parse(f"number({x})"), types), wanted, "is no number")
        case "decimal":
            return _converted(name, emit(parse(f"decimal({x}, {wanted.scale})"), types), wanted, "is no number")
        case "boolean":
            low = f"lower(trim({x}))"
            sql = f"CASE WHEN {low} IN {_TRUE} THEN TRUE WHEN {low} IN {_FALSE} THEN FALSE END"
            return _converted(name, sql, wanted, "is neither true nor false")
        case "date":
            sql = f"CASE WHEN regexp_full_match({x}, '{_DAY_TEXT}') THEN TRY_CAST({x} AS DATE) END"
            return _converted(name, sql, wanted, "is no date such as 2026-05-01")
    local = f"TRY_CAST({x} AS TIMESTAMP)"
    instant = f"timezone('UTC', TRY_CAST({x} AS TIMESTAMPTZ))"
    sql = f"CASE WHEN regexp_matches({x}, '{_OFFSET}') THEN {instant} ELSE {localised(local, zone)} END"
    sql = f"CASE WHEN year({local}) {_YEARS} THEN {sql} END"
    found = _converted(name, sql, wanted, "is no time such as 2026-05-01T09:30:00")
    fine = Reason("time", name, f"{name} is finer than a microsecond", f"regexp_matches({x}, '{_FINER_TEXT}')")
    written = f"CASE WHEN NOT regexp_matches({x}, '{_OFFSET}') THEN {local} END"
    return TypedColumn(found.sql, wanted, (*found.reasons, fine), written if zone != "UTC" else None)


def _converted(name: str, sql: str, wanted: Type, problem: str) -> TypedColumn:
    reason = Reason("type", name, f"{name} {problem}", f"{quoted(name)} IS NOT NULL AND ({sql}) IS NULL")
    return TypedColumn(sql, wanted, (reason,))


def _finite(name: str) -> tuple[Reason, ...]:
    return (Reason("finite", name, f"{name} is not a finite number", f"NOT isfinite({quoted(name)})"),)


def _in_calendar(name: str) -> tuple[Reason, ...]:
    x = quoted(name)
    return (
        Reason("time", name, f"{name} is outside the years 1 to 9999", f"NOT isfinite({x}) OR year({x}) NOT {_YEARS}"),
    )
