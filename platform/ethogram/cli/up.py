"""`ethogram up`."""

import signal
import sys
import threading
from typing import Annotated

import typer

from ethogram.cli.console import State, note, out


def up(
    port: Annotated[int, typer.Option(min=1, max=65535, help="Loopback port of the front.")] = 8400,
    state: State = "",
) -> None:
    """Serve the catalog, the API and MLflow until Ctrl-C.

    Example: ethogram up
    """
    from ethogram.settings import read_settings
    from ethogram.wiring import serve

    asked_to_stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: asked_to_stop.set())
    with serve(read_settings(state=state or None), port=port) as url:
        out(f"{url}   catalog, /api, /mlflow")
        sys.stdout.flush()  # who waits for the line in a file or a pipe sees it now
        note("Ctrl-C stops it")
        asked_to_stop.wait()
    note("stopped")
