"""One frozen `Settings`, read once from the environment and the workspace; `wiring` hands it on."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ethogram.errors import AskedWrongly, did_you_mean

ENGINES = ("duckdb", "spark")
STATE_NAME = re.compile(r"[a-z][a-z0-9_]{0,40}")


class NoWorkspace(AskedWrongly):
    """No workspace here or above."""

    code = "no-workspace"

    def __init__(self, looked_from: Path) -> None:
        self.looked_from = looked_from
        super().__init__(
            f"no workspace at {looked_from} or above (no feature_repo/feature_store.yaml); "
            "run `ethogram init NAME`, go into one, or set ETHOGRAM_WORKSPACE"
        )


@dataclass(frozen=True, slots=True)
class Settings:
    """Where the workspace is, which of its states is meant, and who is asking.

    Attributes:
        root: The workspace's folder (holds feature_repo/, contracts/, registry/ and .ethogram/).
        state: Name of the state: one database and one lake, e.g. "main" or "oulad".
        principal: Who acts, e.g. "risk.modeller"; empty when nobody was named.
        purpose: The purpose stated for reads by plain clients; empty when none was stated.
        database_url: A server of the user's; the embedded one if empty. Never shown.
        spark_master: Where Spark works: all cores of this machine, or a cluster's address.
        engine: What computes signals: "duckdb", or "spark".
    """

    root: Path
    state: str = "main"
    principal: str = ""
    purpose: str = ""
    database_url: str = field(default="", repr=False)
    spark_master: str = "local[*]"
    engine: str = "duckdb"

    @property
    def home(self) -> Path:
        """Everything the workspace remembers and nobody commits."""
        return self.root / ".ethogram"

    @property
    def lake(self) -> Path:
        """Delta tables of this state."""
        return self.home / "lake" / self.state

    @property
    def artifacts(self) -> Path:
        """Model artifacts of this state."""
        return self.home / "artifacts" / self.state


def find_workspace(start: Path, environment: Mapping[str, str]) -> Path:
    """The workspace's folder: ETHOGRAM_WORKSPACE, else the nearest at or above `start`."""
    named = environment.get("ETHOGRAM_WORKSPACE")
    if named:
        root = Path(named).expanduser().resolve()
        if not (root / "feature_repo").is_dir():
            raise NoWorkspace(root)
        return root
    for folder in [start.resolve(), *start.resolve().parents]:
        if (folder / "feature_repo" / "feature_store.yaml").is_file():
            return folder
    raise NoWorkspace(start)


def read_settings(
    *, start: Path | None = None, state: str | None = None, environment: Mapping[str, str] | None = None
) -> Settings:
    """Settings from the environment, then the workspace's remembered state, then defaults."""
    env = os.environ if environment is None else environment
    root = find_workspace(start or Path.cwd(), env)
    remembered = root / ".ethogram" / "state"
    name = (
        state or env.get("ETHOGRAM_STATE") or (remembered.read_text().strip() if remembered.is_file() else "") or "main"
    )
    if not STATE_NAME.fullmatch(name):
        raise AskedWrongly(f"state {name!r} is not a name; use lower-case letters, digits and _")
    engine = env.get("ETHOGRAM_ENGINE") or "duckdb"
    if engine not in ENGINES:
        hint = did_you_mean(engine, ENGINES, otherwise=f"one of {', '.join(ENGINES)}")
        raise AskedWrongly(f"ETHOGRAM_ENGINE={engine} is no engine; {hint}")
    return Settings(
        root=root,
        state=name,
        principal=env.get("ETHOGRAM_PRINCIPAL", ""),
        purpose=env.get("ETHOGRAM_PURPOSE", ""),
        database_url=env.get("ETHOGRAM_DATABASE_URL", ""),
        spark_master=env.get("ETHOGRAM_SPARK_MASTER") or "local[*]",
        engine=engine,
    )
