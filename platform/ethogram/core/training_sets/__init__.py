"""Training sets: what was asked for, the version that it gives, and what it turned out to be."""

from ethogram.core.training_sets.report import Report
from ethogram.core.training_sets.request import Beside, Request, beside_columns, feature_columns

__all__ = ["Beside", "Report", "Request", "beside_columns", "feature_columns"]
