"""The windows of the task in microseconds: length and hop, as `ethogram.core.signals.window` gives them."""

from __future__ import annotations

HOUR = 3_600_000_000
DAY = 24 * HOUR
WINDOWS = {"7d": (7 * DAY, HOUR), "30d": (30 * DAY, DAY), "90d": (90 * DAY, DAY), "180d": (180 * DAY, DAY)}
COLUMNS = [f"{part}_{name}" for name in WINDOWS for part in ("count", "sum", "max")] + ["recency"]
