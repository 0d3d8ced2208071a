"""Whole-process measurement: wall seconds and the peak memory of the largest process a command starts."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Run:
    """One finished command: seconds, peak resident bytes of its largest process, exit status, what it printed."""

    seconds: float
    peak_bytes: int
    status: int
    output: str


def run(command: Sequence[str], *, env: Mapping[str, str], cwd: Path) -> Run:
    """Run `command` and watch it and everything it starts, servers that leave its process group included."""
    marker = f"ETHOGRAM_BENCH={os.getpid()}.{time.monotonic_ns()}"
    name, value = marker.split("=")
    peaks: dict[int, int] = {}
    done = threading.Event()

    def watch() -> None:
        while not done.wait(0.05):
            for process in Path("/proc").iterdir():
                if process.name.isdigit():
                    _note_peak(int(process.name), marker, peaks)

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    started = time.perf_counter()
    finished = subprocess.run(
        command,
        env={**env, name: value},
        cwd=cwd,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    seconds = time.perf_counter() - started
    done.set()
    watcher.join()
    return Run(seconds, max(peaks.values(), default=0), finished.returncode, finished.stdout)


def _note_peak(pid: int, marker: str, peaks: dict[int, int]) -> None:
    try:
        if pid not in peaks:
            environment = Path(f"/proc/{pid}/environ").read_bytes()
            if marker.encode() not in environment:
                return
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                peaks[pid] = max(peaks.get(pid, 0), int(line.split()[1]) * 1024)
    except (OSError, ValueError):
        return  # it ended between two looks
