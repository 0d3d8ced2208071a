"""A fresh workspace for a run that must start from nothing, removed afterwards with its servers."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.measure import Run, run

COMMAND = str(Path(sys.executable).parent / "ethogram")


def demo_in_a_fresh_workspace(arguments: list[str]) -> Run:
    """`ethogram init`, then the measured `ethogram demo`, then `ethogram down`."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([COMMAND, "init", "bench"], cwd=folder, check=True, capture_output=True)
        workspace = Path(folder) / "bench"
        env = {name: value for name, value in os.environ.items() if not name.startswith("ETHOGRAM_")}
        try:
            done = run([COMMAND, "demo", *arguments], env=env, cwd=workspace)
        finally:
            subprocess.run([COMMAND, "down", "--remove"], cwd=workspace, env=env, check=False, capture_output=True)
    if done.status != 0:
        print(done.output[-4000:], file=sys.stderr)
    return done
