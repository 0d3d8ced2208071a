"""The type of an expression, and what types do not fit."""

from __future__ import annotations

import pytest

from ethogram.core.expressions import (
    BOOLEAN,
    DATE,
    DOUBLE,
    INTEGER,
    NULL,
    STRING,
    TIMESTAMP,
    ExpressionError,
    check,
    decimal,
    parse,
    resolve,
)

TYPES = {
    "i": INTEGER,
    "m": decimal(6),
    "x": DOUBLE,
    "s": STRING,
    "b": BOOLEAN,
    "at": TIMESTAMP,
    "day": DATE,
    "nothing": NULL,
}


@pytest.mark.parametrize(
    ("text", "type_"),
    [
        ("i + 1", "integer"),
        ("i + 1.5", "decimal(1)"),
        ("m - 1.12345678", "decimal(8)"),
        ("m * m", "decimal(12)"),
        ("m * m * m", "decimal(18)"),
        ("m * m * m * 1.0", "double"),
        ("m * i", "decimal(6)"),
        ("m % 7", "decimal(6)"),
        ("m * x", "double"),
        ("i / i", "double"),
        ("i % x", "double"),
        ("-m", "decimal(6)"),
        ("abs(i)", "integer"),
        ("round(i, 2)", "integer"),
        ("round(m, 2)", "decimal(2)"),
        ("round(m, 9)", "decimal(6)"),
        ("floor(m)", "decimal(0)"),
        ("ceil(x)", "double"),
        ("least(i, m)", "decimal(6)"),
        ("greatest(m, x)", "double"),
        ("coalesce(null, s)", "string"),
        ("coalesce(nothing, i)", "integer"),
        ("if(b, 1, null)", "integer"),
        ("if(b, 1, 2.50)", "decimal(2)"),
        ("if(b, null, null)", "null"),
        ("if(null, 1, 2)", None),
        ("nullif(i, 1.5)", "integer"),
        ("i = 1.5 and x < m", "boolean"),
        ("at > timestamp(day)", "boolean"),
        ("b = true", "boolean"),
        ("null or b", "boolean"),
        ("add_days(at, i)", "timestamp"),
        ("add_days(day, 1)", "date"),
        ("days_between(day, at)", "integer"),
        ("integer(s)", "integer"),
        ("number(m)", "double"),
        ("decimal(x)", "decimal(6)"),
        ("decimal(i, 0)", "decimal(0)"),
        ("text(m)", "string"),
        ("sum(i)", "integer"),
        ("sum(m * m)", "decimal(12)"),
        ("sum(i * x)", "decimal(6)"),
        ("mean(i)", "double"),
        ("count()", "integer"),
        ("min(at)", "timestamp"),
        ("first(b)", "boolean"),
        ("max(x)", "double"),
    ],
)
def test_the_type_of_an_expression_follows_from_its_parts(text, type_):
    expression = parse(text, aggregates=True)
    if type_ is None:
        with pytest.raises(ExpressionError):
            check(expression, TYPES)
    else:
        assert str(check(expression, TYPES)) == type_


