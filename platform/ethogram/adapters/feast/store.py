"""The opened store behind Feast's stateless plug-in classes: one per workspace, state and asker in this process."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from ethogram.errors import AskedWrongly

if TYPE_CHECKING:
    from ethogram.local import Store

_open: dict[Any, Store] = {}


def store_of(config: Any) -> Store:
    """The store of the workspace in which `config`'s feature_repo/ stands; who asks comes from the environment."""
    # Plug-ins are entered from outside, by dotted path: they may know the wiring, nothing else here may.
    from ethogram.settings import read_settings
    from ethogram.wiring import open_store

    settings = read_settings(start=Path(config.repo_path) if config.repo_path else None)
    if settings not in _open:
        # Feast's registry was found from the current folder: it cannot be told of the repository's path.
        registry = read_settings().root
        if registry != settings.root:
            raise AskedWrongly(
                f"feature_repo is of {settings.root}, and Feast's registry of {registry}; "
                f"go into the workspace, or set ETHOGRAM_WORKSPACE={settings.root}"
            )
        _open[settings] = open_store(settings)
    return _open[settings]
