"""The task in Polars: positions by `join_asof`, differences of cumulative sums, maxima from blocks of 1, 2, 4 … rows.

Amounts travel as whole millionths, so that sums are exact.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING

from benchmarks.side import Job, contest
from benchmarks.windows.spans import COLUMNS, DAY, WINDOWS

if TYPE_CHECKING:
    import polars as pl
    import pyarrow as pa


def answer(job: Job) -> pa.Table:
    import polars as pl

    events = (
        pl.scan_parquet(job.events, hive_partitioning=False)
        .select(
            entity="customer",
            t=pl.col("occurred_at").to_physical(),
            amount=pl.col("amount").to_physical().cast(pl.Int64),
        )
        .collect()
    )
    # Two sorts by one column each take half the time of one by two; the lake's months are in order of time already.
    events = (events if job.sorted else events.sort("t")).sort("entity", maintain_order=True)
    events = events.with_columns(n=pl.int_range(1, pl.len() + 1, dtype=pl.Int64), total=pl.col("amount").cum_sum())
    firsts = events.group_by("entity").agg(
        n_before=pl.col("n").first() - 1, total_before=pl.col("total").first() - pl.col("amount").first()
    )
    asked = (
        pl.scan_parquet(job.observations)
        .select("entity", t=pl.col("as_of").to_physical())
        .with_row_index("i")
        .sort("entity", "t")
        .collect()
        .join(firsts, on="entity", how="left", maintain_order="left")
        .with_columns(pl.col("n_before", "total_before").fill_null(0))
    )
    known = events.select("entity", "t", "n", "total", seen="t")

    def past(before: pl.Expr) -> pl.DataFrame:
        """How many events there are before an instant, and what they add up to, counted from the first of all."""
        found = asked.with_columns(at=before - 1).join_asof(
            known, left_on="at", right_on="t", by="entity", check_sortedness=False
        )
        return found.select(n=pl.coalesce("n", "n_before"), total=pl.coalesce("total", "total_before"), seen="seen")

    head = past(pl.col("t"))
    tails = {name: past((pl.col("t") - length) // hop * hop) for name, (length, hop) in WINDOWS.items()}
    maxima = _maxima(events["amount"], head["n"], {name: tail["n"] for name, tail in tails.items()})
    columns = {}
    for name, tail in tails.items():
        columns[f"count_{name}"] = head["n"] - tail["n"]
        columns[f"sum_{name}"] = (head["total"] - tail["total"]).cast(pl.Decimal(38, 0))
        columns[f"max_{name}"] = maxima[name].cast(pl.Decimal(38, 0))
    # Dividing by a literal would multiply with its reciprocal, which is another number.
    day = pl.repeat(float(DAY), len(asked), eager=True)
    columns["recency"] = (asked["t"] - head["seen"]).cast(pl.Float64) / day
    return _money(pl.DataFrame({"i": asked["i"], **columns}).sort("i").select(COLUMNS).to_arrow())


def _maxima(amounts: pl.Series, ends: pl.Series, starts: Mapping[str, pl.Series]) -> dict[str, pl.Series]:
    """Greatest of `amounts[start:end]` for each row, null where that is empty: two blocks of 2^k rows cover it."""
    import polars as pl

    asked = pl.concat(
        pl.DataFrame({"start": start, "end": ends}).with_row_index("row").with_columns(window=pl.lit(name))
        for name, start in starts.items()
    ).filter(pl.col("end") > pl.col("start"))
    asked = asked.with_columns(level=(pl.col("end") - pl.col("start")).log(2.0).floor().cast(pl.Int8))
    found, blocks, width = [], amounts, 1
    for level in range(int(asked["level"].max() or 0) + 1):
        here = asked.filter(pl.col("level") == level)
        both = pl.max_horizontal(blocks.gather(here["start"]), blocks.gather(here["end"] - width))
        found.append(here.select("window", "row", top=both))
        blocks = pl.select(pl.max_horizontal(blocks, blocks.shift(-width))).to_series()
        width *= 2
    tops = pl.concat(found)
    rows = pl.DataFrame({"row": pl.int_range(len(ends), dtype=pl.UInt32, eager=True)})
    return {
        name: rows.join(tops.filter(pl.col("window") == name), on="row", how="left", maintain_order="left")["top"]
        for name in starts
    }


def _money(table: pa.Table) -> pa.Table:
    """Millionths as the decimals that they are: the same bytes under another type."""
    import pyarrow as pa

    for i, field in enumerate(table.schema):
        if pa.types.is_decimal(field.type):
            whole = table.column(i).combine_chunks()
            column = pa.Array.from_buffers(pa.decimal128(38, 6), len(whole), whole.buffers(), offset=whole.offset)
            table = table.set_column(i, field.name, column)
    return table


if __name__ == "__main__":
    os.environ["POLARS_MAX_THREADS"] = "2"
    contest(answer)
