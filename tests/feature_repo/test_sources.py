"""The sources that this workspace ships: what they may say, and what they make of the real data."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from ethogram.adapters.duckdb.ingest import DuckdbRows
from ethogram.adapters.duckdb.session import Sessions
from ethogram.adapters.workspace_files import read_content
from ethogram.core.expressions import INTEGER, STRING
from ethogram.core.expressions import compile as function_of
from ethogram.core.sources.plan import SourcePlan
from ethogram.core.sources.report import Account
from ethogram.core.time import duration
from ethogram.core.workspace import Workspace, load_workspace
from ethogram.ports import TableFiles

KNOWN_ONLY_LATER = {
    "complete_journey": {"age", "income", "home_ownership", "marital_status", "household_size", "kids_count"},
    "incident_log": {"closed_at", "resolved_at", "closed_code", "resolved_by"},
    "stats_stackexchange": {
        *("Reputation", "Views", "UpVotes", "DownVotes", "Score", "ViewCount", "AnswerCount", "CommentCount"),
        *("FavoriteCount", "LastEditorUserId"),
    },
    "oulad": {"final_result", "score"},
    "shop": {"next_order_days", "lifetime_value_final", "churned_at"},
}
"""Columns that hold a final value on rows of before, as the data's READMEs name them."""

PUBLIC = ("online_retail", "complete_journey", "cdnow", "incident_log", "stats_stackexchange", "oulad")


@pytest.fixture(scope="module")
def content(project: Path) -> dict[str, str]:
    return read_content(project)


@pytest.fixture(scope="module")
def declared(content: dict[str, str]) -> Workspace:
    return load_workspace(content)  # raises with every problem of every file


def named(plan: SourcePlan) -> set[str]:
    """Every column that the source reads, promises or looks up."""
    promised = set(plan.contract.columns) if plan.contract else set()
    return set(plan.names) | promised | {column for join in plan.joins for column in join.columns}


def test_every_data_set_of_the_workspace_has_sources(declared: Workspace) -> None:
    assert {source.dataset for source in declared.sources.values()} == {*PUBLIC, "shop"}


def test_every_source_has_a_contract_of_its_name_and_team_and_every_contract_a_source(
    declared: Workspace, content: dict[str, str]
) -> None:
    for name, source in declared.sources.items():
        assert source.contract == f"contracts/sources/{name}.yaml"
        assert f"team: {{name: {source.owner}}}\n" in content[source.contract]
        assert source.brief.endswith(".")
    assert {path for path in content if path.startswith("contracts/sources/")} == {
        source.contract for source in declared.sources.values()
    }


def test_no_mapping_names_a_column_that_is_known_only_later(declared: Workspace) -> None:
    for name, plan in declared.source_plans.items():
        assert not named(plan) & KNOWN_ONLY_LATER.get(plan.dataset or "", set()), name


def test_the_columns_known_only_later_stand_in_the_real_files(shared_data: Path) -> None:
    for dataset, columns in KNOWN_ONLY_LATER.items():
        if dataset in PUBLIC:
            there = {name for file in (shared_data / dataset).rglob("*.parquet") for name in pq.read_schema(file).names}
            assert columns <= there, dataset


def test_the_day_of_withdrawal_is_a_time_and_never_a_value(declared: Workspace) -> None:
    (plan,) = (plan for plan in declared.source_plans.values() if "date_unregistration" in named(plan))
    for event in plan.events:
        values = {name for each in (*event.entities.values(), *event.properties.values()) for name in each.names}
        assert "date_unregistration" not in values
        assert ("date_unregistration" in event.time.names) == (event.behavior.id == "learning.withdrew")


def test_what_is_mapped_stands_in_the_taxonomy_and_is_stable(declared: Workspace) -> None:
    for plan in declared.source_plans.values():
        for event in plan.events:
            behavior = declared.taxonomy.behaviors[event.behavior.id]
            assert behavior.stability == "stable", behavior.id
            assert set(event.entities) <= set(behavior.entities)
            assert set(event.properties) <= set(behavior.properties)


def test_data_sets_of_one_kind_fill_the_same_behaviors(declared: Workspace) -> None:
    def behaviors(dataset: str) -> set[str]:
        plans = [plan for plan in declared.source_plans.values() if plan.dataset == dataset]
        return {behavior for plan in plans for behavior in plan.behaviors}

    shops = ("online_retail", "complete_journey", "cdnow", "shop")
    assert set.intersection(*map(behaviors, shops)) == {"commerce.purchase"}
    assert {"support.ticket_opened", "support.ticket_resolved", "support.ticket_reopened"} <= behaviors(
        "incident_log"
    ) & behaviors("shop")


