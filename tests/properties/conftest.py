"""Lends properties the engines of the conformance suite: test folders are no packages, so it is loaded by its path."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest


@pytest.fixture(scope="session")
def engines() -> ModuleType:
    """`assert_same`, `Reference`, `Duckdb`, `TAXONOMY` of tests/conformance/conftest.py."""
    place = Path(__file__).parents[1] / "conformance" / "conftest.py"
    spec = importlib.util.spec_from_file_location("conformance_engines", place)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module
