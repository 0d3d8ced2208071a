"""A signal as DuckDB SQL: one query for the features that look at the same events.

Sums and counts are running totals of steps, the latest event is a running maximum, and so is an extreme over the whole
life; an extreme over a window looks at the spans that cover the observation. See `spans` for why this is exact.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ethogram.adapters.duckdb.expressions import quoted
from ethogram.adapters.duckdb.spans import Grid, Reach, column_type, event_rows, listed
from ethogram.core.signals.condition import Condition
from ethogram.core.signals.numbers import DIGITS, SCALE
from ethogram.core.signals.plan import FeaturePlan, SignalPlan
from ethogram.core.signals.window import Window
from ethogram.core.time import MICROSECOND
from ethogram.ports import TableFiles

# A mean leaves as its exact sum and, under this name, its count: one conversion to double follows outside SQL.
COUNT_OF = "count of {}"
_DECIMAL = {"money", "number"}
_LONG_AGO = 1_000_000 * 86_400 * 1_000_000  # microseconds in a million days: a whole number of every hop


@dataclass(frozen=True, slots=True)
class Stream:
    """Features of one signal over the same events."""

    behaviors: tuple[str, ...]
    where: Condition | None
    features: tuple[FeaturePlan, ...]

    @property
    def windows(self) -> list[Window | None]:
        """Each window once; None is the whole life."""
        return list(dict.fromkeys(feature.window for feature in self.features))

    def reaches_back(self, at_us: int) -> int | None:
        """First microsecond that an observation at `at_us` can see; None if there is no first."""
        starts = [_start_us(window, at_us) for window in self.windows if window]
        return min(starts) if len(starts) == len(self.windows) else None


def streams(plan: SignalPlan) -> list[Stream]:
    """The plan's features by the events that they look at."""
    groups: dict[tuple[tuple[str, ...], str | None], list[FeaturePlan]] = {}
    for feature in plan.features:
        groups.setdefault((feature.behaviors, feature.where.text if feature.where else None), []).append(feature)
    return [Stream(behaviors, found[0].where, tuple(found)) for (behaviors, _), found in groups.items()]


def emit_stream(stream: Stream, plan: SignalPlan, events: Mapping[str, TableFiles], grid: Grid, reach: Reach) -> str:
    """SQL that gives `i` and the stream's features for every row of `observation`, in the order of `i`."""
    return _Emitter(stream, plan, events, grid, reach).sql()


def _us(window: Window) -> tuple[int, int | None]:
    return window.length // MICROSECOND, None if window.hop is None else window.hop // MICROSECOND


def _start_us(window: Window, at_us: int) -> int:
    length, hop = _us(window)
    return at_us - length if hop is None else (at_us - length) // hop * hop


def _ends(window: Window, occurred: str) -> str:
    """SQL for the first instant whose window no longer holds what occurred then.

    floor(at - w) > occurred exactly if at - w >= floor(occurred) + hop, as both sides of it are whole hops.
    """
    length, hop = _us(window)
    return f"({occurred} + {length + 1})" if hop is None else f"({_floor(occurred, hop)} + {hop + length})"


def _floor(moment: str, hop: int) -> str:
    # `//` truncates; counted from a day long before any event it floors.
    return f"({moment} + {_LONG_AGO}) // {hop} * {hop} - {_LONG_AGO}"


