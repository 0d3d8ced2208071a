"""`python -m benchmarks.run [NAME]`: run the benchmarks, print the table, write results.json."""

from __future__ import annotations

import dataclasses
import importlib
import json
import sys
from pathlib import Path

from benchmarks.row import Row

NAMES = ("startup", "demo", "oulad", "sample", "latest_join")
HERE = Path(__file__).resolve().parent


def main(arguments: list[str]) -> int:
    names = arguments or list(NAMES)
    unknown = [name for name in names if name not in NAMES]
    if unknown:
        print(f"no benchmark named {unknown[0]!r}; one of {', '.join(NAMES)}", file=sys.stderr)
        return 2
    results = HERE / "results.json"
    kept = json.loads(results.read_text()) if results.is_file() else []
    held = True
    for name in names:
        rows: list[Row] = importlib.import_module(f"benchmarks.{name}").measure()
        for row in rows:
            verdict = "holds" if row.holds else "FAILS"
            peer = "-" if row.peer is None else f"{row.peer:.3g}"
            figure = f"{row.ours:>9.3g} {row.unit:<10}"
            print(f"{row.name:<34} {row.size:<22} {figure} peer {peer:>8}  {row.bar:<12} {verdict}")
            held &= row.holds
        fresh = [{**dataclasses.asdict(row), "ratio": row.ratio, "benchmark": name} for row in rows]
        kept = [row for row in kept if row["benchmark"] != name] + fresh
        results.write_text(json.dumps(kept, indent=2) + "\n")
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
