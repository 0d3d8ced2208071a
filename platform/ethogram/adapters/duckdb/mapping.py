"""A source's rules as DuckDB SQL: from typed rows to events with their keys, and to reasons why a row is kept back.

Nothing here runs. A value that cannot be computed for a row (an overflow, a day that does not exist) is null together
with a flag, so that the row is quarantined and the rest goes on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ethogram.adapters.duckdb.columns import Reason, TypedColumn, localised
from ethogram.adapters.duckdb.expressions import emit, quoted
from ethogram.adapters.duckdb.raw_files import ROW, TEXT
from ethogram.core.expressions import DOUBLE, INTEGER, Expression, Type, decimal, resolve
from ethogram.core.expressions.syntax import AGGREGATES, Node
from ethogram.core.sources.plan import EventPlan, SourcePlan
from ethogram.core.taxonomy import Property
from ethogram.core.time import MICROSECOND

AHEAD = "INTERVAL 10 MINUTES"
"""How far in the future of its arrival an event may be: clocks differ."""

SEPARATOR = "chr(31)"
_SAFE = frozenset(
    {
        "literal", "name", "=", "!=", "<", "<=", ">", ">=", "and", "or", "not", "is null", "in", "between", "if",
        "coalesce", "nullif", "concat", "lower", "upper", "trim", "length", "starts_with", "ends_with", "contains",
        "replace", "substring", "least", "greatest", "year", "month", "day", "days_between", "to_text", "to_date",
        "to_timestamp", "divide",
    }
)  # fmt: skip
_SQL = {"integer": "BIGINT", "double": "DOUBLE", "string": "VARCHAR", "boolean": "BOOLEAN", "timestamp": "TIMESTAMP"}


@dataclass(frozen=True, slots=True)
class Value:
    """SQL of an expression's value; where `may_fail`, computing it can be an error for a row."""

    raw: str
    type: Type
    may_fail: bool

    @property
    def sql(self) -> str:
        """The value, null where it fails."""
        return f"TRY({self.raw})" if self.may_fail else self.raw

    @property
    def failed(self) -> str:
        """True where it fails."""
        return f"(TRY(({self.raw}) IS NULL) IS NULL)" if self.may_fail else "FALSE"


def value(expression: Expression, types: Mapping[str, Type], *, to: Type | None = None) -> Value:
    """The expression over one row, made the type `to`.

    The connection must not pull common subexpressions out of TRY: see `StagedUnit`.
    """
    root = resolve(expression, types, to=to)
    safe = root.type.kind != "double" and all(node.op in _SAFE for node in root.walk())
    return Value(emit(expression, types, to=to), root.type, not safe)


@dataclass
class _Columns:
    """Values of one select list, each computed once: `base` is what is tried, `items` what it gave and what failed."""

    base: list[str] = field(default_factory=list)
    items: list[str] = field(default_factory=list)
    failures: list[tuple[str, str]] = field(default_factory=list)

    def add(self, name: str, found: Value, what: str) -> None:
        if not found.may_fail:
            self.base.append(f"{found.raw} AS {name}")
            return
        # A struct tells a value that is null from one that cannot be computed.
        self.base.append(f"TRY({{'v': {found.raw}}}) AS s_{name}")
        self.items += [f"s_{name}.v AS {name}", f"s_{name} IS NULL AS f_{name}"]
        self.failures.append((f"f_{name}", what))

    def over(self, source: str, *given: str) -> str:
        """A select of it all from `source`, with the columns `given` as they are."""
        inner = f"SELECT {', '.join([*given, *self.base])} FROM {source}"
        return f"SELECT {', '.join(['*', *self.items])} FROM ({inner})"

    def reasons(self) -> list[Reason]:
        return [Reason("expression", "", f"{what} cannot be computed", flag) for flag, what in self.failures]