@pytest.mark.parametrize(
    ("text", "position", "what", "hint"),
    [
        ("dya = day", 0, "nothing is named 'dya'", "did you mean day?"),
        ("Quantity", 0, "nothing is named 'Quantity'", "there is at, b, day, i"),
        ('s = "C5"', 4, "nothing is named 'C5'", "single quotes"),
        ("s + 1", 0, "+ is for numbers, and this is a string", "concat"),
        ("-s", 1, "- is for numbers, and this is a string", "concat"),
        ("i * b", 4, "* is for numbers, and this is a boolean", "integer(x)"),
        ("at - at", 0, "- is for numbers, and this is a timestamp", "days_between"),
        ("i + null", 4, "+ with null is always null", "leave it out"),
        ("nothing = 1", 0, "= with null is always null", "is null"),
        ("not i", 4, "not is for conditions, and this is an integer", "compare it"),
        ("b and i", 6, "and is for conditions, and this is an integer", "compare it"),
        ("i = s", 4, "integer and string cannot be compared", "integer(x)"),
        ("s = i", 4, "string and integer cannot be compared", "text(x)"),
        ("at = day", 5, "timestamp and date cannot be compared", "timestamp(x)"),
        ("i in (1, 's')", 9, "integer and string cannot be compared", "integer(x)"),
        ("b < true", 0, "< needs an order", "= or !="),
        ("b between b and b", 0, "between needs an order", "= or !="),
        ("least(b, b)", 0, "least needs an order", ""),
        ("coalesce(1, 's')", 12, "string and integer do not go together", "integer(x)"),
        ("if(i, 1, 2)", 3, "if takes a boolean here, not an integer", "if(condition, a, b)"),
        ("abs(s)", 4, "abs takes a number here, not a string", "integer(x)"),
        ("concat(s, i)", 10, "concat takes a string here, not an integer", "text(x)"),
        ("length(x)", 7, "length takes a string here, not a double", "text(decimal(x, 2))"),
        ("text(x)", 5, "text takes a string, an integer, a decimal, a boolean", "text(decimal(x, 2))"),
        ("integer(at)", 8, "integer takes a number, a string or a boolean here, not a timestamp", "integer(x)"),
        ("year(s)", 5, "year takes a timestamp or a date here, not a string", "year(date)"),
        ("timestamp(s)", 10, "timestamp takes a date or a timestamp here, not a string", "timestamp(date)"),
        ("round(x, i)", 9, "round takes a number from 0 to 15 written out here", "round(x, digits)"),
        ("round(m, 19)", 9, "round takes a number from 0 to 18 written out here", "round(x, digits)"),
        ("substring(s, 0, 2)", 13, "substring takes a number from 1 to 1,000,000", "substring(text, 1, 3)"),
        ("substring(s, 1, -1)", 16, "substring takes a number from 0 to 1,000,000", "substring(text, 1, 3)"),
        ("decimal(x, 19)", 11, "decimal takes a number from 0 to 18", "decimal(x, digits)"),
        ("sum(s)", 4, "sum takes a number here, not a string", "integer(x)"),
        ("min(b)", 4, "min takes a number, a string, a timestamp or a date here, not a boolean", ""),
        ("any_true(i)", 9, "any_true takes a boolean here, not an integer", "any_true(condition)"),
    ],
)
def test_types_that_do_not_fit_are_refused_with_the_place_and_a_hint(text, position, what, hint):
    with pytest.raises(ExpressionError) as refused:
        check(parse(text, where="sources.py:12", aggregates=True), TYPES)
    assert refused.value.position == position
    assert refused.value.what.startswith(what)
    assert hint in refused.value.hint
    assert str(refused.value).startswith("sources.py:12: ")


def test_without_any_names_the_refusal_says_so():
    with pytest.raises(ExpressionError, match="nothing is named 'a'; no names can be used here"):
        check(parse("a"), {})


def test_a_filter_has_to_be_a_condition():
    assert check(parse("i > 0"), TYPES, expect=BOOLEAN) == BOOLEAN
    with pytest.raises(ExpressionError, match="this is an integer, and a boolean is needed; compare it with something"):
        check(parse("i + 1"), TYPES, expect=BOOLEAN)
    with pytest.raises(ExpressionError, match="this is null, and a boolean is needed"):
        check(parse("null"), TYPES, expect=BOOLEAN)


@pytest.mark.parametrize(
    ("text", "to"), [("i", decimal(2)), ("x", decimal(6)), ("m", decimal(2)), ("m", DOUBLE), ("null", DATE)]
)
def test_a_value_is_made_the_type_that_is_needed_where_nothing_but_digits_can_be_lost(text, to):
    assert resolve(parse(text), TYPES, to=to).type == to


@pytest.mark.parametrize(
    ("text", "to"), [("x", INTEGER), ("s", DOUBLE), ("i", STRING), ("day", TIMESTAMP), ("i", BOOLEAN)]
)
def test_a_value_of_another_kind_is_refused(text, to):
    with pytest.raises(ExpressionError, match="is needed"):
        resolve(parse(text), TYPES, to=to)


@pytest.mark.parametrize("scale", [-1, 19])
def test_a_decimal_has_0_to_18_digits_after_its_point(scale):
    with pytest.raises(ValueError, match="0 to 18"):
        decimal(scale)
