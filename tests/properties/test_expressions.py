"""An expression means the same as a Python function and as SQL of every engine, whatever it is made of and reads."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import psycopg
import pyarrow as pa
import pytest
from hypothesis import Phase, assume, given, settings
from hypothesis import strategies as st

from ethogram.adapters.duckdb.expressions import emit, quoted, sql_type
from ethogram.adapters.postgres import expressions as postgres_sql
from ethogram.adapters.postgres.engine import open_engine
from ethogram.adapters.spark import expressions as spark_sql
from ethogram.adapters.spark.errors import SparkFailed, translated
from ethogram.core.expressions import (
    BOOLEAN,
    DATE,
    DOUBLE,
    INTEGER,
    STRING,
    TIMESTAMP,
    EvaluationError,
    Expression,
    ExpressionError,
    Type,
    compile,
    compile_aggregate,
    decimal,
    normalise,
    parse,
    resolve,
)
from ethogram.core.expressions.syntax import AGGREGATES as AGGREGATE_FUNCTIONS

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

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
    st.sampled_from(
        ["", "a", "C5", "Éa", "straße", "İ", "ŉ", "ΑΣ", "ﬁ", "👨‍👩", "e\u0301", "\uffff", "\U0001f600", "\t x\u00a0"]
    ),
    st.sampled_from(
        ["12", "-0", "+7", " 3", "1.", ".5", "-1.0000005", "1e5", "1e999", "1_0", "0x1", "nan", "١٢", "5\n"]
    ),
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
            # A product of decimals may be a double, which has no text.
            written = f"decimal({sub(of)}, {draw(st.sampled_from([0, 2, 6, 18]))})" if of == "decimal" else sub(of)
            return f"text({written})"
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
            return (
                f"make_date({draw(st.sampled_from(['2012', '2011', 'i', 'n.small']))}, 2, {draw(st.integers(28, 30))})"
            )
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


@st.composite
def aggregates(draw: st.DrawFn) -> str:
    """The text of an expression over a group."""

    def one() -> str:
        function = draw(st.sampled_from(sorted(AGGREGATE_FUNCTIONS)))
        kinds = {"sum": "idx", "mean": "idx", "any_true": "b", "all_true": "b", "min": "idxsta", "max": "idxsta"}
        allowed = kinds.get(function, "idxsbta")
        kind = draw(st.sampled_from([kind for kind in LETTERS if LETTERS[kind] in allowed]))
        return f"{function}({draw(expressions(kind, 1))})"

    forms = ["{0}", "{0}", "{0} is null or {1} is null", "count() - count_distinct(s)", "sum(i) / count() + mean(x)"]
    return draw(st.sampled_from(forms)).format(one(), one())


LETTERS = {
    "integer": "i",
    "decimal": "d",
    "double": "x",
    "string": "s",
    "boolean": "b",
    "timestamp": "t",
    "date": "a",
}
AGGREGATES = aggregates()


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


# Around these DuckDB may find that a failing part does not matter, which the Python function never does.
FORGIVING = {"and", "or", "is null", "in", "between", "nullif", "coalesce", "if"}


def _parsed(text: str, *, aggregates: bool = False) -> Expression:
    try:
        return parse(text, aggregates=aggregates)
    except ExpressionError as refused:
        assume("an expression is at most" not in str(refused) and "an expression has at most" not in str(refused))
        raise


@settings(max_examples=300)
@given(text=ANY, rows=ROWS)
def test_a_row_gets_the_same_answer_from_python_and_from_duckdb(connection, text, rows):
    expression = _parsed(text)
    root, run, sql = resolve(expression, TYPES), compile(expression, TYPES), emit(expression, TYPES)
    fine, failing, answers = [], [], []
    for row in rows:
        try:
            answers.append(run(row))
            fine.append(row)
        except EvaluationError:
            failing.append(row)
    if fine:
        found, type_ = _asked(connection, sql, fine)
        assert type_.replace(" ", "") == sql_type(root.type).replace(" ", "")
        for row, python, duck in zip(fine, answers, found, strict=True):
            assert _same(python, duck), (python, duck, {name: row[name] for name in expression.names})
    if failing and not any(node.op in FORGIVING for node in root.walk()):
        try:
            found, _ = _asked(connection, sql, failing[:1])
        except duckdb.Error:
            return
        # Beside a null a failing part does not matter either.
        assert found == [None]


@settings(max_examples=100)
@given(text=AGGREGATES, rows=st.just([]) | ROWS)
def test_a_group_gets_the_same_answer_from_python_and_from_duckdb(connection, text, rows):
    expression = _parsed(text, aggregates=True)
    sql = emit(expression, TYPES, order="row")
    try:
        python = compile_aggregate(expression, TYPES)(rows)
    except EvaluationError:
        return
    (duck,), type_ = _asked(connection, sql, rows)
    assert type_.replace(" ", "") == sql_type(resolve(expression, TYPES).type).replace(" ", "")
    assert _same(python, duck), (python, duck)


# A query costs a server more than an expression does: many go into one.
BATCH = st.lists(ANY, min_size=1, max_size=15)
GROUPS = st.lists(AGGREGATES, min_size=1, max_size=15)


def _answers(texts: Sequence[str], rows: list[dict[str, Any]]) -> tuple[list[Expression], list[list[Any]]]:
    """The expressions, and what the Python functions say by expression and row: a value or an `EvaluationError`."""
    expressions, answers = [_parsed(text) for text in texts], []
    for expression in expressions:
        run, found = compile(expression, TYPES), []
        for row in rows:
            try:
                found.append(run(row))
            except EvaluationError as failed:
                found.append(failed)
        answers.append(found)
    return expressions, answers


def _guarded(sql: Sequence[str], answers: Sequence[list[Any]]) -> list[str]:
    """The SQL of each expression for the rows that have an answer, by their number in column `row`."""
    guarded = []
    for written, found in zip(sql, answers, strict=True):
        failing = [number for number, answer in enumerate(found) if isinstance(answer, EvaluationError)]
        listed = ", ".join(map(str, failing))
        guarded.append(f"CASE WHEN row NOT IN ({listed}) THEN {written} END" if failing else written)
    return guarded


def _same_answers(
    expressions: Sequence[Expression], answers: Sequence[list[Any]], found: Sequence[Sequence[Any]]
) -> None:
    """`found` is by expression and row, too."""
    for expression, python, sql in zip(expressions, answers, found, strict=True):
        for one, other in zip(python, sql, strict=True):
            assert _same(None if isinstance(one, EvaluationError) else one, other), (expression.text, one, other)


def _first_failure(expressions: Sequence[Expression], answers: Sequence[list[Any]]) -> tuple[int, int] | None:
    """An expression and a row whose failure cannot be passed over."""
    for index, (expression, found) in enumerate(zip(expressions, answers, strict=True)):
        if any(node.op in FORGIVING for node in resolve(expression, TYPES).walk()):
            continue
        for row, answer in enumerate(found):
            if isinstance(answer, EvaluationError):
                return index, row
    return None


class Postgres:
    """Rows in a table of PostgreSQL, which has no texts with the character 0."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self.connection = connection
        columns = [
            f"{quoted(name)} {'TIMESTAMPTZ' if type_ == TIMESTAMP else postgres_sql.sql_type(type_)}"
            for name, type_ in TYPES.items()
        ]
        connection.execute(f"CREATE TEMP TABLE given (row INT, {', '.join(columns)})")

    def give(self, rows: list[dict[str, Any]]) -> None:
        self.connection.execute("TRUNCATE given")
        marks = ", ".join("%s" for _ in range(len(TYPES) + 1))
        with self.connection.cursor() as cursor:
            values = [[number, *(row[name] for name in TYPES)] for number, row in enumerate(rows)]
            cursor.executemany(f"INSERT INTO given VALUES ({marks})", values)

    def ask(self, sql: Sequence[str], where: str = "TRUE") -> list[tuple[Any, ...]]:
        return self.connection.execute(f"SELECT {', '.join(sql)} FROM given WHERE {where} ORDER BY row").fetchall()

    def ask_group(self, sql: Sequence[str]) -> tuple[Any, ...]:
        ((*found,),) = self.connection.execute(f"SELECT {', '.join(sql)} FROM given").fetchall()
        return tuple(found)


