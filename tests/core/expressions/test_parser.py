"""What is an expression, and what each refusal says."""

from __future__ import annotations

import pytest

from ethogram.core.expressions import ExpressionError, normalise, parse
from ethogram.errors import EthogramError

WRONG = [
    ("", 0, "the expression ends early", "a value is missing"),
    ("Quantity >", 10, "the expression ends early", "a value is missing"),
    ("* 2", 0, "a value is missing before '*'", ""),
    ("and", 0, "a value is missing before 'and'", "double quotes"),
    ("a == 3", 2, "'=' is not part of the language", "equality is a single ="),
    ("a && b", 2, "'&' is not part of the language", "write and"),
    ("a || b", 2, "'|' is not part of the language", "concat(a, b)"),
    ("!a", 0, "'!' is not part of the language", "write not"),
    ("a; drop table x", 1, "';' is not part of the language", "one expression"),
    (".5", 0, "'.' is not part of the language", "0.5"),
    ("7d", 0, "this is not a number", "does not start with a digit"),
    ("5.", 0, "this is not a number", ""),
    ("Ünit > 1", 0, "'Ü' is not part of the language", "double quotes"),
    ("'abc", 0, "the text is not closed", "'"),
    ('""', 0, "the name is empty or not closed", '"'),
    ("a < b < c", 6, "'<' does not belong here", "comparisons do not chain"),
    ("a b", 2, "'b' does not belong here", "an operator or a comma is missing"),
    ("a like 'C%'", 2, "'like' does not belong here", "starts_with"),
    ("case when a then b end", 5, "'when' does not belong here", "if(condition, a, b)"),
    ("a)", 1, "')' does not belong here", ""),
    ("(a", 2, ") is missing", "not closed"),
    ("abs(1", 5, ") is missing", "comma or the closing parenthesis"),
    ("a = null", 2, "comparing with null is never true", "is null"),
    ("a in (1, null)", 2, "comparing with null is never true", "is null"),
    ("a between null and 2", 2, "comparing with null is never true", "is null"),
    ("a in ()", 2, "the list after in is empty", "x in (a, b)"),
    ("a in 5", 5, "( is missing", "x in (a, b)"),
    ("a between 1 or 2", 12, "and is missing", "x between a and b"),
    ("a is 5", 5, "null is missing after is", "= or !="),
    ("a not 5", 6, "between or in is missing after not", "before a whole test"),
    ("rownd(a)", 0, "no function named 'rownd'", "did you mean round?"),
    ("zzz(a)", 0, "no function named 'zzz'", "docs/expressions.md"),
    ("avg(a)", 0, "no function named 'avg'", "mean(x)"),
    ("starts_with(a)", 0, "starts_with does not take 1 argument", "starts_with(text, start)"),
    ("abs(1, 2)", 0, "abs does not take 2 arguments", "abs(x)"),
    ("sum(a)", 0, "sum sums up many rows", "group_by"),
    ("9223372036854775808", 0, "the integer 9223372036854775808 is too large", "64 bits"),
    ("-9223372036854775809", 0, "the integer -9223372036854775809 is too large", "64 bits"),
    ("0.1234567890123456789", 0, "a decimal has up to 20 digits before the point and 18 after it", "write a double"),
    ("100000000000000000000.5", 0, "a decimal has up to 20 digits", "write a double"),
    ("1e999", 0, "1e999 is too large", "1.8e308"),
    ("a\0b", 1, "the character U+0000 is not allowed", ""),
    ("'\ud800'", 1, "the character U+D800 is not allowed", ""),
]


@pytest.mark.parametrize(("text", "position", "what", "hint"), WRONG, ids=[repr(text) for text, *_ in WRONG])
def test_what_is_not_the_language_is_refused_with_its_place_and_a_hint(text, position, what, hint):
    with pytest.raises(ExpressionError) as refused:
        parse(text, where="sources.py:12")
    assert refused.value.position == position
    assert refused.value.what.startswith(what)
    assert hint in refused.value.hint


def test_a_refusal_is_an_error_of_ours_with_a_stable_code_and_its_facts():
    with pytest.raises(EthogramError) as refused:
        parse("Quantity >", where="sources.py:12")
    error = refused.value
    assert (error.code, error.exit_status) == ("bad-expression", 2)
    assert (error.text, error.where) == ("Quantity >", "sources.py:12")
    assert str(error) == (
        'sources.py:12: the expression ends early; a value is missing (at character 11 of "Quantity >")'
    )


def test_of_a_long_text_the_message_shows_the_part_around_the_place():
    with pytest.raises(ExpressionError) as refused:
        parse("'" + "a" * 300 + "' ? '" + "b" * 300 + "'")
    assert len(str(refused.value)) < 250
    assert "a' ? 'b" in str(refused.value)


def test_a_text_of_4096_characters_is_read_and_one_more_is_refused():
    assert parse("'" + "a" * 4094 + "'").names == frozenset()
    with pytest.raises(ExpressionError, match="at most 4,096 characters"):
        parse("'" + "a" * 4095 + "'")


