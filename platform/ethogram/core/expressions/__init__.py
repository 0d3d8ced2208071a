"""The expression language: filters, mappings, derived features, rules and checks, with one meaning on every engine.

`parse` reads a text, `check` finds its type, `compile` makes a Python function of it; an engine's SQL is written by the
adapter of that engine. docs/expressions.md is the language's reference.
"""

from ethogram.core.expressions.canonical import normalise
from ethogram.core.expressions.closure import compile, compile_aggregate
from ethogram.core.expressions.errors import EvaluationError, ExpressionError
from ethogram.core.expressions.meaning import check, resolve
from ethogram.core.expressions.parser import parse
from ethogram.core.expressions.syntax import Expression
from ethogram.core.expressions.typed import Typed
from ethogram.core.expressions.types import (
    BOOLEAN,
    DATE,
    DOUBLE,
    INTEGER,
    NULL,
    STRING,
    TIMESTAMP,
    Type,
    decimal,
)

__all__ = [
    "BOOLEAN",
    "DATE",
    "DOUBLE",
    "INTEGER",
    "NULL",
    "STRING",
    "TIMESTAMP",
    "EvaluationError",
    "Expression",
    "ExpressionError",
    "Type",
    "Typed",
    "check",
    "compile",
    "compile_aggregate",
    "decimal",
    "normalise",
    "parse",
    "resolve",
]
