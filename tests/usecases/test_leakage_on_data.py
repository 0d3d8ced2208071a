"""The audit finds the made shop's planted leaks and the traps that the real data sets' descriptions name, and spares
what is honest beside them."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ethogram.adapters.parquet.sample_folder import ParquetSampleFolder
from ethogram.local import Store
from ethogram.settings import Settings
from ethogram.usecases.sample import make_sample
from ethogram.wiring import parts_of

START = datetime(2025, 1, 1, tzinfo=UTC)


def audited(store: Store, folder: Path, frame: pd.DataFrame, **said: Any) -> Any:
    """What `audit_frame` finds: "leak" or "suspect" by column, and the whole."""
    path, provenance = folder / "frame.parquet", folder / "frame.yaml"
    pq.write_table(pa.Table.from_pandas(frame, preserve_index=False), path)
    provenance.write_text(json.dumps(said))
    found = store.audit_frame(path, provenance)
    return {each.column: each.grave for each in found.findings}, found


def why(found: Any, column: str) -> str:
    return str(next(each.why for each in found.findings if each.column == column))


# Made data.


@pytest.fixture(scope="module")
def made(workspace: Path, state: str, tmp_path_factory: pytest.TempPathFactory) -> tuple[Store, Path]:
    """A made shop of 40,000 events, its orders and refunds taken in."""
    folder = tmp_path_factory.mktemp("shop")
    asked = {"events": 40_000, "seed": 7, "start": START, "days": 365, "progress": lambda _: None}
    make_sample(folder, **asked, open_folder=ParquetSampleFolder)
    parts = parts_of(Settings(workspace, state))
    Store(parts, principal="platform").apply()
    for source in ("shop_orders", "shop_refunds"):
        Store(parts, principal="shop.analyst").ingest(source, data=folder)
    return Store(parts, principal="risk.modeller", purpose="churn_prevention"), folder


def last_orders(folder: Path) -> pd.DataFrame:
    """At four instants who bought at least twice in half a year, with their last order as the tables have it."""
    orders, customers, refunds = (
        pq.read_table(folder / table / "all.parquet").to_pandas() for table in ("orders", "customers", "refunds")
    )
    rows = []
    for at in pd.to_datetime(["2025-05-01", "2025-06-15", "2025-08-01", "2025-09-15"], utc=True):
        past = orders[orders.placed_at < at].sort_values("placed_at")
        last = past.groupby("user_id").tail(1).set_index("user_id")
        then = last[["channel", "amount", "items", "category", "next_order_days"]].copy()
        then["orders_180d"] = past[past.placed_at >= at - timedelta(days=180)].groupby("user_id").size()
        then["recency_days"] = (at - last.placed_at).dt.total_seconds() / 86_400
        then["spent"] = past.groupby("user_id").amount.sum().astype(float)
        then["refunds"] = refunds[refunds.refunded_at < at].groupby("user_id").size()
        then["as_of"] = at
        later = orders[(orders.placed_at >= at) & (orders.placed_at < at + timedelta(days=90))]
        then["lapsed"] = ~then.index.isin(later.user_id)
        rows.append(then[then.orders_180d >= 2].reset_index())
    return pd.concat(rows).fillna({"refunds": 0}).merge(customers, on="user_id")


def test_the_made_shops_planted_leaks_are_found_and_its_honest_columns_are_not(made, tmp_path):
    store, folder = made
    said = {"entity": "customer", "key": "user_id", "as_of": "as_of", "label": "lapsed", "horizon": "90d"}
    frame = last_orders(folder)
    assert (len(frame), "segment" in frame) == (1064, True)
    graves, found = audited(store, tmp_path, frame, **said)
    assert graves == {"next_order_days": "leak", "lifetime_value_final": "leak", "churned_at": "leak"}
    assert "the whole days from the last purchase to the next" in why(found, "next_order_days")
    assert why(found, "lifetime_value_final").startswith("follows the sum of amount of purchases up to the data's end")
    assert why(found, "churned_at").startswith("lies after the observation in ")


def test_a_training_set_of_the_made_shop_is_clean_and_without_a_suspicion(made):
    store, _ = made
    found = store.training_set("lapsed_90d", signals=["purchase_rhythm", "basket"], every="28d").audit()
    assert found.findings == ()
    assert (found.recomputations > 1000, found.unchecked) == (True, ())


# Real data: each trap with or without what is known of it, beside honest columns.


def test_what_a_ticket_shows_before_it_is_closed(shop, shared_data, tmp_path):
    log = pq.read_table(shared_data / "incident_log" / "incident_event_log.parquet").to_pandas()
    log = log[log.number.isin(log.number.unique()[::8])]
    log["missed"] = ~log.number.map(log.groupby("number").made_sla.last()).astype(bool)
    said = {"entity": "ticket", "key": "number", "as_of": "sys_updated_at", "label": "missed"}
    graves, found = audited(shop.store(), tmp_path, log.sample(6000, random_state=1), **said)
    # One of the 6,000 rows was updated before it was opened: two clocks.
    assert graves == {
        "resolved_at": "leak", "closed_at": "leak", "closed_code": "suspect", "resolved_by": "suspect",
        "made_sla": "suspect", "opened_at": "suspect",
    }  # fmt: skip
    assert "is named like closed_at, which lies after the observation" in why(found, "closed_code")
    assert "leaves hardly any doubt: the outcome holds in 100.00% of the" in why(found, "made_sla")
    graves, found = audited(shop.store(), tmp_path, log.groupby("number").tail(1), **said)
    assert graves["made_sla"] == "suspect"
    assert "AUC of 1.000" in why(found, "made_sla")
    origins = {"closed_code": {"known_at": "closed_at"}, "resolved_by": {"known_at": "resolved_at"}}
    graves, _ = audited(shop.store(), tmp_path, log.drop_duplicates("number"), **said, features=origins)
    assert {graves[name] for name in origins} == {"leak"}


def test_what_is_known_of_a_student_at_the_end(shop, shared_data, tmp_path):
    info, registration = (
        pq.read_table(shared_data / "oulad" / f"student_{name}.parquet").to_pandas()
        for name in ("info", "registration")
    )
    frame = info.merge(registration, on=["code_module", "code_presentation", "id_student"]).sample(6000, random_state=1)
    month = frame.code_presentation.str[4].map({"B": "-02-01", "J": "-10-01"})
    frame["start"] = pd.to_datetime(frame.code_presentation.str[:4] + month, utc=True)
    frame["withdrew"] = frame.final_result == "Withdrawn"
    said = {"entity": "student", "key": "id_student", "as_of": "start", "label": "withdrew"}
    graves, _ = audited(shop.store(), tmp_path, frame, **said)
    assert graves == {"final_result": "suspect", "date_unregistration": "suspect"}
    frame["unregistered_at"] = frame.start + pd.to_timedelta(frame.date_unregistration, unit="D")
    origins = {"date_unregistration": {"known_at": "unregistered_at"}}
    assert audited(shop.store(), tmp_path, frame, **said, features=origins)[0]["date_unregistration"] == "leak"


def test_what_a_members_page_says_as_of_the_dump(shop, shared_data, tmp_path):
    users, posts = (
        pq.read_table(shared_data / "stats_stackexchange" / f"{name}.parquet").to_pandas()
        for name in ("users", "posts")
    )
    rows = []
    for at in pd.to_datetime(["2012-01-01", "2012-07-01", "2013-01-01", "2013-07-01"]):
        recent = posts[(posts.CreationDate < at) & (posts.CreationDate >= at - timedelta(days=180))]
        later = posts[(posts.CreationDate >= at) & (posts.CreationDate < at + timedelta(days=90))]
        then = users[users.Id.isin(recent.OwnerUserId) & (users.CreationDate < at)].copy()
        then["posts_before"] = then.Id.map(posts[posts.CreationDate < at].groupby("OwnerUserId").size())
        then["posts_180d"] = then.Id.map(recent.groupby("OwnerUserId").size())
        then["as_of"], then["gone"] = at, ~then.Id.isin(later.OwnerUserId)
        rows.append(then)
    said = {"entity": "user", "key": "Id", "as_of": "as_of", "label": "gone", "horizon": "90d"}
    graves, found = audited(shop.store(), tmp_path, pd.concat(rows), **said)
    assert graves == dict.fromkeys(("Reputation", "Views", "UpVotes", "DownVotes"), "suspect")
    assert "never moves in 2," in why(found, "Reputation")


def test_how_long_a_call_took_is_known_after_it(shop, shared_data, tmp_path):
    frame = pq.read_table(shared_data / "bank_marketing" / "bank_additional_full.parquet").to_pandas().iloc[::5]
    frame = frame.assign(client=[f"client {row}" for row in range(len(frame))], y=frame.y == "yes")
    frame["called_at"] = pd.Timestamp("2010-01-01", tz="UTC")
    said = {"entity": "customer", "key": "client", "as_of": "called_at", "label": "y"}
    graves, found = audited(shop.store(), tmp_path, frame, **said)
    assert graves == {"duration": "suspect"}
    assert "in 0.00% of the 843 rows where it is 61 or less, and in 11.2% of all" in why(found, "duration")
    frame["ended_at"] = frame.called_at + pd.to_timedelta(frame.duration, unit="s")
    graves, _ = audited(shop.store(), tmp_path, frame, **said, features={"duration": {"known_at": "ended_at"}})
    assert graves == {"duration": "leak"}
