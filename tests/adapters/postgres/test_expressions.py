"""The SQL of expressions for PostgreSQL: how it reads, and the habits of PostgreSQL that it works around."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ethogram.adapters.postgres.engine import open_engine
from ethogram.adapters.postgres.expressions import emit, quoted, sql_type
from ethogram.core.expressions import (
    DATE,
    DOUBLE,
    INTEGER,
    STRING,
    TIMESTAMP,
    ExpressionError,
    compile,
    decimal,
    parse,
    values,
)

TYPES = {"i": INTEGER, "m": decimal(6), "x": DOUBLE, "y": DOUBLE, "s": STRING, "at": TIMESTAMP, "day": DATE}
MOST = 2**63 - 1
DOUBLES = st.floats(allow_nan=False, allow_infinity=False)
Ask = Callable[..., tuple[Any, ...]]


@pytest.fixture(scope="module")
def ask(workspace: Path, state: str) -> Iterator[Ask]:
    """One row of SQL with parameters."""
    engine = open_engine(workspace, state)
    pooled: Any = engine.raw_connection()
    connection: psycopg.Connection[Any] = pooled.driver_connection
    connection.autocommit = True

    def run(sql: str, *parameters: Any) -> tuple[Any, ...]:
        row = connection.execute(sql, parameters or None).fetchone()
        assert row is not None
        return tuple(row)

    yield run
    pooled.close()
    engine.dispose()


def answer(ask: Ask, text: str, **row: Any) -> Any:
    """The expression over one row whose columns have the row's types."""
    columns = ", ".join(f"CAST(%s AS {sql_type(TYPES[name])}) AS {quoted(name)}" for name in row) or "1"
    return ask(f"SELECT {emit(parse(text), TYPES).replace('%', '%%')} FROM (SELECT {columns}) AS given", *row.values())[
        0
    ]


@pytest.mark.parametrize(
    ("text", "sql"),
    [
        ("i > 0", """(CAST("i" AS BIGINT) > BIGINT '0')"""),
        ("s = 'it''s'", """((CAST("s" AS TEXT) COLLATE "C") = (TEXT 'it''s' COLLATE "C"))"""),
        (r"s = '\'", r"""((CAST("s" AS TEXT) COLLATE "C") = (TEXT E'\\' COLLATE "C"))"""),
        ("i % 3", """mod(CAST("i" AS BIGINT), nullif(BIGINT '3', 0))"""),
        ("x / 2", """ethogram.finite(ethogram.over(CAST("x" AS DOUBLE PRECISION), DOUBLE PRECISION '2.0'))"""),
        ("at is null", """((CAST("at" AS TIMESTAMPTZ) AT TIME ZONE 'UTC') IS NULL)"""),
        ("day = make_date(2011, 12, 9)", """(CAST("day" AS DATE) = DATE '2011-12-09')"""),
        ("null", "NULL"),
    ],
)
def test_the_sql_reads_as_the_expression_does(text, sql):
    assert emit(parse(text), TYPES) == sql


def test_what_is_wrong_with_a_text_is_said_before_the_server_is_asked():
    with pytest.raises(ExpressionError, match="nothing is named 'secret'"):
        emit(parse("secret = 1"), TYPES)
    with pytest.raises(ExpressionError, match="pg_sleep"):
        emit(parse("pg_sleep(1)"), TYPES)


@pytest.mark.parametrize("evil", ['x"; DROP TABLE kept; --', "x'; DROP TABLE kept; --", "\\'; --", "$$", "%s", ":x"])
@pytest.mark.parametrize("conforming", ["on", "off"])
def test_names_and_texts_cannot_leave_their_quotes(ask, evil, conforming):
    doubled = evil.replace("'", "''")
    sql = emit(parse(f"concat({quoted(evil)}, '{doubled}')"), {evil: STRING})
    # Whether backslashes are special is a setting of the session.
    ask(f"SELECT set_config('standard_conforming_strings', '{conforming}', false)")
    try:
        assert ask(f"SELECT {sql} FROM (SELECT 'v'::text AS {quoted(evil)}) AS given") == ("v" + evil,)
    finally:
        ask("SELECT set_config('standard_conforming_strings', 'on', false)")


