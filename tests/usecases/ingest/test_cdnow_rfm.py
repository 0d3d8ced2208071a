"""CDNOW's summary for "buy till you die" models: our signals on what was ingested, pandas on the raw file."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ethogram.adapters.duckdb.engine import DuckdbEngine
from ethogram.adapters.workspace_files import read_content
from ethogram.core.signals.aggregates.rfm import active_span, frequency, monetary, tenure
from ethogram.core.signals.declaration import Signal
from ethogram.core.signals.plan import plan_signal
from ethogram.core.signals.reference import evaluate
from ethogram.core.workspace import Workspace, load_workspace

# The usual split: 39 weeks to learn from. The last day is over, and all of it known, when the next begins.
LAST_DAY = pd.Timestamp("1997-09-30")
AS_OF = datetime(1997, 10, 1, tzinfo=UTC)
# Customer, repeat purchases, and in weeks the time of the last one and of the end; mean spend of the repeats.
PUBLISHED = [
    (4, 2, 30.43, 38.86, 22.35), (21, 1, 1.71, 38.86, 11.77), (50, 0, 0.0, 38.86, 0.0),
    (111, 7, 29.43, 38.86, 73.74), (112, 1, 5.0, 38.86, 11.77), (114, 2, 35.71, 38.86, 25.55),
]  # fmt: skip
SIGNAL = Signal(
    "btyd", version=1, entity="customer", of="commerce.purchase",
    features=[frequency(name="x"), active_span(unit="weeks", name="t_x"), tenure(unit="days", name="t"),
              monetary("amount", name="m")],
)  # fmt: skip


@pytest.fixture(scope="module")
def published(shared_data) -> pd.DataFrame:
    """As Fader and Hardie define it: repeat days, weeks from the first to the last, weeks from the first to the end."""
    place = shared_data / "cdnow" / "cdnow_master.parquet"
    if not place.exists():
        pytest.skip("no CDNOW data: cdnow/cdnow_master.parquet is absent")
    raw = pq.read_table(place).to_pandas()
    raw["date"] = pd.to_datetime(raw["date"])
    raw["cents"] = (raw["amount_usd"] * 100).round().astype("int64")
    daily = raw[raw["date"] <= LAST_DAY].groupby(["customer_id", "date"])["cents"].sum().reset_index()
    by_customer = daily.groupby("customer_id")
    first = by_customer["date"].transform("min")
    repeats = daily[daily["date"] > first].groupby("customer_id")["cents"]
    return pd.DataFrame(
        {
            "x": by_customer.size() - 1,
            "t_x": (by_customer["date"].max() - by_customer["date"].min()).dt.days / 7,
            "t": (LAST_DAY - by_customer["date"].min()).dt.days / 7,
            "m": repeats.sum() / (100 * repeats.size()),
        }
    )


@pytest.fixture(scope="module")
def declared(project) -> Workspace:
    return load_workspace(read_content(project))


def test_rfm_of_what_was_ingested_is_the_btyd_summary(place, declared, shared_data, published):
    place.ingest(declared.source_plans["cdnow"], data=shared_data / "cdnow")
    plan = plan_signal(SIGNAL, place.taxonomy)
    keys = [str(customer) for customer in published.index]
    ids = place.keys.find("customer", keys)
    observations = pa.table(
        {"entity": pa.array(ids, pa.int64()), "as_of": pa.array([AS_OF] * len(ids), pa.timestamp("us", "UTC"))}
    )
    events = {"commerce.purchase": place.lake.files("events/commerce.purchase")}
    engine = DuckdbEngine(place.sessions)
    found = engine.features(plan, observations, events)
    ours = found.to_pandas().set_index(published.index)

    assert len(ours) == 23_570
    assert (ours["x"] == published["x"]).all()
    assert np.array_equal(ours["t_x"], published["t_x"])
    # The summary's T ends as its last day begins, an instant sees that day once it is over.
    assert np.array_equal((ours["t"] - 1) / 7, published["t"])
    repeated = published["x"] > 0
    assert np.array_equal(ours["m"][repeated], published["m"][repeated])
    assert ours["m"][~repeated].isna().all()
    some = ids[::97]
    by_customer: dict[int, list] = {id: [] for id in some}
    for event in engine.events(events, "customer", some):
        by_customer[event.entities["customer"]].append(event)
    rows = dict(zip(ids, found.drop_columns(["at", "known_at"]).to_pylist(), strict=True))
    for id in some:
        assert evaluate(plan, by_customer[id], id, AS_OF).values == rows[id]


def test_the_summary_is_the_published_one(published):
    """Customers of the workbook of "Implementing the BG/NBD model in Excel" (Fader, Hardie and Lee, 2005)."""
    assert len(published) == 23_570
    assert published["t"].between(26 + 1 / 7, 39).all()  # everybody came in the first quarter
    for customer, *expected in PUBLISHED:
        assert published.loc[customer].fillna(0).to_list() == pytest.approx(expected, abs=0.0051)
