"""ODCS documents: read strictly, kept word for word, and the rules that one row can break."""

from __future__ import annotations

import pytest

from ethogram.core.contracts import load_contract
from ethogram.core.expressions import DATE, DOUBLE, INTEGER, STRING, TIMESTAMP, decimal
from ethogram.errors import Problems

HEAD = """apiVersion: v3.1.0
kind: DataContract
id: orders
version: 1.2.0
status: active
schema:
  - name: orders
    properties:
"""


def contract(properties: str, quality: str = ""):
    return load_contract(HEAD + properties + quality, "contracts/sources/orders.yaml")


def rules(properties: str, quality: str = "") -> list[tuple[str, str, str]]:
    return [
        (rule.name, rule.text, rule.condition.text if rule.condition else str(rule.pattern))
        for rule in contract(properties, quality).rules
    ]


def test_types_come_from_logical_and_physical_types():
    found = contract(
        "      - {name: a, logicalType: string}\n"
        "      - {name: b, logicalType: integer}\n"
        "      - {name: c, logicalType: number, physicalType: 'decimal(18, 2)'}\n"
        "      - {name: d, logicalType: number, physicalType: double}\n"
        "      - {name: e, logicalType: timestamp}\n"
        "      - {name: f, logicalType: date}\n"
        "      - {name: g, logicalType: array, items: {logicalType: string}}\n"
    )
    assert found.types == {"a": STRING, "b": INTEGER, "c": decimal(2), "d": DOUBLE, "e": TIMESTAMP, "f": DATE}
    assert found.columns["g"].type is None


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("logicalType: string, required: true", ("required", "x is there", '"x" is not null')),
        ("logicalType: integer, logicalTypeOptions: {minimum: 0}", ("minimum", "x ≥ 0", '"x" >= 0')),
        ("logicalType: number, logicalTypeOptions: {maximum: 1.5}", ("maximum", "x ≤ 1.5", '"x" <= 1.5')),
        ("logicalType: number, logicalTypeOptions: {exclusiveMinimum: 0}", ("minimum", "x > 0", '"x" > 0')),
        (
            "logicalType: date, logicalTypeOptions: {minimum: '2025-01-31'}",
            ("minimum", "x ≥ 2025-01-31", '"x" >= make_date(2025, 1, 31)'),
        ),
        (
            "logicalType: timestamp, logicalTypeOptions: {exclusiveMaximum: '2025-01-31'}",
            ("maximum", "x < 2025-01-31", '"x" < timestamp(make_date(2025, 1, 31))'),
        ),
        ("logicalType: string, logicalTypeOptions: {maxLength: 3}", ("length", "length of x ≤ 3", 'length("x") <= 3')),
        ("logicalType: string, logicalTypeOptions: {pattern: '^a+$'}", ("pattern", "x matches ^a+$", "^a+$")),
        (
            "logicalType: integer, logicalTypeOptions: {multipleOf: 5}",
            ("multiple", "x is a multiple of 5", '"x" % 5 = 0'),
        ),
        (
            "logicalType: string, enum: [{value: it's}, {value: b}]",
            ("values", "x is one of it's, b", "\"x\" in ('it''s', 'b')"),
        ),
        (
            "logicalType: string, quality: [{metric: nullValues, mustBe: 0}]",
            ("required", "x is there", '"x" is not null'),
        ),
        (
            "logicalType: string, quality: [{metric: invalidValues, arguments: {validValues: [a]}, mustBe: 0}]",
            ("values", "x is one of a", "\"x\" in ('a')"),
        ),
        (
            "logicalType: string, quality: [{metric: invalidValues, arguments: {pattern: '^a'}, mustBe: 0}]",
            ("pattern", "x matches ^a", "^a"),
        ),
    ],
)
def test_what_a_column_promises_becomes_a_rule_on_each_row(written, expected):
    assert rules(f"      - {{name: x, {written}}}\n") == [expected]


def test_a_rule_over_several_columns_is_an_expression():
    found = rules(
        "      - {name: n, logicalType: integer}\n      - {name: price, logicalType: number}\n",
        "    quality:\n"
        "      - {type: custom, engine: ethogram, implementation: 'n > 0 or price = 0', description: gifts}\n",
    )
    assert found == [("condition", "gifts", "n > 0 or price = 0")]


def test_rules_over_whole_tables_or_for_other_engines_are_named_as_not_decided_here():
    found = contract(
        "      - name: x\n        logicalType: string\n        unique: true\n"
        "        quality: [{metric: nullValues, mustBeLessThan: 5, unit: percent}]\n",
        "    quality:\n"
        "      - {metric: rowCount, mustBeGreaterThan: 0}\n"
        "      - {type: sql, query: select 1, mustBe: 1, name: one}\n"
        "      - {type: custom, engine: soda, implementation: 'x', description: elsewhere}\n",
    )
    assert found.rules == ()
    assert [line.partition(": ")[2] for line in found.elsewhere] == [
        "nullValues",
        "x is unique",
        "rowCount",
        "one",
        "elsewhere",
    ]


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        (
            "      - {name: x, logicalType: nummer}\n",
            "orders.yaml:9: schema.0.properties.0.logicalType: 'nummer' is not one of",
        ),
        ("      - {name: x, logicalTyp: string}\n", "logicalTyp"),
        (
            "      - {name: x, logicalType: string, logicalTypeOptions: {pattern: '('}}\n",
            "orders.yaml:9: x: the pattern is not",
        ),
        ("      - {name: x, logicalType: string, logicalTypeOptions: {maximum: 4}}\n", "maximum"),
        (
            "      - {name: x, logicalType: timestamp, logicalTypeOptions: {minimum: '2025-01-01T10:00:00Z'}}\n",
            "orders.yaml:9",
        ),
    ],
)
def test_what_is_wrong_is_told_with_its_line(broken, said):
    with pytest.raises(Problems) as caught:
        contract(broken)
    assert any(said in problem for problem in caught.value.problems)


def test_an_expression_over_a_column_that_is_not_there_is_refused():
    with pytest.raises(Problems, match="nothing is named 'prise'"):
        contract(
            "      - {name: price, logicalType: number}\n",
            "    quality:\n      - {type: custom, engine: ethogram, implementation: prise > 0}\n",
        )


def test_the_document_is_kept_word_for_word():
    text = HEAD + "      - {name: x, logicalType: string}   # a remark\n"
    found = load_contract(text, "contracts/sources/orders.yaml")
    assert found.text == text
    assert (found.id, found.version) == ("orders", "1.2.0")
