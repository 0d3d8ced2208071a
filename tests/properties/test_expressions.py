"""An expression means the same as a Python function and as DuckDB's SQL, whatever it is made of and whatever it reads."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from ethogram.adapters.duckdb.expressions import emit, quoted, sql_type
from ethogram.core.expressions import (
    BOOLEAN,
    DATE,
    DOUBLE,
    INTEGER,
    STRING,
    TIMESTAMP,
    EvaluationError,
    Type,
    compile,
    compile_aggregate,
    decimal,
    normalise,
    parse,
    resolve,
)
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

TYPES: dict[str, Type] = {
    "i": INTEGER,
    "n.small": INTEGER,
    "m": decimal(6),
    "q": decimal(2),
    "long": decimal(18),
    "x": DOUBLE,
    "price": DOUBLE,
    "s": STRING,
    'odd "name"': STRING,
    "b": BOOLEAN,
    "c": BOOLEAN,
    "at": TIMESTAMP,
    "d": DATE,
}
ARROW = {
    "integer": pa.int64(),
    "double": pa.float64(),
    "string": pa.string(),
    "boolean": pa.bool_(),
    "timestamp": pa.timestamp("us"),
    "date": pa.date32(),
}

BIG = 2**63
INTEGERS = st.one_of(
    st.integers(-9, 9),
    st.sampled_from([BIG - 1, -BIG, -BIG + 1, 2**53, 2**53 + 1, -(2**53) - 1, 10**18, 3_037_000_500]),
    st.integers(-BIG, BIG - 1),
)
DOUBLES = st.one_of(
    st.integers(-300, 300).map(lambda cents: cents / 100),
    st.sampled_from([0.0, -0.0, 0.5, -2.5, 1.005, 2.675, 5e-7, -1.0000005, 0.49999999999999994, 4503599627370497.5]),
    st.sampled_from([float(2**53), float(2**63), -float(2**63), 1e20, 1e19, -1e22, 1e300, -1e300, 5e-324, 1.7e308]),
    st.floats(allow_nan=False, allow_infinity=False),
    st.floats(-1e7, 1e7),
)
STRINGS = st.one_of(
    st.sampled_from(["", "a", "C5", "Éa", "straße", "İ", "ŉ", "ΑΣ", "ﬁ", "👨‍👩", "e\u0301", "\uffff", "\U0001f600", "\t x\u00a0"]),
    st.sampled_from(["12", "-0", "+7", " 3", "1.", ".5", "-1.0000005", "1e5", "1e999", "1_0", "0x1", "nan", "١٢", "5\n"]),
    st.sampled_from(["9223372036854775808", "-9223372036854775808", "99999999999999999999.9999995", "0" * 50 + "1.5"]),
    st.text(st.characters(codec="utf-8"), max_size=5),
    st.decimals(-1000, 1000, places=8).map(str),
)
DATES = st.dates() | st.dates(date(2010, 1, 1), date(2012, 12, 31)) | st.sampled_from([date.min, date.max])
TIMES = st.one_of(
    st.datetimes(timezones=st.just(UTC)),
    st.sampled_from([datetime(2011, 12, 9, 23, 59, 59, 999999, UTC), datetime(1, 1, 1, tzinfo=UTC)]),
)


def decimals(scale: int) -> st.SearchStrategy[Decimal]:
    most = 10 ** (20 + scale) - 1
    near = st.integers(-(10 ** (scale + 2)), 10 ** (scale + 2))
    whole = near | st.sampled_from([most, -most, 5 * 10 ** (scale - 1)]) | st.integers(-most, most)
    return whole.map(lambda unscaled: Decimal(f"{unscaled}e-{scale}"))


def _column(type_: Type) -> st.SearchStrategy[Any]:
    values = {"integer": INTEGERS, "double": DOUBLES, "string": STRINGS, "date": DATES, "timestamp": TIMES}
    values["boolean"] = st.booleans()
    return st.none() | (decimals(type_.scale) if type_.kind == "decimal" else values[type_.kind])


ROWS = st.lists(st.fixed_dictionaries({name: _column(type_) for name, type_ in TYPES.items()}), min_size=1, max_size=12)


def _written(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


SAFE_TEXT = STRINGS.filter(lambda text: "\0" not in text)


@st.composite
def expressions(draw: st.DrawFn, kind: str, depth: int) -> str:
    """The text of an expression of a kind: integer, decimal, double, string, boolean, timestamp or date."""

    def sub(of: str) -> str:
        return draw(expressions(of, depth - 1))

    def number() -> str:
        return sub(draw(st.sampled_from(["integer", "integer", "decimal", "double"])))

    def any_kind() -> str:
        return draw(st.sampled_from(["integer", "decimal", "double", "string", "boolean", "timestamp", "date"]))

    def pair(of: str) -> tuple[str, str]:
        """Two parts that can be compared."""
        return (number(), number()) if of in ("integer", "decimal", "double") else (sub(of), sub(of))

    if depth <= 0 or draw(st.integers(0, 9)) == 0:
        return draw(_leaves(kind))
    common = ["leaf", f"if({{}}, {kind})", "coalesce", "nullif", "least", "greatest"]
    own = {
        "integer": ["+", "-", "*", "%", "negate", "abs", "round", "length", "integer", "part", "days_between"],
        "decimal": ["+", "-", "*", "%", "negate", "abs", "round", "floor", "ceil", "decimal"],
        "double": ["+", "-", "*", "/", "/", "%", "negate", "abs", "round", "floor", "ceil", "number"],
        "string": ["concat", "lower", "upper", "trim", "substring", "replace", "text"],
        "boolean": ["compare", "compare", "and", "or", "not", "is null", "between", "in", "search"],
        "timestamp": ["add_days", "timestamp"],
        "date": ["add_days", "make_date", "date"],
    }[kind]
    form = draw(st.sampled_from([*common, *own, *own]))
    if kind == "boolean" and form in ("least", "greatest"):
        form = "compare"
    match form:
        case "leaf":
            return draw(_leaves(kind))
        case "coalesce" | "least" | "greatest":
            return f"{form}({sub(kind)}, {sub(kind)})"
        case "nullif":
            return f"nullif({sub(kind)}, {pair(kind)[1] if kind != 'decimal' else sub(kind)})"
        case "+" | "-" | "*" | "%":
            other = kind if kind == "integer" else draw(st.sampled_from(["integer", kind]))
            return f"({sub(kind)} {form} {sub(other)})"
        case "/":
            return f"({number()} / {number()})"
        case "negate":
            return f"-({sub(kind)})"
        case "round" if kind != "integer":
            return f"round({sub(kind)}, {draw(st.integers(0, 6))})"
        case "abs" | "round" | "floor" | "ceil":
            return f"{form}({sub(kind)})"
        case "length":
            return f"length({sub('string')})"
        case "integer":
            return f"integer({sub(draw(st.sampled_from(['double', 'decimal', 'string', 'boolean'])))})"
        case "decimal":
            of = draw(st.sampled_from(["double", "double", "decimal", "string", "integer"]))
            return f"decimal({sub(of)}, {draw(st.sampled_from([0, 2, 6, 6, 18]))})"
        case "number":
            return f"number({sub(draw(st.sampled_from(['integer', 'decimal', 'string'])))})"
        case "part":
            part = draw(st.sampled_from(["year", "month", "day"]))
            return f"{part}({sub(draw(st.sampled_from(['date', 'timestamp'])))})"
        case "days_between":
            kinds = st.sampled_from(["date", "timestamp"])
            return f"days_between({sub(draw(kinds))}, {sub(draw(kinds))})"
        case "concat":
            return f"concat({sub('string')}, {sub('string')})"
        case "lower" | "upper" | "trim":
            return f"{form}({sub('string')})"
        case "substring":
            return f"substring({sub('string')}, {draw(st.integers(1, 4))}, {draw(st.integers(0, 4))})"
        case "replace":
            return f"replace({sub('string')}, {sub('string')}, {sub('string')})"
        case "text":
            of = draw(st.sampled_from(["integer", "decimal", "boolean", "timestamp", "date", "string"]))
            return f"text({sub(of)})"
        case "compare":
            of = any_kind()
            ops = ["=", "!=", "<>"] if of == "boolean" else ["=", "!=", "<", "<=", ">", ">="]
            left, right = pair(of)
            return f"({left} {draw(st.sampled_from(ops))} {right})"
        case "and" | "or":
            return f"({sub('boolean')} {form} {sub('boolean')})"
        case "not":
            return f"(not {sub('boolean')})"
        case "is null":
            return f"({sub(any_kind())} is {draw(st.sampled_from(['', 'not ']))}null)"
        case "between":
            of = draw(st.sampled_from(["integer", "decimal", "double", "string", "timestamp", "date"]))
            left, low = pair(of)
            return f"({left} {draw(st.sampled_from(['', 'not ']))}between {low} and {pair(of)[1]})"
        case "in":
            of = any_kind()
            left, item = pair(of)
            return f"({left} {draw(st.sampled_from(['', 'not ']))}in ({item}, {pair(of)[1]}))"
        case "search":
            function = draw(st.sampled_from(["starts_with", "ends_with", "contains"]))
            return f"{function}({sub('string')}, {sub('string')})"
        case "add_days":
            days = draw(st.sampled_from(["1", "-400", "4000000", "n.small"]))
            return f"add_days({sub(kind)}, {days})"
        case "timestamp":
            return f"timestamp({sub('date')})"
        case "date":
            return f"date({sub('timestamp')})"
        case "make_date":
            return f"make_date({draw(st.sampled_from(['2012', '2011', 'i', 'n.small']))}, 2, {draw(st.integers(28, 30))})"
        case _:
            return f"if({sub('boolean')}, {sub(kind)}, {sub(kind)})"


def _leaves(kind: str) -> st.SearchStrategy[str]:
    columns = [quoted(name) if '"' in name else name for name, type_ in TYPES.items() if type_.kind == kind]
    literals: dict[str, st.SearchStrategy[str]] = {
        "integer": INTEGERS.map(str),
        "decimal": st.one_of(st.sampled_from(["0.5", "1.20", "0.000001", "-2.5", "99999999999999999999.5"])),
        "double": DOUBLES.map(lambda value: f"{value!r}e0" if "e" not in repr(value) else repr(value)),
        "string": SAFE_TEXT.map(_written),
        "boolean": st.sampled_from(["true", "false"]),
        "timestamp": st.just("timestamp(make_date(2011, 12, 9))"),
        "date": st.just("make_date(2012, 2, 29)"),
    }
    return st.sampled_from(columns) | st.sampled_from(columns) | literals[kind]


KINDS = st.sampled_from(["integer", "decimal", "double", "string", "boolean", "boolean", "timestamp", "date"])
ANY = KINDS.flatmap(lambda kind: expressions(kind, 3))


@pytest.fixture(scope="module")
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(":memory:", config={"threads": 1}) as opened:
        opened.execute("SET TimeZone = 'UTC'")
        yield opened


def _asked(connection: duckdb.DuckDBPyConnection, sql: str, rows: list[dict[str, Any]]) -> tuple[list[Any], str]:
    columns = {"row": pa.array(range(len(rows)), pa.int64())}
    for name, type_ in TYPES.items():
        values = [row[name].replace(tzinfo=None) if isinstance(row[name], datetime) else row[name] for row in rows]
        arrow = pa.decimal128(38, type_.scale) if type_.kind == "decimal" else ARROW[type_.kind]
        columns[name] = pa.array(values, arrow)
    connection.register("given_rows", pa.table(columns))
    found = connection.execute(f"SELECT {sql} FROM given_rows")
    return [value for (value,) in found.fetchall()], str(found.description[0][1])


def _same(python: Any, sql: Any) -> bool:
    if isinstance(python, datetime):
        python = python.replace(tzinfo=None)
    return type(python) is type(sql) and python == sql


# Here DuckDB may find that a failing part does not matter, which the Python function never does.
FORGIVING = {"and", "or", "is null", "in", "between", "nullif", "coalesce", "if"}


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(text=ANY, rows=ROWS)
def test_a_row_gets_the_same_answer_from_python_and_from_duckdb(connection, text, rows):
    try:
        expression = parse(text)
    except Exception as e:
        if "levels deep" in str(e) or "at most" in str(e): return
        raise
    root = resolve(expression, TYPES)
    run = compile(expression, TYPES)
    sql = emit(expression, TYPES)
    fine, failing, answers = [], [], []
    for row in rows:
        try:
            answers.append(run(row))
            fine.append(row)
        except EvaluationError:
            failing.append(row)
    if fine:
        found, type_ = _asked(connection, sql, fine)
        assert type_.replace(",", ", ") == sql_type(root.type).replace(",", ", ").replace(",  ", ", ")
        for row, python, answer in zip(fine, answers, found, strict=True):
            assert _same(python, answer), (text, python, answer, {k: row[k] for k in expression.names}, sql)
    if failing and not any(node.op in FORGIVING for node in root.walk()):
        for row in failing[:2]:
            with pytest.raises(duckdb.Error):
                print(text, row, _asked(connection, sql, [row]))
