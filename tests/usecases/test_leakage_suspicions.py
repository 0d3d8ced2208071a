"""Suspicions need nothing but the table: each by an example, and by what is like it and honest."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from ethogram.usecases.leakage import Audited, audit_leakage

INSTANT = pa.timestamp("us", "UTC")
START, DAY = datetime(2026, 1, 1, tzinfo=UTC), timedelta(days=1)
MEMBERS, MONTHS = 400, 4
RANDOM = np.random.default_rng(5)
# Rows stand by month, then by member.
WHO = np.tile(np.arange(MEMBERS), MONTHS)
AT = [START + 30 * DAY * month for month in range(MONTHS) for _ in range(MEMBERS)]
LABEL = RANDOM.random(len(WHO)) < np.where(WHO % 4 == 0, 0.8, 0.2)


def found(**columns: Any) -> dict[str, str]:
    """What an audit without any events says of columns: "leak timestamp" by name."""
    table = pa.table({"entity": pa.array(WHO), "as_of": pa.array(AT, INSTANT), "label": LABEL, **columns})
    audited = Audited("made", "user", table, {}, {}, None)
    leakage = audit_leakage(audited, behaviors=[], coverage=None, engine=None, lake=None, scratch=None)  # type: ignore[arg-type]  # nothing to compute
    return {each.column: f"{each.grave} {each.check}" for each in leakage.findings}


def tally(tail: float) -> Any:
    """A number per member that goes with the outcome, of which a few have very much."""
    return np.floor(np.exp(RANDOM.normal(2, tail, MEMBERS) + 2.0 * (np.arange(MEMBERS) % 4 == 0)))


def test_a_tally_that_never_moves_and_tells_the_outcome_is_a_suspicion():
    assert found(views=tally(1.5)[WHO]) == {"views": "suspect final"}


@pytest.mark.parametrize("kind", ["it moves", "no tail", "few values", "says nothing", "negative"])
def test_what_is_like_a_tally_of_the_end_and_honest_is_left_alone(kind):
    whole = tally(1.5)[WHO]
    values = {
        "it moves": whole + np.repeat(np.arange(MONTHS), MEMBERS),
        "no tail": 20 + RANDOM.integers(0, 40, MEMBERS)[WHO] + 10.0 * (WHO % 4 == 0),
        "few values": np.minimum(whole, 9),
        "says nothing": RANDOM.permutation(tally(1.5))[WHO],
        "negative": whole - 5,
    }
    assert found(views=values[kind]) == {}


def test_a_column_named_like_an_instant_that_lies_ahead_is_a_suspicion():
    codes = RANDOM.choice(["a", "b", "c"], len(WHO))
    ahead = pa.array([at + 3 * DAY for at in AT], INSTANT)
    past = pa.array([at - 3 * DAY for at in AT], INSTANT)
    assert found(closed_at=ahead, closed_code=codes, opened_by=codes) == {
        "closed_at": "leak timestamp", "closed_code": "suspect timestamp",
    }  # fmt: skip
    assert found(closed_at=past, closed_code=codes) == {}


def test_an_instant_ahead_in_a_few_rows_may_be_two_clocks():
    told = [at + DAY if row < 15 else at - DAY for row, at in enumerate(AT)]  # of 1,600
    assert found(opened=pa.array(told, INSTANT)) == {"opened": "suspect timestamp"}
    told[15] = AT[15] + DAY
    assert found(opened=pa.array(told, INSTANT)) == {"opened": "leak timestamp"}


def test_what_leaves_no_doubt_in_a_part_of_the_rows_is_a_suspicion():
    noise = RANDOM.normal(size=len(WHO))
    short = np.where(LABEL, 100 + noise, np.where(RANDOM.random(len(WHO)) < 0.3, noise, 100 + noise))
    state = np.where(LABEL, "open", np.where(RANDOM.random(len(WHO)) < 0.3, "shut", "open"))
    assert found(seconds=short, state=state) == {"seconds": "suspect separation", "state": "suspect separation"}
    # One in fifty of them is another: then there is doubt.
    some = RANDOM.random(len(WHO)) < 0.05
    assert found(state=np.where(LABEL & some, "shut", state)) == {}
    rare = np.where(~LABEL & (RANDOM.random(len(WHO)) < 0.03), "shut", "open")
    assert found(state=rare, seconds=noise) == {}
