"""Sessions of sorted events, as events of their own that the kernels of all primitives take.

Which events start a session depends on earlier ones alone. So the sessions that an observation sees are those of all
events, up to the one that its last event belongs to, and only this last one may be seen in part: cut short, or still
open. Observations that see their last session whole and closed share one table with a row a session. The others look at
a table with copies: one row for each session in their windows, the last one as they see it, and one copy for all that
see the same. Where nothing that is asked for changes while a session goes on, as with counts, no one needs a copy.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from ethogram.core import time
from ethogram.core.expressions import Type, compile
from ethogram.core.signals.condition import Condition
from ethogram.core.signals.kernel.asked import Asked, Inside, window_start
from ethogram.core.signals.kernel.columns import Column, Ints, Mask, ranges
from ethogram.core.signals.kernel.events import FOREVER, Events
from ethogram.core.signals.plan import FeaturePlan
from ethogram.core.signals.sessions import SECONDS_SCALE, SETTLED, Measure, SessionPlan, measured
from ethogram.core.time import MICROSECOND

_DAY = 86_400_000_000
_MOST = 2**62
_NOTHING = np.zeros(0, np.int64)
# Sessions copied for observations of their own at once.
COPIED_AT_ONCE = 4_000_000


def in_time(plan: SessionPlan, events: Events) -> Events:
    """Those events that became known soon enough to be part of a session."""
    if plan.late is None:
        return events
    soon = events.available - events.occurred <= plan.late // MICROSECOND
    return events if soon.all() else events.take(np.flatnonzero(soon))


def starts(plan: SessionPlan, events: Events) -> Mask:
    """Which events start a session."""
    occurred = events.occurred
    paused = np.ones(len(events), np.bool_)
    if not len(events):
        return paused
    paused[1:] = events.entity[1:] != events.entity[:-1]
    paused[1:] |= occurred[1:] - occurred[:-1] >= plan.gap // MICROSECOND
    found = paused
    if plan.zone is not None:
        days = _days(plan.zone, occurred)
        found = paused.copy()
        found[1:] |= days[1:] != days[:-1]
    if plan.campaign is not None:
        found = paused | _other_campaign(events.columns[plan.campaign], paused)
    if plan.max_length is not None:
        found = _no_longer(plan.max_length // MICROSECOND, occurred, found)
    return found


def _other_campaign(campaign: Column, paused: Mask) -> Mask:
    """Events that name a campaign other than the one last named since the last pause."""
    n = len(paused)
    index = np.arange(n, dtype=np.int64)
    named = np.maximum.accumulate(np.where(campaign.present, index, -1))
    before = np.concatenate([[-1], named[:-1]]).astype(np.int64)
    since = np.maximum.accumulate(np.where(paused, index, 0))
    other = campaign.data != campaign.data[np.maximum(before, 0)]
    answer: Mask = campaign.present & ((before < since) | other)
    return answer


def _no_longer(most: int, occurred: Ints, found: Mask) -> Mask:
    """`found`, and within each run that lasts `most` or longer whatever comes that long after the start before it."""
    start = np.flatnonzero(found)
    end = np.append(start[1:], len(found))
    long = occurred[end - 1] - occurred[start] >= most
    start, end = start[long], end[long]
    found = found.copy()
    while len(start):
        low, high = start + 1, end
        while (some := low < high).any():  # the first event at or after start + most, in all runs at once
            middle = (low + high) // 2
            sooner = some & (occurred[np.minimum(middle, len(occurred) - 1)] - occurred[start] < most)
            low, high = np.where(sooner, middle + 1, low), np.where(some & ~sooner, middle, high)
        more = low < end
        start, end = low[more], end[more]
        found[start] = True
    return found


def _days(zone: ZoneInfo, instants: Ints) -> Ints:
    """A number for each instant, the same for those of one local day."""
    if not len(instants):
        return instants
    edges = set()
    first, last = date.min.toordinal() + 1, date.max.toordinal() - 1
    epoch = time.EPOCH.toordinal()
    for day in np.unique(instants // _DAY).tolist():
        for near in (day - 1, day, day + 1):
            if first <= near + epoch <= last:
                midnight = datetime.combine(date.fromordinal(near + epoch), datetime.min.time(), zone)
                edges.add(time.micros(midnight.astimezone(UTC)))
    return np.searchsorted(np.array(sorted(edges), np.int64), instants, "right")


class Sessionised:
    """Events in order, taken as sessions: session i is the events `start[i]` up to and without `end[i]`."""

    def __init__(self, plan: SessionPlan, events: Events) -> None:
        self.plan, self.events = plan, events
        new = starts(plan, events)
        self.start = np.flatnonzero(new).astype(np.int64)
        self.end = np.append(self.start[1:], len(events)).astype(np.int64) if len(events) else _NOTHING
        self.number = np.cumsum(new, dtype=np.int64) - 1
        self._kept: dict[str, Ints] = {}

    def column(self, measure: Measure, start: Ints, end: Ints, opened: Mask | None = None) -> Column:
        """What `measure` is of the sessions of these events; `opened` are those that are still open."""
        events, occurred = self.events, self.events.occurred
        if not len(start):
            return _no_rows(measure, events)
        match measure.kind:
            case "duration":
                return Column(occurred[end - 1] - occurred[start], scale=SECONDS_SCALE)
            case "events":
                return Column(end - start)
            case "occurred_at":
                return Column(occurred[start])
            case "ended_at":
                return Column(occurred[end - 1])
            case "since_previous":
                before = np.maximum(start - 1, 0)
                some = (start > 0) & (events.entity[before] == events.entity[start])
                return Column(occurred[start] - occurred[before], some, SECONDS_SCALE)
            case "open":
                return Column(np.zeros(len(start), np.bool_) if opened is None else opened)
            case "channel":
                return events.columns["channel"].take(start)
            case "entry":
                return events.columns["behavior"].take(start)
            case "exit":
                return events.columns["behavior"].take(end - 1)
            case "behaviors":
                return Column(self._newcomers[end] - self._newcomers[start])
            case "reached":
                (behavior,) = measure.behaviors
                return Column(steps_reached(events.columns["behavior"], [behavior], start, end) > 0)
        assert measure.kind == "steps"
        return Column(steps_reached(events.columns["behavior"], measure.behaviors, start, end))

    @property
    def _newcomers(self) -> Ints:
        """Running count of events whose behavior is the first of its kind in their session."""
        if "newcomers" not in self._kept:
            behavior = self.events.columns["behavior"]
            kinds = max(len(behavior.words or ()), 1)
            first = np.unique(self.number * kinds + behavior.data, return_index=True)[1]
            new = np.zeros(len(self.events) + 1, np.int64)
            new[first + 1] = 1
            self._kept["newcomers"] = np.cumsum(new)
        return self._kept["newcomers"]

    def open_at(self, last: Ints, at: Ints) -> Mask:
        """Whether the session of event `last`, its latest one, could still go on at `at`."""
        plan, occurred = self.plan, self.events.occurred
        going: Mask = at - occurred[last] < plan.gap // MICROSECOND
        if plan.max_length is not None:
            going &= at - occurred[self.start[self.number[last]]] < plan.max_length // MICROSECOND
        if plan.zone is not None:
            both = _days(plan.zone, np.concatenate([occurred[last], at]))
            going &= both[: len(at)] == both[len(at) :]
        return going


def _no_rows(measure: Measure, events: Events) -> Column:
    if measure.kind in {"entry", "exit"}:
        return events.columns["behavior"].take(_NOTHING)
    if measure.kind == "channel":
        return events.columns["channel"].take(_NOTHING)
    if measure.kind in {"open", "reached"}:
        return Column(np.zeros(0, np.bool_))
    return Column(_NOTHING, scale=SECONDS_SCALE if measure.kind in {"duration", "since_previous"} else 0)


def steps_reached(behavior: Column, steps: Sequence[str], low: Ints, high: Ints) -> Ints:
    """How many of `steps` come one after the other among the events `low[i]` up to and without `high[i]`."""
    reached = np.zeros(len(low), np.int64)
    going, here = np.ones(len(low), np.bool_), low
    words = behavior.words or ()
    for step in steps:
        places = np.flatnonzero((behavior.data == words.index(step)) & behavior.present) if step in words else _NOTHING
        found = np.append(places, FOREVER)[np.searchsorted(places, here)]
        going = going & (found < high)
        reached += going
        here = np.where(going, found + 1, here)
    return reached


@dataclass(frozen=True, slots=True)
class _Rows:
    """Sessions as they are seen: rows of a table, those of one owner together."""

    start: Ints
    end: Ints
    opened: Mask | None
    owner: Ints
    keys: Ints


def ask(features: Sequence[FeaturePlan], asked: Asked) -> Iterator[tuple[Ints, Asked]]:
    """What `asked` is once its events are taken as sessions: observations, and the same question over sessions."""
    stream = features[0].stream
    assert stream.sessions is not None
    made = Sessionised(stream.sessions, asked.events)
    some = asked.first < asked.end
    low = high = np.zeros(len(asked), np.int64)
    if len(asked.events):
        low = np.where(some, made.number[np.where(some, asked.first, 0)], 0)
        high = np.where(some, made.number[np.where(some, asked.end - 1, 0)] + 1, 0)
    own, opened = _own(features, made, asked, some, high)
    kept = stream.kept
    names = {name for feature in features for name in feature.measures}
    rest = np.flatnonzero(~own)
    if len(rest) or not len(asked):
        rows = _Rows(made.start, made.end, None, asked.events.entity[made.start], asked.keys[made.start])
        yield rest, _over(made, rows, names, kept, asked, rest, low[rest], high[rest], asked.base[rest])
    if not own.any():
        return
    chosen = np.flatnonzero(own)
    # In order of the observations: with the same last event, the session is open before it is closed.
    states, state = np.unique(asked.end[chosen] * 2 + ~opened[chosen], return_inverse=True)
    until = made.number[(states >> 1) - 1] + 1
    since = np.full(len(states), FOREVER, np.int64)
    np.minimum.at(since, state, _since(features, made, asked, chosen, low[chosen], high[chosen]))
    width = asked.latest - asked.earliest + 1
    for part in _parts(np.minimum(since, until - 1), until, width):
        mine = np.flatnonzero((state >= part.start) & (state < part.stop))
        session, offsets = ranges(np.minimum(since, until - 1)[part], until[part])
        final = offsets[1:] - 1
        start, end, still = made.start[session], made.end[session], np.zeros(len(session), np.bool_)
        end[final], still[final] = states[part] >> 1, states[part] & 1 == 0
        owner = np.repeat(np.arange(len(final), dtype=np.int64), np.diff(offsets))
        keys = owner * width + asked.events.occurred[start] - asked.earliest
        rows = _Rows(start, end, still, owner, keys)
        place = state[mine] - part.start
        base = place * width - asked.earliest
        chosen_now = chosen[mine]
        first, last = offsets[:-1][place], offsets[1:][place]
        yield chosen_now, _over(made, rows, names, kept, asked, chosen_now, first, last, base)


def _own(features: Sequence[FeaturePlan], made: Sessionised, asked: Asked, some: Mask, high: Ints) -> tuple[Mask, Mask]:
    """Observations that see their last session cut short or open, where that matters; and which see it open."""
    nobody = np.zeros(len(asked), np.bool_)
    stream = features[0].stream
    needed = {name for feature in features for name in feature.measures}
    needed |= stream.kept.expression.names if stream.kept else set()
    if not some.any() or (needed <= SETTLED and not any(f.inside for f in features)):
        return nobody, nobody
    last = np.where(some, asked.end - 1, 0)
    opened = some & made.open_at(last, asked.at) if "open" in needed else nobody
    short = some & (asked.end < made.end[np.maximum(high - 1, 0)])
    return short | opened, opened


def _since(
    features: Sequence[FeaturePlan], made: Sessionised, asked: Asked, chosen: Ints, low: Ints, high: Ints
) -> Ints:
    """The first session that any feature can look at, for each of the chosen observations."""
    keys, found = asked.keys[made.start], high
    for feature in features:
        if feature.span is None:
            return low
        begin = np.clip(window_start(feature.span, asked.at[chosen]), asked.earliest, asked.latest)
        found = np.minimum(found, np.searchsorted(keys, asked.base[chosen] + begin, "left"))
    return np.maximum(found, low)


def _parts(since: Ints, until: Ints, width: int) -> Iterator[slice]:
    """Slices of owners whose rows are few enough to be copied at once, and whose keys fit 64 bits."""
    sizes = np.cumsum(until - since)
    most = max(1, _MOST // width)
    begin = 0
    while begin < len(sizes):
        done = int(sizes[begin - 1]) if begin else 0
        stop = int(np.searchsorted(sizes, done + COPIED_AT_ONCE, "right"))
        stop = min(max(stop, begin + 1), begin + most, len(sizes))
        yield slice(begin, stop)
        begin = stop


def _over(
    made: Sessionised,
    rows: _Rows,
    names: Collection[str],
    kept: Condition | None,
    asked: Asked,
    chosen: Ints,
    first: Ints,
    end: Ints,
    base: Ints,
) -> Asked:
    """The question over these rows, of which those for which `kept` is not true are left out."""
    if kept is not None:
        read = {name: _measure(made, name, rows) for name in kept.expression.names}
        holds = _holds(kept, read, made.plan.name, len(rows.start))
        before = np.concatenate([[0], np.cumsum(holds)]).astype(np.int64)
        first, end = before[first], before[end]
        rows = _Rows(*(None if part is None else part[holds] for part in _fields(rows)))  # type: ignore[arg-type]  # the same fields
    columns = {name: _measure(made, name, rows) for name in names}
    occurred = asked.events.occurred[rows.start]
    events = Events(rows.owner, occurred, occurred, None, columns)
    inside = Inside(made.events, rows.start, rows.end)
    return Asked(events, asked.at[chosen], first, end, rows.keys, base, asked.earliest, asked.latest, inside=inside)


def _fields(rows: _Rows) -> tuple[Ints | Mask | None, ...]:
    return rows.start, rows.end, rows.opened, rows.owner, rows.keys


def _measure(made: Sessionised, name: str, rows: _Rows) -> Column:
    measure = measured(name, made.plan)
    assert measure is not None, name
    return made.column(measure, rows.start, rows.end, rows.opened)


def _holds(kept: Condition, columns: Mapping[str, Column], name: str, rows: int) -> Mask:
    """For which rows the condition is true, asked once for each combination of values that occurs."""
    code, one = np.zeros(rows, np.int64), np.zeros(min(rows, 1), np.int64)
    for column in columns.values():
        _, values = np.unique(column.data, return_inverse=True)
        values = np.where(column.present, values + 1, 0)
        _, one, code = np.unique(code * (rows + 1) + values, return_index=True, return_inverse=True)
    test = compile(kept.expression, kept.types[name])
    types = kept.types[name]
    answers = [
        test({each: _value(column, types[each], row) for each, column in columns.items()}) is True
        for row in one.tolist()
    ]
    answer: Mask = np.array(answers, np.bool_)[code]
    return answer


def _value(column: Column, type_: Type, row: int) -> Any:
    """One value as expressions take it."""
    if not column.present[row]:
        return None
    value = column.data[row].item()
    match type_.kind:
        case "decimal":
            return Decimal(value).scaleb(-column.scale)
        case "string":
            return (column.words or ())[value]
        case "timestamp":
            return time.EPOCH + timedelta(microseconds=value)
    return value


@dataclass(frozen=True, slots=True)
class Table:
    """All sessions, one row each, by entity and start.

    Attributes:
        ids: Two halves of 128 bits, from the name of the sessions, the entity and the start: the same whenever made.
        follows: Whether the row before is the session before it, of the same entity.
        columns: `started_at`, `ended_at`, `events`, `duration_s`, `entry`, `exit`.
    """

    entity: Ints
    ids: npt.NDArray[np.uint64]
    follows: Mask
    columns: Mapping[str, Column]


def table(plan: SessionPlan, events: Events) -> Table:
    """All sessions of events that are sorted by entity, time, knowledge and id."""
    made = Sessionised(plan, in_time(plan, events))
    names = {"started_at": "occurred_at", "ended_at": "ended_at", "events": "events", "duration_s": "duration",
             "entry": "entry", "exit": "exit"}  # fmt: skip
    columns = {name: made.column(Measure(kind, kind), made.start, made.end) for name, kind in names.items()}
    entity, started = made.events.entity[made.start], made.events.occurred[made.start]
    follows = np.zeros(len(entity), np.bool_)
    follows[1:] = entity[1:] == entity[:-1]
    return Table(entity, _ids(plan.name, entity, started), follows, columns)


def _ids(name: str, entity: Ints, started: Ints) -> npt.NDArray[np.uint64]:
    """Two 64-bit hashes a session; campaigns can make several start at one instant, which are told apart by number."""
    index = np.arange(len(entity), dtype=np.int64)
    again = np.zeros(len(entity), np.bool_)
    again[1:] = (entity[1:] == entity[:-1]) & (started[1:] == started[:-1])
    ordinal = index - np.maximum.accumulate(np.where(again, 0, index))
    seeds = np.frombuffer(hashlib.sha256(name.encode()).digest()[:16], ">u8").astype(np.uint64)
    found = np.empty((len(entity), 2), np.uint64)
    for half, seed in enumerate(seeds):
        mixed = np.full(len(entity), seed, np.uint64)
        for part in (entity, started, ordinal):
            mixed = _mixed(mixed ^ part.view(np.uint64))
        found[:, half] = mixed
    return found


def _mixed(bits: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """The finaliser of SplitMix64 (Steele, Lea and Flood, 2014)."""
    bits = bits + np.uint64(0x9E3779B97F4A7C15)
    bits = (bits ^ (bits >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    bits = (bits ^ (bits >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return bits ^ (bits >> np.uint64(31))


__all__ = ["Sessionised", "Table", "ask", "in_time", "starts", "steps_reached", "table"]
