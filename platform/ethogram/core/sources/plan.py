"""A source after its names were resolved against taxonomy and contract: what ingest carries out."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from ethogram.core.content.origin import Origin
from ethogram.core.contracts import Contract, Rule
from ethogram.core.expressions import (
    Expression,
    ExpressionError,
    Type,
    check,
    normalise,
    parse,
)
from ethogram.core.sources.declaration import EventMapping, Reference, Source, SqlTable
from ethogram.core.taxonomy import Behavior, Property, Taxonomy
from ethogram.core.time import duration, instant, spell
from ethogram.errors import AskedWrongly, Problems, did_you_mean

FILE_KINDS = (".parquet", ".csv", ".csv.gz", ".jsonl", ".jsonl.gz", ".ndjson", ".ndjson.gz")
OPS = ("assert", "correct", "retract")
_NUMERIC = ("integer", "decimal", "double")
_FILLED_BY: dict[str, tuple[str, ...]] = {
    "money": _NUMERIC,
    "number": _NUMERIC,
    "double": _NUMERIC,
    "integer": ("integer",),
    "string": ("string",),
    "boolean": ("boolean",),
    "timestamp": ("timestamp",),
    "date": ("date",),
}
_KEYS = ("string", "integer", "decimal", "double")
_CONVERSION = {"integer": "integer(x)", "string": "text(x)", "timestamp": "timestamp(x)", "date": "date(x)"}


@dataclass(frozen=True, slots=True)
class EventPlan:
    """One rule of a source.

    Attributes:
        behavior: What its events are.
        ordinal: 1 for the source's first rule of that behavior, then 2: it keeps derived ids of different rules apart.
        where: Which rows; None for all.
        group_by: What the rows of one event have in common; empty where each row is an event.
        time: When it happened.
        known_at: When it could first be known; None for the source's delay.
        channel: A channel of the taxonomy; None if there is none or `channel_from` tells.
        channel_from: What gives the channel row by row.
        event_id: What names the event; None for a derived id.
        op: "assert", "correct" or "retract".
        target: For the latter two, what names the event that they are about.
        entities: What gives each entity's key, by name; those of the behavior that are absent here stay null.
        properties: What gives each property, by name.
    """

    behavior: Behavior = field(hash=False)
    ordinal: int
    where: Expression | None
    group_by: tuple[Expression, ...]
    time: Expression
    known_at: Expression | None
    channel: str | None
    channel_from: Expression | None
    event_id: Expression | None
    op: str
    target: Expression | None
    entities: Mapping[str, Expression] = field(hash=False)
    properties: Mapping[str, Expression] = field(hash=False)
    origin: Origin = field(compare=False, repr=False)

    def expressions(self) -> Iterator[Expression]:
        """Everything that it reads rows with."""
        single = (self.where, self.time, self.known_at, self.channel_from, self.event_id, self.target)
        yield from (each for each in single if each is not None)
        yield from self.group_by
        yield from self.entities.values()
        yield from self.properties.values()

    @property
    def sums_up(self) -> bool:
        """Whether a property depends on more than a group's first line, so that all lines must be known for it."""
        several = (each for each in self.properties.values() if each.aggregates)
        return any(node.op == "call" and node.value in _OVER_LINES for each in several for node in each.root.walk())


_OVER_LINES = frozenset({"sum", "count", "mean", "min", "max", "last", "any_true", "all_true", "count_distinct"})


