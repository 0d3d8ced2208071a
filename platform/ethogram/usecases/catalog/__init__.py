"""What the catalog's pages and its API say: read models, each made by one function from a `CatalogReader`."""

from ethogram.usecases.catalog.behaviors import behavior, taxonomy
from ethogram.usecases.catalog.changes import changes
from ethogram.usecases.catalog.errors import NotInCatalog
from ethogram.usecases.catalog.models import model, models
from ethogram.usecases.catalog.overview import overview
from ethogram.usecases.catalog.search import search
from ethogram.usecases.catalog.signals import signal, signals
from ethogram.usecases.catalog.sources import source, sources
from ethogram.usecases.catalog.teams import teams
from ethogram.usecases.catalog.training_sets import outcome, training_set, training_sets

__all__ = [
    "NotInCatalog",
    "behavior",
    "changes",
    "model",
    "models",
    "outcome",
    "overview",
    "search",
    "signal",
    "signals",
    "source",
    "sources",
    "taxonomy",
    "teams",
    "training_set",
    "training_sets",
]
