"""The SQL of expressions: how it reads, and the habits of DuckDB that it works around."""

from __future__ import annotations

from datetime import datetime

import duckdb
import pytest

from ethogram.adapters.duckdb.expressions import emit, quoted, sql_type, type_of
from ethogram.core.expressions import (
    BOOLEAN,
    DATE,
    DOUBLE,
    INTEGER,
    STRING,
    TIMESTAMP,
    ExpressionError,
    check,
    decimal,
    parse,
)

TYPES = {
    "i": INTEGER,
    "m": decimal(6),
    "x": DOUBLE,
    "s": STRING,
    "b": BOOLEAN,
    "at": TIMESTAMP,
    "day": DATE,
}
MOST = 2**63 - 1


@pytest.fixture(scope="module")
def connection():
    with duckdb.connect(":memory:") as opened:
        opened.execute("SET TimeZone = 'UTC'")
        yield opened


def answer(connection, text, **row):
    """The expression over one row whose columns have the row's types."""
    columns = ", ".join(f"CAST(? AS {sql_type(TYPES[name])}) AS {quoted(name)}" for name in row)
    source = f"(SELECT {columns})" if row else "(SELECT 1)"
    return connection.execute(f"SELECT {emit(parse(text), TYPES)} FROM {source}", list(row.values())).fetchone()[0]


@pytest.mark.parametrize(
    ("text", "sql"),
    [
        ("i > 0 and s = 'it''s'", """((CAST("i" AS BIGINT) > BIGINT '0') AND (CAST("s" AS VARCHAR) = 'it''s'))"""),
        ("i + 1", """add(CAST("i" AS BIGINT), BIGINT '1')"""),
        (
            "m * 1.2",
            """CAST(multiply(CAST("m" AS DECIMAL(26, 6)), DECIMAL(21, 1) '1.2') AS DECIMAL(27, 7))""",
        ),
        ("i % 3", """mod(CAST("i" AS BIGINT), BIGINT '3')"""),
        ("x > 1.5", """(CAST("x" AS DOUBLE) > DOUBLE '1.5')"""),
        ("s is not null", """(NOT (CAST("s" AS VARCHAR) IS NULL))"""),
        ("day = make_date(2011, 12, 9)", """(CAST("day" AS DATE) = make_date(2011, 12, 9))"""),
        ("i in (1, 2)", """(CAST("i" AS BIGINT) IN (BIGINT '1', BIGINT '2'))"""),
        ("if(b, 'a', null)", """CASE WHEN CAST("b" AS BOOLEAN) THEN 'a' ELSE CAST(NULL AS VARCHAR) END"""),
        ("-(-5)", "(- BIGINT '-5')"),
        ("null", "NULL"),
    ],
)
def test_the_sql_reads_as_the_expression_does(text, sql):
    assert emit(parse(text), TYPES) == sql


def test_the_caller_says_how_a_name_is_written():
    assert emit(parse("i is null"), TYPES, lambda name: f"rows.{quoted(name.upper())}") == (
        """(CAST(rows."I" AS BIGINT) IS NULL)"""
    )


@pytest.mark.parametrize(
    "evil", ["x'; DROP TABLE kept; --", 'x"; DROP TABLE kept; --', "\\'; DROP TABLE kept; --", "$$"]
)
def test_names_and_texts_cannot_leave_their_quotes(connection, evil):
    connection.execute("CREATE OR REPLACE TABLE kept AS SELECT 1 AS one")
    connection.execute(f"CREATE OR REPLACE TABLE given AS SELECT 'v' AS {quoted(evil)}")
    text = f"concat({quoted(evil)}, '{evil.replace(chr(39), chr(39) * 2)}')"
    found = connection.execute(f"SELECT {emit(parse(text), {evil: STRING})} FROM given").fetchall()
    assert found == [("v" + evil,)]
    assert connection.execute("SELECT * FROM kept").fetchall() == [(1,)]


def test_only_names_that_the_types_know_reach_the_sql():
    with pytest.raises(ExpressionError, match="nothing is named 'secret'"):
        emit(parse("secret = 1"), TYPES)


