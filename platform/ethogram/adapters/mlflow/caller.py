"""Who is asking MLflow: the proxy's word inside the server, ETHOGRAM_PRINCIPAL everywhere else."""

from __future__ import annotations

import os
from contextvars import ContextVar

# None outside a request; "" inside one that nobody signed in for.
requested_by: ContextVar[str | None] = ContextVar("requested_by", default=None)


def principal() -> str:
    """The principal of this call; empty when nobody was named."""
    said = requested_by.get()
    return os.environ.get("ETHOGRAM_PRINCIPAL", "") if said is None else said
