"""Latest-value join through Feast's API: our offline store against Feast's own duckdb store, same files, same answer.

Both run benchmarks/feast_retrieval.py, each in its own Python; imports and the reading of the registry are not timed.
Feast's store gets a quarter of an hour: a run that needs more counts as that long, and equality is then asserted on as
many observations as it can do.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks import peers
from benchmarks.row import Row

ROUNDS = 3
LIMIT_S = 15 * 60
OURS = "ethogram.adapters.feast.offline.EthogramOfflineStore"
HOUR, DAY = 3_600_000_000, 86_400_000_000
YEAR_2025 = 1_735_689_600_000_000
YAML = """
project: bench
provider: local
registry: registry.db
offline_store:
  type: {store}
online_store:
  type: sqlite
  path: online.db
entity_key_serialization_version: 3
"""


@dataclass(frozen=True)
class Size:
    """How many rows each view has, for how many users, and how many observations ask for them."""

    rows: int
    users: int
    views: int
    observations: int
    bar: int

    def __str__(self) -> str:
        views = f" x {self.views} views" if self.views > 1 else ""
        return f"{self.rows:.0e} rows{views}, {self.observations:.0e} obs".replace("e+0", "e")


SIZES = (Size(1_000_000, 1_000, 1, 100_000, 50), Size(10_000_000, 100_000, 4, 1_000_000, 4))


def measure() -> list[Row]:
    """Seconds and memory at each size."""
    rows = []
    for size in SIZES:
        with tempfile.TemporaryDirectory() as folder:
            rows += _compare(size, Path(folder))
    return rows


def _compare(size: Size, folder: Path) -> list[Row]:
    ours, theirs = _repositories(size, folder)
    runs = [_run(sys.executable, ours, size.observations) for _ in range(ROUNDS)]
    seconds = statistics.median(run["seconds"] for run in runs)
    memory = max(run["peak_bytes"] for run in runs) / 1e9
    label = str(size)
    try:
        peer = _run(peers.python(), theirs, size.observations, limit_s=LIMIT_S)
        peer_s, peer_memory = peer["seconds"], peer["peak_bytes"] / 1e9
        _assert_equal(ours, theirs)
    except subprocess.TimeoutExpired:
        peer_s, peer_memory, label = float(LIMIT_S), None, f"{label}, peer stopped"
        _assert_equal_where_it_ends(size, ours, theirs)
    bar = f">= {size.bar} x"
    return [
        Row("latest-value join, Feast's API", label, seconds, "s", bar, peer_s / seconds >= size.bar, peer=peer_s),
        Row("  its memory, whole process", label, memory, "GB", "< 2.5 GB", memory < 2.5, peer=peer_memory),
    ]


def _run(python: str, repo: Path, observations: int, *, limit_s: float | None = None) -> dict[str, Any]:
    script = Path(__file__).with_name("feast_retrieval.py")
    command = [python, "-W", "ignore", str(script), str(repo), str(repo / "answer.parquet"), str(observations)]
    done = subprocess.run(command, cwd=repo, capture_output=True, text=True, timeout=limit_s, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}\n{done.stderr[-4000:]}")
    facts: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    assert facts["rows"] == observations, facts
    # On a machine that others use too, processor time is what can be compared from one day to another.
    print(f"  {repo.name}, {observations} observations: {facts}", file=sys.stderr)
    return facts


def _assert_equal(ours: Path, theirs: Path) -> None:
    mine, other = (pq.read_table(repo / "answer.parquet") for repo in (ours, theirs))
    assert mine.equals(other), "the two stores answer differently"
    assert mine.column(1).null_count < len(mine), "no observation sees anything"


def _assert_equal_where_it_ends(size: Size, ours: Path, theirs: Path) -> None:
    observations = size.observations
    while observations > 1000:
        observations //= 10
        try:
            _run(peers.python(), theirs, observations, limit_s=LIMIT_S)
        except subprocess.TimeoutExpired:
            continue
        _run(sys.executable, ours, observations)
        _assert_equal(ours, theirs)
        return
    raise AssertionError("the peer ends at no size, so nothing shows that the answers are equal")


def _repositories(size: Size, folder: Path) -> tuple[Path, Path]:
    views = []
    for number in range(size.views):
        features = [f"f{number}_{n}" for n in range(2)]
        path = folder / f"view{number}.parquet"
        _write_rows(path, size.rows, size.users, features, seed=number)
        views.append(
            {"name": f"view{number}", "path": str(path), "features": features, "ttl_s": 90 * 86_400 * (number % 2)}
        )
    _write_rows(folder / "warm.parquet", 10, 3, ["warmth"], seed=99)
    views.append({"name": "warm", "path": str(folder / "warm.parquet"), "features": ["warmth"], "ttl_s": 0})
    draw = np.random.default_rng(7)
    asked = pa.table(
        {
            "user_id": draw.integers(0, size.users, size.observations),
            "event_timestamp": _instants(YEAR_2025 + draw.integers(0, 365 * DAY, size.observations)),
            "row": np.arange(size.observations),
        }
    )
    repos = []
    for name, store in (("ours", OURS), ("theirs", "duckdb")):
        repo = folder / name
        repo.mkdir()
        (repo / "feature_store.yaml").write_text(YAML.format(store=store))
        (repo / "definitions.json").write_text(json.dumps(views))
        pq.write_table(asked, repo / "entities.parquet")
        repos.append(repo)
    return repos[0], repos[1]


def _write_rows(path: Path, rows: int, users: int, features: list[str], *, seed: int) -> None:
    """Unsorted rows of a year, on full hours, so that many of a user share an instant and `created_at` decides."""
    draw = np.random.default_rng(seed)
    happened = YEAR_2025 + draw.integers(0, 365 * 24, rows) * HOUR
    columns = {
        "user_id": draw.integers(0, users, rows),
        "happened_at": _instants(happened),
        "created_at": _instants(happened + draw.permutation(rows) % DAY),
        **{feature: draw.normal(size=rows) for feature in features},
    }
    pq.write_table(pa.table(columns), path)


def _instants(micros: Any) -> pa.Array:
    return pa.array(micros, pa.timestamp("us", "UTC"))


if __name__ == "__main__":
    for row in measure():
        print(row, row.ratio)