@pytest.mark.parametrize(
    ("text", "row"),
    [
        ("i + 1", {"i": MOST}),
        ("i + 1 > 10", {"i": MOST}),
        ("i - 1 < 10", {"i": -MOST - 1}),
        ("i * 2 * 0", {"i": MOST}),
        ("i * 2 = 4", {"i": MOST}),
        ("-i", {"i": -MOST - 1}),
        ("abs(i)", {"i": -MOST - 1}),
        ("m + m", {"m": "99999999999999999999.5"}),
        ("m * 2 > 5", {"m": "99999999999999999999.5"}),
        ("ceil(m)", {"m": "99999999999999999999.5"}),
        ("integer(x)", {"x": 2.0**63}),
        ("decimal(x)", {"x": 1e20}),
        ("x * 10", {"x": 1e308}),
        ("add_days(day, i)", {"day": "9999-12-31", "i": 1}),
        ("add_days(at, i)", {"at": "2011-12-09", "i": MOST}),
        ("make_date(i, 1, 1)", {"i": 10_000}),
        ("make_date(2011, i, 1)", {"i": 13}),
    ],
)
def test_what_is_out_of_range_fails_even_where_the_optimizer_could_do_without(connection, text, row):
    with pytest.raises(duckdb.Error):
        answer(connection, text, **row)
    sql = emit(parse(text), TYPES)
    columns = ", ".join(f"CAST(? AS {sql_type(TYPES[name])}) AS {quoted(name)}" for name in row)
    tried = connection.execute(f"SELECT TRY({sql}) FROM (SELECT {columns})", list(row.values())).fetchone()
    assert tried == (None,)


def test_a_filter_with_an_overflow_fails_too(connection):
    connection.execute(f"CREATE OR REPLACE TABLE given AS SELECT {MOST}::BIGINT AS i")
    with pytest.raises(duckdb.OutOfRangeException):
        connection.execute(f"SELECT * FROM given WHERE {emit(parse('i + 1 > 10'), TYPES)}")


@pytest.mark.parametrize(
    ("text", "row", "found"),
    [
        ("i % -1", {"i": -MOST - 1}, 0),
        ("i % 0", {"i": 5}, None),
        ("x / 0", {"x": 5.0}, None),
        ("m / 0", {"m": "5"}, None),
        ("1 / nullif(x - x, 0)", {"x": 5.0}, None),
        ("i = x", {"i": 2**53 + 1, "x": 2.0**53}, False),
        ("x < i", {"i": 2**53 + 1, "x": 2.0**53}, True),
        ("i in (x, 1)", {"i": 2**53 + 1, "x": 2.0**53}, False),
        ("i between x and x", {"i": 2**53 + 1, "x": 2.0**53}, False),
        ("i != x * 1e300 * 1e300", {"i": 1, "x": 1.0}, True),
        ("lower(s)", {"s": "İAÉ"}, "İaÉ"),
        ("upper(s)", {"s": "ŉaß"}, "ŉAß"),
        ("trim(s)", {"s": "\t a\u00a0\n"}, "a\u00a0"),
        ("integer(s)", {"s": "0x10"}, None),
        ("integer(s)", {"s": " 12"}, None),
        ("number(s)", {"s": "1e999"}, None),
        ("number(s)", {"s": "nan"}, None),
        ("integer(x)", {"x": 2.5}, 3),
        ("integer(x)", {"x": -2.5}, -3),
        ("number(m)", {"m": "12345678901234567890.123456"}, 12345678901234567890.123456),
        ("i + 1", {"i": None}, None),
        ("add_days(day, i)", {"day": None, "i": MOST}, None),
        ("make_date(i, i, i)", {"i": None}, None),
        ("concat(s, 'a')", {"s": None}, None),
    ],
)
def test_what_duckdb_would_answer_otherwise(connection, text, row, found):
    assert answer(connection, text, **row) == found


def test_narrow_columns_do_not_overflow_early(connection):
    connection.execute(
        "CREATE OR REPLACE TABLE given AS SELECT 2147483647::INTEGER AS i, 1.5::FLOAT AS x, 0.10::DECIMAL(4, 2) AS m"
    )
    for text, found in [("i + 1", 2**31), ("i * i", (2**31 - 1) ** 2), ("x * 2", 3.0)]:
        assert connection.execute(f"SELECT {emit(parse(text), TYPES)} FROM given").fetchone() == (found,)
    assert str(connection.execute(f"SELECT {emit(parse('m * 2'), TYPES)} FROM given").fetchone()[0]) == "0.200000"


