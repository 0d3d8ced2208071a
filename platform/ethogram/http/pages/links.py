"""Where things have their page."""

from __future__ import annotations

from urllib.parse import quote

_PLACES = {
    "behavior": "/taxonomy/{}",
    "signal": "/signals/{}",
    "source": "/sources/{}",
    "outcome": "/outcomes/{}",
    "training set": "/training-sets/{}",
    "training_set": "/training-sets/{}",
    "model": "/models/{}",
    "team": "/teams#team-{}",
    "agreement": "/teams#agreement-{}",
    "purpose": "/teams#purpose-{}",
    "entity": "/taxonomy#entity-{}",
}


def address(kind: str, name: str) -> str | None:
    """The page of a thing, or None for kinds that have none.

    >>> address("signal", "purchase_rhythm@4"), address("model", "lapse 7"), address("alias", "champion")
    ('/signals/purchase_rhythm@4', '/models/lapse/7', None)
    """
    if kind not in _PLACES or not name:
        return None
    if kind == "model":
        name = name.replace(" @", "@").partition("@")[0].replace(" ", "/")
    return _PLACES[kind].format(quote(name, safe="/@.-_~"))


def mlflow_run(run_id: str) -> str:
    """The run's page in MLflow; it finds the experiment by itself.

    >>> mlflow_run("3f2a")
    '/mlflow/#/experiments/0/runs/3f2a'
    """
    return f"/mlflow/#/experiments/0/runs/{quote(run_id, safe='')}"