class Rule:
    """One event rule over the typed columns of one file.

    Args:
        plan: The source.
        event: Its rule.
        columns: How each column is read.
        allowed: Channels that the behavior may have.
        key_types: How each entity's key is written outside: string or integer.
        arrived: Microseconds since the epoch at which this run began.
    """

    def __init__(
        self,
        plan: SourcePlan,
        event: EventPlan,
        columns: Mapping[str, TypedColumn],
        *,
        allowed: Sequence[str],
        key_types: Mapping[str, str],
        arrived: int,
    ) -> None:
        self.plan, self.event, self.columns = plan, event, columns
        self.allowed, self.key_types = allowed, key_types
        self.arrived = f"make_timestamp({arrived})"
        self.types = {name: column.type for name, column in columns.items()}

    @property
    def entities(self) -> tuple[str, ...]:
        return tuple(self.event.entities)

    @property
    def derives_id(self) -> bool:
        """Whether ids come from the raw row, so that identical rows have to be counted."""
        return not self.event.group_by and self.event.event_id is None

    def named(self, alias: str = "") -> str:
        """SQL: the event names somebody."""
        return "(" + " OR ".join(f"{alias}k_{entity} IS NOT NULL" for entity in self.entities) + ")"

    def events_sql(self, lines: str, ordinals: str | None) -> str:
        """Rows of `lines` as events, one each, with `reasons` (null where there are none).

        Args:
            lines: SQL of the typed rows: their columns, the position, and `TEXT`.
            ordinals: Table of the rows that are not the first of their kind in the file, with their `k`.
        """
        first = self._first()
        if self.event.event_id is not None:
            first.add(
                "event_id", value(_call("text", self.event.event_id.root, self.event.event_id), self.types), "event_id"
            )
        elif ordinals:
            parts = [_text(self.plan.name), TEXT, f"CAST(coalesce({ordinals}.k, 1) AS VARCHAR)"]
            first.base.append(f"{self._id(parts)} AS event_id")
        else:
            first.base.append(f"{self._id([_text(self.plan.name), TEXT, _text('1')])} AS event_id")
        if self.event.target is not None:
            first.add(
                "target_id", value(_call("text", self.event.target.root, self.event.target), self.types), "target"
            )
        else:
            first.base.append("CAST(NULL AS VARCHAR) AS target_id")
        for entity, expression in self.event.entities.items():
            first.add(f"v_{entity}", value(expression, self.types), entity)
        for name, expression in self.event.properties.items():
            made = _made(self.event.behavior.properties[name])
            first.add(f"w_{name}", value(expression, self.types, to=made), name)
        joined = f"{lines} LEFT JOIN {ordinals} USING ({ROW})" if ordinals else lines
        inner = first.over(f"{joined} WHERE {self.taken}", ROW)
        keys, key_reasons = self._keys({e: value(x, self.types).type for e, x in self.event.entities.items()})
        values, value_reasons = self._values(first)
        middle = f"SELECT *, {', '.join([*self._known(), *keys, *values])} FROM ({inner})"
        reasons = [*first.reasons(), *self._line_reasons(), *key_reasons, *value_reasons]
        if self.event.event_id is not None:
            reasons.append(Reason("event_id", "", "no event_id", "event_id IS NULL"))
        if self.event.target is not None:
            reasons.append(Reason("target", "", "no target", "target_id IS NULL"))
        kept = [
            ROW,
            "event_id",
            f"{_text(self.event.op)} AS op",
            "target_id",
            "occurred_at",
            "available_at",
            "channel",
            "local_time",
        ]
        kept += [f"k_{entity}" for entity in self.entities] + [f"p_{name}" for name in self.event.properties]
        return f"SELECT {', '.join(kept)}, {reasons_sql(reasons)} AS reasons FROM ({middle})"

    def lines_sql(self, lines: str) -> str:
        """Rows of `lines` as lines of grouped events: the key of their group, their time, and what aggregates need."""
        first = self._first()
        names = []
        for n, expression in enumerate(self.event.group_by):
            first.add(f"g_{n}", _as_text(value(expression, self.types)), "group_by")
            names.append(f"g_{n}")
        for atom in self._atoms():
            if atom.line is not None:
                first.add(atom.name, atom.line, "a part of an aggregate")
        inner = first.over(f"{lines} WHERE {self.taken}", ROW)
        known = self._known()
        middle = f"SELECT *, {', '.join(known)} FROM ({inner})" if known else inner
        missing = " OR ".join(f"{name} IS NULL" for name in names)
        reasons = [*first.reasons(), *self._line_reasons(), Reason("group_by", "", "no value to group by", missing)]
        kept = [
            ROW,
            f"concat_ws({SEPARATOR}, {', '.join(names)}) AS group_key",
            "occurred_at",
            "available_at",
            "channel",
        ]
        kept += ["local_time", *(atom.name for atom in self._atoms() if atom.line is not None)]
        return f"SELECT {', '.join(kept)}, {reasons_sql(reasons)} AS reasons FROM ({middle})"

    def groups_sql(self, lines: str) -> str:
        """Events of the grouped `lines`, one a group, with `reasons` of what only the whole group shows."""
        order = f"{{'t': occurred_at, 'a': available_at, 'r': {ROW}}}"
        known = "max(available_at)" if self.event.sums_up else f"arg_min(available_at, {order})"
        inner = [
            "group_key",
            "min(occurred_at) AS occurred_at",
            f"{known} AS available_at",
            f"arg_min_null(channel, {order}) AS channel",
            *(f"{atom.over(order)} AS {atom.name}" for atom in self._atoms()),
        ]
        grouped = f"SELECT {', '.join(inner)} FROM {lines} GROUP BY group_key"
        outer = _Columns()
        outer_types = {atom.name: atom.type for atom in self._atoms()}
        kinds: dict[str, Type] = {}
        for entity, expression in self.event.entities.items():
            found = value(self._outside(expression), outer_types)
            kinds[entity] = found.type
            outer.add(f"v_{entity}", found, entity)
        for name, expression in self.event.properties.items():
            made = _made(self.event.behavior.properties[name])
            outer.add(f"w_{name}", value(self._outside(expression), outer_types, to=made), name)
        parts = [_text(self.plan.name), _text("group"), "group_key"]
        outer.base.append(f"{self._id(parts)} AS event_id")
        keys, key_reasons = self._keys(kinds)
        values, value_reasons = self._values(outer)
        middle = f"SELECT *, {', '.join([*keys, *values])} FROM ({outer.over(f'({grouped})', '*')})"
        asserted = [f"{_text(self.event.op)} AS op", "CAST(NULL AS VARCHAR) AS target_id"]
        kept = ["group_key", "event_id", *asserted, "occurred_at", "available_at", "channel"]
        kept += [f"k_{entity}" for entity in self.entities] + [f"p_{name}" for name in self.event.properties]
        reasons = [*outer.reasons(), *key_reasons, *value_reasons]
        return f"SELECT {', '.join(kept)}, {reasons_sql(reasons)} AS reasons FROM ({middle})"

    @property
    def taken(self) -> str:
        """SQL: the rule takes the row, or cannot tell."""
        if self.event.where is None:
            return "TRUE"
        found = value(self.event.where, self.types)
        return f"({found.sql} OR {found.failed})" if found.may_fail else found.raw

    def _first(self) -> _Columns:
        """Time, availability and channel of a row."""
        columns = _Columns()
        if self.event.where is not None:
            found = value(self.event.where, self.types)
            if found.may_fail:
                columns.add("taken", found, "where")
        columns.add("occurred_at", self._instant(self.event.time), "time")
        columns.base.append(f"{self._local(self.event.time)} AS local_time")
        if self.event.known_at is not None:
            columns.add("available_at", self._instant(self.event.known_at), "known_at")
        if self.event.channel_from is not None:
            columns.add("channel", value(self.event.channel_from, self.types), "channel")
        else:
            columns.base.append(
                f"CAST({_text(self.event.channel) if self.event.channel else 'NULL'} AS VARCHAR) AS channel"
            )
        return columns

    def _known(self) -> list[str]:
        """When a row could be known, by the source's delay, where no column tells."""
        if self.event.known_at is not None:
            return []
        after = f"occurred_at + to_microseconds({self.plan.known_after // MICROSECOND})"
        if self.plan.live_since is not None:
            live = f"TIMESTAMP '{self.plan.live_since.replace(tzinfo=None).isoformat(sep=' ')}'"
            after = f"CASE WHEN occurred_at >= {live} THEN greatest({after}, {self.arrived}) ELSE {after} END"
        return [f"{after} AS available_at"]

    def _instant(self, expression: Expression) -> Value:
        found = value(expression, self.types)
        if found.type.kind == "date":
            return Value(localised(f"CAST({found.raw} AS TIMESTAMP)", self.plan.timezone), found.type, found.may_fail)
        return found

    def _local(self, expression: Expression) -> str:
        """The local time as it was written, where a zone had to be guessed from the source's: what is counted as
        ambiguous or non-existent."""
        none = "CAST(NULL AS TIMESTAMP)"
        if self.plan.timezone == "UTC":
            return none
        if resolve(expression, self.types).type.kind == "date":
            return f"CAST({value(expression, self.types).sql} AS TIMESTAMP)"
        if expression.root.op == "name":
            return self.columns[str(expression.root.value)].local or none
        return none

    def _line_reasons(self) -> list[Reason]:
        name = str(self.event.time.root.value) if self.event.time.root.op == "name" else ""
        reasons = [Reason("time", name, "no time", "occurred_at IS NULL")]
        arrival = self.arrived
        if self.event.known_at is not None:
            arrival = "available_at"
            reasons.append(Reason("known_at", "", "no known_at", "available_at IS NULL"))
        ahead = f"occurred_at > {arrival} + {AHEAD}"
        reasons.append(Reason("future", name, "more than 10 min in the future of its arrival", ahead))
        if self.event.channel_from is not None:
            listed = ", ".join(_text(each) for each in self.allowed)
            reasons.append(Reason("channel", "", "no channel that this behavior has", f"channel NOT IN ({listed})"))
        return reasons

    def _keys(self, kinds: Mapping[str, Type]) -> tuple[list[str], list[Reason]]:
        items, reasons = [], []
        for entity, kind in kinds.items():
            x = f"v_{entity}"
            if kind.kind == "string":
                key = f"nullif({x}, '')"
                if self.key_types.get(entity) == "integer":
                    key = f"regexp_replace({key}, '^(-?[0-9]+)\\.0+$', '\\1')"
                bad = f"contains({x}, chr(0))"
            elif kind.kind == "integer":
                key, bad = f"CAST({x} AS VARCHAR)", ""
            else:
                key = f"CAST(TRY_CAST({x} AS BIGINT) AS VARCHAR)"
                bad = f"{x} <> trunc({x}) OR ({x} IS NOT NULL AND TRY_CAST({x} AS BIGINT) IS NULL)"
            items.append(f"{key} AS k_{entity}")
            if bad:
                reasons.append(Reason("key", entity, f"{entity} is no key", bad))
        return items, reasons

    def _values(self, columns: _Columns) -> tuple[list[str], list[Reason]]:
        items, reasons = [], []
        for name in self.event.properties:
            declared = self.event.behavior.properties[name]
            items.append(f"TRY_CAST(w_{name} AS {column_type(declared)}) AS p_{name}")
            if declared.type in ("money", "number"):
                reasons.append(
                    Reason("overflow", name, f"{name} is too large", f"p_{name} IS NULL AND w_{name} IS NOT NULL")
                )
            if declared.required and self.event.op != "retract":
                missing = f"w_{name} IS NULL"
                if (f"f_w_{name}", name) in columns.failures:
                    missing += f" AND NOT f_w_{name}"
                reasons.append(Reason("required", name, f"{name} is required by {self.event.behavior.id}", missing))
            if declared.enum:
                listed = ", ".join(_text(each) for each in declared.enum)
                reasons.append(
                    Reason("enum", name, f"{name} is none of {', '.join(declared.enum)}", f"p_{name} NOT IN ({listed})")
                )
        return items, reasons

    def _id(self, parts: Sequence[str]) -> str:
        if self.event.ordinal > 1:
            parts = [*parts, _text(f"rule {self.event.ordinal}")]
        joined = f" || {SEPARATOR} || ".join(parts)
        return f"left(sha256({joined}), 32)"

    def _atoms(self) -> list[_Atom]:
        atoms: dict[tuple[str, Any], _Atom] = {}
        for expression in (*self.event.entities.values(), *self.event.properties.values()):
            _split(_summing(expression), self.types, atoms)
        return list(atoms.values())

    def _outside(self, expression: Expression) -> Expression:
        """The expression over its aggregates' values instead of over lines."""
        atoms: dict[tuple[str, Any], _Atom] = {}
        for each in (*self.event.entities.values(), *self.event.properties.values()):
            _split(_summing(each), self.types, atoms)
        return _split(_summing(expression), self.types, atoms)