def test_a_time_with_a_zone_is_read_in_utc(connection):
    connection.execute("CREATE OR REPLACE TABLE given AS SELECT TIMESTAMPTZ '2011-07-01 00:30:00+01' AS at")
    assert connection.execute(f"SELECT {emit(parse('at'), TYPES)} FROM given").fetchone() == (
        datetime(2011, 6, 30, 23, 30),
    )


def test_first_and_last_go_by_the_order_that_is_given_and_leave_nulls_out(connection):
    connection.execute(
        "CREATE OR REPLACE TABLE given AS FROM (VALUES (3, NULL), (1, 10), (2, 20), (4, NULL)) AS t(line, i)"
    )
    for text, found in [("first(i)", 10), ("last(i)", 20), ("last(i) - first(i)", 10)]:
        sql = emit(parse(text, aggregates=True), TYPES, order="line")
        assert connection.execute(f"SELECT {sql} FROM given").fetchone() == (found,)
    with pytest.raises(ValueError, match="first needs the SQL of the rows' order"):
        emit(parse("first(i)", aggregates=True), TYPES)


def test_aggregates_are_summed_up_by_group(connection):
    connection.execute(
        "CREATE OR REPLACE TABLE given AS FROM (VALUES ('a', 6, 2.55), ('a', 1, 0.05), ('b', NULL, 1.0)) AS t(s, i, x)"
    )
    sql = emit(parse("sum(i * x)", aggregates=True), TYPES)
    found = connection.execute(f"SELECT s, {sql} FROM given GROUP BY s ORDER BY s").fetchall()
    assert [(s, str(total)) for s, total in found] == [("a", "15.350000"), ("b", "0.000000")]


@pytest.mark.parametrize(
    "step", ["1 / ({})", "nullif({}, 2)", "decimal({}, 2) + 1e0", "x % ({})", "({}) / 2", "number(text(integer({})))"]
)
def test_the_text_grows_with_the_expression_and_not_with_its_power(connection, step):
    text = "x"
    for _ in range(12):
        text = step.format(text)
    sql = emit(parse(text), TYPES)
    assert len(sql) < 100 * len(text)
    assert connection.execute(f"SELECT {sql} FROM (SELECT 3.0::DOUBLE AS x)").fetchone()


def test_the_value_is_made_the_type_that_is_asked_for(connection):
    sql = emit(parse("i * x"), TYPES, to=decimal(6))
    found = connection.execute(f"SELECT {sql} FROM (SELECT 6 AS i, 2.55::DOUBLE AS x)").fetchone()
    assert str(found[0]) == "15.300000"


def test_the_type_of_every_column_of_duckdb_is_known_or_known_to_be_unusable(connection):
    columns = {
        "TINYINT": "integer",
        "BIGINT": "integer",
        "UINTEGER": "integer",
        "UBIGINT": None,
        "HUGEINT": None,
        "FLOAT": "double",
        "DOUBLE": "double",
        "DECIMAL(18, 6)": "decimal(6)",
        "DECIMAL(38, 18)": "decimal(18)",
        "DECIMAL(38, 6)": None,
        "VARCHAR": "string",
        "ENUM('a', 'b')": "string",
        "BOOLEAN": "boolean",
        "DATE": "date",
        "TIMESTAMP": "timestamp",
        "TIMESTAMPTZ": "timestamp",
        "TIMESTAMP_NS": None,
        "TIME": None,
        "INTERVAL": None,
        "BLOB": None,
        "INTEGER[]": None,
        "STRUCT(a INTEGER)": None,
    }
    listed = ", ".join(f"c{number} {name}" for number, name in enumerate(columns))
    connection.execute(f"CREATE OR REPLACE TABLE given ({listed})")
    described = [row[1] for row in connection.execute("DESCRIBE given").fetchall()]
    assert [str(type_of(name)) if type_of(name) else None for name in described] == list(columns.values())


@pytest.mark.parametrize(
    "type_", [INTEGER, DOUBLE, STRING, BOOLEAN, DATE, TIMESTAMP, decimal(0), decimal(6), decimal(18)]
)
def test_a_column_of_an_expressions_type_has_that_type_again(connection, type_):
    connection.execute(f"CREATE OR REPLACE TABLE given (c {sql_type(type_)})")
    ((_, described, *_),) = connection.execute("DESCRIBE given").fetchall()
    assert type_of(described) == type_
    assert check(parse("c"), {"c": type_}) == type_
