"""The command line: thin, chainable, honest. One file a command; each calls the use case of its name."""

from __future__ import annotations

import sys


def main() -> None:
    """Entry point of `ethogram`."""
    from ethogram.cli.app import run

    sys.exit(run())
