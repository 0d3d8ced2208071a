"""The SQL of expressions for Spark: how it reads, and the habits of Spark that it works around."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ethogram.adapters.spark.errors import SparkFailed, translated
from ethogram.adapters.spark.expressions import emit, quoted
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
)

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

TYPES = {"i": INTEGER, "m": decimal(6), "long": decimal(18), "x": DOUBLE, "s": STRING, "at": TIMESTAMP, "day": DATE}
ARROW = {
    "i": pa.int64(),
    "m": pa.decimal128(26, 6),
    "long": pa.decimal128(38, 18),
    "x": pa.float64(),
    "s": pa.string(),
    "at": pa.timestamp("us", "UTC"),
    "day": pa.date32(),
}
MOST = 2**63 - 1
LARGEST = Decimal("99999999999999999999.999999999999999999")
LEAST = LARGEST.copy_negate()  # a minus would round it


def ask(spark: SparkSession, texts: list[str], **row: Any) -> list[Any]:
    """The expressions over one row."""
    given = pa.table({name: pa.array([row.get(name)], type_) for name, type_ in ARROW.items()})
    spark.createDataFrame(given).createOrReplaceTempView("one_row")
    listed = ", ".join(f"{emit(parse(text), TYPES)} AS c{number}" for number, text in enumerate(texts))
    with translated():
        found = spark.sql(f"SELECT {listed} FROM one_row").toArrow()
    return [column[0].as_py() for column in found.columns]


@pytest.mark.parametrize(
    ("text", "sql"),
    [
        ("i > 0", "(CAST(`i` AS BIGINT) > CAST('0' AS BIGINT))"),
        ("m + 1.5", "CAST((CAST(`m` AS DECIMAL(26, 6)) + CAST('1.5' AS DECIMAL(21, 1))) AS DECIMAL(26, 6))"),
        ("s = 'it''s'", r"(CAST(`s` AS STRING) = 'it\'s')"),
        (r"s = '\'", r"(CAST(`s` AS STRING) = '\\')"),
        ("s = '${x}'", r"(CAST(`s` AS STRING) = '\u0024{x}')"),
        ("x is null", "((CAST(`x` AS DOUBLE) + 0D) IS NULL)"),
        ("null", "NULL"),
    ],
)
def test_the_sql_reads_as_the_expression_does(text, sql):
    assert emit(parse(text), TYPES) == sql


def test_what_is_wrong_with_a_text_is_said_before_spark_is_asked():
    with pytest.raises(ExpressionError, match="nothing is named 'secret'"):
        emit(parse("secret = 1"), TYPES)
    with pytest.raises(ExpressionError, match="string and integer cannot be compared"):
        emit(parse("s = i"), TYPES)
    with pytest.raises(ExpressionError, match="java_method"):
        emit(parse("java_method('java.lang.System', 'exit')"), TYPES)


@pytest.mark.parametrize("evil", ["a`; DROP TABLE kept; --", "a'b", "\\'; --", "${env:HOME}", "$$", "%", "\u2028", '"'])
def test_names_and_texts_cannot_leave_their_quotes(spark, evil):
    spark.createDataFrame(pa.table({evil: ["v"]})).createOrReplaceTempView("evil_names")
    doubled = evil.replace("'", "''")
    text = f"""concat("{evil.replace('"', '""')}", '{doubled}')"""
    found = spark.sql(f"SELECT {emit(parse(text), {evil: STRING})} AS c FROM evil_names").toArrow()
    assert found["c"].to_pylist() == ["v" + evil]


def test_what_spark_would_answer_otherwise(spark):
    rows: list[tuple[dict[str, Any], dict[str, Any]]] = [
        (
            {"i": -MOST - 1, "x": 2.5, "long": LARGEST, "s": "İAÉ \t"},
            {
                "i % -1": 0,
                "i % 0": None,
                "x / 0": None,
                "x % 0": None,
                "integer(x)": 3,
                "-long": LEAST,
                "abs(-long)": LARGEST,
                "long - 0.000000000000000001 < long": True,
                "lower(s)": "İaÉ \t",
                "trim(s)": "İAÉ",
                "text(i)": str(-MOST - 1),
                "floor(x * 1e300)": 2.5e300,
            },
        ),
        (
            {"i": 2**53 + 1, "x": 2.0**53, "m": Decimal("0.000000"), "s": "1e999"},
            {
                "i = x": False,
                "x < i": True,
                "i in (x, 1)": False,
                "i between x and x": False,
                "text(m)": "0.000000",
                "number(s)": None,
                "decimal(x * 4 + 2, 0)": Decimal(36028797018963970),
            },
        ),
        (
            {"i": MOST, "x": 2.0**63, "s": " 12"},
            {"i < x": True, "i = x": False, "i >= x": False, "integer(s)": None, "round(1005e-3, 2)": 1.0},
        ),
        (
            {"i": None, "x": 0.49999999999999994, "s": "12\n"},
            {"i = x": None, "integer(x)": 0, "integer(s)": None, "i + 1": None, "add_days(day, i)": None},
        ),
    ]
    for row, expected in rows:
        assert dict(zip(expected, ask(spark, list(expected), **row), strict=True)) == expected
        given = dict.fromkeys(TYPES) | row
        assert {text: compile(parse(text), TYPES)(given) for text in expected} == expected


@pytest.mark.parametrize(
    ("text", "row"),
    [
        ("i + 1 > 10", {"i": MOST}),
        ("i * 2 * 0", {"i": MOST}),
        ("-i", {"i": -MOST - 1}),
        ("long + 1", {"long": LARGEST}),
        ("ceil(long)", {"long": LARGEST}),
        ("integer(x)", {"x": 2.0**63}),
        ("decimal(x)", {"x": 1e20}),
        ("x * 10", {"x": 1e308}),
        ("make_date(i, 1, 1)", {"i": 10_000}),
        ("make_date(2011, 2, i)", {"i": 29}),
        ("add_days(timestamp(make_date(9999, 12, 31)), i)", {"i": MOST}),
    ],
)
def test_what_is_out_of_range_fails(spark, text, row):
    with pytest.raises(SparkFailed):
        ask(spark, [text], **row)


def test_files_whose_zeros_are_all_negative_are_not_passed_over(spark, tmp_path):
    for number, zero in enumerate([0.0, -0.0]):
        pq.write_table(pa.table({"x": [zero] * 3}), tmp_path / f"{number}.parquet")
    frame = spark.read.parquet(str(tmp_path))
    for text in ("x = 0e0", "x >= 0e0", "x <= 0e0", "x in (0e0, 1e0)"):
        assert frame.filter(emit(parse(text), TYPES)).count() == 6


def test_sums_that_overflow_on_the_way_only_are_sums(spark):
    spark.createDataFrame(
        pa.table({"i": [MOST, 1, -5], "long": pa.array([LARGEST, LARGEST, LEAST], ARROW["long"])})
    ).createOrReplaceTempView("sums")
    sql = [emit(parse(text, aggregates=True), TYPES) for text in ("sum(i)", "sum(long)")]
    found = spark.sql(f"SELECT {sql[0]} AS a, {sql[1]} AS b FROM sums").toArrow().to_pylist()
    assert found == [{"a": MOST - 4, "b": LARGEST}]


def test_a_name_is_quoted_whatever_it_has():
    assert quoted("a`b.c") == "`a``b.c`"