@dataclass(frozen=True, slots=True)
class SourcePlan:
    """What ingest needs to know of a source, and nothing else."""

    name: str
    rows: str | SqlTable
    dataset: str | None
    timezone: str
    known_after: timedelta
    live_since: datetime | None
    currency: str | None
    joins: tuple[Reference, ...]
    contract: Contract | None
    events: tuple[EventPlan, ...]
    owner: str = ""
    origin: Origin = field(default=Origin("(code)", 0), compare=False, repr=False)

    @property
    def behaviors(self) -> dict[str, Behavior]:
        """What it brings events of, by id."""
        return {event.behavior.id: event.behavior for event in self.events}

    @property
    def entities(self) -> tuple[str, ...]:
        """Whose keys it brings, sorted."""
        return tuple(sorted({entity for event in self.events for entity in event.entities}))

    @property
    def rules(self) -> tuple[Rule, ...]:
        """What its contract asks of every row."""
        return self.contract.rules if self.contract else ()

    @property
    def names(self) -> frozenset[str]:
        """Columns that rules or mappings read."""
        conditions = [rule.condition for rule in self.rules if rule.condition is not None]
        read = {name for event in self.events for each in event.expressions() for name in each.names}
        return frozenset(read | {name for each in conditions for name in each.names})

    @property
    def digest(self) -> str:
        """16 hex digits over all that decides which events a file becomes; how it is written does not matter.

        The contract counts by its types and row rules, not by its prose.
        """
        body = {
            "source": self.name,
            "timezone": self.timezone,
            "known_after": self.known_after.total_seconds(),
            "live_since": self.live_since.isoformat() if self.live_since else None,
            "currency": self.currency,
            "joins": [[each.rows, each.on, each.columns] for each in self.joins],
            "types": {name: str(kind) for name, kind in (self.contract.types if self.contract else {}).items()},
            "rules": [[r.name, r.column, r.pattern, r.condition and normalise(r.condition)] for r in self.rules],
            "events": [_body(event) for event in self.events],
        }
        return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()[:16]


def _body(event: EventPlan) -> dict[str, object]:
    def text(expression: Expression | None) -> str | None:
        return None if expression is None else normalise(expression)

    about = {} if event.op == "assert" else {"op": event.op, "target": text(event.target)}
    kinds = {p.name: [p.type, p.scale, p.required, list(p.enum)] for p in event.behavior.properties.values()}
    return {
        "behavior": event.behavior.id,
        "where": text(event.where),
        "group_by": [text(each) for each in event.group_by],
        "time": text(event.time),
        "known_at": text(event.known_at),
        "channel": event.channel or text(event.channel_from),
        "event_id": text(event.event_id),
        **about,
        "entities": {name: text(each) for name, each in event.entities.items()},
        "properties": {name: [text(each), kinds[name]] for name, each in event.properties.items()},
    }


def plan_source(source: Source, taxonomy: Taxonomy, contract: Contract | None) -> SourcePlan:
    """Resolve `source`; raises `Problems` with every problem and its line.

    With a contract, names and types of columns are checked here; without one, when a file is read.
    """
    planning = _Planning(source, taxonomy, contract)
    plan = planning.plan()
    if planning.problems or plan is None:
        raise Problems(planning.problems)
    return plan


