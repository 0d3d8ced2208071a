"""The real data, whole: what each row becomes, counted a second time by plain pandas from the columns alone."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest

from ethogram.adapters.workspace_files import read_content
from ethogram.core.sources.plan import SourcePlan
from ethogram.core.workspace import Workspace, load_workspace


@pytest.fixture(scope="module")
def declared(project: Path) -> Workspace:
    return load_workspace(read_content(project))


@pytest.fixture
def take(place, declared, shared_data):
    """Takes a source of the reference workspace in; (report, account as a tuple)."""

    def taken(name: str, data: Path | None = None):
        plan: SourcePlan = declared.source_plans[name]
        place.name = name
        report = place.ingest(plan, data=data or shared_data / str(plan.dataset))
        account = report.account
        assert account.rows == account.mapped + account.anonymous + account.unmapped + account.quarantined
        return report, (account.mapped, account.anonymous, account.unmapped, account.quarantined)

    return taken


def read(folder: Path, name: str) -> pd.DataFrame:
    return pq.read_table(folder / name).to_pandas()


def cents(values) -> Decimal:
    return sum(values, Decimal(0))


def test_online_retail(take, place, shared_data):
    report, account = take("online_retail")
    raw = read(shared_data / "online_retail", "online_retail.parquet")
    bad = raw.UnitPrice < 0
    sale = (raw.Quantity > 0) & (raw.UnitPrice > 0) & ~bad
    back = raw.InvoiceNo.str.startswith("C") & ~bad
    known = raw.groupby(raw.InvoiceNo.where(sale)).CustomerID.transform("count") > 0
    mapped = (sale & known) | (back & raw.CustomerID.notna())
    unmapped = ~sale & ~back & ~bad
    assert account == (mapped.sum(), (~mapped & ~unmapped & ~bad).sum(), unmapped.sum(), bad.sum())
    assert [row for row, _, _ in place.quarantined()] == [299_984, 299_985]
    purchases, refunds = place.table("commerce.purchase"), place.table("commerce.refund")
    assert report.events == {
        "commerce.purchase": raw[sale & known].InvoiceNo.nunique(),
        "commerce.refund": (back & raw.CustomerID.notna()).sum(),
    }
    assert len(purchases) == report.events["commerce.purchase"]
    # Every price has at most three digits, so sums are exact.
    price = raw.UnitPrice.map(lambda value: Decimal(repr(value)))
    assert cents(purchases["amount"].to_pylist()) == cents((price * raw.Quantity)[sale & known])
    assert cents(refunds["amount"].to_pylist()) == cents((-price * raw.Quantity)[back & raw.CustomerID.notna()])
    assert len(set(purchases["customer"].to_pylist())) == raw[sale & known].CustomerID.nunique()
    # Noon in June is eleven o'clock UTC.
    first = (
        raw[sale & known].groupby("InvoiceNo").InvoiceDate.min().dt.tz_localize("Europe/London").dt.tz_convert("UTC")
    )
    assert sorted(purchases["occurred_at"].to_pandas()) == sorted(first)


def test_cdnow(take, place, shared_data):
    _, account = take("cdnow")
    raw = read(shared_data / "cdnow", "cdnow_master.parquet")
    assert account == (len(raw), 0, 0, 0)
    made = place.table("commerce.purchase")
    assert len(set(made["event_id"].to_pylist())) == len(raw)
    assert sum(made["items"].to_pylist()) == raw.quantity.sum()
    assert cents(made["amount"].to_pylist()) == Decimal("2500315.63")
    assert set((made["available_at"].to_pandas() - made["occurred_at"].to_pandas()).dt.days) == {1}


def test_complete_journey(take, place, shared_data):
    folder = shared_data / "complete_journey"
    lines = read(folder, "transactions_sample.parquet")
    report, account = take("complete_journey_transactions")
    assert account == (len(lines), 0, 0, 0)
    assert report.events == {"commerce.purchase": lines.basket_id.nunique()}
    made = place.table("commerce.purchase").to_pandas()
    assert sorted(made.occurred_at) == sorted(lines.groupby("basket_id").transaction_timestamp.min())
    assert made.customer.nunique() == made.household.nunique() == lines.household_id.nunique()
    paid = (lines.sales_value - lines.coupon_disc).round(6).map(lambda value: Decimal(repr(value)))
    baskets = paid.groupby(lines.basket_id).sum()
    assert cents(made.amount) == cents(max(value, Decimal(0)) for value in baskets)

    report, account = take("complete_journey_campaigns")
    sent = read(folder, "campaigns.parquet")
    assert account == (len(sent), 0, 0, 0)
    starts = read(folder, "campaign_descriptions.parquet").set_index("campaign_id").start_date
    days = pd.to_datetime(sent.campaign_id.map(starts)).dt.tz_localize("America/New_York").dt.tz_convert("UTC")
    assert sorted(place.table("campaign.campaign_received")["occurred_at"].to_pandas()) == sorted(days)

    _, account = take("complete_journey_redemptions")
    assert account == (len(read(folder, "coupon_redemptions.parquet")), 0, 0, 0)


def test_incident_log(take, place, shared_data):
    report, account = take("incident_log")
    raw = read(shared_data / "incident_log", "incident_event_log.parquet")
    bad = (raw.opened_at > raw.sys_updated_at) | (raw.incident_state == "-100")
    assert account == ((~bad).sum(), 0, 0, bad.sum())
    good = raw[~bad]

    def groups(rows, *by):
        return len(rows[list(by)].drop_duplicates())

    state = good.incident_state
    assert report.events == {
        "support.ticket_opened": groups(good, "number"),
        "support.ticket_updated": (state.isin(["New", "Active"]) & (good.sys_mod_count > 0)).sum(),
        "support.ticket_assigned": groups(good[good.reassignment_count > 0], "number", "reassignment_count"),
        "support.ticket_awaiting_customer": groups(
            good[state.isin(["Awaiting User Info", "Awaiting Evidence"])], "number", "reopen_count"
        ),
        "support.ticket_awaiting_others": groups(
            good[state.isin(["Awaiting Vendor", "Awaiting Problem"])], "number", "reopen_count", "incident_state"
        ),
        "support.ticket_resolved": groups(good[state == "Resolved"], "number", "reopen_count"),
        "support.ticket_reopened": groups(good[good.reopen_count > 0], "number", "reopen_count"),
        "support.ticket_closed": groups(good[state == "Closed"], "number", "reopen_count"),
        "support.sla_missed": groups(good[~good.made_sla], "number"),
    }
    again = good[good.reopen_count > 0].groupby(["number", "reopen_count"]).sys_updated_at.min().dt.tz_localize("UTC")
    assert sorted(place.table("support.ticket_reopened")["occurred_at"].to_pandas()) == sorted(again)


def test_stats_stackexchange(take, place, shared_data):
    folder = shared_data / "stats_stackexchange"
    users, posts, badges = (read(folder, f"{name}.parquet") for name in ("users", "posts", "badges"))
    _, account = take("stats_users")
    assert account == ((users.Id != -1).sum(), 0, (users.Id == -1).sum(), 0)
    report, account = take("stats_posts")
    sites, nobody = posts.OwnerUserId == -1, posts.OwnerUserId.isna()
    assert account == ((~sites & ~nobody).sum(), nobody.sum(), sites.sum(), 0)
    kinds = posts[~sites & ~nobody].PostTypeId
    assert report.events == {
        "engagement.question_posted": (kinds == 1).sum(),
        "engagement.answer_posted": (kinds == 2).sum(),
        "engagement.page_written": (kinds > 2).sum(),
    }
    _, account = take("stats_badges")
    assert account == ((badges.UserId != -1).sum(), 0, (badges.UserId == -1).sum(), 0)
    written = {"engagement.question_posted", "engagement.signed_up", "engagement.badge_earned"}
    columns = {name for behavior in written for name in place.table(behavior).column_names}
    assert not columns & {"score", "views", "reputation", "up_votes"}


def test_oulad_of_one_presentation(take, place, shared_data, tmp_path):
    folder = shared_data / "oulad"
    small = tmp_path / "oulad"
    (small / "student_vle").mkdir(parents=True)
    for name in ("vle.parquet", "student_vle/GGG_2014J.parquet"):
        (small / name).symlink_to(folder / name)
    report, account = take("oulad_clicks", small)
    raw = read(folder, "student_vle/GGG_2014J.parquet")
    assert account == (len(raw), 0, 0, 0)
    made = place.table("learning.click").to_pandas()
    # Rows that look alike are clicks all the same: dropping them would lose some.
    assert made.clicks.sum() == raw.sum_click.sum() > raw.drop_duplicates().sum_click.sum()
    assert made.event_id.nunique() == len(raw)
    assert (made.enrolment.nunique(), made.student.nunique()) == (raw.id_student.nunique(),) * 2
    kinds = read(folder, "vle.parquet").set_index("id_site").activity_type
    assert made.activity.value_counts().to_dict() == raw.id_site.map(kinds).value_counts().to_dict()
    days = pd.Timestamp("2014-10-01", tz="UTC") + pd.to_timedelta(raw.date, unit="D")
    assert sorted(made.occurred_at) == sorted(days)
    assert report.coverage["learning.click"].known == days.max() + pd.Timedelta(days=1)


def test_oulad_registrations_and_submissions(take, place, shared_data):
    folder = shared_data / "oulad"
    raw = read(folder, "student_registration.parquet")
    report, account = take("oulad_registrations")
    neither = raw.date_registration.isna() & raw.date_unregistration.isna()
    assert account == ((~neither).sum(), 0, neither.sum(), 0)
    assert report.events == {
        "learning.registered": raw.date_registration.notna().sum(),
        "learning.withdrew": raw.date_unregistration.notna().sum(),
    }
    start = pd.to_datetime(
        raw.code_presentation.str[:4] + raw.code_presentation.str[4].map({"B": "-02-01", "J": "-10-01"}), utc=True
    )
    left = raw.date_unregistration.notna()
    days = start[left] + pd.to_timedelta(raw.date_unregistration[left], unit="D")
    assert sorted(place.table("learning.withdrew")["occurred_at"].to_pandas()) == sorted(days)

    report, account = take("oulad_submissions")
    handed_in = read(folder, "student_assessment.parquet")
    assert account == (len(handed_in), 0, 0, 0)
    made = place.table("learning.assessment_submitted")
    assert "score" not in made.column_names
    assert sum(made["banked"].to_pylist()) == handed_in.is_banked.sum()
