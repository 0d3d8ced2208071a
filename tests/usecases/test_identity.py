"""Identities on the made shop: what a visitor did is the customer's, as a plain join over the raw files says."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pyarrow as pa

from ethogram.adapters.parquet.sample_folder import ParquetSampleFolder
from ethogram.core.signals.aggregates.basic import count
from ethogram.core.signals.declaration import Signal
from ethogram.core.signals.plan import plan_signal
from ethogram.local import Store
from ethogram.settings import Settings
from ethogram.usecases.sample import make_sample

START = datetime(2025, 1, 1, tzinfo=UTC)


def test_a_visitors_pages_are_the_customers_from_the_sign_in_on(workspace: Path, state: str, tmp_path: Path) -> None:
    from ethogram.wiring import parts_of

    make_sample(tmp_path / "shop", events=20_000, seed=7, start=START, days=365, progress=lambda _: None,
                open_folder=ParquetSampleFolder)  # fmt: skip
    store = Store(parts_of(Settings(workspace, state)), principal="shop.analyst")
    for source in ("shop_web_events", "shop_identities"):
        store.ingest(source, data=tmp_path / "shop")
    signal = Signal("pages", version=1, entity="customer", of="engagement.page_viewed", features=[count(name="n")],
                    identity="visitor")  # fmt: skip
    plan = plan_signal(signal, store.workspace.taxonomy)
    tables = {behavior: store.parts.lake.files(f"events/{behavior}") for behavior in plan.behaviors}
    everyone = store.parts.engine.seen("customer", tables.values())["entity"].combine_chunks()
    found, alone = {}, {}
    for day in (200, 366):
        as_of = START + timedelta(days=day)
        asked = pa.table({"entity": everyone, "as_of": pa.array([as_of] * len(everyone), pa.timestamp("us", "UTC"))})
        keys = store.parts.keys.reveal("customer", everyone.to_pylist())
        values = store.parts.engine.features(plan, asked, tables)["n"].to_pylist()
        found[day] = {key: value for key, value in zip(keys, values, strict=True) if value}
        raw = duckdb.connect()
        raw.execute("SET TimeZone = 'UTC'")
        events, links = (str(tmp_path / "shop" / name / "*.parquet") for name in ("web_events", "identities"))
        # Each visitor of the made shop is one customer's, whom the first of the two to be known tells.
        told = (
            f"SELECT anonymous_id, user_id, linked_at AS t FROM '{links}' UNION ALL SELECT anonymous_id, user_id, "
            f"greatest(received_at, ts + INTERVAL 1 MICROSECOND) FROM '{events}' "
            "WHERE name IN ('sign_in', 'sign_up') AND user_id IS NOT NULL"
        )
        mapped = f"SELECT anonymous_id, any_value(user_id) AS u FROM ({told}) WHERE t <= ? GROUP BY ALL"
        pages = f"SELECT * FROM '{events}' WHERE name = 'page_view' AND ts < ? AND received_at <= ?"
        expected = raw.execute(
            f"SELECT coalesce(e.user_id, m.u) AS who, count(*) FROM ({pages}) e LEFT JOIN ({mapped}) m "
            "USING (anonymous_id) WHERE coalesce(e.user_id, m.u) IS NOT NULL GROUP BY ALL",
            [as_of, as_of, as_of],
        ).fetchall()
        assert found[day] == dict(expected)
        alone[day] = raw.execute(f"SELECT count(*) FROM ({pages}) WHERE user_id IS NOT NULL", [as_of, as_of]).fetchall()
    ((own,),) = alone[366]
    assert sum(found[366].values()) > 1.1 * own  # what the identities alone tell
