"""Making a sample, from the request to the files and what they say of themselves."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from ethogram.adapters.parquet.errors import FolderTaken
from ethogram.adapters.parquet.sample_folder import ParquetSampleFolder
from ethogram.core.sample.shop import BadSample
from ethogram.core.sample.tables import TABLES
from ethogram.core.sample.truths import TRUTHS
from ethogram.usecases import sample
from ethogram.usecases.sample import SampleReport, make_sample


def make(
    out: Path, *, events: int = 1000, seed: int = 7, days: int = 365, seen: list[int] | None = None
) -> SampleReport:
    told = [] if seen is None else seen
    start = datetime(2025, 1, 1, tzinfo=UTC)
    return make_sample(
        out, events=events, seed=seed, start=start, days=days, progress=told.append, open_folder=ParquetSampleFolder
    )


def digest(out: Path) -> str:
    whole = hashlib.sha256()
    for path in sorted(path for path in out.rglob("*") if path.is_file()):
        whole.update(str(path.relative_to(out)).encode() + path.read_bytes())
    return whole.hexdigest()


def rows_on_disk(out: Path) -> dict[str, int]:
    return {
        table.name: sum(pq.read_metadata(path).num_rows for path in (out / table.name).glob("*.parquet"))
        for table in TABLES
    }


@pytest.mark.parametrize("events", [1, 1000])
def test_the_report_counts_what_is_in_the_files(tmp_path, events):
    report = make(tmp_path, events=events)
    assert rows_on_disk(tmp_path) == report.rows
    assert sum(count for name, count in report.rows.items() if name != "customers") == events == report.events
    assert report.customers == report.rows["customers"]


def test_the_same_request_gives_the_same_bytes(tmp_path):
    make(tmp_path / "a")
    make(tmp_path / "b")
    make(tmp_path / "c", seed=8)
    assert digest(tmp_path / "a") == digest(tmp_path / "b") != digest(tmp_path / "c")


def test_it_says_everywhere_that_it_is_made(tmp_path):
    make(tmp_path)
    assert "**This data is made.**" in (tmp_path / "README.md").read_text(encoding="utf-8")
    manifest = json.loads((tmp_path / "manifest.json").read_text(encoding="utf-8"))
    assert (manifest["made"], manifest["seed"], manifest["events"]) == (True, 7, 1000)
    assert manifest["truths"] == json.loads(json.dumps(TRUTHS.flat()))
    files = list(tmp_path.rglob("*.parquet"))
    assert len(files) == len(TABLES)
    for path in files:
        metadata = pq.read_schema(path).metadata
        assert (metadata[b"made"], metadata[b"seed"], metadata[b"table"]) == (b"true", b"7", path.parent.name.encode())


def test_progress_adds_up_to_the_events_asked_for(tmp_path):
    seen: list[int] = []
    make(tmp_path, events=250_001, seen=seen)
    assert len(seen) > 2
    assert sum(seen) == 250_001


def test_the_report_says_that_it_is_made(tmp_path):
    report = make(tmp_path)
    assert str(report) == (
        f"{tmp_path}: 1,000 made events of {report.customers} made customers, {report.rows['orders']} orders"
    )


def test_large_samples_are_split_by_month(tmp_path, monkeypatch):
    monkeypatch.setattr(sample, "BY_MONTH_FROM", 1000)
    report = make(tmp_path, events=1000, days=59)
    assert sorted(path.stem for path in (tmp_path / "web_events").iterdir()) == ["2025-01", "2025-02"]
    assert rows_on_disk(tmp_path) == report.rows


def test_a_bad_request_touches_nothing(tmp_path):
    with pytest.raises(BadSample):
        make(tmp_path / "out", events=0)
    assert not (tmp_path / "out").exists()


def test_a_folder_of_others_is_refused_before_anything_is_made(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    seen: list[int] = []
    with pytest.raises(FolderTaken):
        make(tmp_path, seen=seen)
    assert seen == []
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]
