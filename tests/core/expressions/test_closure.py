"""The Python function of an expression; docs/expressions.md has a line for every function and rule."""

from __future__ import annotations

import itertools
import math
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal, localcontext

import pytest

from ethogram.core.expressions import (
    BOOLEAN,
    DATE,
    DOUBLE,
    INTEGER,
    NULL,
    STRING,
    TIMESTAMP,
    EvaluationError,
    ExpressionError,
    compile,
    compile_aggregate,
    decimal,
    parse,
)

TYPES = {
    "i": INTEGER,
    "m": decimal(6),
    "x": DOUBLE,
    "s": STRING,
    "a": BOOLEAN,
    "b": BOOLEAN,
    "at": TIMESTAMP,
    "day": DATE,
    "nothing": NULL,
}
MOST = 2**63 - 1


def answer(text, **row):
    return compile(parse(text), TYPES)(row)


def test_logic_has_three_values_as_in_sql():
    order = {False: 0, None: 1, True: 2}
    for a, b in itertools.product(order, order):
        assert answer("a and b", a=a, b=b) is min(a, b, key=order.__getitem__)
        assert answer("a or b", a=a, b=b) is max(a, b, key=order.__getitem__)
    assert [answer("not a", a=a) for a in (True, None, False)] == [False, None, True]


def test_a_test_with_null_is_null_unless_it_is_already_decided():
    assert answer("i between 1 and m", i=0, m=None) is False
    assert answer("i between 1 and m", i=5, m=None) is None
    assert answer("i in (1, m)", i=1, m=None) is True
    assert answer("i in (1, m)", i=5, m=None) is None
    assert answer("i not in (1, m)", i=5, m=None) is None
    assert answer("nothing is null") is True


@pytest.mark.parametrize(
    ("text", "row"),
    [
        ("i + 1", {"i": MOST}),
        ("i - 1", {"i": -MOST - 1}),
        ("i * 2", {"i": 2**62}),
        ("-i", {"i": -MOST - 1}),
        ("abs(i)", {"i": -MOST - 1}),
        ("integer(x)", {"x": 2.0**63}),
        ("integer(m)", {"m": Decimal(10) ** 19}),
        ("i", {"i": MOST + 1}),
    ],
)
def test_integer_overflow_is_an_error_that_names_the_place(text, row):
    with pytest.raises(EvaluationError) as failed:
        compile(parse(text, where="sources.py:3"), TYPES)(row)
    assert failed.value.what == "integer overflow"
    assert (failed.value.code, failed.value.where, failed.value.text) == ("expression-failed", "sources.py:3", text)


@pytest.mark.parametrize("text", ["m + m", "m - -m", "m * 2", "decimal(m, 2)", "round(m)", "ceil(m)", "decimal(x, 0)"])
def test_a_decimal_has_20_digits_before_its_point_and_more_is_an_error(text):
    with pytest.raises(EvaluationError, match="decimal overflow"):
        answer(text, m=Decimal("99999999999999999999.999999"), x=1e20)


@pytest.mark.parametrize("text", ["x * 10", "x - -x", "-x * 10 + x * 10", "x"])
def test_an_answer_that_is_not_finite_is_an_error(text):
    with pytest.raises(EvaluationError, match="the number is not finite"):
        answer(text, x=float("inf") if text == "x" else 1.7e308)


def test_infinity_inside_an_expression_compares_above_every_number_and_nan_above_that():
    assert answer("x * 10 > 1e308", x=1e308) is True
    assert answer("x * 10 - x * 10 > x * 10", x=1e308) is True
    assert answer("x * 10 - x * 10 = x * 10 - x * 10", x=1e308) is True
    assert answer("1 / (x * 10)", x=1e308) == 0.0
    assert answer("least((x * 10) % 2, 5)", x=1e308) == 5.0


def test_arithmetic_of_decimals_is_exact_whatever_the_callers_decimal_context():
    with localcontext() as context:
        context.prec = 5
        assert answer("m + m", m=Decimal("12345678901234567890.123456")) == Decimal("24691357802469135780.246912")
        assert answer("-m", m=Decimal("12345678901234567890.123456")) == Decimal("-12345678901234567890.123456")
        assert answer("-12345678901234567890.123456") == Decimal("-12345678901234567890.123456")
        assert answer("abs(m * 1.5)", m=Decimal("-1234567890123.123456")) == Decimal("1851851835184.6851840")


