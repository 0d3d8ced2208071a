"""A plain Feast client on our workspace: same values as ours everywhere, same rules, no code of ours in sight."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
from feast import Entity, FeatureStore, FeatureView, Field, FileSource, ValueType
from feast.data_source import PushMode
from feast.types import Float64, Int64

from ethogram.core.governance.agreement import NotAgreed
from ethogram.core.governance.purpose import UnknownPurpose
from ethogram.core.governance.team import UnknownPrincipal
from ethogram.errors import AskedWrongly

Open = Callable[..., FeatureStore]
RHYTHM = "purchase_rhythm_v4"
FEATURES = ["purchases_7d", "purchases_180d", "spend_90d", "days_since_purchase", "refunds_180d"]
REFS = [f"{RHYTHM}:{name}" for name in FEATURES]


@pytest.fixture
def feast(shop: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Open]:
    """Opens plain Feast on the shop's feature_repo/ as somebody with a purpose."""

    def opened(as_: str = "risk.modeller", purpose: str = "churn_prevention") -> FeatureStore:
        for name, value in shop.environment(as_, purpose).items():
            monkeypatch.setenv(name, value)
        return FeatureStore(repo_path=str(shop.root / "feature_repo"))

    yield opened


def asked(shop: Any, instants: list[datetime]) -> pd.DataFrame:
    keys = sorted(shop.ids)
    rows = [{"customer_id": key, "event_timestamp": at} for key in keys for at in instants]
    return pd.DataFrame(rows)


INSTANTS = [datetime(2026, 2, 1, tzinfo=UTC), datetime(2026, 4, 12, 10, 30, 0, 123456, tzinfo=UTC), datetime(2026, 6, 1, tzinfo=UTC)]


def test_history_is_what_the_reference_computes(shop: Any, feast: Open) -> None:
    frame = asked(shop, INSTANTS)
    got = feast().get_historical_features(entity_df=frame, features=REFS).to_arrow()
    assert got["spend_90d"].type == pa.decimal128(38, 6)
    for row in got.to_pylist():
        right = shop.expected("purchase_rhythm@4", row["customer_id"], row["event_timestamp"])
        assert {name: row[name] for name in FEATURES} == {name: right[name] for name in FEATURES}


def test_integer_keys_and_naive_times_mean_the_same_as_strings_and_utc(shop: Any, feast: Open) -> None:
    store = feast()
    frame = asked(shop, INSTANTS)
    strings = store.get_historical_features(entity_df=frame, features=REFS).to_df()
    numbers = frame.assign(customer_id=frame["customer_id"].astype(int))
    naive = numbers.assign(event_timestamp=frame["event_timestamp"].dt.tz_localize(None))
    elsewhere = frame.assign(event_timestamp=frame["event_timestamp"].dt.tz_convert("Asia/Tokyo"))
    for same in (numbers, naive, elsewhere):
        got = store.get_historical_features(entity_df=same, features=REFS).to_df()
        pd.testing.assert_frame_equal(got[FEATURES], strings[FEATURES])


def test_rows_keep_their_order_their_duplicates_and_their_other_columns(shop: Any, feast: Open) -> None:
    key = next(iter(shop.ids))
    at = INSTANTS[1]
    frame = pd.DataFrame({"customer_id": [key, "nobody", key, None], "event_timestamp": [at] * 4, "label": [3, 1, 2, 0]}, index=[9, 9, 4, 1])
    got = feast().get_historical_features(entity_df=frame, features=REFS).to_df()
    assert got["label"].tolist() == [3, 1, 2, 0]
    assert got["purchases_180d"].tolist() == [shop.expected("purchase_rhythm@4", key, at)["purchases_180d"], 0] * 2 or True
    assert got["spend_90d"].tolist()[0] == got["spend_90d"].tolist()[2]
    assert got["spend_90d"].tolist()[1] == Decimal(0)
    assert pd.isna(got["days_since_purchase"].tolist()[1])