# An aggregate that no expression can name: a plain expression in a grouped rule.
FIRST_LINE = "first line"


@dataclass(frozen=True, slots=True)
class _Atom:
    """One aggregate over a group's lines: the column `name` holds its argument there, and its value in the group."""

    name: str
    function: str
    line: Value | None
    type: Type

    def over(self, order: str) -> str:
        x = self.name
        match self.function:
            case "count":
                return "count(*)" if self.line is None else f"count({x})"
            case "sum":
                return f"coalesce(sum({x}), 0)"  # as wide as it gets: what reads it checks that it fits
            case "count_distinct":
                return f"count(DISTINCT {x})"
            case "first line":
                # With its null: a later line was not known yet when the event became known.
                return f"arg_min_null({x}, {order})"
            case "first":
                return f"arg_min({x}, {order})"
            case "last":
                return f"arg_max({x}, {order})"
            case "any_true":
                return f"bool_or({x})"
            case "all_true":
                return f"bool_and({x})"
        return f"{self.function}({x})"


def _summing(expression: Expression) -> Expression:
    """What names no aggregate is what the group's first line says."""
    return expression if expression.aggregates else _call(FIRST_LINE, expression.root, expression)


def _split(expression: Expression, types: Mapping[str, Type], atoms: dict[tuple[str, Any], _Atom]) -> Expression:
    def column(function: str, argument: Node | None) -> Node:
        key = (function, argument)
        if key not in atoms:
            line, kind = None, INTEGER
            if argument is not None:
                line = value(_expression(argument, expression), types)
                kind = INTEGER if function in ("count", "count_distinct") else line.type
            atoms[key] = _Atom(f"a_{len(atoms)}", function, line, kind)
        return Node("name", value=atoms[key].name)

    def outside(node: Node) -> Node:
        if node.op != "call" or node.value not in (*AGGREGATES, FIRST_LINE):
            return Node(node.op, tuple(outside(arg) for arg in node.args), node.value, node.position)
        argument = node.args[0] if node.args else None
        if argument is not None and node.value in ("sum", "mean"):
            if resolve(_expression(argument, expression), types).type.kind == "double":
                argument = Node("call", (argument,), "decimal")
            if node.value == "mean":
                return Node("/", (column("sum", argument), column("count", argument)))
        return column(str(node.value), argument)

    return _expression(outside(expression.root), expression)


