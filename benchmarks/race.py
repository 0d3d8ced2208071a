"""Contestants of one task in turns: each in a process of its own, same data, threads and memory, equal answers."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks import peers
from benchmarks.row import Figure
from benchmarks.side import Job

ROUNDS = 3
LIMIT_S = 600.0  # a round that takes longer is cut off and counts as that long
_PROJECT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Contestant:
    """A module whose `main` is a `side.contest`; peers run in their own environment."""

    name: str
    module: str
    ours: bool = False

    def run(self, job: Job) -> dict[str, float] | None:
        """Seconds, CPU seconds and peak bytes of one round; None if it was cut off."""
        interpreter = sys.executable if self.ours else peers.python()
        command = [interpreter, "-m", self.module, job.spell()]
        try:
            done = subprocess.run(command, cwd=_PROJECT, capture_output=True, text=True, timeout=LIMIT_S, check=False)
        except subprocess.TimeoutExpired:
            return None
        if done.returncode != 0:
            raise RuntimeError(f"{self.name}: {done.stderr[-2000:]}")
        figures: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
        return figures


def race(
    contestants: Sequence[Contestant],
    job: Job,
    *,
    task: str,
    events: int,
    rounds: int = ROUNDS,
    compare: bool = True,
    order: Sequence[str] = (),
) -> list[Figure]:
    """The median round of each, in their order; the first one's answer is what the others' must equal.

    Answers are in the order of the observations; where none are, `order` names columns to sort both by first.
    A contestant that was cut off, or that takes a fifth of the limit, runs once only.
    """
    runs: dict[str, list[dict[str, float]]] = {each.name: [] for each in contestants}
    cut: set[str] = set()
    with tempfile.TemporaryDirectory(dir=job.spill) as folder:
        for number in range(rounds):
            for each in contestants:
                known = runs[each.name]
                if each.name in cut or (known and known[0]["seconds"] > LIMIT_S / 5):
                    continue
                answer = f"{folder}/{each.name}.parquet" if compare and not number else None
                done = each.run(replace(job, answer=answer))
                if done is None:
                    cut.add(each.name)
                    print(f"  {task}: {each.name} is not done after {LIMIT_S:.0f} s", file=sys.stderr)
                    continue
                known.append(done)
                print(
                    f"  {task}: {each.name} {done['seconds']:.2f} s, {done['cpu']:.2f} s of CPU, "
                    f"{done['peak'] / 1e9:.2f} GB",
                    file=sys.stderr,
                )
        if compare:
            _equal(contestants, {each.name: f"{folder}/{each.name}.parquet" for each in contestants}, cut, order)
    return [_median(each.name, runs[each.name], task, events) for each in contestants]


def _equal(contestants: Sequence[Contestant], answers: dict[str, str], cut: set[str], order: Sequence[str]) -> None:
    first = contestants[0].name
    ours = _read(answers[first], order)
    for each in contestants[1:]:
        if each.name in cut or first in cut:
            continue
        theirs = _read(answers[each.name], order)
        wrong = [name for name in ours.column_names if not ours[name].equals(theirs[name])]
        assert ours.schema.names == theirs.schema.names, (each.name, theirs.schema.names)
        assert not wrong, f"{each.name} and {first} differ in {', '.join(wrong)}"


def _read(path: str, order: Sequence[str]) -> pa.Table:
    table = pq.read_table(path)
    return table.sort_by([(name, "ascending") for name in order]) if order else table


def _median(name: str, runs: list[dict[str, float]], task: str, events: int) -> Figure:
    if not runs:
        return Figure(task, name, events, LIMIT_S, LIMIT_S, 0.0, 1, finished=False)
    middle = statistics.median(run["seconds"] for run in runs)
    cpu = statistics.median(run["cpu"] for run in runs)
    return Figure(task, name, events, middle, cpu, max(run["peak"] for run in runs) / 1e9, len(runs))