def test_a_decimal_answer_has_all_its_digits_and_no_negative_zero():
    assert str(answer("m", m=Decimal("1.5"))) == "1.500000"
    assert str(answer("m", m=3)) == "3.000000"
    assert str(answer("round(m)", m=Decimal("-0.4"))) == "0"
    assert answer("text(m % 2)", m=Decimal(-2)) == "0.000000"


@pytest.mark.parametrize(
    ("x", "digits", "rounded"),
    [
        (2.5, 0, 3.0),
        (-2.5, 0, -3.0),
        (0.49999999999999994, 0, 0.0),
        (4503599627370497.5, 0, 4503599627370498.0),
        (1.005, 2, 1.0),
        (2.675, 2, 2.68),
        (1.115, 2, 1.12),
        (1e300, 15, 1e300),
        (-0.285, 2, -0.28),
    ],
)
def test_a_double_is_rounded_half_away_from_zero_in_double_arithmetic(x, digits, rounded):
    assert answer(f"round(x, {digits})", x=x) == rounded


def test_a_double_becomes_the_decimal_that_it_is_written_as():
    assert answer("decimal(x, 2)", x=1.005) == Decimal("1.01")
    assert answer("decimal(x, 2)", x=-2.675) == Decimal("-2.68")
    assert answer("decimal(x, 6)", x=5e-7) == Decimal("0.000001")
    assert answer("decimal(x, 6)", x=math.nextafter(5e-7, 0)) == 0


def test_integers_and_doubles_compare_exactly():
    assert answer("i = x", i=2**53 + 1, x=2.0**53) is False
    assert answer("i > x", i=2**53 + 1, x=2.0**53) is True
    assert answer("x in (i, 5)", i=2**53 + 1, x=2.0**53) is False
    assert answer("i between x and x", i=2**53, x=2.0**53) is True


def test_a_decimal_beside_a_double_is_the_nearest_double():
    assert answer("x = 0.1", x=0.1) is True
    assert answer("x = m", x=0.1, m=Decimal("0.1")) is True


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("12", 12),
        ("+7", 7),
        ("-0", 0),
        ("007", 7),
        ("", None),
        (" 3", None),
        ("1.0", None),
        ("1e3", None),
        ("0x1", None),
        ("1_0", None),
        ("١٢", None),
        ("5\n", None),
        (str(MOST), MOST),
        (str(MOST + 1), None),
        ("9" * 5000, None),
    ],
)
def test_a_text_is_an_integer_only_if_it_is_written_as_one(text, value):
    assert answer("integer(s)", s=text) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1.5", 1.5),
        (".5", 0.5),
        ("1.", 1.0),
        ("-1E3", -1000.0),
        ("1e999", None),
        ("nan", None),
        ("inf", None),
        ("1,5", None),
    ],
)
def test_a_text_is_a_number_only_if_it_is_a_finite_one(text, value):
    assert answer("number(s)", s=text) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [("1.2345675", "1.234568"), ("-1.2345675", "-1.234568"), ("1e3", None), ("99999999999999999999.9999995", None)],
)
def test_a_text_becomes_a_decimal_rounded_half_away_from_zero(text, value):
    assert answer("decimal(s)", s=text) == (None if value is None else Decimal(value))


def test_days_run_from_year_1_to_year_9999():
    assert answer("add_days(day, 1)", day=date(9999, 12, 30)) == date.max
    for text, row in [
        ("add_days(day, 1)", {"day": date.max}),
        ("add_days(at, i)", {"at": datetime(2011, 1, 1, tzinfo=UTC), "i": -MOST}),
        ("make_date(i, 1, 1)", {"i": 0}),
        ("make_date(i, 1, 1)", {"i": 10_000}),
        ("make_date(2011, 2, i)", {"i": 29}),
        ("make_date(2011, 2, i)", {"i": MOST}),
    ]:
        with pytest.raises(EvaluationError, match="years run from 1 to 9999"):
            answer(text, **row)


def test_only_what_if_and_coalesce_return_is_evaluated():
    assert answer("if(i > 0, 1, i - 1)", i=1) == 1
    assert answer("if(i = -9223372036854775808, 0, i - 1)", i=-MOST - 1) == 0
    assert answer("coalesce(i, i + 1)", i=MOST) == MOST
    with pytest.raises(EvaluationError):
        answer("i > 0 or i + 1 > 0", i=MOST)


