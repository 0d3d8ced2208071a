"""The environment of the stores and engines that we are compared with: `.venv-peers`, made on first use.

They are installed from `peers.in` under `constraints-peers.txt`, apart from ours: their pins conflict.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

_HERE = Path(__file__).resolve().parent
_PLACE = _HERE.parent / ".venv-peers"


def python() -> str:
    """The interpreter of that environment, installed anew when what it holds is no longer what is asked for."""
    wanted = [_HERE / "peers.in", _HERE / "constraints-peers.txt"]
    ready, interpreter = _PLACE / "ready", _PLACE / "bin" / "python"
    if not ready.is_file() or any(ready.stat().st_mtime < each.stat().st_mtime for each in wanted):
        print("installing the peers into .venv-peers …", file=sys.stderr)
        if not interpreter.is_file():
            subprocess.run([sys.executable, "-m", "venv", str(_PLACE)], check=True)
        install = [str(interpreter), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*install, "-r", str(wanted[0]), "-c", str(wanted[1])], check=True)
        ready.touch()
    return str(interpreter)
