"""Charts are pure functions: what they draw follows from the values, what they say is text."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ethogram.core.monitoring.psi import Histogram
from ethogram.http.pages import charts
from ethogram.http.pages.ethogram import MOST_TICKS, WEEK, ethogram, tick_size, ticks
from ethogram.usecases.catalog.behaviors import BehaviorSummary
from ethogram.usecases.catalog.lineage import lineage

MONDAY = datetime(2026, 1, 5, tzinfo=UTC)
HOSTILE = '<b onclick="x">&"\''
weeks = st.lists(st.integers(0, 10**6), min_size=1, max_size=60).map(
    lambda counts: [(MONDAY + i * WEEK, n) for i, n in enumerate(counts) if n]
)
finite = st.floats(-1e12, 1e12)


def parsed(svg: str) -> ElementTree.Element:
    root = ElementTree.fromstring(svg)
    for element in root.iter():
        for name in ("d", "points", "x", "y", "cx", "cy", "width", "height"):
            assert not re.search(r"nan|inf", element.get(name, "")), f"{element.tag} {name}"
    return root


def behavior(id: str, events: list[tuple[datetime, int]], tone: str = "plain") -> BehaviorSummary:
    total = sum(n for _, n in events)
    return BehaviorSummary(id, id.split(".")[0], "", "stable", "customer", tone, total, tuple(events), (), ())


def test_labels_of_an_axis_never_touch_on_the_narrowest_screen():
    for days in range(1, 3000, 7):
        marks = charts.time_marks(MONDAY, MONDAY + timedelta(days=days))
        labels = re.findall(r'x="([\d.]+)%" .*anchor="(\w+)">(.*)<', "\n".join(charts.axis(marks, y=10)))
        ends = 0.0
        for x, anchor, label in labels:
            width = len(label) * 6.2
            left = float(x) / 100 * 340 - {"start": 0, "middle": width / 2, "end": width}[anchor]
            assert left >= ends, (days, label)
            ends = left + width
        assert bool(labels) == bool(marks)


@given(st.lists(finite, max_size=50))
def test_a_sparkline_of_any_values_stays_inside_its_box(values: list[float]):
    svg = charts.sparkline(values, says=HOSTILE)
    if not values:
        assert svg == ""
        return
    root = parsed(svg)
    assert root.get("aria-label") == HOSTILE
    for point in (p for line in root.iter("polyline") for p in line.get("points", "").split()):
        x, y = (float(part) for part in point.split(","))
        assert 0 <= x <= 110
        assert 3 <= y <= 21


@given(
    st.lists(st.integers(0, 10**6), min_size=1, max_size=30), st.lists(st.integers(0, 10**6), min_size=1, max_size=30)
)
def test_a_histogram_draws_one_bar_a_bin_within_its_height(now: list[int], before: list[int]):
    first = Histogram(tuple(float(i) for i in range(len(now) + 1)), tuple(map(float, now)))
    second = Histogram(tuple(i * 0.7 for i in range(len(before) + 1)), tuple(map(float, before)))
    root = parsed(charts.histogram(first, reference=second, says="x"))
    bars = list(root.iter("rect"))
    assert len(bars) == len(now)
    assert all(0 <= float(b.get("height", "")) <= 170.05 for b in bars)


def test_a_timeline_labels_its_reference_and_its_top():
    points = [(MONDAY + i * WEEK, float(i)) for i in range(10)]
    svg = charts.timeline(points, says="rises to 9", reference=12.0, reference_label="contract <12>")
    root = parsed(svg)
    texts = [e.text for e in root.iter("text")]
    assert "12" in texts
    assert "contract <12>" in texts
    assert len([e for e in root.iter("path") if e.get("class") == "ghost"]) == 1
    assert charts.timeline([], says="nothing") == ""
    parsed(charts.timeline([(MONDAY, 0.0)], says="one"))


def test_a_calibration_curve_has_a_dot_a_bin_and_the_diagonal():
    root = parsed(charts.calibration([(0.1, 0.12, 50), (0.6, 0.55, 5)], says="x"))
    dots = list(root.iter("circle"))
    assert len(dots) == 2
    assert float(dots[0].get("r", "")) > float(dots[1].get("r", ""))
    parsed(charts.calibration([], says="x"))


@pytest.mark.parametrize("days", [0, 1, 10, 90, 400, 3000, 20000])
def test_time_marks_are_few_rising_and_inside(days: int):
    marks = charts.time_marks(MONDAY, MONDAY + timedelta(days=days))
    places = [share for share, _ in marks]
    assert len(marks) <= 8
    assert places == sorted(places)
    assert all(0 <= share <= 1 for share in places)
    assert days < 90 or len(marks) >= 2


def test_lineage_links_what_has_a_page_and_escapes_every_name():
    focus = ("signal", HOSTILE)
    graph = lineage(focus, [(("behavior", "commerce.purchase"), focus)])
    root = parsed(
        charts.lineage(graph, {("behavior", "commerce.purchase"): "/taxonomy/commerce.purchase"}, says=HOSTILE)
    )
    assert [e.get("href") for e in root.iter("a")] == ["/taxonomy/commerce.purchase"]
    assert HOSTILE[:10] in "".join(root.itertext())
    assert len(list(root.iter("path"))) == 1


def test_a_long_name_in_lineage_keeps_both_its_ends_and_is_whole_in_the_title():
    focus = ("training set", "lapsed_90d/fa2b89ba3620")
    graph = lineage(focus, [(("source", "complete_journey_transactions"), focus)])
    root = parsed(charts.lineage(graph, {}, says="x"))
    labels = [e.text for e in root.iter("text")]
    assert labels == ["complete_jo…transactions", "lapsed_90d/fa2b89ba3620"]
    assert "source complete_journey_transactions" in [e.text for e in root.iter("title")]


@given(weeks, st.sampled_from([1, 2, 5, 10, 1000]))
def test_ticks_stand_for_a_fixed_number_of_events_in_the_week_in_which_they_happened(events, per_tick):
    total = sum(n for _, n in events)
    if total / per_tick > 10_000:
        per_tick = tick_size(total)
    drawn = ticks(events, per_tick)
    assert abs(len(drawn) * per_tick - total) <= per_tick
    assert drawn == sorted(drawn)
    held = dict(events)
    for week in set(drawn):
        assert drawn.count(week) <= held[week] / per_tick + 1


@given(st.integers(1, 10**12))
def test_a_row_never_has_too_many_ticks_nor_needlessly_few(events: int):
    size = tick_size(events)
    assert events / size <= MOST_TICKS
    assert size == 1 or events / size > MOST_TICKS / 2.5


def test_the_picture_has_a_row_for_each_behavior_with_events_in_its_tone():
    drawn = ethogram(
        [
            behavior("a.kept", [(MONDAY, 40)], "wanted"),
            behavior("a.lost", [(MONDAY + WEEK, 3)], "harm"),
            behavior("a.never", []),
        ]
    )
    assert drawn is not None
    assert [row.behavior.id for row in drawn.rows] == ["a.kept", "a.lost"]
    kept, lost = (parsed(row.picture) for row in drawn.rows)
    assert [e.get("class") for e in kept.iter("path")][-1] == "tick a"
    assert [e.get("class") for e in lost.iter("path")][-1] == "tick b"
    assert kept.get("aria-label", "").startswith("a.kept: 40 events from 5 Jan 2026")
    assert drawn == ethogram([row.behavior for row in drawn.rows])
    assert ethogram([]) is None


def test_a_bar_for_one_whole_number_is_labelled_with_it():
    counts = Histogram((-0.5, 0.5, 1.5, 2.5), (5.0, 3.0, 1.0))
    assert [e.text for e in parsed(charts.histogram(counts, says="x")).iter("text")] == ["0", "1", "2"]
    tail = Histogram((-0.5, 0.5, 1.5, 29.5), (5.0, 3.0, 1.0))
    assert [e.text for e in parsed(charts.histogram(tail, says="x")).iter("text")] == ["0", "1", "2", "29"]
    spread = Histogram((0.0, 10.0, 20.0, 300.0), (5.0, 3.0, 1.0))
    assert [e.text for e in parsed(charts.histogram(spread, says="x")).iter("text")] == ["0", "10", "20", "300"]
