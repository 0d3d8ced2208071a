"""Every line of docs/expressions.md is true, of the Python function and of DuckDB."""

from __future__ import annotations

import doctest
import re
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import pytest

from ethogram.adapters.duckdb.expressions import emit, quoted, sql_type
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

PAGE = Path(__file__).resolve().parents[3] / "docs" / "expressions.md"
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
    for block in re.findall(r"```\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    for line in block.splitlines()
]


def _python(expression: Expression) -> Any:
    if expression.aggregates or not expression.names:
        return compile_aggregate(expression, TYPES)(GROUP)
    return compile(expression, TYPES)(ROW)


@cache
def _database() -> duckdb.DuckDBPyConnection:
    """The row as table `one`, the group as table `several`."""
    connection = duckdb.connect(":memory:")
    connection.execute("SET TimeZone = 'UTC'")
    columns = ", ".join(f"{quoted(name)} {sql_type(type_)}" for name, type_ in TYPES.items())
    marks = ", ".join("?" for _ in range(len(TYPES) + 1))
    for table, rows in {"one": [ROW], "several": GROUP}.items():
        connection.execute(f"CREATE TABLE {table} (number BIGINT, {columns})")
        values = [[number, *row.values()] for number, row in enumerate(rows)]
        connection.executemany(f"INSERT INTO {table} VALUES ({marks})", values)
    return connection


def _duckdb(expression: Expression) -> Any:
    table = "several" if expression.aggregates else "one"
    sql = f"SELECT {emit(expression, TYPES, order='number')} FROM {table}"
    ((value,),) = _database().execute(sql).fetchall()
    return value.replace(tzinfo=UTC) if isinstance(value, datetime) else value


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


@pytest.mark.parametrize("engine", [_python, _duckdb])
@pytest.mark.parametrize(("text", "answer"), LINES)
def test_the_reference_says_what_happens(text, answer, engine):
    if answer.startswith("refused: "):
        with pytest.raises(ExpressionError, match=re.escape(answer.removeprefix("refused: "))):
            resolve(parse(text, aggregates=True), TYPES)
        return
    expression = parse(text, aggregates=True)
    if answer.startswith("error: "):
        match = re.escape(answer.removeprefix("error: ")) if engine is _python else None
        with pytest.raises((EvaluationError, duckdb.Error), match=match):
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
