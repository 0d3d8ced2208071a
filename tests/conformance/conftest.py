"""One small vocabulary, events written as the lake writes them, and every engine behind the same two questions."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import Any, Protocol

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ethogram.adapters.duckdb.engine import DuckdbEngine
from ethogram.core.events import Event
from ethogram.core.outcomes.declaration import Outcome
from ethogram.core.outcomes.plan import plan_outcome
from ethogram.core.outcomes.reference import label
from ethogram.core.signals.declaration import Signal
from ethogram.core.signals.plan import SignalPlan, plan_signal
from ethogram.core.signals.reference import evaluate
from ethogram.core.signals.tiles import tilings
from ethogram.core.taxonomy import Behavior, Entity, Property, Taxonomy
from ethogram.ports import TableFiles, Tiles

Observation = tuple[int | None, datetime]

_PURCHASE = Behavior(
    "commerce.purchase", "Paid.", "purchase", "purchases", "customer",
    ("customer", "household", "visitor"),
    properties={
        "amount": Property("amount", "money", scale=6),
        "items": Property("items", "integer", unit="1"),
        "weight": Property("weight", "number", unit="kg", scale=9),
        "rating": Property("rating", "double", unit="1"),
        "category": Property("category", "string"),
        "gift": Property("gift", "boolean"),
        "due": Property("due", "timestamp"),
        "day": Property("day", "date"),
    },
)  # fmt: skip
_REFUND = Behavior(
    "commerce.refund", "Got money back.", "refund", "refunds", "customer", ("customer",),
    properties={"amount": Property("amount", "money", scale=6)},
)  # fmt: skip
_OUTAGES = [
    Behavior(f"operations.outage_{word}", "It is down.", f"outage_{word}", f"outages_{word}", "site", ("site",))
    for word in ("started", "ended")
]
_SIGN_IN = Behavior(
    "account.signed_in", "Signed in.", "sign_in", "sign_ins", "customer", ("customer", "visitor")
)  # fmt: skip
TAXONOMY = Taxonomy(
    entities={
        "customer": Entity("customer", "Who buys.", "customers", "customer_id", rolls_up_to="household"),
        "household": Entity("household", "Who live together.", "households", "household_id"),
        "site": Entity("site", "Where we are.", "sites", "site_id"),
        "visitor": Entity(
            "visitor",
            "A browser.",
            "visitors",
            "visitor_id",
            identified_as="customer",
            identified_by=("account.signed_in",),
        ),
    },
    behaviors={b.id: b for b in (_PURCHASE, _REFUND, _SIGN_IN, *_OUTAGES)},
)
_ARROW = {
    "integer": pa.int64(), "double": pa.float64(), "string": pa.string(), "boolean": pa.bool_(),
    "timestamp": pa.timestamp("us", "UTC"), "date": pa.date32(),
}  # fmt: skip
_numbers = itertools.count()


def _schema(behavior: Behavior) -> pa.Schema:
    instant = pa.timestamp("us", "UTC")
    head = [("event_id", pa.string()), ("op", pa.string()), ("target_id", pa.string()), ("occurred_at", instant)]
    head += [("available_at", instant), ("channel", pa.string()), ("source", pa.string()), ("run", pa.string())]
    head += [(entity, pa.int64()) for entity in behavior.entities]
    for name, declared in behavior.properties.items():
        kind = pa.decimal128(18, declared.scale) if declared.type in {"money", "number"} else _ARROW[declared.type]
        head.append((name, kind))
    return pa.schema(head)


def write_events(folder: Path, events: Sequence[Event]) -> dict[str, TableFiles]:
    """Tables as the lake lays them out: a file a month, sorted by customer, time and id."""
    made = {}
    for behavior in TAXONOMY:
        schema = _schema(behavior)
        paths = []
        rows = [event for event in events if event.behavior == behavior.id]
        for month in sorted({f"{event.occurred_at:%Y-%m}" for event in rows}):
            inside = [event for event in rows if f"{event.occurred_at:%Y-%m}" == month]
            inside.sort(key=lambda e: (e.entities.get("customer", -1), e.occurred_at, e.event_id))
            columns: dict[str, list[Any]] = {field: [] for field in schema.names}
            for event in inside:
                row = {
                    "event_id": event.event_id, "op": event.op, "target_id": event.target_id, "channel": event.channel,
                    "occurred_at": event.occurred_at, "available_at": event.available_at, "source": "s", "run": "r",
                    **event.entities, **event.properties,
                }  # fmt: skip
                for field in schema.names:
                    columns[field].append(row.get(field))
            place = folder / behavior.id / f"month={month}" / f"part-{next(_numbers)}.parquet"
            place.parent.mkdir(parents=True, exist_ok=True)
            pq.write_table(pa.table(columns, schema=schema), place, row_group_size=3)
            paths.append(str(place))
        version, layout = (0, schema) if paths else (-1, None)
        made[behavior.id] = TableFiles(f"events/{behavior.id}", version, tuple(paths), layout)
    return made


class Computes(Protocol):
    """What every engine has to answer alike: values by feature for each observation, labels for each observation."""

    def features(
        self, signal: Signal, events: Sequence[Event], observations: Sequence[Observation]
    ) -> list[dict[str, Any]]: ...

    def labels(self, outcome: Outcome, events: Sequence[Event], observations: Sequence[Observation]) -> list[bool]: ...


class Reference:
    def features(
        self, signal: Signal, events: Sequence[Event], observations: Sequence[Observation]
    ) -> list[dict[str, Any]]:
        plan = plan_signal(signal, TAXONOMY)
        rows = [evaluate(plan, events, entity, as_of) for entity, as_of in observations]
        return [{"at": row.at, "known_at": row.known, **row.values} for row in rows]

    def labels(self, outcome: Outcome, events: Sequence[Event], observations: Sequence[Observation]) -> list[bool]:
        plan = plan_outcome(outcome, TAXONOMY)
        return [label(plan, events, entity, as_of) for entity, as_of in observations]


def connect() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    connection.execute("SET timezone = 'UTC'; SET threads = 2")
    return connection


@dataclass
class Duckdb:
    folder: Path
    events_at_once: int

    @property
    def engine(self) -> DuckdbEngine:
        return DuckdbEngine(connect, events_at_once=self.events_at_once)

    def tiles(self, plan: SignalPlan, written: Mapping[str, TableFiles]) -> list[Tiles]:  # noqa: ARG002 - it has none
        return []

    def features(
        self, signal: Signal, events: Sequence[Event], observations: Sequence[Observation]
    ) -> list[dict[str, Any]]:
        plan, written = plan_signal(signal, TAXONOMY), write_events(self.folder, events)
        found = self.engine.features(plan, asked(observations), written, self.tiles(plan, written))
        rows = found.to_pylist(maps_as_pydicts="strict")
        return [{name: _utc(value) for name, value in row.items()} for row in rows]

    def labels(self, outcome: Outcome, events: Sequence[Event], observations: Sequence[Observation]) -> list[bool]:
        written = write_events(self.folder, events)
        found = self.engine.labels(plan_outcome(outcome, TAXONOMY), asked(observations), written)
        return found["label"].to_pylist()  # type: ignore[no-any-return]


class Tiled(Duckdb):
    """Over the tiles of two thirds of the days that have events, and the events after them."""

    def tiles(self, plan: SignalPlan, written: Mapping[str, TableFiles]) -> list[Tiles]:
        tables = list(written.values())
        days = sorted(self.engine.days(tables))
        if not days or self.engine.corrected(tables):
            return []
        last = days[len(days) * 2 // 3]
        until = datetime(last.year, last.month, last.day, tzinfo=UTC)
        made = []
        for tiling in tilings(plan):
            with self.engine.tiles(tiling, written, [day for day in days if day < last]) as batches:
                table = batches.read_all()
            place = self.folder / f"tiles-{next(_numbers)}.parquet"
            pq.write_table(table.drop_columns("day"), place, row_group_size=5)
            made.append(Tiles(tiling, TableFiles(tiling.table, 0, (str(place),), table.schema), until))
        return made


def _utc(value: Any) -> Any:
    """With instants of the standard library's UTC, inside of lists and maps too."""
    if isinstance(value, list):
        return list(map(_utc, value))
    if isinstance(value, dict):
        return {key: _utc(item) for key, item in value.items()}
    return value.astimezone(UTC) if isinstance(value, datetime) else value