@pytest.fixture(scope="module")
def postgres(workspace: Path, state: str) -> Iterator[Postgres]:
    engine = open_engine(workspace, state)
    connection: Any = engine.raw_connection()
    connection.driver_connection.autocommit = True
    yield Postgres(connection.driver_connection)
    connection.close()
    engine.dispose()


def _storable(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        {name: value.replace("\0", "") if isinstance(value, str) else value for name, value in row.items()}
        for row in rows
    ]


@settings(max_examples=100)
@given(texts=BATCH, rows=ROWS.map(_storable))
def test_rows_get_the_same_answers_from_python_and_from_postgresql(postgres, texts, rows):
    expressions, answers = _answers(texts, rows)
    sql = [postgres_sql.emit(expression, TYPES) for expression in expressions]
    postgres.give(rows)
    found = postgres.ask(_guarded(sql, answers))
    _same_answers(expressions, answers, list(zip(*found, strict=True)))
    failure = _first_failure(expressions, answers)
    if failure is not None:
        index, row = failure
        try:
            found = postgres.ask([sql[index]], f"row = {row}")
        except psycopg.Error:
            return
        assert found == [(None,)]


@settings(max_examples=40)
@given(texts=GROUPS, rows=st.just([]) | ROWS.map(_storable))
def test_groups_get_the_same_answers_from_python_and_from_postgresql(postgres, texts, rows):
    expressions, answers = _group_answers(texts, rows)
    postgres.give(rows)
    sql = [postgres_sql.emit(expression, TYPES, order="row") for expression in expressions]
    found = postgres.ask_group(["count(*)", *sql])[1:]
    _same_answers(expressions, answers, [[value] for value in found])