@pytest.mark.parametrize(
    "nested",
    [
        lambda depth: "(" * depth + "1" + ")" * depth,
        lambda depth: "abs(" * depth + "1" + ")" * depth,
        lambda depth: "not " * depth + "true",
        lambda depth: "- " * depth + "a",
        lambda depth: "1 in (" * depth + "1" + ")" * depth,
    ],
    ids=["parentheses", "calls", "not", "minus", "in"],
)
def test_fifty_levels_are_read_and_any_number_more_is_refused(nested):
    assert parse(nested(49)).text
    for depth in (51, 400):
        with pytest.raises(ExpressionError, match="at most 50 levels deep"):
            parse(nested(depth))


def test_a_long_sum_counts_as_deep_but_a_long_list_of_conditions_does_not():
    with pytest.raises(ExpressionError, match="at most 50 levels deep"):
        parse("+".join(["1"] * 60))
    assert len(parse(" and ".join(["a > 1"] * 100)).root.args) == 100


def test_five_hundred_operations_are_read_and_one_more_is_refused():
    assert parse(f"x in ({','.join(['1'] * 498)})").names == {"x"}
    with pytest.raises(ExpressionError, match="at most 500 operations"):
        parse(f"x in ({','.join(['1'] * 499)})")


def test_names_are_dotted_quoted_or_plain_and_keep_their_case():
    expression = parse('purchase_rhythm.purchases_180d >= 2 and "Unit ""Price""" > _a1 and "and" = ABS(Abs)')
    assert expression.names == {"purchase_rhythm.purchases_180d", 'Unit "Price"', "_a1", "and", "Abs"}


def test_a_function_is_only_what_stands_before_a_parenthesis():
    assert parse("year + year(day)").names == {"year", "day"}
    with pytest.raises(ExpressionError, match="'\\(' does not belong here"):
        parse('"abs"(1)')


@pytest.mark.parametrize(
    ("text", "grouped"),
    [
        ("a or b and c", "a or (b and c)"),
        ("not a and b", "(not a) and b"),
        ("not a = b", "not (a = b)"),
        ("a + b * c", "a + (b * c)"),
        ("a - b - c", "(a - b) - c"),
        ("a / b * c", "(a / b) * c"),
        ("-a % b", "(-a) % b"),
        ("a + b < c - d", "(a + b) < (c - d)"),
        ("a between b + 1 and c and d", "(a between (b + 1) and c) and d"),
        ("a is null = b", None),
        ("not a is null", "a is not null"),
        ("not a in (1)", "a not in (1)"),
    ],
)
def test_operators_bind_as_in_sql(text, grouped):
    if grouped is None:
        with pytest.raises(ExpressionError):
            parse(text)
    else:
        assert parse(text).root == parse(grouped).root


def test_aggregates_are_read_where_they_are_allowed():
    expression = parse("SUM(Quantity * UnitPrice) / count()", aggregates=True)
    assert expression.aggregates
    assert expression.names == {"Quantity", "UnitPrice"}
    assert not parse("Quantity", aggregates=True).aggregates


def test_beside_an_aggregate_every_name_stands_inside_one():
    with pytest.raises(ExpressionError, match="'price' stands outside an aggregate; write first\\(price\\)") as refused:
        parse("sum(a) * price", aggregates=True)
    assert refused.value.position == 9
    with pytest.raises(ExpressionError, match="max stands inside another aggregate"):
        parse("sum(1 + max(a))", aggregates=True)


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("((Quantity>0))  AND (price   IS NOT NULL)", "Quantity > 0 and price is not null"),
        ("a and (b and c)", "a and b and c"),
        ("a or (b or c) or d", "a or b or c or d"),
        ("a <> 1", "a != 1"),
        ("a - (b - c)", "a - (b - c)"),
        ("(a - b) - c", "a - b - c"),
        ("not (a or b)", "not (a or b)"),
        ("not (x between 1 and 2)", "x not between 1 and 2"),
        ("(a = b) = (c = d)", "(a = b) = (c = d)"),
        ("-(-5)", "-(-5)"),
        ("- -5", "-(-5)"),
        ("-(5)", "-(5)"),
        ("a - -5", "a - -5"),
        ("-(a + b)", "-(a + b)"),
        ("1E3 + 001 + 1.50", "1000.0e0 + 1 + 1.50"),
        ("1e-7", "1e-07"),
        ("'it''s'", "'it''s'"),
        ('"plain" + "odd name" + "null"', 'plain + "odd name" + "null"'),
        ("Coalesce ( a ,'b' )", "coalesce(a, 'b')"),
        ("TRUE or Null is null", "true or null is null"),
    ],
)
def test_one_meaning_has_one_text(text, normal):
    assert normalise(parse(text)) == normal
    assert parse(normal).root == parse(text).root


def test_digits_are_part_of_the_meaning_of_a_decimal():
    assert normalise(parse("1.5")) != normalise(parse("1.50"))
