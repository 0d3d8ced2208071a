"""From text to a syntax tree; the only place that knows the grammar.

or      := and ("or" and)*
and     := not ("and" not)*
not     := "not" not | test
test    := sum [comparison sum | "is" ["not"] "null" | ["not"] "between" sum "and" sum | ["not"] "in" "(" or, … ")"]
sum     := product (("+" | "-") product)*
product := unary (("*" | "/" | "%") unary)*
unary   := "-" unary | literal | name | function "(" [or, …] ")" | "(" or ")"
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from ethogram.core.expressions.errors import ExpressionError
from ethogram.core.expressions.functions import FUNCTIONS, Function
from ethogram.core.expressions.lexer import Token, tokens
from ethogram.core.expressions.syntax import (
    AGGREGATES,
    COMPARISONS,
    MAX_CHARACTERS,
    MAX_DEPTH,
    MAX_NODES,
    Expression,
    Node,
)
from ethogram.errors import did_you_mean

_LARGEST = 2**63
_NONE: Mapping[str, Function] = {}
_FOREIGN = {
    "like": "use starts_with, ends_with or contains",
    "ilike": "use lower with starts_with, ends_with or contains",
    "case": "use if(condition, a, b)",
    "cast": "use text(x), integer(x), number(x) or decimal(x)",
    "filter": "put the condition inside: sum(if(condition, x, 0))",
    "over": "windows are declared on the signal, not in an expression",
    "avg": "the mean is mean(x)",
    "ifnull": "use coalesce(a, b)",
    "count_if": "use sum(if(condition, 1, 0))",
    "then": "use if(condition, a, b)",
}


def parse(text: str, *, where: str = "", aggregates: bool = False, more: Mapping[str, Function] = _NONE) -> Expression:
    """The expression that a text says; types are looked at by `check`.

    Args:
        text: The expression, at most 4,096 characters, 500 operations, 50 levels deep.
        where: File and line for messages, as in `sources.py:12`.
        aggregates: Whether sum, count and the like are allowed, as in a source mapping with `group_by`. If one is used,
            every name has to stand inside an aggregate.
        more: Functions that can be called beside the language's own; who names them puts something else in their place
            before types are looked at.

    >>> sorted(parse("Quantity > 0 and UnitPrice > 0").names)
    ['Quantity', 'UnitPrice']
    >>> parse("sum(Quantity * UnitPrice)", aggregates=True).aggregates
    True
    """
    return _Parser(text, where, aggregates, more).expression()


class _Parser:
    def __init__(self, text: str, where: str, aggregates: bool, more: Mapping[str, Function]) -> None:
        self.text, self.where, self.may_aggregate = text, where, aggregates
        self.functions = {**FUNCTIONS, **more}
        if len(text) > MAX_CHARACTERS:
            hint = "derive a part of it as a feature of its own"
            raise self.error(MAX_CHARACTERS, f"an expression has at most {MAX_CHARACTERS:,} characters", hint)
        for position, character in enumerate(text):
            if character == "\0" or "\ud800" <= character <= "\udfff":
                raise self.error(position, f"the character U+{ord(character):04X} is not allowed")
        self.tokens = tokens(text, where=where)
        self.at = 0
        self.nesting = 0
        self.nodes = 0
        self.depths: dict[int, int] = {}

    def error(self, position: int, what: str, hint: str = "") -> ExpressionError:
        return ExpressionError(self.text, position=position, what=what, hint=hint, where=self.where)

    @property
    def next(self) -> Token:
        return self.tokens[self.at]

    def take(self, kind: str, *values: str) -> Token | None:
        """The next token if it is one of these, else None and nothing is consumed."""
        token = self.next
        if token.kind == kind and (not values or token.value in values):
            self.at += 1
            return token
        return None

    def need(self, kind: str, value: str, why: str) -> Token:
        token = self.take(kind, value)
        if token is None:
            raise self.error(self.next.position, f"{value} is missing", why)
        return token

    def node(self, op: str, args: tuple[Node, ...], position: int, value: object = None) -> Node:
        self.nodes += 1
        if self.nodes > MAX_NODES:
            hint = "derive a part of it as a feature of its own"
            raise self.error(position, f"an expression has at most {MAX_NODES} operations", hint)
        made = Node(op, args, value, position)
        depth = 1 + max((self.depths[id(arg)] for arg in args), default=0)
        if depth > MAX_DEPTH:
            raise self.too_deep(position)
        self.depths[id(made)] = depth
        return made

    def too_deep(self, position: int) -> ExpressionError:
        return self.error(position, f"an expression is at most {MAX_DEPTH} levels deep", "derive the inner part first")

    def expression(self) -> Expression:
        root = self.disjunction()
        token = self.next
        if token.kind != "end":
            what, hint = f"{str(token.value)!r} does not belong here", ""
            if token.kind == "name":
                before = self.tokens[self.at - 1]
                foreign = _FOREIGN.get(str(token.value).lower()) or _FOREIGN.get(str(before.value).lower())
                hint = foreign or "an operator or a comma is missing before it"
            elif token.value in COMPARISONS:
                hint = "comparisons do not chain: write a < b and b < c"
            raise self.error(token.position, what, hint)
        used = [node for node in root.walk() if node.op == "call" and node.value in AGGREGATES]
        if used:
            self.refuse_bare_names(root)
        names = frozenset(str(node.value) for node in root.walk() if node.op == "name")
        return Expression(self.text, root, names, aggregates=bool(used), where=self.where)

    def refuse_bare_names(self, node: Node) -> None:
        """With aggregates, a name outside them would have many values; inside one, another aggregate has no meaning."""
        if node.op == "name":
            hint = f"write first({node.value}), or move it into the aggregate"
            raise self.error(node.position, f"{node.value!r} stands outside an aggregate", hint)
        if node.op == "call" and node.value in AGGREGATES:
            for inner in (below for arg in node.args for below in arg.walk()):
                if inner.op == "call" and inner.value in AGGREGATES:
                    raise self.error(inner.position, f"{inner.value} stands inside another aggregate")
            return
        for arg in node.args:
            self.refuse_bare_names(arg)

    def disjunction(self) -> Node:
        return self.logical("or", "and")

    def logical(self, word: str, inner: str) -> Node:
        def part() -> Node:
            return self.logical("and", "") if inner else self.negation()

        parts, position = [part()], self.next.position
        while self.take("keyword", word):
            parts.append(part())
        if len(parts) == 1:
            return parts[0]
        # `a and (b and c)` means `a and b and c`: one node, one text, one digest.
        flat = [piece for one in parts for piece in (one.args if one.op == word else (one,))]
        return self.node(word, tuple(flat), position)

    def negation(self) -> Node:
        token = self.take("keyword", "not")
        if token is None:
            return self.test()
        with self.deeper(token):
            return self.node("not", (self.negation(),), token.position)

    def test(self) -> Node:
        left = self.sum()
        token = self.next
        if self.take("symbol", *COMPARISONS):
            right = self.sum()
            self.refuse_null(left, right, token=token)
            return self.node(str(token.value), (left, right), token.position)
        if self.take("keyword", "is"):
            negated = self.take("keyword", "not")
            if not self.take("keyword", "null"):
                raise self.error(self.next.position, "null is missing after is", "compare other values with = or !=")
            return self.negated(self.node("is null", (left,), token.position), negated)
        negated = self.take("keyword", "not")
        if self.take("keyword", "between"):
            low = self.sum()
            self.need("keyword", "and", "write x between a and b")
            high = self.sum()
            self.refuse_null(left, low, high, token=token)
            return self.negated(self.node("between", (left, low, high), token.position), negated)
        if self.take("keyword", "in"):
            self.need("symbol", "(", "write x in (a, b)")
            items = self.arguments(token)
            if not items:
                raise self.error(token.position, "the list after in is empty", "write x in (a, b)")
            self.refuse_null(left, *items, token=token)
            return self.negated(self.node("in", (left, *items), token.position), negated)
        if negated:
            raise self.error(self.next.position, "between or in is missing after not", "not goes before a whole test")
        return left

    def negated(self, node: Node, negated: Token | None) -> Node:
        return self.node("not", (node,), negated.position) if negated else node

    def refuse_null(self, *args: Node, token: Token) -> None:
        if any(arg.op == "literal" and arg.value is None for arg in args):
            hint = "write is null or is not null"
            raise self.error(token.position, "comparing with null is never true", hint)

    def sum(self) -> Node:
        left = self.product()
        while token := self.take("symbol", "+", "-"):
            left = self.node(str(token.value), (left, self.product()), token.position)
        return left

    def product(self) -> Node:
        left = self.unary()
        while token := self.take("symbol", "*", "/", "%"):
            left = self.node(str(token.value), (left, self.unary()), token.position)
        return left

    def unary(self) -> Node:
        minus = self.take("symbol", "-")
        if minus is None:
            return self.primary()
        if self.next.kind == "literal" and not isinstance(self.next.value, str):
            return self.number(self.tokens[self.at], minus)
        with self.deeper(minus):
            return self.node("negate", (self.unary(),), minus.position)

    def number(self, token: Token, minus: Token | None) -> Node:
        """A number with its sign: the least integer is in range only with it."""
        self.at += 1
        value, place = token.value, (minus or token).position
        if minus:
            # Unlike copy_negate, the minus sign would round a Decimal to 28 digits.
            value = value.copy_negate() if isinstance(value, Decimal) else -value
        if isinstance(value, int) and not -_LARGEST <= value < _LARGEST:
            hint = f"integers have 64 bits; for more write a decimal, as in {value}.0"
            raise self.error(place, f"the integer {value} is too large", hint)
        return self.node("literal", (), place, value)

    def primary(self) -> Node:
        token = self.next
        if token.kind == "literal" and not isinstance(token.value, str):
            return self.number(token, None)
        if self.take("literal"):
            return self.node("literal", (), token.position, token.value)
        if self.take("keyword", "true", "false", "null"):
            return self.node("literal", (), token.position, {"true": True, "false": False, "null": None}[token.value])
        if self.take("name"):
            if self.next.kind == "symbol" and self.next.value == "(" and self.text[token.position] != '"':
                return self.call(token)
            return self.node("name", (), token.position, token.value)
        if self.take("symbol", "("):
            with self.deeper(token):
                inner = self.disjunction()
            self.need("symbol", ")", "a parenthesis is not closed")
            return inner
        if token.kind == "end":
            raise self.error(token.position, "the expression ends early", "a value is missing")
        hint = "a name that is a keyword is written in double quotes" if token.kind == "keyword" else ""
        raise self.error(token.position, f"a value is missing before {str(token.value)!r}", hint)

    def call(self, token: Token) -> Node:
        name = str(token.value).lower()
        if name in AGGREGATES and not self.may_aggregate:
            hint = "aggregates are for mappings with group_by; a signal declares its own"
            raise self.error(token.position, f"{name} sums up many rows, which is not allowed here", hint)
        if name not in self.functions:
            known = [known for known in self.functions if self.may_aggregate or known not in AGGREGATES]
            hint = _FOREIGN.get(name) or did_you_mean(name, known, otherwise="docs/expressions.md lists the functions")
            raise self.error(token.position, f"no function named {name!r}", hint)
        self.need("symbol", "(", "")
        args = self.arguments(token)
        function = self.functions[name]
        if len(args) < function.least or (function.most is not None and len(args) > function.most):
            raise self.error(
                token.position,
                f"{name} does not take {len(args)} argument{'s' if len(args) != 1 else ''}",
                f"write {function.form}",
            )
        return self.node("call", tuple(args), token.position, name)

    def arguments(self, token: Token) -> list[Node]:
        """What stands up to the closing parenthesis; the opening one is consumed."""
        args: list[Node] = []
        with self.deeper(token):
            if self.take("symbol", ")"):
                return args
            args.append(self.disjunction())
            while self.take("symbol", ","):
                args.append(self.disjunction())
        self.need("symbol", ")", "a comma or the closing parenthesis is missing")
        return args

    def deeper(self, token: Token) -> _Deeper:
        return _Deeper(self, token)


class _Deeper:
    """Counts levels while parsing, so that `((((…` ends in an error of ours and not in Python's."""

    def __init__(self, parser: _Parser, token: Token) -> None:
        self.parser, self.token = parser, token

    def __enter__(self) -> None:
        self.parser.nesting += 1
        if self.parser.nesting > MAX_DEPTH:
            raise self.parser.too_deep(self.token.position)

    def __exit__(self, *_: object) -> None:
        self.parser.nesting -= 1
