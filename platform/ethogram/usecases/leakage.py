"""Look for the future in a training set: recompute it with another future, hold it against what came after, and
against its outcome."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from ethogram.core import time
from ethogram.core.signals.aggregates.aggregate import ADDABLE
from ethogram.core.signals.plan import FeaturePlan, SignalPlan, Stream
from ethogram.core.signals.window import Window
from ethogram.core.taxonomy import Behavior
from ethogram.core.training_sets.finding import LEAK, SUSPECT, Finding, Leakage
from ethogram.core.training_sets.frame import BadProvenance, Provenance
from ethogram.errors import did_you_mean
from ethogram.ports import Engine, Lake, TableFiles
from ethogram.stats.auc import auc

INSTANT = pa.timestamp("us", tz="UTC")
# Observations that are recomputed, that are held against the future, and that are held against the outcome.
RECOMPUTED, COMPARED, RANKED = 200, 4_000, 100_000
INSTANTS = 5  # of the recomputed ones
TOO_GOOD = 0.98
HORIZONS = (timedelta(days=7), timedelta(days=30), timedelta(days=90))
EVER = timedelta(days=3650)
_SAME, _FEWEST = 0.9, 10
# A rank correlation with what came after that no past gives, over this many rows, and how much closer it is than the
# one with what came before.
FOLLOWS, CLOSER, FOLLOWED = 0.95, 3, 1_000
# Of rows whose instant lies after the observation: fewer are as likely two clocks that disagree.
CLOCKS = 0.01
# Where the outcome is this many times rarer (or surer) than overall: among the tenth of the rows with the lowest or the
# highest numbers, or those of one value that this share has, if chance would give this many exceptions.
CERTAIN, TAIL, SHARED, EXPECTED = 50, 0.1, 0.05, 20
# A tally: whole or decimal numbers, this many different ones, the mean well above the median; and it tells the outcome.
TALLIED, SKEWED, TELLS = 20, 1.5, 0.6

_OF_TIME = {"at", "on", "date", "day", "time"}

_Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Audited:
    """A training set as an audit looks at it.

    Attributes:
        table: `entity` (surrogate, null if unknown), `as_of`, `label` (bool), then the features.
        features: The plan of each column that comes from a signal, with the signal it belongs to.
        known_at: By column, the one that tells when its values became known.
        keys: What tells entities apart where surrogates may be null; absent where they are not.
    """

    subject: str
    entity: str
    table: pa.Table
    features: Mapping[str, tuple[SignalPlan, FeaturePlan]]
    known_at: Mapping[str, str]
    horizon: timedelta | None
    keys: pa.ChunkedArray | None = None

    @property
    def columns(self) -> list[str]:
        """Every feature, of known origin or not."""
        apart = {"entity", "as_of", "label", *self.known_at.values()}
        return [name for name in self.table.column_names if name not in apart]


def audited_frame(
    subject: str, table: pa.Table, said: Provenance, *, plans: Mapping[str, SignalPlan], ids: pa.Array
) -> Audited:
    """A plain table with what is said of its columns.

    Args:
        plans: By the name that `said` calls a signal.
        ids: The surrogate of each row's key.
    """

    def named(column: str, what: str) -> pa.ChunkedArray:
        if column not in table.column_names:
            hint = did_you_mean(column, table.column_names, otherwise="it has " + ", ".join(table.column_names[:8]))
            raise BadProvenance(f"{subject}: no column {column!r}, said to be its {what}; {hint}")
        return table[column]

    named(said.key, "key")
    as_of, label = named(said.as_of, "instant"), named(said.label, "label")
    if (pa.types.is_timestamp(as_of.type) and as_of.type.tz is None) or pa.types.is_date(as_of.type):
        as_of = pc.assume_timezone(as_of.cast(pa.timestamp("us")), "UTC")
    elif not pa.types.is_timestamp(as_of.type):
        raise BadProvenance(f"{subject}: {said.as_of} is {as_of.type}, not an instant; convert it to a timestamp")
    if not (pa.types.is_boolean(label.type) or _numeric(label.type)):
        raise BadProvenance(f"{subject}: {said.label} is {label.type}; a label is true or false, or 1 or 0")
    features: dict[str, tuple[SignalPlan, FeaturePlan]] = {}
    for column, origin in said.features.items():
        named(column, "feature")
        if origin.known_at:
            named(origin.known_at, f"time at which {column} became known")
        if origin.signal and origin.feature:
            plan = plans[origin.signal]
            feature = next((each for each in plan.features if each.name == origin.feature), None)
            if feature is None:
                hint = did_you_mean(origin.feature, [each.name for each in plan.features], otherwise="see its page")
                raise BadProvenance(f"{subject}: {plan.ref} has no feature {origin.feature!r}; {hint}")
            features[column] = (plan, feature)
    apart = [said.key, said.as_of, said.label]
    rest = table.drop_columns(list(dict.fromkeys(apart)))
    instants = as_of.cast(pa.timestamp("us", "UTC"), safe=False).combine_chunks()
    columns = {"entity": ids, "as_of": instants, "label": label.cast(pa.bool_())}
    made = pa.table(columns | {name: rest[name] for name in rest.column_names})
    known_at = {column: origin.known_at for column, origin in said.features.items() if origin.known_at}
    return Audited(subject, said.entity, made, features, known_at, said.horizon, table[said.key])


def audit_leakage(
    audited: Audited,
    *,
    behaviors: Sequence[Behavior],
    coverage: Any,
    engine: Engine,
    lake: Lake,
    scratch: Callable[[], AbstractContextManager[Lake]],
    progress: Callable[[str], None] = lambda _: None,
) -> Leakage:
    """Everything that gives the future away, column by column.

    1. *timestamp*: a value that became known, or holds an instant, after its observation. Columns named like such an
       instant (`closed_code` beside `closed_at`) are suspicions.
    2. *recomputed*: a signal's value that differs once what could not be known is taken away, or changed.
    3. *future*: a number that says, or closely follows, what the entity did after the observation rather than before.
    4. *separation*: a feature, or its being null, that ranks the outcome nearly perfectly, or that leaves hardly any
       doubt of it in a tenth of the rows. Only a suspicion.
    5. *final*: a tally that tells the outcome and never moves between observations of the same entity. A suspicion.

    Args:
        behaviors: Those of the entity: what the future is told in.
        coverage: The data's end.
        scratch: A lake to be thrown away, for events with another future.
    """
    progress("timestamps")
    found = [*_timestamps(audited)]
    progress("recomputing")
    recomputed, differing = _recomputed(audited, engine=engine, lake=lake, scratch=scratch)
    found += differing
    progress("the future")
    found += _future(audited, behaviors, coverage, engine=engine, lake=lake)
    progress("the outcome")
    for suspicions in (_named(audited, found), _separation(audited), _final(audited)):
        said = {each.column for each in found}
        found += [each for each in suspicions if each.column not in said]
    order = {LEAK: 0, SUSPECT: 1}
    unchecked = [name for name in audited.columns if name not in audited.features and name not in audited.known_at]
    return Leakage(
        audited.subject,
        len(audited.table),
        len(audited.columns),
        recomputed,
        tuple(unchecked),
        tuple(sorted(found, key=lambda each: (order[each.grave], audited.columns.index(each.column)))),
    )


def _timestamps(audited: Audited) -> Iterator[Finding]:
    as_of = audited.table["as_of"].cast(pa.int64()).to_numpy()
    for column in audited.columns:
        told = audited.known_at.get(column)
        name = told or column
        kind = audited.table[name].type
        if not (pa.types.is_timestamp(kind) or pa.types.is_date(kind)):
            continue
        at = _micros(audited.table[name])
        late = np.isfinite(at) & (at > as_of)
        if late.any():
            row = int(np.argmax(np.where(late, at - as_of, -np.inf)))
            by = timedelta(microseconds=float(at[row] - as_of[row]))
            what = f"became known ({told})" if told else "lies"
            share = f"{int(late.sum()):,} of {len(late):,} rows"
            why = f"{what} after the observation in {share}, by up to {_spell(by)} (row {row + 1:,})"
            grave = LEAK if told or late.mean() >= CLOCKS else SUSPECT
            yield Finding(column, grave, "timestamp", why)


def _spell(span: timedelta) -> str:
    return f"{span.days} d" if span.days else f"{span.seconds // 60} min" if span.seconds >= 60 else f"{span}"


def _named(audited: Audited, found: Sequence[Finding]) -> Iterator[Finding]:
    """Columns of what an instant after the observation is of: closed_code of closed_at."""
    for each in [each for each in found if (each.check, each.grave) == ("timestamp", LEAK)]:
        stem, _, last = (audited.known_at.get(each.column) or each.column).lower().rpartition("_")
        if not stem or last not in _OF_TIME:
            continue
        for column in audited.columns:
            if column.lower().startswith(f"{stem}_") and column not in audited.features:
                yield Finding(column, SUSPECT, "timestamp", f"is named like {each.column}, which {each.why}")


def _micros(column: pa.ChunkedArray) -> _Floats:
    """Instants in microseconds, NaN for null; a day is its start, UTC."""
    kind = column.type
    instants = column.cast(pa.timestamp("us")) if pa.types.is_date(kind) else column.cast(pa.timestamp("us", kind.tz))
    return np.asarray(instants.cast(pa.int64()).cast(pa.float64(), safe=False).to_numpy(), np.float64)


def _recomputed(
    audited: Audited, *, engine: Engine, lake: Lake, scratch: Callable[[], AbstractContextManager[Lake]]
) -> tuple[int, list[Finding]]:
    plans: dict[SignalPlan, dict[str, str]] = {}
    for column, (plan, feature) in audited.features.items():
        if all(each.via is None and each.stream.identity is None for each in plan.only([feature.name]).computed):
            plans.setdefault(plan, {})[feature.name] = column
    table = audited.table.append_column("row", pa.array(np.arange(len(audited.table))))
    table = table.filter(pc.is_valid(table["entity"]))
    differing: dict[str, list[int]] = {}
    done = 0
    for plan, names in plans.items():
        asked = plan.only(list(names))
        for rows in _samples(table):
            at, known = asked.moment(rows["as_of"][0].as_py())
            tables = {behavior: lake.files(f"events/{behavior}") for behavior in asked.behaviors}
            mine = {
                behavior: engine.records(files, audited.entity, rows["entity"].to_pylist())
                for behavior, files in tables.items()
                if files.schema is not None and audited.entity in files.schema.names
            }
            for change in (_without, _doubled):
                with scratch() as other:
                    events = _written(other, {name: change(told, at, known) for name, told in mine.items()})
                    values = engine.features(asked, rows.select(["entity", "as_of"]), events)
                for feature in asked.features:
                    column = names[feature.name]
                    ours, stored = values[feature.name].to_pylist(), rows[column].to_pylist()
                    done += len(stored)
                    for row, one, two in zip(rows["row"].to_pylist(), ours, stored, strict=True):
                        if not _same(one, two, exact=feature.exact):
                            differing.setdefault(column, []).append(row)
    why = "is not what could be known in {} of the rows recomputed, e.g. row {:,}"
    return done, [
        Finding(column, LEAK, "recomputed", why.format(len(set(rows)), min(rows) + 1))
        for column, rows in differing.items()
    ]


def _samples(table: pa.Table) -> Iterator[pa.Table]:
    """Observations of some instants, spread evenly."""
    instants = pc.unique(table["as_of"]).sort()
    if not len(instants):
        return
    for number in np.unique(np.linspace(0, len(instants) - 1, INSTANTS).astype(np.int64)):
        rows = table.filter(pc.equal(table["as_of"], instants[int(number)]))
        yield rows.take(pa.array(np.unique(np.linspace(0, len(rows) - 1, RECOMPUTED // INSTANTS).astype(np.int64))))


def _unknowable(records: pa.Table, at: Any, known: Any) -> pa.ChunkedArray:
    return pc.or_(
        pc.greater_equal(records["occurred_at"], pa.scalar(at, INSTANT)),
        pc.greater(records["available_at"], pa.scalar(known, INSTANT)),
    )


def _without(records: pa.Table, at: Any, known: Any) -> pa.Table:
    return records.filter(pc.invert(_unknowable(records, at, known)))


def _doubled(records: pa.Table, at: Any, known: Any) -> pa.Table:
    """With everything that could not be known there twice."""
    again = records.filter(_unknowable(records, at, known))
    ids = pc.binary_join_element_wise(again["event_id"], "again", "-")
    return pa.concat_tables([records, again.set_column(again.schema.get_field_index("event_id"), "event_id", ids)])


def _written(lake: Lake, tables: Mapping[str, pa.Table]) -> dict[str, TableFiles]:
    made = {}
    for behavior, records in tables.items():
        ordered = records.sort_by([(name, "ascending") for name in ("occurred_at", "event_id")])
        made[behavior] = lake.append(f"events/{behavior}", ordered.to_reader(), unit="audit")
    return made


def _same(one: Any, two: Any, *, exact: bool) -> bool:
    if one == two:
        return True
    if one is None or two is None or isinstance(one, str) or isinstance(two, str):
        return False
    if isinstance(one, list | tuple) and isinstance(two, list | tuple):
        return len(one) == len(two) and all(_same(a, b, exact=exact) for a, b in zip(one, two, strict=True))
    # Frames made elsewhere hold doubles where ours hold decimals.
    tolerance = 1e-12 if exact else 1e-9
    try:
        return bool(abs(float(one) - float(two)) <= tolerance * max(abs(float(one)), abs(float(two))))
    except (TypeError, ValueError):
        return False


def _future(
    audited: Audited, behaviors: Sequence[Behavior], coverage: Any, *, engine: Engine, lake: Lake
) -> Iterator[Finding]:
    columns = [name for name in audited.columns if name not in audited.features and _numeric(audited.table[name].type)]
    some = audited.table.filter(pc.is_valid(audited.table["entity"]))
    if not columns or not len(some):
        return
    some = some.take(pa.array(np.unique(np.linspace(0, len(some) - 1, COMPARED).astype(np.int64))))
    values = {name: _floats(some[name]) for name in columns}
    told: dict[str, str] = {}
    followed: dict[str, str] = {}
    events = {each.id: lake.files(f"events/{each.id}") for each in behaviors}
    for what, future, past in _told(audited, some, behaviors, events, coverage, engine):
        differs = ~((future == past) | (np.isnan(future) & np.isnan(past))) & np.isfinite(future) & (future != 0)
        if differs.sum() < _FEWEST:
            continue
        for name, column in values.items():
            said = np.isclose(column[differs], future[differs], rtol=1e-9, atol=1e-9)
            varies = len(np.unique(column[differs])) > 1  # else it says nothing of what it equals
            if name not in told and varies and said.mean() >= _SAME:
                told[name] = f"equals {what} in {said.mean():.0%} of the rows that can tell"
            elif name not in told | followed and varies and (close := _follows(column, future, past)):
                followed[name] = f"follows {what} with a rank correlation of {close}"
    for name, why in (followed | told).items():
        yield Finding(name, LEAK, "future", why)


def _follows(column: _Floats, future: _Floats, past: _Floats) -> str | None:
    """How closely a column follows what came after, if far more closely than what came before."""
    known = ~np.isnan(past)
    past = np.where(known, past, 0.0)
    rows = np.flatnonzero(np.isfinite(column) & np.isfinite(future) & ((future != past) | ~known))[:FOLLOWED]
    if len(rows) < 10 * _FEWEST:
        return None
    after = _correlated(column[rows], future[rows])
    if after < FOLLOWS or 1 - after > (1 - _correlated(column[rows], past[rows])) / CLOSER:
        return None
    return f"{after:.2f}"


def _correlated(one: _Floats, two: _Floats) -> float:
    """Rank correlation, ties at their mean rank; 0 where one of them is constant."""
    ranks = [_ranks(each) for each in (one, two)]
    spread = ranks[0].std() * ranks[1].std()
    return abs(float(((ranks[0] - ranks[0].mean()) * (ranks[1] - ranks[1].mean())).mean() / spread)) if spread else 0.0


def _ranks(values: _Floats) -> _Floats:
    _, place, count = np.unique(values, return_inverse=True, return_counts=True)
    return np.asarray((np.cumsum(count) - (count - 1) / 2)[place], np.float64)


def _told(
    audited: Audited,
    rows: pa.Table,
    behaviors: Sequence[Behavior],
    events: Mapping[str, TableFiles],
    coverage: Any,
    engine: Engine,
) -> Iterator[tuple[str, _Floats, _Floats]]:
    """What came after, in words, its values, and what was the same before."""
    spans = sorted({*HORIZONS, *([audited.horizon] if audited.horizon else [])})
    end = pa.array([coverage] * len(rows), INSTANT)
    for behavior in behaviors:
        if not events[behavior.id].paths:
            continue
        for span in spans:
            features = _aggregates(behavior, Window(span, None))
            later = pc.add(rows["as_of"], pa.scalar(span, pa.duration("us")))
            after = _values(engine, audited.entity, features, rows["entity"], later, events)
            before = _values(engine, audited.entity, features, rows["entity"], rows["as_of"], events)
            for words, feature in features:
                where = f"{words} in the {time.spell(span)} after the observation"
                yield where, _floats(after[feature.name]), _floats(before[feature.name])
        features = _aggregates(behavior, None)
        whole = _values(engine, audited.entity, features, rows["entity"], end, events)
        known = _values(engine, audited.entity, features, rows["entity"], rows["as_of"], events)
        for words, feature in features:
            yield f"{words} up to the data's end", _floats(whole[feature.name]), _floats(known[feature.name])
        yield from _waits(audited, rows, behavior, events, engine)


def _waits(
    audited: Audited, rows: pa.Table, behavior: Behavior, events: Mapping[str, TableFiles], engine: Engine
) -> Iterator[tuple[str, _Floats, _Floats]]:
    """Days to the next event, from the observation and from the event before it."""
    feature = _feature(behavior, "first", "occurred_at", "timestamp", 0, Window(EVER, None))
    newest = replace(feature, name="newest", aggregate="last", window=None)
    later = pc.add(rows["as_of"], pa.scalar(EVER, pa.duration("us")))
    following = _values(engine, audited.entity, [("", feature)], rows["entity"], later, events)[feature.name]
    last = _values(engine, audited.entity, [("", newest)], rows["entity"], rows["as_of"], events)["newest"]
    nothing = np.full(len(rows), np.nan)
    day = 86_400e6
    wait = (_micros(following) - _micros(rows["as_of"])) / day
    gap = (_micros(following) - _micros(last)) / day
    yield f"the days to the next {behavior.noun}", wait, nothing
    yield f"the whole days to the next {behavior.noun}", np.floor(wait), nothing
    yield f"the days from the last {behavior.noun} to the next", gap, nothing
    yield f"the whole days from the last {behavior.noun} to the next", np.floor(gap), nothing


def _aggregates(behavior: Behavior, window: Window | None) -> list[tuple[str, FeaturePlan]]:
    made = [(f"the number of {behavior.plural}", _feature(behavior, "count", None, None, 0, window))]
    for name, said in behavior.properties.items():
        if said.type in ADDABLE:
            words = {"sum": "the sum of", "max": "the largest", "last": "the last"}
            for aggregate, word in words.items():
                feature = _feature(behavior, aggregate, name, said.type, said.scale, window)
                made.append((f"{word} {name} of {behavior.plural}", feature))
    return made


def _feature(
    behavior: Behavior, aggregate: str, name: str | None, kind: str | None, scale: int, window: Window | None
) -> FeaturePlan:
    whole = {None: "integer", "money": "decimal", "number": "decimal"}.get(kind, str(kind))
    label = f"{aggregate} {name} {window.suffix if window else ''}"
    return FeaturePlan(label, aggregate, Stream((behavior.id,)), name, kind, scale, window, whole, "1")


def _values(
    engine: Engine,
    entity: str,
    features: Sequence[tuple[str, FeaturePlan]],
    entities: pa.ChunkedArray,
    as_of: Any,
    events: Mapping[str, TableFiles],
) -> pa.Table:
    plan = SignalPlan("audit", 1, entity, "live", timedelta(0), tuple(feature for _, feature in features))
    return engine.features(plan, pa.table({"entity": entities, "as_of": as_of}), events)


def _separation(audited: Audited) -> Iterator[Finding]:
    table = audited.table.filter(pc.is_valid(audited.table["label"]))
    if len(table) > RANKED:
        table = table.take(pa.array(np.linspace(0, len(table) - 1, RANKED).astype(np.int64)))
    label = table["label"].to_numpy().astype(bool)
    for column in audited.columns:
        values = table[column]
        for what, ranked in _rankings(values, label):
            area = auc(label, ranked)
            if area is not None and max(area, 1 - area) >= TOO_GOOD:
                why = f"{what} ranks the outcome with an AUC of {max(area, 1 - area):.3f}: too good to be true"
                yield Finding(column, SUSPECT, "separation", why)
                break
        else:
            if doubt := _certain(values, label):
                yield Finding(column, SUSPECT, "separation", doubt)


def _certain(values: pa.ChunkedArray, label: npt.NDArray[np.bool_]) -> str | None:
    """Rows, told apart by one column, in which the outcome is all but certain though it is not overall."""
    base = float(label.mean()) if len(label) else 0.0
    for words, rows in _groups(values):
        share, much = float(label[rows].mean()) if rows.any() else base, int(rows.sum())
        never = base * much >= EXPECTED and share <= base / CERTAIN
        always = (1 - base) * much >= EXPECTED and 1 - share <= (1 - base) / CERTAIN
        if never or always:
            seen = f"in {share:.2%} of the {much:,} rows where it is {words}, and in {base:.1%} of all"
            return f"leaves hardly any doubt: the outcome holds {seen}"
    return None


def _groups(values: pa.ChunkedArray) -> Iterator[tuple[str, npt.NDArray[np.bool_]]]:
    """A tenth of the rows with the lowest numbers, and with the highest; the rows of each frequent value."""
    kind = values.type
    if pa.types.is_boolean(kind) or _texts(kind):
        told = np.array([None if each is None else str(each) for each in values.to_pylist()], object)
        present, counts = np.unique([each for each in told if each is not None], return_counts=True)
        yield from ((repr(str(value)), told == value) for value in present[counts >= SHARED * len(values)])
    elif _numeric(kind):
        number = _floats(values)
        if np.isfinite(number).sum() > TAIL * len(number):
            low, high = np.nanquantile(number, [TAIL, 1 - TAIL])
            yield f"{low:g} or less", number <= low
            yield f"{high:g} or more", number >= high


def _final(audited: Audited) -> Iterator[Finding]:
    """Tallies that are the same at every observation of one, and tell the outcome."""
    table = audited.table
    keys = table["entity"] if audited.keys is None else audited.keys
    codes = pc.dictionary_encode(keys).combine_chunks().indices.fill_null(-1).to_numpy()
    order = np.lexsort((_micros(table["as_of"]), codes))
    entity, at = codes[order], _micros(table["as_of"])[order]
    later = (entity[1:] == entity[:-1]) & (entity[1:] >= 0) & (at[1:] > at[:-1])
    valid = table["label"].is_valid().to_numpy()
    label = table["label"].fill_null(False).to_numpy().astype(bool)
    for column in audited.columns:
        if column in audited.features or not _numeric(table[column].type) or pa.types.is_boolean(table[column].type):
            continue
        value = _floats(table[column])
        sorted_value = value[order]
        pairs = later & np.isfinite(sorted_value[1:]) & np.isfinite(sorted_value[:-1])
        told = np.isfinite(value) & valid
        if (
            pairs.sum() < 10 * _FEWEST
            or not _tally(value[told])
            or (sorted_value[1:] != sorted_value[:-1])[pairs].any()
        ):
            continue
        area = auc(label[told], value[told])
        if area is not None and max(area, 1 - area) >= TELLS:
            why = f"tells the outcome (AUC {max(area, 1 - area):.3f}) and never moves in {int(pairs.sum()):,} pairs of "
            why += "observations of one entity, as a tally up to the data's end does; take its value as of each"
            yield Finding(column, SUSPECT, "final", why)


def _tally(values: _Floats) -> bool:
    """Whether numbers look like counts or sums: none negative, many different, a long tail."""
    if len(values) == 0 or values.min() < 0 or len(np.unique(values)) < TALLIED:
        return False
    return bool(values.mean() >= SKEWED * np.median(values))


def _texts(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_dictionary(kind))


def _rankings(values: pa.ChunkedArray, label: npt.NDArray[np.bool_]) -> Iterator[tuple[str, _Floats]]:
    kind = values.type
    if values.null_count:
        yield "being null", values.is_null().to_numpy().astype(np.float64)
    if _numeric(kind) or pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        number = _floats(values) if _numeric(kind) else _micros(values)
        lowest = np.nanmin(number) if np.isfinite(number).any() else 0.0
        yield "it", np.where(np.isnan(number), lowest - 1, number)
    elif _texts(kind):
        codes = np.unique(np.array(values.to_pylist(), dtype=str), return_inverse=True)[1]
        if codes.max(initial=0) < len(codes) // 20:  # else each text stands for a few rows, and anything would fit
            share = np.bincount(codes, weights=label) / np.bincount(codes)
            yield "it", share[codes]


def _numeric(kind: pa.DataType) -> bool:
    tests = (pa.types.is_integer, pa.types.is_floating, pa.types.is_decimal, pa.types.is_boolean)
    return any(test(kind) for test in tests)


def _floats(column: pa.ChunkedArray) -> _Floats:
    plain = column.cast(pa.int8()) if pa.types.is_boolean(column.type) else column
    return np.asarray(plain.cast(pa.float64(), safe=False).to_numpy(), np.float64)
