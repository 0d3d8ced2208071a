"""What a made sample says of itself: in every file, in its manifest and in its README."""

from __future__ import annotations

from collections.abc import Mapping

from ethogram.core.sample.shop import GENERATOR, Request
from ethogram.core.sample.tables import TABLES
from ethogram.core.sample.truths import TRUTHS


def facts(request: Request) -> dict[str, str]:
    """Key-value metadata of every file."""
    return {
        "made": "true",
        "made_by": f"ethogram sample, generator {GENERATOR}",
        "seed": str(request.seed),
        "events": str(request.events),
        "start": request.period.start.isoformat(),
        "days": str(request.days),
    }


def manifest(request: Request, *, rows: Mapping[str, int]) -> dict[str, object]:
    """Sizes and planted truths; no clock in it, so that the same request gives the same manifest."""
    begins, ends = TRUTHS.outage.interval(request.period.start, request.days)
    return {
        "made": True,
        "complete": True,
        "notice": "This data is made. No customer, order or call in it exists or ever did.",
        "generator": GENERATOR,
        "events": request.events,
        "seed": request.seed,
        "start": request.period.start.isoformat(),
        "days": request.days,
        "rows": dict(rows),
        "outage": [begins.isoformat(), ends.isoformat()],
        "truths": TRUTHS.flat(),
    }


def readme(request: Request, *, rows: Mapping[str, int]) -> str:
    """The README.md beside the tables."""
    width = max(len(table.name) for table in TABLES)
    tables = "\n".join(f"{table.name:<{width}}  {rows[table.name]:>12,}  {table.brief}" for table in TABLES)
    start, leaks = request.period.start.date(), ", ".join(TRUTHS.leaks)
    return f"""# A made shop

**This data is made.** No customer, order or call in it exists or ever did. `ethogram sample` invented it:

    ethogram sample --events {request.events} --seed {request.seed} --days {request.days} --out DIR

The period begins on {start}. The same command gives the same bytes (generator {GENERATOR}). Times are UTC, amounts
euros.

```
{tables}
```

Within a file, customers come in blocks, and the rows of a block in the order of `received_at` where there is one, else
of the row's only time. What the shop would have received after the end of the period is not here.

Known only later, so never a feature: {leaks}.
What else is planted is in `manifest.json` under `truths`, and explained in the documentation, page "Made data".
"""