class _Planning:
    def __init__(self, source: Source, taxonomy: Taxonomy, contract: Contract | None) -> None:
        self.source, self.taxonomy, self.contract = source, taxonomy, contract
        self.problems: list[str] = []
        self.types: dict[str, Type] = contract.types if contract else {}
        # Columns whose type only the file tells: those of joined tables, and all of them without a contract.
        self.untyped = {column for join in source.joins for column in join.columns}
        self.seen: dict[str, int] = {}

    def problem(self, origin: Origin, message: str) -> None:
        self.problems.append(f"{origin}: {message}")

    def plan(self) -> SourcePlan | None:
        source = self.source
        self.rows()
        try:
            ZoneInfo(source.timezone)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            self.problem(
                source.origin, f'timezone="{source.timezone}" is no zone; write an IANA name as "Europe/London"'
            )
        known_after, live_since = timedelta(0), None
        try:
            known_after = duration(source.known_after, what="known_after")
            live_since = instant(source.live_since, what="live_since") if source.live_since else None
        except AskedWrongly as error:
            self.problem(source.origin, str(error))
        if source.currency is not None and not (len(source.currency) == 3 and source.currency.isupper()):
            self.problem(
                source.origin, f'currency="{source.currency}" is no ISO 4217 code; write three letters as "GBP"'
            )
        for join in source.joins:
            for column in join.on:
                if self.contract and column not in self.contract.columns:
                    self.problem(join.origin, self.unknown_column(column))
        if not source.events:
            self.problem(source.origin, f"source {source.name} has no events; map its rows with event(...)")
        events = [each for mapping in source.events if (each := self.event(mapping, known_after)) is not None]
        if self.problems:
            return None
        return SourcePlan(
            name=source.name,
            rows=source.rows,
            dataset=source.dataset,
            timezone=source.timezone,
            known_after=known_after,
            live_since=live_since,
            currency=source.currency,
            joins=tuple(source.joins),
            contract=self.contract,
            events=tuple(events),
            owner=source.owner,
            origin=source.origin,
        )

    def rows(self) -> None:
        for rows, origin in [(self.source.rows, self.source.origin), *((j.rows, j.origin) for j in self.source.joins)]:
            if isinstance(rows, SqlTable):
                continue
            if not rows.lower().endswith(FILE_KINDS):
                self.problem(
                    origin, f'rows="{rows}" is no kind of file read here; it is one of {", ".join(FILE_KINDS)}'
                )
            if rows.startswith("/") or ".." in rows.split("/"):
                self.problem(origin, f'rows="{rows}" leaves the data directory; write a path below it')

    def event(self, mapping: EventMapping, known_after: timedelta) -> EventPlan | None:
        before = len(self.problems)
        origin = mapping.origin
        if mapping.behavior not in self.taxonomy.behaviors:
            hint = did_you_mean(mapping.behavior, self.taxonomy.behaviors, otherwise="see `ethogram taxonomy`")
            self.problem(origin, f"no behavior named {mapping.behavior!r}; {hint}")
            return None
        behavior = self.taxonomy.behaviors[mapping.behavior]
        self.seen[behavior.id] = self.seen.get(behavior.id, 0) + 1
        grouped = mapping.group_by is not None
        where = self.expression(mapping.where, origin, "where")
        self.expect(where, "where", origin, ("boolean",))
        time_ = self.expression(mapping.time or self.source.time, origin, "time")
        if self.expect(time_, "time", origin, ("timestamp", "date")) == "date":
            self.day_grain(mapping, origin, known_after)
        known_at = self.expression(mapping.known_at or self.source.known_at, origin, "known_at")
        self.expect(known_at, "known_at", origin, ("timestamp", "date"))
        event_id = self.expression(mapping.event_id, origin, "event_id")
        self.expect(event_id, "event_id", origin, ("string", "integer"))
        if grouped and event_id is not None and mapping.group_by is not None:
            self.problem(origin, "group_by names the event already; drop event_id")
        target = self.target(mapping, origin)
        channel, channel_from = self.channel(mapping, behavior)
        group_by = [self.expression(each, origin, "group_by") for each in split(mapping.group_by or "")]
        entities: dict[str, Expression] = {}
        properties: dict[str, Expression] = {}
        for name, text in mapping.columns.items():
            expression = self.expression(text, origin, name, aggregates=grouped)
            if name in behavior.entities:
                self.expect(expression, name, origin, _KEYS)
                entities.update({name: expression} if expression else {})
            elif name in behavior.properties:
                self.fill(behavior.properties[name], expression, origin)
                properties.update({name: expression} if expression else {})
            else:
                known = [*behavior.properties, *behavior.entities]
                hint = did_you_mean(name, known, otherwise=f"it has {', '.join(known)}")
                self.problem(origin, f"{behavior.id} has no property {name!r}; {hint}")
        if not any(name in behavior.entities for name in mapping.columns):
            self.problem(origin, f"{behavior.id} names nobody; give one of {', '.join(behavior.entities)}")
        for each in behavior.properties.values():
            if each.required and each.name not in mapping.columns and mapping.op != "retract":
                self.problem(origin, f"{behavior.id} needs {each.name}, which is required; map it")
        if len(self.problems) > before or time_ is None:
            return None
        return EventPlan(
            behavior=behavior,
            ordinal=self.seen[behavior.id],
            where=where,
            group_by=tuple(each for each in group_by if each is not None),
            time=time_,
            known_at=known_at,
            channel=channel,
            channel_from=channel_from,
            event_id=event_id,
            op=mapping.op,
            target=target,
            entities=entities,
            properties=properties,
            origin=origin,
        )

    def target(self, mapping: EventMapping, origin: Origin) -> Expression | None:
        """What names the event that a correction or a retraction is about."""
        if mapping.op not in OPS:
            hint = did_you_mean(mapping.op, OPS, otherwise=f"it is one of {', '.join(OPS)}")
            self.problem(origin, f'op="{mapping.op}" is none; {hint}')
        elif mapping.op == "assert" and mapping.target is not None:
            self.problem(origin, 'target= is for op="correct" or op="retract"; drop it, or say which')
        elif mapping.op != "assert" and mapping.target is None:
            self.problem(origin, f'op="{mapping.op}" is about an event; name it in target= by its event_id')
        elif mapping.op != "assert" and mapping.group_by is not None:
            self.problem(origin, f'op="{mapping.op}" is said by one row; drop group_by')
        elif mapping.target is not None and mapping.target == mapping.event_id:
            self.problem(origin, "event_id is the target's; a correction is a record of its own: drop event_id")
        found = self.expression(mapping.target, origin, "target")
        self.expect(found, "target", origin, ("string", "integer"))
        return found

    def expression(self, text: str | None, origin: Origin, what: str, *, aggregates: bool = False) -> Expression | None:
        if text is None:
            return None
        try:
            parsed = parse(text, where=f"{origin}: {what}", aggregates=aggregates)
        except ExpressionError as error:
            self.problems.append(str(error))
            return None
        if self.contract:
            for name in sorted(parsed.names):
                if name not in self.types and name not in self.untyped:
                    self.problem(origin, f"{what}: {self.unknown_column(name)}")
                    return None
        return parsed

    def unknown_column(self, name: str) -> str:
        assert self.contract is not None
        if name in self.contract.columns:
            return f"{self.contract.path} gives {name} a type that expressions cannot use"
        known = [*self.contract.columns, *self.untyped]
        return f"{self.contract.path} has no column {name!r}; {did_you_mean(name, known, otherwise='see the contract')}"

    def kind(self, expression: Expression | None) -> str | None:
        """Kind of its value; None as long as only the file can tell."""
        if expression is None or not expression.names <= self.types.keys():
            return None
        try:
            return check(expression, self.types).kind
        except ExpressionError as error:
            self.problems.append(str(error))
            return None

    def expect(self, expression: Expression | None, what: str, origin: Origin, kinds: tuple[str, ...]) -> str | None:
        found = self.kind(expression)
        if found is not None and found not in kinds:
            self.problem(origin, f"{what} is {found}, and {' or '.join(kinds)} is needed")
        return found

    def fill(self, into: Property, expression: Expression | None, origin: Origin) -> None:
        found = self.kind(expression)
        if found is not None and found not in _FILLED_BY[into.type]:
            hint = f"; convert with {_CONVERSION[into.type]}" if into.type in _CONVERSION else ""
            self.problem(origin, f"{into.name} is {into.type}, and the expression gives {found}{hint}")
        if into.type == "money" and self.source.currency is None:
            self.problem(origin, f'{into.name} is money; say in which currency the source counts, as currency="EUR"')

    def channel(self, mapping: EventMapping, behavior: Behavior) -> tuple[str | None, Expression | None]:
        text = mapping.channel or self.source.channel
        if text is None:
            return None, None
        if text in self.taxonomy.channels:
            if behavior.channels and text not in behavior.channels:
                allowed = ", ".join(behavior.channels)
                self.problem(mapping.origin, f"{behavior.id} does not happen on {text!r}; it is one of {allowed}")
            return text, None
        bare = text.isidentifier() and self.contract is not None
        if bare and text not in self.types and text not in self.untyped:
            hint = did_you_mean(text, self.taxonomy.channels, otherwise="see `ethogram taxonomy`")
            self.problem(mapping.origin, f"no channel or column named {text!r}; {hint}")
            return None, None
        expression = self.expression(text, mapping.origin, "channel")
        self.expect(expression, "channel", mapping.origin, ("string",))
        return None, expression

    def day_grain(self, mapping: EventMapping, origin: Origin, known_after: timedelta) -> None:
        if (mapping.known_at or self.source.known_at) is None and known_after < timedelta(days=1):
            said = f'known_after="{spell(known_after)}"'
            self.problem(origin, f'time is a whole day, which is known when it is over; {said} must be at least "1d"')


def split(text: str) -> list[str]:
    """The expressions of a comma-separated list; commas inside parentheses and quotes do not count.

    >>> split("number, concat(a, ', ', b)")
    ['number', "concat(a, ', ', b)"]
    """
    parts, depth, quote = [""], 0, ""
    for character in text:
        if quote:
            quote = "" if character == quote else quote
        elif character in "'\"":
            quote = character
        elif character == "," and depth == 0:
            parts.append("")
            continue
        else:
            depth += (character == "(") - (character == ")")
        parts[-1] += character
    return [part.strip() for part in parts if part.strip()]
