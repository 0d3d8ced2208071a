"""The audit finds what knows the future, says which column and why, and leaves alone what does not."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ethogram.core.training_sets.frame import BadProvenance, Provenance

INSTANT = pa.timestamp("us", "UTC")
SAID = {"entity": "customer", "key": "customer_id", "as_of": "as_of", "label": "lapsed", "horizon": "30d"}


@pytest.fixture(scope="module")
def frame(shop: Any) -> pa.Table:
    """Customers of the shop at some instants, with honest features."""
    instants = [shop.DAY - timedelta(days=days) for days in (120, 90, 60, 45)]
    keys = sorted(shop.ids)
    rows = [(key, at) for at in instants for key in keys]
    random = np.random.default_rng(3)
    spent = [shop.expected("purchase_rhythm@4", key, at)["spend_90d"] for key, at in rows]
    return pa.table({
        "customer_id": [key for key, _ in rows],
        "as_of": pa.array([at for _, at in rows], INSTANT),
        "lapsed": [not _bought(shop, key, at, 30) for key, at in rows],
        "spent": pa.array([float(value) for value in spent]),
        "noise": random.normal(size=len(rows)),
    })  # fmt: skip


def _bought(shop: Any, key: str, at: Any, days: int) -> list[Any]:
    return [
        e for e in shop.events
        if e.behavior == "commerce.purchase" and e.entities["customer"] == shop.ids[key]
        and at <= e.occurred_at < at + timedelta(days=days) and e.available_at <= at + timedelta(days=days)
    ]  # fmt: skip


def audited(shop: Any, folder: Path, table: pa.Table, **said: Any) -> Any:
    path, provenance = folder / "frame.parquet", folder / "frame.yaml"
    pq.write_table(table, path)
    provenance.write_text(json.dumps(SAID | said))
    return shop.store().audit_frame(path, provenance)


def whys(found: Any) -> dict[str, str]:
    return {each.column: f"{each.grave}, {each.check}: {each.why}" for each in found.findings}


def test_honest_features_are_left_alone(shop, frame, tmp_path):
    features = {"spent": {"signal": "purchase_rhythm@4", "feature": "spend_90d"}}
    found = audited(shop, tmp_path, frame, features=features)
    assert (found.clean, found.findings, found.unchecked) == (True, (), ("noise",))
    assert found.recomputations == 2 * len(frame)
    assert str(found).startswith(f"{tmp_path}/frame.parquet: no lookahead in 2 features (")


def test_what_the_next_days_bring_is_found_and_named(shop, frame, tmp_path):
    rows = zip(frame["customer_id"].to_pylist(), frame["as_of"].to_pylist(), strict=True)
    coming = [float(sum(e.properties["amount"] for e in _bought(shop, key, at, 30))) for key, at in rows]
    found = audited(shop, tmp_path, frame.append_column("amount_next_30d", pa.array(coming)))
    assert found.leaks == ("amount_next_30d",)
    said = "leak, future: equals the sum of amount of purchases in the 30d after the observation in 100% of the rows"
    assert whys(found)["amount_next_30d"].startswith(said)
    assert "1 of 3 features leak" in str(found)


def test_the_wait_for_the_next_event_is_found(shop, frame, tmp_path):
    def wait(key: str, at: Any) -> float | None:
        later = [e.occurred_at for e in _bought(shop, key, at, 3650)]
        return (min(later) - at).days if later else None

    rows = zip(frame["customer_id"].to_pylist(), frame["as_of"].to_pylist(), strict=True)
    table = frame.append_column("next_order_days", pa.array([wait(key, at) for key, at in rows], pa.float64()))
    assert "whole days to the next purchase" in whys(audited(shop, tmp_path, table))["next_order_days"]


def test_a_final_value_is_found(shop, frame, tmp_path):
    final = {
        key: float(sum(e.properties["amount"] for e in shop.events
                       if e.behavior == "commerce.purchase" and e.entities["customer"] == id))
        for key, id in shop.ids.items()
    }  # fmt: skip
    table = frame.append_column("lifetime_value", pa.array([final[key] for key in frame["customer_id"].to_pylist()]))
    assert (
        "the sum of amount of purchases up to the data's end" in whys(audited(shop, tmp_path, table))["lifetime_value"]
    )


def test_a_signals_column_that_was_made_with_the_future_is_recomputed(shop, frame, tmp_path):
    ahead = [
        float(shop.expected("purchase_rhythm@4", key, at + timedelta(days=9))["spend_90d"])
        for key, at in zip(frame["customer_id"].to_pylist(), frame["as_of"].to_pylist(), strict=True)
    ]
    table = frame.set_column(frame.schema.get_field_index("spent"), "spent", pa.array(ahead))
    features = {"spent": {"signal": "purchase_rhythm@4", "feature": "spend_90d"}}
    found = audited(shop, tmp_path, table, features=features)
    assert found.leaks == ("spent",)
    assert "leak, recomputed: is not what could be known" in whys(found)["spent"]


def test_what_became_known_later_is_found_by_its_time(shop, frame, tmp_path):
    at = frame["as_of"].to_pylist()
    told = [each + timedelta(days=3) if row == 5 else each for row, each in enumerate(at)]
    table = frame.append_column("score", frame["noise"]).append_column("scored_at", pa.array(told, INSTANT))
    table = table.append_column("closed_at", pa.array([each + timedelta(days=1) for each in at], INSTANT))
    found = whys(audited(shop, tmp_path, table, features={"score": {"known_at": "scored_at"}}))
    assert "became known (scored_at) after the observation in 1 of 96 rows, by up to 3 d (row 6)" in found["score"]
    assert found["closed_at"].startswith("leak, timestamp: lies after the observation in 96 of 96 rows")


@pytest.mark.parametrize("kind", ["number", "text", "null"])
def test_what_is_too_good_to_be_true_is_a_suspicion(shop, frame, tmp_path, kind):
    label = frame["lapsed"].to_pylist()
    columns = {
        "number": pa.array([9.5 - 3 * value for value in label]),
        "text": pa.array(["gone" if value else "here" for value in label]),
        "null": pa.array([None if value else 1 for value in label], pa.int64()),
    }
    found = audited(shop, tmp_path, frame.append_column("result", columns[kind]))
    assert found.clean
    assert "ranks the outcome with an AUC of 1.000: too good to be true" in whys(found)["result"]


def test_our_own_training_sets_have_no_lookahead(shop):
    made = shop.store().training_set(
        "lapsed_90d", signals=["purchase_rhythm@4", "browsing"], every="30d",
        start=shop.DAY - timedelta(days=150), end=shop.DAY, purpose="churn_prevention",
    )  # fmt: skip
    found = made.audit()
    assert found.clean, str(found)
    assert found.recomputations > 100
    assert found.unchecked == ()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"label": "churned"}, "no column 'churned', said to be its label; it has"),
        ({"as_of": "noise"}, "noise is double, not an instant; convert it to a timestamp"),
        ({"features": {"spend": {"known_at": "x"}}}, "no column 'spend', said to be its feature; did you mean spent?"),
        (
            {"features": {"spent": {"signal": "purchase_rhythm@4", "feature": "spend"}}},
            "purchase_rhythm@4 has no feature",
        ),
        ({"features": {"spent": {"signal": "purchase_rhythm@4"}}}, "names a signal or a feature alone; name both"),
        ({"extra": 1}, "no field 'extra'; it has entity, key, as_of, label, horizon, features"),
    ],
)
def test_provenance_that_fits_no_table_is_refused(shop, frame, tmp_path, change, message):
    with pytest.raises(BadProvenance, match=message.replace("(", r"\(")):
        audited(shop, tmp_path, frame, **change)


def test_provenance_names_the_columns_it_needs():
    with pytest.raises(BadProvenance, match="key is missing; name the column"):
        Provenance.of({"entity": "customer"}, where="p.yaml")