@dataclass
class Spark(Duckdb):
    """Spark in this process; `events_at_once` is what a bucket of entities is meant to have."""

    session: Any = None

    @property
    def engine(self) -> DuckdbEngine:
        from ethogram.adapters.spark.engine import SparkEngine

        return SparkEngine(lambda: self.session, connect, bucket_rows=self.events_at_once)


def asked(observations: Sequence[Observation]) -> pa.Table:
    entities = pa.array([entity for entity, _ in observations], pa.int64())
    return pa.table({"entity": entities, "as_of": pa.array([t for _, t in observations], pa.timestamp("us", "UTC"))})


ENGINES: dict[str, Callable[[Path], Computes]] = {
    "reference": lambda _: Reference(),
    "duckdb": lambda folder: Duckdb(folder, events_at_once=1_000_000),
    "duckdb over tiles": lambda folder: Tiled(folder, events_at_once=1_000_000),
    "duckdb in small chunks": lambda folder: Duckdb(folder, events_at_once=2),
}


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Computes:
    return ENGINES[request.param](tmp_path)


@pytest.fixture(scope="session")
def same() -> Callable[..., None]:
    """Asserts that DuckDB, whole and in chunks, equals the reference to the bit."""
    return assert_same


@pytest.fixture(scope="session")
def engines() -> ModuleType:
    """This module, whose classes tests name."""
    return sys.modules[__name__]


def assert_same(
    folder: Path,
    question: Signal | Outcome,
    events: Sequence[Event],
    observations: Sequence[Observation],
    engines: Mapping[str, Callable[[Path], Computes]] | None = None,
) -> None:
    for name, make in (engines or ENGINES).items():
        if name == "reference":
            continue
        other = make(folder)
        if isinstance(question, Outcome):
            assert other.labels(question, events, observations) == Reference().labels(question, events, observations)
            continue
        ours = other.features(question, events, observations)
        right = Reference().features(question, events, observations)
        approximate = {f.name for f in plan_signal(question, TAXONOMY).features if not f.exact}
        assert len(ours) == len(right)
        for found, expected in zip(ours, right, strict=True):
            assert list(found) == list(expected), name
            for feature, value in expected.items():
                # repr tells -0.0 from 0.0 and every last bit of a double; types count too.
                same = _near(found[feature], value) if feature in approximate else repr(found[feature]) == repr(value)
                assert same, f"{name}: {feature} is {found[feature]!r}, and should be {value!r}"


def _near(found: Any, right: Any) -> bool:
    """Equal within a relative 1e-9, item by item."""
    if isinstance(right, list):
        return isinstance(found, list) and len(found) == len(right) and all(map(_near, found, right))
    if isinstance(right, dict):
        return (
            isinstance(found, dict) and list(found) == list(right) and _near(list(found.values()), list(right.values()))
        )
    if right is None or found is None:
        return found is right
    return abs(found - right) <= 1e-9 * max(abs(found), abs(right))
