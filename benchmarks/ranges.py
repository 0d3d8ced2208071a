"""Whole columns of Parquet files, parted by ranges of entities that fit a cache."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow.parquet as pq

from ethogram.adapters.arrow.values import column

Ints = npt.NDArray[np.int64]
RANGE = 500_000  # events in one
_SAMPLE = 100_000


def read(path: str, names: Sequence[str]) -> list[Ints]:
    """Columns of one file: whole numbers, microseconds, units of decimals."""
    table = pq.ParquetFile(path).read(columns=list(names), use_threads=False)
    return [column(table[name]).data for name in names]


def cuts(entity: Ints) -> Ints:
    """The last entity of each range but the last one, so that ranges hold about as many events."""
    parts = max(1, len(entity) // RANGE)
    sample = np.sort(entity[:: max(1, len(entity) // _SAMPLE)])
    return np.unique(sample[np.linspace(0, len(sample), parts + 1)[1:-1].astype(np.int64)])


def by_range(entity: Ints, cuts: Ints) -> list[Ints]:
    """Rows of each range, in their order; numbers of 16 bits are sorted digit by digit."""
    number = np.searchsorted(cuts, entity, "left").astype(np.uint16)
    ends = np.cumsum(np.bincount(number, minlength=len(cuts) + 1))
    return np.split(np.argsort(number, kind="stable"), ends[:-1])
