"""Every line of docs/expressions.md is true, of the Python function and of every engine."""

from __future__ import annotations

import doctest
import re
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import psycopg
import pyarrow as pa
import pytest

from ethogram.adapters.duckdb import expressions as duckdb_sql
from ethogram.adapters.postgres import expressions as postgres_sql
from ethogram.adapters.postgres.engine import open_engine
from ethogram.adapters.spark import expressions as spark_sql
from ethogram.adapters.spark.errors import SparkFailed, translated
from ethogram.core.expressions import (
    DATE,
    DOUBLE,
    INTEGER,
    STRING,
    TIMESTAMP,
    EvaluationError,
    Expression,
    ExpressionError,
    compile,
    compile_aggregate,
    decimal,
    parse,
    resolve,
)
from ethogram.core.expressions.functions import FUNCTIONS

PAGE = Path(__file__).resolve().parents[2] / "docs" / "expressions.md"
TYPES = {
    "Quantity": INTEGER,
    "UnitPrice": DOUBLE,
    "amount": decimal(6),
    "InvoiceNo": STRING,
    "channel": STRING,
    "purchase_rhythm.purchases_180d": INTEGER,
    "Unit Price": DOUBLE,
    "at": TIMESTAMP,
    "day": DATE,
}
ROW: dict[str, Any] = {
    "Quantity": 6,
    "UnitPrice": 2.55,
    "amount": Decimal("15.30"),
    "InvoiceNo": "C536379",
    "channel": None,
    "purchase_rhythm.purchases_180d": 3,
    "Unit Price": 0.1,
    "at": datetime(2010, 12, 1, 8, 26, tzinfo=UTC),
    "day": date(2010, 12, 1),
}
GROUP = [ROW, ROW | {"Quantity": 2, "UnitPrice": None}, dict.fromkeys(ROW)]
LINES = [
    pytest.param(line.split("→")[0].strip(), line.split("→")[1].strip(), id=line.split("→")[0].strip())
    for kind, block in re.findall(r"^```(\w*)\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    for line in block.splitlines()
    if not kind
]


def _python(expression: Expression) -> Any:
    if expression.aggregates or not expression.names:
        return compile_aggregate(expression, TYPES)(GROUP)
    return compile(expression, TYPES)(ROW)


Answer = Callable[[Expression], Any]
TABLES = {"one": [ROW], "several": GROUP}


def _table(expression: Expression) -> str:
    return "several" if expression.aggregates else "one"


def _in_utc(value: Any) -> Any:
    return value.replace(tzinfo=UTC) if isinstance(value, datetime) else value


def _on_duckdb(connection: duckdb.DuckDBPyConnection) -> Answer:
    connection.execute("SET TimeZone = 'UTC'")
    columns = ", ".join(f"{duckdb_sql.quoted(name)} {duckdb_sql.sql_type(type_)}" for name, type_ in TYPES.items())
    marks = ", ".join("?" for _ in range(len(TYPES) + 1))
    for table, rows in TABLES.items():
        connection.execute(f"CREATE TABLE {table} (number BIGINT, {columns})")
        values = [[number, *row.values()] for number, row in enumerate(rows)]
        connection.executemany(f"INSERT INTO {table} VALUES ({marks})", values)

    def answer(expression: Expression) -> Any:
        sql = duckdb_sql.emit(expression, TYPES, order="number")
        ((value,),) = connection.execute(f"SELECT {sql} FROM {_table(expression)}").fetchall()
        return _in_utc(value)

    return answer


def _on_postgres(connection: psycopg.Connection[Any]) -> Answer:
    connection.autocommit = True
    columns = [
        f"{postgres_sql.quoted(name)} {'TIMESTAMPTZ' if type_ == TIMESTAMP else postgres_sql.sql_type(type_)}"
        for name, type_ in TYPES.items()
    ]
    marks = ", ".join("%s" for _ in range(len(TYPES) + 1))
    for table, rows in TABLES.items():
        connection.execute(f"CREATE TEMP TABLE {table} (number BIGINT, {', '.join(columns)})")
        with connection.cursor() as cursor:
            values = [[number, *row.values()] for number, row in enumerate(rows)]
            cursor.executemany(f"INSERT INTO {table} VALUES ({marks})", values)

    def answer(expression: Expression) -> Any:
        sql = postgres_sql.emit(expression, TYPES, order="number")
        ((value,),) = connection.execute(f"SELECT {sql} FROM {_table(expression)}").fetchall()
        return _in_utc(value)

    return answer


def _on_spark(session: Any) -> Answer:
    """A query costs Spark much more than an expression: all lines with an answer are asked in two, uncompiled."""
    session = session.newSession()
    session.conf.set("spark.sql.codegen.wholeStage", "false")
    session.conf.set("spark.sql.codegen.factoryMode", "NO_CODEGEN")
    kinds = {INTEGER: pa.int64(), DOUBLE: pa.float64(), STRING: pa.string(), DATE: pa.date32()}
    kinds |= {TIMESTAMP: pa.timestamp("us", "UTC"), TYPES["amount"]: pa.decimal128(26, 6)}
    for table, rows in TABLES.items():
        columns = {name: pa.array([row[name] for row in rows], kinds[type_]) for name, type_ in TYPES.items()}
        given = pa.table({"number": pa.array(range(len(rows))), **columns})
        session.createDataFrame(given).createOrReplaceTempView(table)
    known: dict[str, Any] = {}

    def ask(expressions: list[Expression]) -> None:
        listed = [spark_sql.emit(expression, TYPES, order="number") for expression in expressions]
        named = ", ".join(f"{sql} AS c{index}" for index, sql in enumerate(listed))
        with translated():
            found = session.sql(f"SELECT {named} FROM {_table(expressions[0])}").toArrow()
        for expression, column in zip(expressions, found.columns, strict=True):
            (known[expression.text],) = column.to_pylist()

    lines = [
        parse(str(text), aggregates=True) for text, answer in (line.values for line in LINES) if ": " not in answer
    ]
    ask([line for line in lines if not line.aggregates])
    ask([line for line in lines if line.aggregates])

    def answer(expression: Expression) -> Any:
        if expression.text not in known:
            ask([expression])
        return known[expression.text]

    return answer


@pytest.fixture(scope="module", params=["python", "duckdb", "postgresql", "spark"])
def engine(request: pytest.FixtureRequest) -> Iterator[Answer]:
    match request.param:
        case "python":
            yield _python
        case "duckdb":
            with duckdb.connect(":memory:") as connection:
                yield _on_duckdb(connection)
        case "postgresql":
            opened = open_engine(request.getfixturevalue("workspace"), request.getfixturevalue("state"))
            pooled: Any = opened.raw_connection()
            yield _on_postgres(pooled.driver_connection)
            pooled.close()
            opened.dispose()
        case _:
            yield _on_spark(request.getfixturevalue("spark"))


def _shown(value: Any) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return str(value).lower()
        case str():
            return "'" + value.replace("'", "''") + "'"
        case datetime():
            return value.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        case _:
            return str(value)


@pytest.mark.parametrize(("text", "answer"), LINES)
def test_the_reference_says_what_happens(text, answer, engine):
    if answer.startswith("refused: "):
        with pytest.raises(ExpressionError, match=re.escape(answer.removeprefix("refused: "))):
            resolve(parse(text, aggregates=True), TYPES)
        return
    expression = parse(text, aggregates=True)
    if answer.startswith("error: "):
        match = re.escape(answer.removeprefix("error: ")) if engine is _python else None
        with pytest.raises((EvaluationError, duckdb.Error, psycopg.Error, SparkFailed), match=match):
            engine(expression)
        return
    value, type_ = answer.rsplit(" ", 1)
    assert str(resolve(expression, TYPES).type) == type_
    found = engine(expression)
    if type_.startswith("decimal") and found is not None:
        assert found == Decimal(value)
        assert -found.as_tuple().exponent == int(type_[8:-1])
    else:
        assert _shown(found) == value


def test_the_reference_shows_every_function():
    shown = "\n".join(str(param.values[0]) for param in LINES)
    assert [name for name in FUNCTIONS if f"{name}(" not in shown] == []


def test_the_python_examples_of_the_reference_run():
    failed, tried = doctest.testfile(str(PAGE), module_relative=False)
    assert (failed, tried > 0) == (0, True)
