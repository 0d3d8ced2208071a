"""How far channels can be relied on: by hand, and on the made shop, whose feeds disagree as docs/made_data.md says."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ethogram.adapters.duckdb.engine import DuckdbEngine
from ethogram.adapters.parquet.sample_folder import ParquetSampleFolder
from ethogram.core.sample.truths import TRUTHS
from ethogram.core.taxonomy import Behavior, Channel, Entity, Property, Taxonomy
from ethogram.errors import AskedWrongly
from ethogram.local import Store
from ethogram.ports import TableFiles
from ethogram.settings import Settings
from ethogram.usecases.channels import channel_report
from ethogram.usecases.sample import make_sample

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
PROPERTIES = {
    "amount": Property("amount", "money", scale=6), "items": Property("items", "integer", unit="1"),
    "order_id": Property("order_id", "string"),
}  # fmt: skip
TAXONOMY = Taxonomy(
    entities={n: Entity(n, "Who.", f"{n}s", f"{n}_id") for n in ("customer", "ticket")},
    channels={n: Channel(n, "Where.") for n in ("store", "web", "mobile", "mail")},
    behaviors={
        b.id: b
        for b in (
            Behavior("commerce.purchase", "Paid.", "purchase", "purchases", "customer", ("customer",),
                     properties=PROPERTIES, channels=("store", "web", "mobile")),
            Behavior("commerce.gift", "Gave.", "gift", "gifts", "customer", ("customer",), channels=("store",)),
            Behavior("support.opened", "Asked.", "ticket", "tickets", "ticket", ("ticket",)),
        )
    },
)  # fmt: skip


class Lake:
    """One table of events."""

    def __init__(self, path: Path, events: list[dict[str, Any]]) -> None:
        schema = pa.schema(
            [("event_id", pa.string()), ("op", pa.string()), ("target_id", pa.string()), ("channel", pa.string()),
             ("occurred_at", pa.timestamp("us", "UTC")), ("available_at", pa.timestamp("us", "UTC")),
             ("customer", pa.int64()), ("amount", pa.decimal128(18, 6)), ("items", pa.int64()),
             ("order_id", pa.string())]
        )  # fmt: skip
        pq.write_table(pa.Table.from_pylist(events, schema=schema), path)
        self.table = TableFiles("events/commerce.purchase", 0, (str(path),), schema)

    def files(self, table: str, *, version: int | None = None) -> TableFiles:  # noqa: ARG002 - there is one version
        return self.table if table == self.table.name else TableFiles(table, -1, (), None)


def said(id: str, channel: str | None, at: datetime, *, late: timedelta = timedelta(0), customer: int | None = 1,
         op: str = "assert", about: str | None = None, amount: str | None = "10", items: int | None = 1,
         order_id: str = "o") -> dict[str, Any]:  # fmt: skip
    return {
        "event_id": id, "op": op, "target_id": about, "channel": channel, "occurred_at": at, "available_at": at + late,
        "customer": customer, "amount": None if amount is None else Decimal(amount), "items": items,
        "order_id": order_id,
    }  # fmt: skip


def report(tmp_path: Path, events: list[dict[str, Any]], **asked: Any) -> dict[str, Any]:
    found = channel_report(
        asked.pop("behaviors", ["commerce.purchase"]),
        **({"match": ["order_id"], "within": "10m", "where": None} | asked),
        taxonomy=TAXONOMY, engine=DuckdbEngine(duckdb.connect), lake=Lake(tmp_path / "e.parquet", events),  # type: ignore[arg-type]  # as much of a lake as is asked
    )  # fmt: skip
    facts = found.facts()
    return facts | {"channels": {each.pop("name"): each for each in facts["channels"]}}


def test_coverage_delay_and_agreement_of_each_channel(tmp_path):
    events = [
        said("a", "store", NOON), said("b", "web", NOON + MINUTE, late=HOUR), said("c", "mobile", NOON - MINUTE),
        said("d", "store", NOON, order_id="p"), said("e", "web", NOON, order_id="p", amount="9", late=3 * HOUR),
        said("f", "web", NOON, order_id="q", items=None), said("g", "store", NOON + HOUR, order_id="q"),
        said("h", "mail", NOON), said("i", None, NOON), said("j", "web", NOON, customer=None),
    ]  # fmt: skip
    found = report(tmp_path, events)
    channels = found["channels"]
    assert found["happenings"] == 4
    assert {name: (each["events"], each["saw"]) for name, each in channels.items()} == {
        "store": (3, 3), "web": (3, 3), "mobile": (1, 1),
    }  # fmt: skip
    assert channels["web"]["coverage"] == 0.75
    assert channels["web"]["delay_s"] == {"p50": 3600.0, "p90": 10800.0, "p99": 10800.0}
    assert channels["web"]["agreement"] == {
        "amount": {"pairs": 2, "equal": 1, "share": 0.5}, "items": {"pairs": 2, "equal": 2, "share": 1.0},
    }  # fmt: skip
    assert channels["store"]["agreement"]["amount"] == {"pairs": 3, "equal": 2, "share": 2 / 3}
    assert channels["mobile"]["agreement"]["amount"]["share"] == 1.0


def test_what_was_retracted_was_never_seen_and_a_condition_leaves_out(tmp_path):
    events = [
        said("a", "store", NOON), said("b", "web", NOON), said("r", "web", NOON, op="retract", about="b", late=HOUR),
        said("c", "web", NOON, order_id="p", amount="1"),
    ]  # fmt: skip
    found = report(tmp_path, events)
    assert (found["happenings"], found["channels"]["web"]["saw"]) == (2, 1)
    assert found["channels"]["store"]["agreement"]["amount"] == {"pairs": 0, "equal": 0, "share": None}
    assert report(tmp_path, events, where="amount > 5")["happenings"] == 1


def test_without_events_there_is_nothing_to_say(tmp_path):
    found = report(tmp_path, [])
    assert found["happenings"] == 0
    assert found["channels"]["web"] == {"events": 0, "saw": 0, "coverage": None, "delay_s": {}, "agreement": {
        "amount": {"pairs": 0, "equal": 0, "share": None}, "items": {"pairs": 0, "equal": 0, "share": None},
    }}  # fmt: skip


@pytest.mark.parametrize(
    ("asked", "said_"),
    [
        ({"behaviors": ["commerce.gift"]}, "commerce.gift has one channel alone; name another behavior"),
        ({"behaviors": ["commerce.purchase", "support.opened"]}, "support.opened is of a ticket and commerce.purchase"),
        ({"behaviors": ["commerce.purchse"]}, "did you mean commerce.purchase"),
        ({"match": ["order"]}, "has no property 'order' to match by; did you mean order_id?"),
        ({"within": "soon"}, "within"),
    ],
)
def test_what_cannot_be_held_against_each_other_is_said(tmp_path, asked, said_):
    with pytest.raises(AskedWrongly, match=said_.replace("?", r"\?")):
        report(tmp_path, [], **asked)


def test_the_made_shops_two_feeds_disagree_as_they_were_made_to(
    workspace: Path, state: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from ethogram.cli.app import run
    from ethogram.wiring import parts_of

    start = datetime(2025, 1, 1, tzinfo=UTC)
    make_sample(tmp_path / "shop", events=60_000, seed=7, start=start, days=365, progress=lambda _: None,
                open_folder=ParquetSampleFolder)  # fmt: skip
    store = Store(parts_of(Settings(workspace, state)), principal="shop.analyst")
    for source in ("shop_orders", "shop_app_orders"):
        store.ingest(source, data=tmp_path / "shop")
    monkeypatch.chdir(workspace)
    line = ["commerce.purchase", "commerce.purchase_reported", "--match", "order_id", "--where", "channel = 'mobile'"]
    monkeypatch.setattr("sys.argv", ["ethogram", "channels", *line, "--state", state, "--json"])
    assert run() == 0
    found = json.loads(capsys.readouterr().out)
    book, app = found["channels"]
    feeds = TRUTHS.feeds
    assert found["happenings"] > 1000
    assert book["coverage"] == pytest.approx(1 - feeds.missing_in_orders, abs=0.015)
    assert app["coverage"] == pytest.approx(1 - feeds.missing_in_app_orders, abs=0.015)
    assert app["agreement"]["amount"]["share"] == pytest.approx(1 - feeds.amount_differs, abs=0.02)
    assert app["agreement"]["items"]["share"] == 1.0
    assert (book["delay_s"]["p99"], app["delay_s"]["p90"] > 3600) == (0.0, True)
    monkeypatch.setattr("sys.argv", ["ethogram", "channels", *line, "--state", state])
    assert run() == 0
    assert capsys.readouterr().out.startswith(f"{found['happenings']:,} happenings\nchannel")
