"""The workspace that `ethogram init` lays down: packaged with the wheel, else the checkout's own content folders."""

from __future__ import annotations

import shutil
from pathlib import Path

import ethogram
from ethogram.adapters.workspace_files import CONTENT
from ethogram.errors import AskedWrongly, EthogramError


def template_root() -> Path:
    """Folder that holds the reference workspace."""
    package = Path(ethogram.__file__).resolve().parent
    for root in (package / "workspace", package.parent.parent):
        if (root / "feature_repo" / "feature_store.yaml").is_file():
            return root
    raise EthogramError("this installation holds no workspace; install ethogram again")


def lay_down(target: Path) -> list[str]:
    """Copy the reference workspace to `target`; the paths written. An existing workspace is left alone."""
    if (target / "feature_repo").exists():
        raise AskedWrongly(f"{target} is a workspace already; choose another name, or work in it")
    source = template_root()
    written: list[str] = []
    for folder in CONTENT:
        shutil.copytree(
            source / folder, target / folder, ignore=shutil.ignore_patterns("__pycache__"), dirs_exist_ok=True
        )
        written += sorted(str(path.relative_to(target)) for path in (target / folder).rglob("*") if path.is_file())
    ignore = target / ".gitignore"
    if not ignore.exists():
        ignore.write_text(".ethogram/\n", encoding="utf-8")
    return written
