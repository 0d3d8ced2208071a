"""Read a team's declaration file without running it.

The file is Python in form only. The reader walks its syntax tree and admits imports from `ethogram`, assignments, calls
of declaration names, literals and earlier names; anything else is a problem with its line. So a file from any branch of
any fork can be read and reviewed without trusting it.
"""

from __future__ import annotations

import ast
import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ethogram.core.content.origin import Origin
from ethogram.errors import EthogramError, did_you_mean

MAX_BYTES = 1_000_000
MAX_DEPTH = 60


@dataclass(frozen=True)
class Module:
    """What a file declares, in file order, and what is wrong with it."""

    values: tuple[Any, ...]
    problems: tuple[str, ...]


def read_module(text: str, path: str, names: Mapping[str, Callable[..., Any]]) -> Module:
    """Declarations in `text`, each carrying its line; all problems at once.

    Args:
        text: The file's content; nothing in it is executed.
        path: Shown in problems and kept in each value's `origin`.
        names: Declaration names that the file may import from `ethogram`, with what builds them.

    >>> from ethogram.core.outcomes.declaration import Outcome, absence
    >>> source = "from ethogram import absence\\nx = absence('commerce.purchase', within='90d')\\nimport os"
    >>> read_module(source, "teams/a/outcomes.py", {"absence": absence}).problems
    ('teams/a/outcomes.py:3: only `from ethogram import ...` is read here, not `import os`',)
    """
    if len(text.encode()) > MAX_BYTES:
        return Module((), (f"{path}:1: the file is over {MAX_BYTES:,} bytes; split it",))
    try:
        tree = ast.parse(text, path)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        line = getattr(error, "lineno", None) or 1
        return Module((), (f"{path}:{line}: not Python in form: {getattr(error, 'msg', error)}",))
    reading = _Reading(path, names)
    for statement in tree.body:
        reading.statement(statement)
    return Module(tuple(reading.values), tuple(reading.problems))


class _Unreadable(Exception):
    def __init__(self, node: ast.AST, message: str) -> None:
        self.line = getattr(node, "lineno", 1)
        super().__init__(message)


class _Reading:
    def __init__(self, path: str, names: Mapping[str, Callable[..., Any]]) -> None:
        self.path = path
        self.names = names
        self.imported: set[str] = set()
        self.assigned: dict[str, Any] = {}
        self.values: list[Any] = []
        self.problems: list[str] = []

    def statement(self, node: ast.stmt) -> None:
        try:
            match node:
                case ast.ImportFrom(module="ethogram", level=0):
                    self.imports(node)
                case ast.ImportFrom(module="__future__", level=0):
                    pass
                case ast.Assign(targets=[ast.Name(id=name)], value=value):
                    self.assigned[name] = self.declared(value)
                case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
                    self.assigned[name] = self.declared(value)
                case ast.Expr(value=ast.Constant(value=str())):
                    pass
                case ast.Expr(value=ast.Call() as call):
                    self.declared(call)
                case ast.Import() | ast.ImportFrom():
                    raise _Unreadable(node, f"only `from ethogram import ...` is read here, not `{ast.unparse(node)}`")
                case _:
                    what = type(node).__name__.lower()
                    raise _Unreadable(node, f"a declaration file holds assignments and declarations only, no {what}")
        except _Unreadable as unreadable:
            self.problems.append(f"{self.path}:{unreadable.line}: {unreadable}")

    def imports(self, node: ast.ImportFrom) -> None:
        for alias in node.names:
            if alias.asname:
                raise _Unreadable(node, f"import {alias.name} under its own name, not as {alias.asname}")
            if alias.name not in self.names:
                hint = did_you_mean(alias.name, self.names, otherwise="see the declaration reference")
                raise _Unreadable(node, f"ethogram declares no {alias.name!r}; {hint}")
            self.imported.add(alias.name)

    def declared(self, node: ast.expr) -> Any:
        value = self.value(node, 0)
        if dataclasses.is_dataclass(value):
            self.values.append(value)
        return value

    def value(self, node: ast.expr, depth: int) -> Any:
        if depth > MAX_DEPTH:
            raise _Unreadable(node, f"nested deeper than {MAX_DEPTH}")
        match node:
            case ast.Constant(value=value) if value is None or isinstance(value, (str, bool, int, float)):
                return value
            case ast.List(elts=items):
                return [self.value(item, depth + 1) for item in items]
            case ast.Tuple(elts=items):
                return tuple(self.value(item, depth + 1) for item in items)
            case ast.Dict(keys=keys, values=values) if all(key is not None for key in keys):
                pairs = zip([key for key in keys if key is not None], values, strict=True)
                return {self.value(key, depth + 1): self.value(value, depth + 1) for key, value in pairs}
            case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as number)):
                return -number
            case ast.BinOp(left=left, op=ast.Add(), right=right):
                return self.joined(node, self.value(left, depth + 1), self.value(right, depth + 1))
            case ast.Name(id=name):
                return self.named(node, name)
            case ast.Call(func=ast.Name(id=name)):
                return self.call(node, name, depth)
        raise _Unreadable(node, f"`{_short(node)}` is not a literal, an earlier name or a declaration")

    def joined(self, node: ast.expr, left: Any, right: Any) -> Any:
        if isinstance(left, str) and isinstance(right, str):
            return left + right
        if isinstance(left, list) and isinstance(right, list):
            return [*left, *right]
        raise _Unreadable(node, "+ joins two texts or two lists")

    def named(self, node: ast.expr, name: str) -> Any:
        if name in self.assigned:
            return self.assigned[name]
        known = [*self.assigned, *self.imported]
        hint = did_you_mean(name, known, otherwise="declare it first")
        raise _Unreadable(node, f"{name!r} is not declared above; {hint}")

    def call(self, node: ast.Call, name: str, depth: int) -> Any:
        if name not in self.imported:
            if name in self.names:
                raise _Unreadable(node, f"{name} is not imported; add it to `from ethogram import ...`")
            hint = did_you_mean(name, self.names, otherwise="see the declaration reference")
            raise _Unreadable(node, f"no declaration named {name!r}; {hint}")
        starred = any(isinstance(argument, ast.Starred) for argument in node.args)
        if starred or any(keyword.arg is None for keyword in node.keywords):
            raise _Unreadable(node, "write the arguments out; * and ** are not read")
        positional = [self.value(argument, depth + 1) for argument in node.args]
        keywords = {str(k.arg): self.value(k.value, depth + 1) for k in node.keywords}
        try:
            built = self.names[name](*positional, **keywords)
        except TypeError as error:
            raise _Unreadable(node, _signature_problem(name, self.names[name], keywords, error)) from error
        except EthogramError as error:
            raise _Unreadable(node, str(error)) from error
        return dataclasses.replace(built, origin=Origin(self.path, node.lineno))


def _signature_problem(name: str, build: Callable[..., Any], given: Mapping[str, Any], error: TypeError) -> str:
    import inspect

    parameters = [p for p in inspect.signature(build).parameters if p not in {"origin", "owner"}]
    unknown = [key for key in given if key not in parameters]
    if unknown:
        hint = did_you_mean(unknown[0], parameters, otherwise="it takes " + ", ".join(parameters))
        return f"{name} takes no {unknown[0]!r}; {hint}"
    return str(error).replace("__init__()", name).replace(f"{build.__qualname__}()", name)


def _short(node: ast.expr) -> str:
    text = ast.unparse(node)
    return text if len(text) <= 40 else text[:39] + "…"
