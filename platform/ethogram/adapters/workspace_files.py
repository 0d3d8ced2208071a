"""Reads a workspace's content folders as text; what the text means is the core's business."""

from __future__ import annotations

from pathlib import Path

from ethogram.errors import EthogramError

CONTENT = ("feature_repo", "contracts", "registry")
SUFFIXES = {".yaml", ".yml", ".py"}
MAX_BYTES = 1_000_000


class UnreadableContent(EthogramError):
    """A content file that is not text, too large, or closed to us."""

    code = "unreadable-content"


def read_content(root: Path) -> dict[str, str]:
    """Text of every content file by its path relative to `root`, sorted; hidden folders are left out."""
    files: dict[str, str] = {}
    for folder in CONTENT:
        for path in sorted((root / folder).rglob("*")):
            relative = path.relative_to(root)
            if path.suffix not in SUFFIXES or not path.is_file() or any(part[0] in "._" for part in relative.parts):
                continue
            if path.stat().st_size > MAX_BYTES:
                raise UnreadableContent(f"{relative}: over {MAX_BYTES:,} bytes; content files are small, split it")
            try:
                files[relative.as_posix()] = path.read_text(encoding="utf-8")
            except UnicodeDecodeError as error:
                raise UnreadableContent(f"{relative}: not UTF-8 text at byte {error.start}") from error
            except OSError as error:
                raise UnreadableContent(f"{relative}: {error.strerror}; make it readable and run again") from error
    return files
