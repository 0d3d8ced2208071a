"""The `ethogram` command: its sub-commands, how errors end it, and what it never prints."""

from __future__ import annotations

import os
import sys
from importlib import import_module
from inspect import cleandoc

import typer

from ethogram.errors import EthogramError

# Name of each command's module, in the order in which a newcomer meets them.
COMMANDS = (
    "init",
    "demo",
    "up",
    "down",
    "doctor",
    "sample",
    "taxonomy",
    "plan",
    "apply",
    "ingest",
    "quarantine",
    "signals",
    "channels",
    "training_set",
    "audit",
    "train",
    "gates",
    "approve",
    "promote",
    "score",
    "backfill",
    "materialize",
    "lookup",
    "consent",
)

app = typer.Typer(
    name="ethogram",
    help="A behavioral feature store and model registry: one vocabulary of behavior, one meaning of time.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for _name in COMMANDS:
    _command = getattr(import_module(f"ethogram.cli.{_name}"), _name)
    _help = cleandoc(_command.__doc__)
    # "\b" keeps the example in one line, to be pasted; the list of commands shows first lines whole.
    app.command(
        _name.replace("_", "-"),
        help=_help.replace("\n\nExample:", "\n\n\b\nExample:"),
        short_help=_help.partition("\n\n")[0],
    )(_command)


def run() -> int:
    """Run the command line; an `EthogramError` ends it in its own words and exit status, without a stack trace."""
    os.environ.setdefault("DO_NOT_TRACK", "1")
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")
    os.environ.setdefault("FEAST_USAGE", "False")
    try:
        result = app(standalone_mode=False, prog_name="ethogram")
    except EthogramError as error:
        print(error, file=sys.stderr)
        return error.exit_status
    except typer.Abort:
        print("stopped", file=sys.stderr)
        return 3
    except typer.Exit as exit_:
        return exit_.exit_code
    except KeyboardInterrupt:
        print("stopped; what was done is kept, the same command goes on from there", file=sys.stderr)
        return 130
    except BrokenPipeError:
        sys.stderr.close()
        return 0
    except Exception as error:  # noqa: BLE001 - whatever it is, a user sees words and no trace
        show = getattr(error, "show", None)
        if show is None:
            return _defect(error)
        show()
        return int(getattr(error, "exit_code", 2))
    return result if isinstance(result, int) else 0


def _defect(error: Exception) -> int:
    """What no rule of ours foresaw: one line for the user, the trace in a file for whoever mends it."""
    import tempfile
    import traceback

    with tempfile.NamedTemporaryFile("w", prefix="ethogram-", suffix=".log", delete=False) as log:
        traceback.print_exception(error, file=log)
    print(
        f"{type(error).__name__}: {error}\nthis is a defect of ethogram, not of what you asked\n"
        f"next: report it with {log.name}",
        file=sys.stderr,
    )
    return 3