def test_what_the_app_reports_is_never_added_to_what_was_bought(declared: Workspace) -> None:
    assert set(declared.source_plans["shop_app_orders"].behaviors) == {"commerce.purchase_reported"}


def test_a_contract_promises_the_delay_that_its_source_is_known_after(
    declared: Workspace, content: dict[str, str]
) -> None:
    for source in declared.sources.values():
        found = re.search(r"property: latency, value: (\d+), unit: ([sdh])\b", content[source.contract or ""])
        assert found, source.name
        assert duration(found[1] + found[2], what="latency") == duration(source.known_after, what="known_after")


@pytest.mark.parametrize(
    ("presentation", "day", "expected"),
    [
        ("2013B", 0, date(2013, 2, 1)),
        ("2014B", -25, date(2014, 1, 7)),
        ("2013J", 0, date(2013, 10, 1)),
        ("2014J", 269, date(2015, 6, 27)),
    ],
)
def test_presentations_start_in_february_or_october_for_both_teams(
    declared: Workspace, presentation: str, day: int, expected: date
) -> None:
    for source, column in (("oulad_clicks", "date"), ("oulad_submissions", "date_submitted")):
        (event,) = declared.source_plans[source].events
        types = {"code_presentation": STRING, column: INTEGER}
        row = {"code_presentation": presentation, column: day}
        assert function_of(event.time, types)(row) == expected


@pytest.fixture
def rows(declared: Workspace, tmp_path: Path) -> DuckdbRows:
    return DuckdbRows(Sessions(tmp_path / "spill", memory="500MB"), declared.taxonomy, {})


@pytest.fixture
def take(
    rows: DuckdbRows, declared: Workspace
) -> Callable[..., tuple[Account, dict[str, int], list[tuple[int, str, str]]]]:
    """What becomes of a source's rows below a directory: the account, events by behavior, and what is kept back."""

    def staged(name: str, data: Path, *, only: str = "") -> tuple[Account, dict[str, int], list[tuple[int, str, str]]]:
        plan = declared.source_plans[name]
        account, events, kept_back = Account(), dict.fromkeys(plan.behaviors, 0), []
        with rows.units(plan, data) as units:
            for unit in (each for each in units if only in each.path):
                with rows.stage(plan, unit, data=data, run="run", started_at=datetime(2026, 1, 1, tzinfo=UTC)) as found:
                    account += found.account
                    kept_back += found.quarantined()
                    for behavior in plan.behaviors:
                        events[behavior] += found.count(behavior)
        return account, {behavior.split(".")[1]: n for behavior, n in events.items()}, kept_back

    return staged


Take = Callable[..., tuple[Account, dict[str, int], list[tuple[int, str, str]]]]


def test_online_retail_becomes_one_purchase_an_invoice_and_one_refund_a_cancelled_line(
    take: Take, shared_data: Path
) -> None:
    account, events, kept_back = take("online_retail", shared_data / "online_retail")
    lines = pq.read_table(shared_data / "online_retail" / "online_retail.parquet").to_pandas()
    known = lines[lines.CustomerID.notna()]
    bought = known[(known.Quantity > 0) & (known.UnitPrice > 0)]
    assert events == {
        "purchase": bought.InvoiceNo.nunique(),
        "refund": int(known.InvoiceNo.str.startswith("C").sum()),
    }
    assert (events, account.unmapped) == ({"purchase": 18_532, "refund": 8_905}, int((lines.UnitPrice == 0).sum()))
    assert {reason for _, reasons, _ in kept_back for reason in re.findall('"message":"([^"]+)"', reasons)} == {
        "UnitPrice ≥ 0"
    }
    assert len(kept_back) == 2


def test_the_grocery_sample_and_its_campaigns_keep_every_row(take: Take, shared_data: Path) -> None:
    data = shared_data / "complete_journey"
    assert take("complete_journey_transactions", data)[:2] == (Account(75_000, mapped=75_000), {"purchase": 47_243})
    assert take("complete_journey_campaigns", data)[:2] == (Account(6_589, mapped=6_589), {"campaign_received": 6_589})
    assert take("complete_journey_redemptions", data)[:2] == (Account(2_102, mapped=2_102), {"coupon_redeemed": 2_102})


def test_cdnow_keeps_purchases_that_look_alike(take: Take, shared_data: Path) -> None:
    assert take("cdnow", shared_data / "cdnow")[:2] == (Account(69_659, mapped=69_659), {"purchase": 69_659})