def _group_answers(texts: Sequence[str], rows: list[dict[str, Any]]) -> tuple[list[Expression], list[list[Any]]]:
    """The expressions that have an answer, and it."""
    expressions, answers = [], []
    for text in texts:
        expression = _parsed(text, aggregates=True)
        try:
            answers.append([compile_aggregate(expression, TYPES)(rows)])
        except EvaluationError:
            continue
        expressions.append(expression)
    return expressions, answers


class Spark:
    """Rows in a table of Spark."""

    def __init__(self, session: SparkSession) -> None:
        self.session = session

    def give(self, rows: list[dict[str, Any]]) -> None:
        columns = {"row": pa.array(range(len(rows)), pa.int32())}
        for name, type_ in TYPES.items():
            arrow = pa.decimal128(38, type_.scale) if type_.kind == "decimal" else ARROW[type_.kind]
            if type_ == TIMESTAMP:
                arrow = pa.timestamp("us", "UTC")
            columns[name] = pa.array([row[name] for row in rows], arrow)
        self.session.createDataFrame(pa.table(columns)).createOrReplaceTempView("given")

    def ask(self, sql: Sequence[str], where: str = "TRUE") -> list[list[Any]]:
        """By column and row."""
        named = ", ".join(f"{one} AS c{index}" for index, one in enumerate(sql))
        found = self.session.sql(f"SELECT {named} FROM given WHERE {where}").toArrow()
        return [
            [value.replace(tzinfo=None) if isinstance(value, datetime) else value for value in column.to_pylist()]
            for column in found.columns
        ]


@pytest.fixture(scope="module", params=["interpreted", "compiled"])
def on_spark(spark: SparkSession, request: pytest.FixtureRequest) -> Spark:
    """Spark has two ways of its own to compute; small tables are computed by the first unless told otherwise."""
    session = spark.newSession()
    compiled = request.param == "compiled"
    session.conf.set("spark.sql.codegen.wholeStage", str(compiled).lower())
    session.conf.set("spark.sql.codegen.factoryMode", "FALLBACK" if compiled else "NO_CODEGEN")
    if compiled:
        rule = "org.apache.spark.sql.catalyst.optimizer.ConvertToLocalRelation"
        session.conf.set("spark.sql.optimizer.excludedRules", rule)
    return Spark(session)


# Shrinking what fails would take minutes.
SPARING = [Phase.explicit, Phase.reuse, Phase.generate]


@settings(max_examples=5, phases=SPARING)
@given(texts=BATCH, rows=ROWS)
def test_rows_get_the_same_answers_from_python_and_from_spark(on_spark, texts, rows):
    expressions, answers = _answers(texts, rows)
    sql = [spark_sql.emit(expression, TYPES) for expression in expressions]
    on_spark.give(rows)
    _same_answers(expressions, answers, on_spark.ask(_guarded(sql, answers)))
    failure = _first_failure(expressions, answers)
    if failure is not None:
        index, row = failure
        try:
            with translated():
                found = on_spark.ask([sql[index]], f"row = {row}")
        except SparkFailed:
            return
        assert found == [[None]]


