"""What the figures were measured on."""

from __future__ import annotations

import os
import platform
from importlib.metadata import version
from pathlib import Path


def machine() -> str:
    """Cores, processor, memory and versions in one line."""
    cores = len(os.sched_getaffinity(0))
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    processor = next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), "unknown")
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    ours = ", ".join(f"{name} {version(name)}" for name in ("duckdb", "numpy", "pyarrow"))
    return f"{cores} cores of {processor}, {memory:.0f} GB, Linux, Python {platform.python_version()}, {ours}"
