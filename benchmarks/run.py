"""`python -m benchmarks.run [NAME …]`: run the benchmarks, print the table, write results.json and the page of them."""

from __future__ import annotations

import dataclasses
import importlib
import json
import os
import sys
from datetime import UTC, datetime

from benchmarks import report
from benchmarks.machine import machine
from benchmarks.row import Row

# Each gives its rows from `measure`, or from the function named after the colon.
BENCHMARKS = {
    "startup": "startup",
    "demo": "demo",
    "oulad": "oulad",
    "sample": "sample",
    "latest_join": "latest_join",
    "windows": "windows",
    "windows-zipf": "windows:skewed",
    "windows-growth": "windows:growth",
    "sessions": "sessions",
    "daily": "daily",
    "spark": "spark",
}


def main(arguments: list[str]) -> int:
    names = arguments or list(BENCHMARKS)
    unknown = [name for name in names if name not in BENCHMARKS]
    if unknown:
        print(f"no benchmark named {unknown[0]!r}; one of {', '.join(BENCHMARKS)}", file=sys.stderr)
        return 2
    held = True
    for name in names:
        module, _, function = BENCHMARKS[name].partition(":")
        load = os.getloadavg()[0]
        rows: list[Row] = getattr(importlib.import_module(f"benchmarks.{module}"), function or "measure")()
        for row in rows:
            verdict = "holds" if row.holds else "FAILS"
            peer = "-" if row.peer is None else f"{row.peer:.3g}"
            figure = f"{row.ours:>9.3g} {row.unit:<10}"
            print(f"{row.name:<34} {row.size:<22} {figure} peer {peer:>8}  {row.bar:<12} {verdict}")
            held &= row.holds
        measured = {"benchmark": name, "at": f"{datetime.now(UTC):%Y-%m-%d}", "load": load, "machine": machine()}
        fresh = [{**dataclasses.asdict(row), "ratio": row.ratio, **measured} for row in rows]
        kept = json.loads(report.RESULTS.read_text()) if report.RESULTS.is_file() else []
        kept = [row for row in kept if row["benchmark"] != name] + fresh
        order = list(BENCHMARKS)
        kept.sort(key=lambda row: order.index(row["benchmark"]) if row["benchmark"] in order else len(order))
        report.RESULTS.write_text(json.dumps(kept, indent=2) + "\n")
        report.write()
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
