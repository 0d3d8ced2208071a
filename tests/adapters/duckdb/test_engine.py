"""What only the engine has: files, Arrow types, trouble. What its values are is the conformance suite's business."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ethogram.adapters.duckdb.engine import DuckdbEngine, EngineFailed
from ethogram.adapters.duckdb.events import Reach, event_rows
from ethogram.adapters.duckdb.standing import Standing
from ethogram.core.expressions import INTEGER, parse
from ethogram.core.outcomes.declaration import Outcome, absence
from ethogram.core.outcomes.plan import plan_outcome
from ethogram.core.signals.aggregates.basic import count, last, maximum, mean, recency, total
from ethogram.core.signals.declaration import Signal
from ethogram.core.signals.plan import plan_signal
from ethogram.core.taxonomy import Behavior, Entity, Property, Taxonomy
from ethogram.errors import AskedWrongly
from ethogram.ports import TableFiles

NOON, DAY = datetime(2026, 3, 10, 12, tzinfo=UTC), timedelta(days=1)
INSTANT = pa.timestamp("us", "UTC")
PURCHASE = Behavior(
    "commerce.purchase", "Paid.", "purchase", "purchases", "customer", ("customer",),
    properties={"amount": Property("amount", "money", scale=6), "items": Property("items", "integer", unit="1")},
)  # fmt: skip
TAXONOMY = Taxonomy(
    entities={"customer": Entity("customer", "Who buys.", "customers", "customer_id")},
    behaviors={"commerce.purchase": PURCHASE},
)
FEATURES = [count(over=["7d", "30d"]), total("amount", over="30d", name="spend"), mean("amount", name="mean"),
            maximum("items", over="30d", name="most"), last("amount", name="newest"), recency(),
            count(over="7d", where="items > 1", name="many")]  # fmt: skip
PLAN = plan_signal(Signal("s", version=1, entity="customer", of="commerce.purchase", features=FEATURES), TAXONOMY)
LAPSED = plan_outcome(Outcome("o", "customer", absence("commerce.purchase", within="7d")), TAXONOMY)


def connect() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    connection.execute("SET timezone = 'UTC'")
    return connection


@pytest.fixture
def engine() -> DuckdbEngine:
    return DuckdbEngine(connect)


def events(path: Path, *, days: list[float], with_items: bool = True) -> TableFiles:
    at = pa.array([NOON - day * DAY for day in days], INSTANT)
    columns = {
        "event_id": [f"{path.stem}{k}" for k in range(len(days))], "op": ["assert"] * len(days),
        "target_id": pa.nulls(len(days), pa.string()), "occurred_at": at, "available_at": at,
        "channel": ["web"] * len(days), "source": ["s"] * len(days), "run": ["r"] * len(days),
        "customer": pa.array([1] * len(days), pa.int64()),
        "amount": pa.array([Decimal("2.5")] * len(days), pa.decimal128(18, 6)),
    }  # fmt: skip
    if with_items:
        columns["items"] = pa.array([3] * len(days), pa.int64())
    table = pa.table(columns)
    pq.write_table(table, path)
    return TableFiles("events/commerce.purchase", 0, (str(path),), table.schema)


def asked(*instants: datetime) -> pa.Table:
    return pa.table({"entity": pa.array([1] * len(instants), pa.int64()), "as_of": pa.array(list(instants), INSTANT)})


def test_columns_have_the_types_of_the_plan(engine, tmp_path):
    found = engine.features(PLAN, asked(NOON), {"commerce.purchase": events(tmp_path / "a.parquet", days=[1])})
    assert {field.name: str(field.type) for field in found.schema} == {
        "at": "timestamp[us, tz=UTC]", "known_at": "timestamp[us, tz=UTC]", "purchases_7d": "int64",
        "purchases_30d": "int64", "spend": "decimal128(38, 6)", "mean": "double", "most": "int64",
        "newest": "decimal128(38, 6)", "days_since_purchase": "double", "many": "int64",
    }  # fmt: skip
    nothing = engine.features(PLAN, asked(), {})
    assert nothing.schema == found.schema
    assert len(nothing) == 0


def test_a_behavior_without_a_table_has_no_events(engine):
    absent = {"commerce.purchase": TableFiles("events/commerce.purchase", -1, (), None)}
    for known in (absent, {}):
        (row,) = engine.features(PLAN, asked(NOON), known).to_pylist()
        assert list(row.values())[2:] == [0, 0, Decimal(0), None, None, None, None, 0]
        assert engine.labels(LAPSED, asked(NOON), known)["label"].to_pylist() == [True]
    assert engine.seen("customer", [absent["commerce.purchase"]]).num_rows == 0


def test_a_property_that_came_later_is_null_in_older_files_and_tables(engine, tmp_path):
    old = events(tmp_path / "a.parquet", days=[2], with_items=False)
    new = events(tmp_path / "b.parquet", days=[1])
    (row,) = engine.features(PLAN, asked(NOON), {"commerce.purchase": old}).to_pylist()
    assert (row["purchases_7d"], row["most"], row["many"]) == (1, None, 0)
    both = TableFiles(old.name, 1, (*old.paths, *new.paths), new.schema)
    (row,) = engine.features(PLAN, asked(NOON), {"commerce.purchase": both}).to_pylist()
    assert (row["purchases_7d"], row["most"], row["many"]) == (2, 3, 1)


def test_who_was_seen_is_there_once_something_had_happened_and_was_known(engine, tmp_path):
    found = engine.seen("customer", [events(tmp_path / "a.parquet", days=[3, 9])]).to_pylist()
    assert found == [{"entity": 1, "since": NOON - 9 * DAY + timedelta(microseconds=1)}]
    first = engine.features(
        PLAN, asked(found[0]["since"]), {"commerce.purchase": events(tmp_path / "a.parquet", days=[3, 9])}
    )
    assert first["purchases_7d"].to_pylist() == [1]


def test_instants_without_a_zone_and_missing_ones_are_refused(engine):
    naive = pa.table({"entity": pa.array([1]), "as_of": pa.array([datetime(2026, 1, 1)], pa.timestamp("us"))})
    with pytest.raises(AskedWrongly, match="with a time zone"):
        engine.features(PLAN, naive, {})
    with pytest.raises(AskedWrongly, match="missing in 1 of 1"):
        engine.labels(LAPSED, pa.table({"entity": pa.array([1]), "as_of": pa.array([None], INSTANT)}), {})


def test_a_nanosecond_is_asked_for_too_early_rather_than_too_late(engine, tmp_path):
    known = {"commerce.purchase": events(tmp_path / "a.parquet", days=[0])}
    late = int(NOON.timestamp()) * 10**9 + 999  # before the microsecond after the event has begun
    fine = pa.table({"entity": pa.array([1]), "as_of": pa.array([late], pa.timestamp("ns", "UTC"))})
    (row,) = engine.features(PLAN, fine, known).to_pylist()
    assert row["purchases_7d"] == 0


def test_a_file_that_is_cut_off_is_an_error_of_ours(engine, tmp_path):
    files = events(tmp_path / "a.parquet", days=[1])
    Path(files.paths[0]).write_bytes(Path(files.paths[0]).read_bytes()[:200])
    with pytest.raises(EngineFailed, match="signal s@1"):
        engine.features(PLAN, asked(NOON), {"commerce.purchase": files})


def test_a_condition_holds_where_it_is_true_and_rows_keep_their_order(engine):
    rows = pa.table({"s.n": pa.array([3, None, 1, 2] * 3000, pa.int64())})
    found = engine.holds(parse("s.n >= 2"), {"s.n": INTEGER}, rows)
    assert found.to_pylist() == [True, False, False, True] * 3000


def test_events_of_a_few_come_back_as_they_are(engine, tmp_path):
    files = events(tmp_path / "a.parquet", days=[1, 2])
    found = engine.events({"commerce.purchase": files}, "customer", [1, 99])
    assert [(e.event_id, e.entities, e.properties["amount"], e.occurred_at) for e in found] == [
        ("a0", {"customer": 1}, Decimal("2.5"), NOON - DAY), ("a1", {"customer": 1}, Decimal("2.5"), NOON - 2 * DAY),
    ]  # fmt: skip
    assert engine.events({"commerce.purchase": files}, "customer", []) == []


def test_what_is_said_of_an_event_comes_with_it_even_where_it_names_another(engine, tmp_path):
    plain = events(tmp_path / "a.parquet", days=[1, 2])
    rows = pq.read_table(plain.paths[0])
    moved = rows.slice(0, 1).to_pylist()[0] | {"event_id": "b0", "op": "correct", "target_id": "a0", "customer": 7}
    path = tmp_path / "b.parquet"
    pq.write_table(pa.Table.from_pylist([moved], schema=rows.schema), path)
    files = TableFiles(plain.name, 1, (*plain.paths, str(path)), plain.schema)
    for who, said in [(1, {"a0", "a1", "b0"}), (7, {"a0", "b0"}), (8, set())]:
        assert {e.event_id for e in engine.events({"commerce.purchase": files}, "customer", [who])} == said


def test_the_sql_is_the_one_that_was_reviewed(request):
    """After a change on purpose, delete the snapshot and run this once: it writes the new one and fails."""
    schema = pa.schema([("customer", pa.int64()), ("amount", pa.decimal128(18, 6)), ("items", pa.int64())])
    files = {"commerce.purchase": TableFiles("events/commerce.purchase", 0, ("part.parquet",), schema)}
    streams = dict.fromkeys(feature.stream for feature in PLAN.features)
    columns = {"amount": "DECIMAL(18, 6)", "items": "BIGINT"}
    made = [
        event_rows(
            Standing(duckdb.connect(), files, 0, 10, versions), stream, "customer",
            columns=columns, reach=Reach(1, 9, None, 10, 5, 10),
        )
        for versions in ({"commerce.purchase": None}, {"commerce.purchase": "versions_0"})
        for stream in streams
    ]  # fmt: skip
    text = "\n\n".join(made) + "\n"
    snapshot = request.path.parent / "snapshots" / "signal.sql"
    if not snapshot.exists():
        snapshot.write_text(text)
        pytest.fail(f"wrote {snapshot.name}; review it and run again")
    assert text == snapshot.read_text()