@pytest.mark.parametrize(
    ("text", "row", "found"),
    [
        ("x * 1e300 * 1e300 > 1", {"x": 1.0}, True),
        ("x * 1e-300 * 1e-300 = 0e0", {"x": 1.0}, True),
        ("x % 0.1", {"x": 5.3}, math.fmod(5.3, 0.1)),
        ("round(x)", {"x": 2.5}, 3.0),
        ("integer(x)", {"x": -2.5}, -3),
        ("decimal(x, 2)", {"x": 1.005}, Decimal("1.01")),
        ("decimal(x, 0)", {"x": 36028797018964016.0}, Decimal(36028797018964020)),
        ("number(s)", {"s": "1e999"}, None),
        ("number(s)", {"s": "-1e-999"}, 0.0),
        ("i = x", {"i": 2**53 + 1, "x": 2.0**53}, False),
        ("i < x", {"i": MOST, "x": 2.0**63}, True),
        ("i between x and x", {"i": 2**53 + 1, "x": 2.0**53}, False),
        ("i % -1", {"i": -MOST - 1}, 0),
        ("if(i > 0, i, 9223372036854775807 + 1)", {"i": 5}, 5),
        ("coalesce(i, 9223372036854775807 + 1)", {"i": 5}, 5),
        ("if(i = 5, i, if(true, 9223372036854775807, i) * 2)", {"i": 5}, 5),
        ("if(i = 5, i, coalesce(9223372036854775807, i) * 2)", {"i": 5}, 5),
        ("if(i = 5, i, if(i > 0 or true, 9223372036854775807, i) * 2)", {"i": 5}, 5),
        ("if(i = 5, i, if(i > nullif(1, 1), i, 9223372036854775807) * 2)", {"i": 5}, 5),
        ("'Z' < s", {"s": "a"}, True),
        ("lower(s)", {"s": "İAÉ"}, "İaÉ"),
        ("make_date(i, i, i)", {"i": None}, None),
        ("add_days(day, i)", {"day": None, "i": MOST}, None),
    ],
)
def test_what_postgresql_would_answer_otherwise(ask, text, row, found):
    assert answer(ask, text, **row) == found
    assert compile(parse(text), TYPES)(dict.fromkeys(TYPES) | row) == found


@pytest.mark.parametrize(
    ("text", "row"),
    [
        ("i + 1 > 10", {"i": MOST}),
        ("-i", {"i": -MOST - 1}),
        ("m + m", {"m": "99999999999999999999.5"}),
        ("integer(x)", {"x": 2.0**63}),
        ("decimal(x)", {"x": 1e20}),
        ("decimal(x * 1e300 * 1e300)", {"x": 1.0}),
        ("x * 10", {"x": 1e308}),
        ("make_date(i, 1, 1)", {"i": 10_000}),
        ("add_days(day, i)", {"day": "9999-12-31", "i": 1}),
        ("if(i > 0, 9223372036854775807 + 1, i)", {"i": 5}),
    ],
)
def test_what_is_out_of_range_fails(ask, text, row):
    with pytest.raises(psycopg.DataError):
        answer(ask, text, **row)


def test_what_fails_without_a_row_fails_at_a_row_only(ask):
    for text in ("1e300 * 1e300", "9223372036854775807 + 1", "make_date(2011, 2, 29)", "if(true, 1e308, x) * 10"):
        sql = emit(parse(text), TYPES)
        with pytest.raises(psycopg.DataError):
            ask(f"SELECT {sql} FROM (SELECT 1.0::float8 AS x) AS given")
        assert ask(f"SELECT count({sql}) FROM (SELECT 1.0::float8 AS x WHERE false) AS given") == (0,)


def test_a_time_is_read_in_utc_wherever_the_session_is(ask):
    ask("SELECT set_config('TimeZone', 'Europe/Berlin', false)")
    try:
        sql = emit(parse("text(at)"), TYPES)
        found = ask(f"SELECT {sql} FROM (SELECT TIMESTAMPTZ '2011-07-01 00:30:00+01' AS at) AS given")
        assert found == ("2011-06-30T23:30:00.000000Z",)
    finally:
        ask("SELECT set_config('TimeZone', 'UTC', false)")


@settings(max_examples=150)
@given(a=DOUBLES, b=DOUBLES)
def test_doubles_are_computed_as_ieee_says(ask, a, b):
    found = ask(
        "SELECT ethogram.plus(a, b), ethogram.times(a, b), ethogram.over(a, b), ethogram.remainder(a, b) "
        "FROM (SELECT %s::float8 AS a, %s::float8 AS b) AS given",
        a,
        b,
    )
    assert found == (a + b, a * b, values.divide(a, b), values.modulo_doubles(a, b))


@settings(max_examples=150)
@given(x=DOUBLES | st.floats(1e-4, 9.9e19) | st.integers(2**53, 10**20 - 10**5).map(float), scale=st.integers(0, 18))
def test_doubles_become_the_decimals_of_their_shortest_texts(ask, x, scale):
    try:
        python = values.decimal_of_double(x, scale)
    except values.OutOfRange:
        python = None
    sql = f"SELECT CAST(ethogram.decimal_of(%s::float8, {scale}) AS {sql_type(decimal(scale))})"
    if python is None:
        with pytest.raises(psycopg.DataError):
            ask(sql, x)
    else:
        assert ask(sql, x) == (python,)


@settings(max_examples=150)
@given(text=st.from_regex(r"\A[+-]?0{0,3}[0-9]{0,25}\.?[0-9]{0,25}([eE][+-]?[0-9]{1,4})?\Z"))
def test_texts_are_read_as_numbers_or_not_at_all(ask, text):
    read = "ethogram.integer_of(t), ethogram.number_of(t), ethogram.decimal_of(t, 6)"
    found = ask(f"SELECT {read} FROM (SELECT %s::text AS t) AS given", text)
    assert found == (values.integer_of_text(text), values.double_of_text(text), values.decimal_of_text(text, 6))
