"""Benchmarks compare equals: the contestants' answers agree, and the page says what was measured."""

from __future__ import annotations

import importlib
import json
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

PROJECT = Path(__file__).resolve().parents[2]


@pytest.fixture
def benchmark(monkeypatch: pytest.MonkeyPatch) -> Any:
    """A module of `benchmarks`, which is no part of the package."""
    monkeypatch.syspath_prepend(str(PROJECT))
    return lambda name: importlib.import_module(f"benchmarks.{name}")


@pytest.fixture(params=["even", "skewed"])
def load(request: pytest.FixtureRequest, benchmark: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    monkeypatch.setenv("ETHOGRAM_BENCH_DATA", str(tmp_path / "data"))
    return benchmark("events").Load(5_000, 40, 600, skewed=request.param == "skewed")


def job(benchmark: Any, load: Any, tmp_path: Path, *, sorted: bool, observed: bool = True) -> Any:
    events = list(load.lake().paths) if sorted else load.raw()
    return benchmark("side").Job(events, load.observations_file() if observed else "", sorted, str(tmp_path))


@pytest.mark.parametrize("sorted", [True, False], ids=["from the lake", "from raw"])
def test_windows_are_the_same_whoever_computes_them(benchmark: Any, load: Any, tmp_path: Path, sorted: bool) -> None:
    task = job(benchmark, load, tmp_path, sorted=sorted)
    ours = benchmark("windows.ours").answer(task)
    assert len(ours) == 600
    for peer in ("duckdb_range_join", "duckdb_range_windows"):
        theirs = benchmark(f"windows.{peer}").answer(task)
        assert [name for name in ours.column_names if not ours[name].equals(theirs[name])] == []


def test_sessions_are_the_same_whoever_makes_them(benchmark: Any, load: Any, tmp_path: Path) -> None:
    task = job(benchmark, load, tmp_path, sorted=True, observed=False)
    order = [("entity", "ascending"), ("started_at", "ascending")]
    ours = benchmark("sessions.ours").answer(task).sort_by(order)
    theirs = benchmark("sessions.duckdb_by_hand").answer(task).sort_by(order)
    assert ours["events"].to_pylist() == theirs["events"].to_pylist()
    assert ours.equals(theirs.cast(ours.schema))


def test_the_lake_holds_the_raw_events_by_month_entity_and_time(load: Any) -> None:
    raw = [row for path in load.raw() for row in pq.read_table(path).to_pylist()]
    files = [pq.ParquetFile(path).read().to_pylist() for path in load.lake().paths]
    assert sorted(row["event_id"] for row in raw) == sorted(row["event_id"] for file in files for row in file)
    for rows in files:
        assert len({f"{row['occurred_at']:%Y-%m}" for row in rows}) == 1
        places = [(row["customer"], row["occurred_at"], row["event_id"]) for row in rows]
        assert places == sorted(places)


def test_skew_gives_one_entity_a_tenth_of_the_observations(load: Any) -> None:
    rows = pq.read_table(load.observations_file())["entity"].to_pylist()
    hottest = max(rows.count(key) for key in set(rows)) / len(rows)
    assert 0.06 < hottest < 0.14 if load.skewed else hottest < 0.06


def test_the_page_is_what_the_results_give(benchmark: Any) -> None:
    report = benchmark("report")
    page, images = report.render(report.PAGE.read_text(), json.loads(report.RESULTS.read_text()))
    assert page == report.PAGE.read_text()
    for name, svg in images.items():
        assert svg == (report.IMAGES / name).read_text()


def test_charts_are_drawings_with_a_sentence_and_say_who_was_cut_off(benchmark: Any) -> None:
    figure = benchmark("row").Figure
    figures = [
        figure("t", "ethogram", 10**6, 0.5, 0.9, 0.4, 3),
        figure("t", "slow <join>", 10**6, 600, 600, 0, 1, False),
    ]
    drawn = benchmark("charts").bars(figures, says="ours is faster")
    texts = [each.text for each in ElementTree.fromstring(drawn).iter() if each.text and each.text.strip()]
    assert "ours is faster" in texts
    assert {"0.50 s", "> 600 s", "slow <join>"} <= set(texts)
    lines = benchmark("charts").growth({each.contestant: [each] for each in figures}, says="grows")
    assert ElementTree.fromstring(lines).findtext("{http://www.w3.org/2000/svg}title") == "grows"
