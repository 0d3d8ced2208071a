"""Sessions by the kernel that signals over sessions are computed with, a range of entities at a time."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pyarrow as pa

from benchmarks import ranges
from benchmarks.events import BEHAVIOR, INSTANT
from benchmarks.side import Job, contest
from benchmarks.windows.signal import TAXONOMY
from ethogram.core.signals.kernel import Events
from ethogram.core.signals.kernel.sessions import Sessionised, in_time
from ethogram.core.signals.sessions import Sessions, plan_sessions

READ = ("customer", "occurred_at", "available_at")


def answer(job: Job) -> pa.Table:
    plan = plan_sessions(Sessions("visits", entity="customer", of=BEHAVIOR, gap="30m", max_length="12h"), TAXONOMY)
    with ThreadPoolExecutor(job.threads) as pool:
        read = pool.map(lambda path: ranges.read(path, READ), job.events)
        entity, occurred, available = map(np.concatenate, zip(*read, strict=True))

        def part(rows: ranges.Ints) -> list[ranges.Ints]:
            events = in_time(plan, Events(entity[rows], occurred[rows], available[rows], None, {}).in_order())
            made = Sessionised(plan, events)
            started, ended = events.occurred[made.start], events.occurred[made.end - 1]
            return [events.entity[made.start], started, ended, made.end - made.start]

        found = list(pool.map(part, ranges.by_range(entity, ranges.cuts(entity))))
    whose, started, ended, events = map(np.concatenate, zip(*found, strict=True))
    instants = [pa.array(each).cast(INSTANT) for each in (started, ended)]
    return pa.table([whose, *instants, events], ["entity", "started_at", "ended_at", "events"])


if __name__ == "__main__":
    contest(answer)
