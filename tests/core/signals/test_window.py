from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ethogram.core.signals.window import BadWindow, window
from ethogram.core.time import BadDuration, spell

INSTANTS = st.datetimes(datetime(1990, 1, 1), datetime(2100, 1, 1)).map(lambda t: t.replace(tzinfo=UTC))
LENGTHS = st.integers(12, 5000).map(lambda n: f"{n}h") | st.integers(12, 400).map(lambda n: f"{n}d")


@given(INSTANTS, LENGTHS)
def test_a_window_covers_its_length_and_less_than_one_hop_more(at: datetime, length: str) -> None:
    span = window(length)
    assert span.hop is not None
    assert timedelta(0) <= (at - span.start(at)) - span.length < span.hop


@given(INSTANTS, LENGTHS)
def test_the_tail_moves_in_whole_hops_of_the_epoch(at: datetime, length: str) -> None:
    span = window(length)
    assert span.hop is not None
    assert (span.start(at) - datetime(1970, 1, 1, tzinfo=UTC)) % span.hop == timedelta(0)


@pytest.mark.parametrize(
    ("length", "hop"),
    [("12m", "1m"), ("1h", "5m"), ("12h", "1h"), ("12d", "1d"), ("13d", "1d"), ("25h", "1h"), ("7d", "1h")],
)
def test_the_default_hop_is_the_largest_that_fits_a_twelfth_and_divides(length: str, hop: str) -> None:
    chosen = window(length).hop
    assert chosen is not None
    assert spell(chosen) == hop


def test_without_a_hop_the_tail_is_exact() -> None:
    at = datetime(2026, 3, 9, 15, 40, 1, tzinfo=UTC)
    assert window("90s", hop=None).start(at) == at - timedelta(seconds=90)


@pytest.mark.parametrize(
    ("length", "hop", "message"),
    [
        ("10m", "auto", "under 12 hops of 1m"),
        ("750s", "auto", "no multiple of 1m"),
        ("6h", "1h", "under 12 hops of 1h"),
        ("25h", "5h", "none of 1m, 5m, 1h, 1d"),
        ("13h", "5m", None),
        ("61m", "5m", "no multiple of its hop 5m"),
    ],
)
def test_a_window_that_no_hop_can_step_is_refused(length: str, hop: str, message: str | None) -> None:
    if message is None:
        assert window(length, hop).length == timedelta(hours=13)
    else:
        with pytest.raises(BadWindow, match=message):
            window(length, hop)


def test_a_length_without_a_unit_is_refused_with_the_ways_to_write_it() -> None:
    with pytest.raises(BadDuration, match='over="90" has no unit; write "90d", "90h" or "90m"'):
        window("90")