def test_a_ticket_is_opened_once_and_resolved_once_an_opening(take: Take, shared_data: Path) -> None:
    account, events, kept_back = take("incident_log", shared_data / "incident_log")
    updates = pq.read_table(shared_data / "incident_log" / "incident_event_log.parquet").to_pandas()
    sound = updates[(updates.incident_state != "-100") & (updates.sys_updated_at >= updates.opened_at)]

    def groups(which: Any, *by: str) -> int:
        return len(sound[which].drop_duplicates([*by]))

    state = sound.incident_state
    assert events == {
        "ticket_opened": sound.number.nunique(),
        "ticket_updated": int((state.isin(["New", "Active"]) & (sound.sys_mod_count > 0)).sum()),
        "ticket_assigned": groups(sound.reassignment_count > 0, "number", "reassignment_count"),
        "ticket_awaiting_customer": groups(
            state.isin(["Awaiting User Info", "Awaiting Evidence"]), "number", "reopen_count"
        ),
        "ticket_awaiting_others": groups(
            state.isin(["Awaiting Vendor", "Awaiting Problem"]), "number", "reopen_count", "incident_state"
        ),
        "ticket_resolved": groups(state == "Resolved", "number", "reopen_count"),
        "ticket_reopened": groups(sound.reopen_count > 0, "number", "reopen_count"),
        "ticket_closed": groups(state == "Closed", "number", "reopen_count"),
        "sla_missed": groups(~sound.made_sla, "number"),
    }
    assert (events["ticket_opened"], events["ticket_reopened"]) == (24_918, 331)
    assert (account.rows, account.quarantined, len(kept_back)) == (141_712, 10, 10)


def test_members_of_the_community_are_told_apart_from_the_site_itself(take: Take, shared_data: Path) -> None:
    data = shared_data / "stats_stackexchange"
    assert take("stats_users", data)[:2] == (Account(40_325, mapped=40_324, unmapped=1), {"signed_up": 40_324})
    account, events, _ = take("stats_posts", data)
    assert events == {"question_posted": 42_188, "answer_posted": 47_100, "page_written": 1_085}
    assert account == Account(91_976, mapped=90_373, anonymous=1_392, unmapped=211)
    assert take("stats_badges", data)[1] == {"badge_earned": 79_851}


def test_a_presentation_keeps_its_repeated_clicks_and_every_day_of_registration(take: Take, shared_data: Path) -> None:
    data = shared_data / "oulad"
    clicks = pq.read_metadata(data / "student_vle" / "GGG_2014J.parquet").num_rows
    assert take("oulad_clicks", data, only="GGG_2014J")[1] == {"click": clicks}
    account, events, _ = take("oulad_registrations", data)
    assert (events, account.unmapped) == ({"registered": 32_548, "withdrew": 10_072}, 6)
    assert take("oulad_submissions", data)[:2] == (
        Account(173_912, mapped=173_912),
        {"assessment_submitted": 173_912},
    )


def test_the_made_shop_is_taken_in_whole(take: Take, declared: Workspace, tmp_path: Path) -> None:
    from ethogram.wiring import make_sample

    start = datetime(2025, 1, 1, tzinfo=UTC)
    made = tmp_path / "shop"
    make_sample(made, events=30_000, seed=11, start=start, days=365, progress=lambda _: None)
    for name, source in declared.sources.items():
        if source.dataset == "shop":
            account, events, kept_back = take(name, made)
            table = pa.concat_tables(map(pq.read_table, sorted((made / name.removeprefix("shop_")).glob("*.parquet"))))
            assert (account, kept_back) == (Account(table.num_rows, mapped=table.num_rows), []), name
            twice = pc.sum(pc.equal(table["arm"], "treatment")).as_py() if name == "shop_campaign_sends" else 0
            assert sum(events.values()) == table.num_rows + twice, name


def events_of(rows: DuckdbRows, plan: SourcePlan, data: Path, behavior: str) -> Iterator[dict[str, Any]]:
    with (
        rows.units(plan, data) as (unit,),
        rows.stage(plan, unit, data=data, run="run", started_at=datetime(2026, 1, 1, tzinfo=UTC)) as staged,
    ):
        for entity in plan.entities:
            for part in staged.keys(entity):
                staged.number(entity, part, pa.array(range(len(part)), pa.int64()))
        for batch in staged.events(behavior, TableFiles(behavior, 0, (), None)):
            yield from batch.to_pylist()