@settings(max_examples=3, phases=SPARING)
@given(texts=GROUPS, rows=st.just([]) | ROWS)
def test_groups_get_the_same_answers_from_python_and_from_spark(on_spark, texts, rows):
    expressions, answers = _group_answers(texts, rows)
    on_spark.give(rows)
    sql = [spark_sql.emit(expression, TYPES, order="row") for expression in expressions]
    _same_answers(expressions, answers, on_spark.ask(["count(*)", *sql])[1:])


@settings(max_examples=100)
@given(text=AGGREGATES, rows=ROWS, seed=st.randoms(use_true_random=False))
def test_the_order_of_a_groups_rows_matters_to_first_and_last_alone(text, rows, seed):
    expression = _parsed(text, aggregates=True)
    assume(not {node.op for node in resolve(expression, TYPES).walk()} & {"first", "last"})
    run, shuffled = compile_aggregate(expression, TYPES), list(rows)
    seed.shuffle(shuffled)
    try:
        assert run(rows) == run(shuffled)
    except EvaluationError:
        with pytest.raises(EvaluationError):
            run(shuffled)


@settings(max_examples=30)
@given(
    near=st.lists(st.tuples(st.integers(-(10**13), 10**13), st.integers(-3, 3)), min_size=50, max_size=50),
    scale=st.sampled_from([0, 2, 6, 9, 18]),
)
def test_doubles_beside_a_tie_become_the_same_decimals(connection, near, scale):
    """The quick way of the SQL is taken for most doubles; whichever is taken, the answer is that of the text."""
    values = []
    for unscaled, steps in near:
        value = (unscaled + 0.5) / 10**scale
        for _ in range(abs(steps)):
            value = math.nextafter(value, math.copysign(math.inf, steps))
        values.append(value)
    rows = [dict.fromkeys(TYPES) | {"x": value} for value in values if abs(value) < 1e20]
    expression = parse(f"decimal(x, {scale})")
    run = compile(expression, TYPES)
    assert _asked(connection, emit(expression, TYPES), rows)[0] == [run(row) for row in rows]


@settings(max_examples=200)
@given(text=ANY)
def test_the_normal_text_of_an_expression_says_the_same_and_is_its_own_normal_text(text):
    expression = _parsed(text)
    normal = normalise(expression)
    again = parse(normal)
    assert again.root == expression.root
    assert normalise(again) == normal
    spaced = (
        normal.replace(" and ", "\tAND\n").replace(" or ", " Or ")
        if "'" not in normal and '"' not in normal
        else normal
    )
    assert normalise(parse(f" ( {spaced} )")) == normal


WORDS = ["and", "or", "not", "is", "null", "in", "between", "(", ")", ",", "-", "+", "=", "<", "'a'", '"a"', "1", "2.5"]
WORDS += [
    "x",
    "i",
    "if",
    "sum",
    "round",
    "text",
    "*",
    "/",
    "true",
    "1e5",
    "date",
    "count",
    "%",
    "!=",
    "'",
    '"',
    ";",
    "--",
]


@given(
    text=st.text(max_size=40) | st.lists(st.sampled_from(WORDS), max_size=25).map(" ".join), aggregates=st.booleans()
)
def test_any_text_is_an_expression_or_is_refused_with_a_place(text, aggregates):
    refused = None
    try:
        resolve(parse(text, aggregates=aggregates), TYPES)
    except ExpressionError as error:
        refused = error
    assert refused is None or (refused.what and 0 <= refused.position <= len(text))


@given(name=st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=20), value=SAFE_TEXT)
def test_no_name_and_no_text_leaves_its_quotes(connection, name, value):
    assume(name.strip() and name.lower() not in TYPES)
    text = f"if({quoted(name)} = {_written(value)}, {_written(name)}, {_written(value)})"
    sql = emit(parse(text), {name: STRING})
    given_rows = pa.table({name: pa.array([value, value + "x"])})
    connection.register("named_rows", given_rows)
    assert connection.execute(f"SELECT {sql} FROM named_rows").fetchall() == [(name,), (value,)]
