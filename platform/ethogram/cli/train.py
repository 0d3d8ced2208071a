"""`ethogram train`."""

from typing import Annotated

import typer

from ethogram.cli.console import As, AsJson, State, emit, note, open_store, out


def train(
    model: Annotated[str, typer.Argument(help="A model of registry/models/.")],
    training_set: Annotated[str, typer.Option("--on", help="Training set version; made for the model if absent.")] = "",
    as_: As = "",
    state: State = "",
    as_json: AsJson = False,
) -> None:
    """Fit, calibrate and validate a declared model on a point-in-time training set, and register it.

    Example: ethogram train lapse --as risk.modeller
    """
    training = open_store(as_, state).train(model, training_set=training_set or None, progress=note)
    version = training.version
    if as_json:
        emit(
            {
                "model": model,
                "version": version.version,
                "digest": version.digest,
                "learner": version.learner,
                "training_set": version.training_set,
                "new": training.new,
                "figures": version.report["figures"],
            }
        )
    else:
        out(str(training))
        named = f"{model} {version.version}"
        if all(result.passed for result in training.gates):
            note(f"next: ethogram approve {named} --as REVIEWER, then ethogram promote {named}")
        else:
            note(f"next: ethogram gates {named}   (it may not be promoted as it is)")