def test_a_time_in_another_zone_is_the_same_instant():
    london = datetime(2011, 7, 1, 0, 30, tzinfo=timezone(timedelta(hours=1)))
    assert answer("at", at=london) == datetime(2011, 6, 30, 23, 30, tzinfo=UTC)
    assert answer("day(at)", at=london) == 30
    assert answer("text(at)", at=london) == "2011-06-30T23:30:00.000000Z"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("i", "5"),
        ("i", True),
        ("i", 5.0),
        ("x", "5"),
        ("x", Decimal(5)),
        ("m", 0.5),
        ("m", True),
        ("s", b"a"),
        ("s", 5),
        ("a", 77),
        ("at", datetime(2011, 1, 1)),
        ("at", date(2011, 1, 1)),
        ("day", datetime(2011, 1, 1, tzinfo=UTC)),
    ],
)
def test_a_value_of_another_type_is_refused_without_being_shown(name, value):
    with pytest.raises(EvaluationError, match=f"'{name}' is a {type(value).__name__}, and an? ") as failed:
        answer(name, **{name: value})
    assert repr(value) not in str(failed.value)


def test_a_decimal_with_too_many_digits_is_refused_rather_than_rounded():
    with pytest.raises(EvaluationError, match="more than 6 digits"):
        answer("m", m=Decimal("0.1234567"))


def test_a_row_without_the_name_is_refused():
    with pytest.raises(EvaluationError, match="the row has no 'i'"):
        answer("i + 1")


def test_a_whole_number_is_a_double_where_one_is_expected():
    assert repr(answer("x", x=5)) == "5.0"


def test_of_nothing_counts_and_sums_are_zero_and_the_rest_is_null():
    def of_nothing(text):
        return compile_aggregate(parse(text, aggregates=True), TYPES)([])

    assert [of_nothing(f"{name}(i)") for name in ("count", "count_distinct", "sum")] == [0, 0, 0]
    assert [of_nothing(f"{name}(i)") for name in ("mean", "min", "max", "first", "last")] == [None] * 5
    assert [of_nothing("any_true(a)"), of_nothing("all_true(a)"), of_nothing("count()")] == [None, None, 0]
    assert of_nothing("sum(m)") == Decimal(0)


def test_aggregates_leave_nulls_out():
    rows = [{"i": None, "a": None}, {"i": 4, "a": True}, {"i": 2, "a": None}, {"i": None, "a": True}]

    def of(text):
        return compile_aggregate(parse(text, aggregates=True), TYPES)(rows)

    assert [of(f"{name}(i)") for name in ("count", "sum", "mean", "min", "max", "first", "last")] == [
        2,
        6,
        3,
        2,
        4,
        4,
        2,
    ]
    assert (of("count()"), of("all_true(a)"), of("count_distinct(a)")) == (4, True, 1)


def test_doubles_are_added_up_as_fixed_point_so_that_their_order_never_matters():
    rows = [{"x": value} for value in (1e15, 0.1, -1e15, 0.2)]
    run = compile_aggregate(parse("sum(x)", aggregates=True), TYPES)
    assert {run(order) for order in itertools.permutations(rows)} == {Decimal("0.3")}


def test_a_sum_overflows_only_if_the_total_does():
    run = compile_aggregate(parse("sum(i)", aggregates=True), TYPES)
    assert run([{"i": MOST}, {"i": MOST}, {"i": -MOST}]) == MOST
    with pytest.raises(EvaluationError, match="integer overflow"):
        run([{"i": MOST}, {"i": 1}])


def test_an_expression_over_a_row_is_not_one_over_a_group_and_the_reverse():
    with pytest.raises(ExpressionError, match="'i' stands outside an aggregate"):
        compile_aggregate(parse("i + 1"), TYPES)
    with pytest.raises(ValueError, match="compile_aggregate"):
        compile(parse("sum(i)", aggregates=True), TYPES)


def test_an_answer_is_made_the_type_that_is_asked_for():
    assert str(compile(parse("i * x"), TYPES, to=decimal(6))({"i": 6, "x": 2.55})) == "15.300000"
    assert repr(compile(parse("i"), TYPES, to=DOUBLE)({"i": 6})) == "6.0"