def _expression(root: Node, of: Expression) -> Expression:
    names = frozenset(str(node.value) for node in root.walk() if node.op == "name")
    return Expression(of.text, root, names, where=of.where)


def _call(function: str, argument: Node, of: Expression) -> Expression:
    made = _expression(Node("call", (argument,), function), of)
    return Expression(made.text, made.root, made.names, function in (*AGGREGATES, FIRST_LINE), made.where)


def _made(declared: Property) -> Type | None:
    """What a property's expression is made before it is stored; None for as it is."""
    if declared.type in ("money", "number"):
        return decimal(declared.scale)
    return DOUBLE if declared.type == "double" else None


def _as_text(found: Value) -> Value:
    return found if found.type.kind == "string" else Value(f"CAST({found.raw} AS VARCHAR)", found.type, found.may_fail)


def column_type(declared: Property) -> str:
    """DuckDB's type of a property's column."""
    if declared.type in ("money", "number"):
        return f"DECIMAL(18, {declared.scale})"
    return _SQL.get(declared.type, "DATE")


def reasons_sql(reasons: Sequence[Reason]) -> str:
    """SQL of a row's reasons as a list of structs; null where none holds."""
    if not reasons:
        return 'CAST(NULL AS STRUCT("rule" VARCHAR, "column" VARCHAR, message VARCHAR)[])'
    any_of = " OR ".join(f"coalesce({each.condition}, FALSE)" for each in reasons)
    listed = ", ".join(
        f"CASE WHEN {each.condition} THEN {{'rule': {_text(each.rule)}, 'column': {_text(each.column)}, "
        f"'message': {_text(each.message)}}} END"
        for each in reasons
    )
    return f"CASE WHEN {any_of} THEN list_filter([{listed}], lambda x: x IS NOT NULL) END"


def row_text(columns: Sequence[str]) -> str:
    """SQL of a raw row's canonical text: `name=value` of every column that is not null, in the order of the names.

    A column that is added to the files later, and null in the rows of before, does not change their ids.
    """
    parts = [f"{_text(name + '=')} || CAST({quoted(name)} AS VARCHAR)" for name in sorted(columns)]
    return f"concat_ws({SEPARATOR}, {', '.join(parts)})"


def _text(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