class _Emitter:
    def __init__(
        self, stream: Stream, plan: SignalPlan, events: Mapping[str, TableFiles], grid: Grid, reach: Reach
    ) -> None:
        self.stream, self.plan, self.grid, self.reach = stream, plan, grid, reach
        self.tables = {behavior: events[behavior] for behavior in stream.behaviors if behavior in events}
        self.windows = stream.windows
        self.properties: dict[str, FeaturePlan] = {}
        for feature in stream.features:
            if feature.property is not None:
                self.properties.setdefault(feature.property, feature)
        # Aggregates of a span, of the steps, and of the windows' extremes: SQL by column name.
        self.span: dict[str, str] = {}
        self.steps: dict[str, tuple[int, str]] = {}  # column -> (window it belongs to, aggregate of the span)
        self.running: dict[str, str] = {}  # column -> aggregate of the span of which it is the running maximum
        self.extremes: dict[str, str] = {}
        self.covering: set[int] = set()  # windows that need the spans themselves
        self.answers = [self.answer(feature) for feature in stream.features]

    def answer(self, feature: FeaturePlan) -> str:
        """SQL for the feature's value, taking note of what it is made of."""
        window = self.windows.index(feature.window)
        shown = quoted(feature.name)
        if feature.aggregate == "count":
            return f"CAST({self.total(window, 'n', 'count(*)')} AS BIGINT) AS {shown}"
        if feature.aggregate == "recency":
            newest = self.run("newest", "max(occurred)", "max")
            since = f"CAST(instant - {newest} AS DOUBLE) / {feature.unit_s * 1_000_000}.0"
            return f"CASE WHEN {self.inside(feature.window, newest)} THEN {since} END AS {shown}"
        assert feature.property is not None
        number = list(self.properties).index(feature.property)
        column = quoted(feature.property)
        kind = self.value_type(feature)
        if feature.aggregate in {"sum", "mean"}:
            total = self.total(window, f"total_{number}", f"coalesce(sum({column}), 0)")
            if feature.aggregate == "sum":
                return f"CAST({total} AS {kind}) AS {shown}"
            many = self.total(window, f"many_{number}", f"count({column})")
            exact = f"DECIMAL({DIGITS}, {feature.scale})"
            beside = quoted(COUNT_OF.format(feature.name))
            return f"CAST({total} AS {exact}) AS {shown},\n  CAST({many} AS BIGINT) AS {beside}"
        if feature.aggregate == "last":
            packed = f"struct_pack(o := occurred, a := available, e := event_id, x := {column})"
            latest = self.run(f"latest_{number}", f"max({packed})", "max")
            inside = self.inside(feature.window, f"{latest}.o")
            return f"CASE WHEN {inside} THEN CAST({latest}.x AS {kind}) END AS {shown}"
        least = feature.aggregate
        part = f"{least}_{number}"
        if feature.window is None:
            return f"CAST({self.run(part, f'{least}({column})', least)} AS {kind}) AS {shown}"
        self.span[part] = f"{least}({column})"
        self.covering.add(window)
        self.extremes[f"{part}_{window}"] = f"{least}({part}) FILTER (instant < ends_{window})"
        return f"CAST({part}_{window} AS {kind}) AS {shown}"

    def value_type(self, feature: FeaturePlan) -> str:
        if feature.property_type in _DECIMAL:
            return f"DECIMAL({DIGITS}, {SCALE})"
        return column_type(feature.property_type or "integer", 0)

    def total(self, window: int, part: str, aggregate: str) -> str:
        self.span[part] = aggregate
        self.steps[f"{part}_{window}"] = (window, part)
        return f"{part}_{window}"

    def run(self, part: str, aggregate: str, least: str) -> str:
        self.span[part] = aggregate
        self.running[part] = least
        return part

    def inside(self, window: Window | None, occurred: str) -> str:
        return f"{occurred} IS NOT NULL" if window is None else f"instant < {_ends(window, occurred)}"

    def sql(self) -> str:
        ends = {k: f"ends_{k}" for k, window in enumerate(self.windows) if window}
        columns = {n: column_type(f.property_type or "", f.scale) for n, f in self.properties.items()}
        rows = event_rows(self.tables, self.plan.entity, where=self.stream.where, columns=columns, reach=self.reach)
        delay = self.plan.delay // MICROSECOND
        placed = [
            "*",
            f"{self.grid.snap(f'greatest(occurred + 1, available - {delay})')} AS starts",
            *(f"{self.grid.snap(_ends(w, 'occurred'))} AS {ends[k]}" for k, w in enumerate(self.windows) if w),
        ]
        # Doubles are compared, never added; adding 0.0 makes the negative zero an ordinary one.
        doubles = [quoted(n) for n, f in self.properties.items() if f.property_type == "double"]
        zeroed = [f"{n} + 0.0 AS {n}" for n in doubles]
        source = f"(SELECT * REPLACE ({', '.join(zeroed)}) FROM ({rows}))" if zeroed else f"({rows})"
        keys = ["entity", "starts", *ends.values()]
        entering = {step: part for step, (_, part) in self.steps.items()}
        branches = [self.branch("CAST(NULL AS BIGINT)", "starts", entering, runs=True)]
        for k, column in ends.items():
            left = {s: f"-{p}" for s, (window, p) in self.steps.items() if window == k}
            if left:
                # A span that is over before it starts never was: both of its steps fall on its start.
                moment = f"greatest({column}, starts)"
                branches.append(self.branch("NULL", moment, left, runs=False) + f" WHERE {moment} <= {self.grid.last}")
        made = [f"sum({step}) OVER w AS {step}" for step in self.steps]
        made += [f"{aggregate}({part}) OVER w AS {part}" for part, aggregate in self.running.items()]
        observed = ["i", "entity", "instant", *("0" for _ in self.steps), *("NULL" for _ in self.running)]
        branches.append(f"SELECT {', '.join(observed)} FROM observation")
        with_ = [
            f"placed AS (\n  SELECT {listed(placed)}\n  FROM {source}\n)",
            f"span AS MATERIALIZED (\n  SELECT {listed([*keys, *(f'{sql} AS {c}' for c, sql in self.span.items())])}\n"
            f"  FROM placed WHERE starts <= {self.grid.last} GROUP BY {', '.join(keys)}\n)",
        ]
        if self.steps or self.running:
            with_.append("step AS (\n  " + "\n  UNION ALL ".join(branches) + "\n)")
            with_.append(
                f"running AS (\n  SELECT {listed(['i', 'instant', *made])}\n"
                "  FROM step WINDOW w AS (PARTITION BY entity ORDER BY instant)\n)"
            )
        else:
            with_.append("running AS (SELECT i, instant FROM observation)")
        joined = ""
        if self.extremes:
            over = f"greatest({', '.join(ends[k] for k in sorted(self.covering))})"
            extremes = listed(["i", *(f"{sql} AS {column}" for column, sql in self.extremes.items())])
            covered = f"starts <= instant AND instant < {over}"
            with_.append(
                f"extreme AS (\n  SELECT {extremes}\n"
                f"  FROM observation JOIN span USING (entity) WHERE {covered} GROUP BY i\n)"
            )
            joined = " LEFT JOIN extreme USING (i)"
        answers = listed(["i", *self.answers])
        return f"WITH {', '.join(with_)}\nSELECT {answers}\nFROM running{joined} WHERE i IS NOT NULL ORDER BY i"

    def branch(self, row: str, instant: str, steps: Mapping[str, str], *, runs: bool) -> str:
        parts = [f"{row} AS i", "entity", f"{instant} AS instant"]
        parts += [f"{steps.get(step, '0')} AS {step}" for step in self.steps]
        parts += [f"{column if runs else 'NULL'} AS {column}" for column in self.running]
        return f"SELECT {', '.join(parts)} FROM span"