def test_the_opening_of_a_ticket_knows_nothing_of_its_later_rows(
    rows: DuckdbRows, declared: Workspace, tmp_path: Path
) -> None:
    opened = datetime(2016, 3, 1, 9)
    first = {
        "number": "INC0000001",
        "incident_state": "New",
        "reassignment_count": 0,
        "reopen_count": 0,
        "sys_mod_count": 0,
        "made_sla": True,
        "caller_id": "Caller 1",
        "opened_at": opened,
        "sys_updated_at": opened + timedelta(minutes=20),
        "contact_type": "Self service",
        "category": "Category 1",
        "subcategory": None,
        "u_symptom": None,
        "impact": "2 - Medium",
        "urgency": "2 - Medium",
        "priority": "3 - Moderate",
        "assignment_group": None,
    }
    later = first | {
        "incident_state": "Active",
        "reassignment_count": 1,
        "sys_mod_count": 4,
        "sys_updated_at": opened + timedelta(days=3),
        "category": "Category 2",
        "subcategory": "Subcategory 9",
        "u_symptom": "Symptom 5",
        "priority": "1 - Critical",
        "assignment_group": "Group 7",
    }
    schema = pa.schema(
        [
            (
                name,
                pa.timestamp("ms")
                if name.endswith("_at")
                else pa.array(["" if first[name] is None else first[name]]).type,
            )
            for name in first
        ]
    )
    # The later row stands first in the file: what counts is what was known first.
    pq.write_table(pa.Table.from_pylist([later, first], schema), tmp_path / "incident_event_log.parquet")
    (event,) = events_of(rows, declared.source_plans["incident_log"], tmp_path, "support.ticket_opened")
    told = {name: event[name] for name in ("category", "subcategory", "topic", "priority", "team", "channel")}
    assert told == {
        "category": "Category 1",
        "subcategory": None,
        "topic": None,
        "priority": "3 - Moderate",
        "team": None,
        "channel": "self_service",
    }
    assert event["occurred_at"] == opened.replace(tzinfo=UTC)
    assert event["available_at"] == (opened + timedelta(minutes=20)).replace(tzinfo=UTC)


def test_a_banked_result_says_nothing_of_how_early_it_came(
    rows: DuckdbRows, declared: Workspace, tmp_path: Path
) -> None:
    submitted = {"id_assessment": [7, 7], "id_student": [1, 2], "date_submitted": [10, -1], "is_banked": [0, 1]}
    int32 = pa.int32()
    pq.write_table(
        pa.table({name: pa.array(values, int32) for name, values in submitted.items()} | {"score": [80.0, 70.0]}),
        tmp_path / "student_assessment.parquet",
    )
    pq.write_table(
        pa.table(
            {
                "code_module": ["AAA"],
                "code_presentation": ["2013B"],
                "id_assessment": pa.array([7], int32),
                "assessment_type": ["TMA"],
                "date": pa.array([12], int32),
                "weight": [12.5],
            }
        ),
        tmp_path / "assessments.parquet",
    )
    plan = declared.source_plans["oulad_submissions"]
    events = {e["banked"]: e for e in events_of(rows, plan, tmp_path, "learning.assessment_submitted")}
    assert (events[False]["days_early"], events[True]["days_early"]) == (2, None)
    assert events[False]["occurred_at"] == datetime(2013, 2, 11, tzinfo=UTC)
    assert events[False]["available_at"] == datetime(2013, 2, 12, tzinfo=UTC)


def test_a_basket_is_never_paid_with_less_than_nothing(rows: DuckdbRows, declared: Workspace, tmp_path: Path) -> None:
    def line(basket: str, product: str, quantity: float, sales: float, coupon: float) -> dict[str, Any]:
        return {
            "household_id": "1",
            "store_id": "2",
            "basket_id": basket,
            "product_id": product,
            "quantity": quantity,
            "sales_value": sales,
            "retail_disc": 0.5,
            "coupon_disc": coupon,
            "coupon_match_disc": 0.0,
            "week": 3,
            "transaction_timestamp": datetime(2017, 1, 20, 17, tzinfo=UTC),
        }

    lines = [
        line("a", "milk", 2.0, 4.1, 1.0),
        line("a", "fuel", 9_000.0, 20.0, 0.0),
        line("b", "coupon", 0.0, 0.0, 1.4),
    ]
    pq.write_table(pa.Table.from_pylist(lines), tmp_path / "transactions_sample.parquet")
    products = {"product_id": ["milk", "fuel"], "product_type": ["FLUID MILK", "GASOLINE-REG UNLEADED"]}
    pq.write_table(pa.table(products), tmp_path / "products.parquet")
    plan = declared.source_plans["complete_journey_transactions"]
    events = {e["order_id"]: e for e in events_of(rows, plan, tmp_path, "commerce.purchase")}
    assert {k: (float(e["amount"]), float(e["discount"]), e["items"]) for k, e in events.items()} == {
        "a": (23.1, 2.0, 3),
        "b": (0.0, 1.9, 0),
    }
