"""What every test may ask for: the shared data, a workspace of its own, a state in the session's one server."""

from __future__ import annotations

import itertools
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    import pyarrow as pa
    from pyspark.sql import SparkSession

    from ethogram.core.events import Event
    from ethogram.local import Store
    from ethogram.usecases.train import Training

# No test may fail because a machine is slow.
settings.register_profile("project", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("project")
os.environ.setdefault("DO_NOT_TRACK", "1")
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")

PROJECT = Path(__file__).resolve().parent.parent
_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def project() -> Path:
    """The checkout."""
    return PROJECT


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of the real public data; skips where it is absent, except on CI, where it must be there."""
    place = Path(os.environ.get("ETHOGRAM_SHARED_DATA", PROJECT.parent / "shared" / "data"))
    if not place.is_dir():
        message = f"no real data at {place}; set ETHOGRAM_SHARED_DATA"
        pytest.fail(message) if os.environ.get("CI") else pytest.skip(message)
    return place


@pytest.fixture(scope="session")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A copy of the reference workspace with one database server for the whole session."""
    root = tmp_path_factory.mktemp("workspace")
    for folder in ("feature_repo", "contracts", "registry"):
        shutil.copytree(PROJECT / folder, root / folder, ignore=shutil.ignore_patterns("__pycache__"))
    from ethogram.adapters.postgres import server

    with server.connect_psycopg(root, autocommit=True) as connection:
        connection.execute("ALTER SYSTEM SET fsync = off")  # a commit in 0.1 ms instead of 4; nothing here is kept
        connection.execute("SELECT pg_reload_conf()")
    yield root
    server.remove(root)  # as root its data may be outside of the workspace


@pytest.fixture(scope="session")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SparkSession]:
    """One Spark for all tests, on two cores; skips where it or Java is missing, except on CI, where both must be."""
    from ethogram.adapters.spark.errors import JavaMissing, SparkMissing
    from ethogram.adapters.spark.session import connect
    from ethogram.settings import Settings

    options = {"spark.sql.shuffle.partitions": "2", "spark.driver.memory": "1g"}
    try:
        session = connect(Settings(tmp_path_factory.mktemp("spark"), spark_master="local[2]"), options=options)
    except (SparkMissing, JavaMissing) as missing:
        pytest.fail(str(missing)) if os.environ.get("CI") else pytest.skip(str(missing))
    yield session
    session.stop()


@pytest.fixture(scope="module")
def state(workspace: Path) -> str:  # noqa: ARG001 - the server that the state is made on
    """Name of a state that no other test module uses; its database and lake are made on first use."""
    return f"t{os.getpid()}_{next(_numbers)}"


class Registry:
    """A state with policies, teams and models applied and lapse 1 trained on made rows: what model tests start from."""

    def __init__(self, root: Path, state: str) -> None:
        from ethogram.adapters.mlflow.environment import Place, silence
        from ethogram.adapters.mlflow.tracking import MlflowTracking
        from ethogram.adapters.postgres.engine import open_engine
        from ethogram.adapters.postgres.models import PostgresModels

        silence()
        self.place = Place(root, state)
        self.engine = open_engine(root, state)
        self.models = PostgresModels(self.engine, self.place.artifacts)
        self.tracking = MlflowTracking(self.place)
        self._numbers = itertools.count(1)
        self._apply()

    def _apply(self) -> None:
        from ethogram.adapters.postgres.declarations import PostgresDeclarations
        from ethogram.core.governance.team import load_team
        from ethogram.core.models.declaration import load_model
        from ethogram.core.models.gate import load_gate_policy
        from ethogram.core.models.promotion import load_alias_policy
        from ethogram.core.plan import Declared
        from ethogram.core.workspace import plain

        root = self.place.root
        teams = [load_team(p.read_text(), p.name) for p in sorted(root.glob("feature_repo/teams/*/team.yaml"))]
        declared = [load_model(p.read_text(), p.name) for p in sorted(root.glob("registry/models/*.yaml"))]
        policies = root / "registry" / "policies"
        gates = load_gate_policy((policies / "gates.yaml").read_text(), "gates.yaml")
        aliases = load_alias_policy((policies / "aliases.yaml").read_text(), "aliases.yaml")
        rows = [Declared("team", team.name, team.name, plain(team), "team.yaml:1") for team in teams]
        rows += [Declared("model", model.name, model.owner, plain(model), "model.yaml:1") for model in declared]
        rows += [
            Declared("policy", n, "platform", plain(p), f"{n}:1") for n, p in (("gates", gates), ("aliases", aliases))
        ]
        PostgresDeclarations(self.engine).replace(rows, [], by="platform")
        self.declared = {model.name: model for model in declared}

    def rows(self, *, entities: int = 260, weeks: int = 20, seed: int = 0) -> pa.Table:
        """Made observations, weekly, with an outcome that two of four features explain."""
        import numpy as np
        import pyarrow as pa

        random = np.random.default_rng(seed)
        size = entities * weeks
        as_of = np.repeat(np.arange(weeks) * 7 * 86_400_000_000, entities)
        recency = np.exp(random.normal(2, 1, size))
        visits = random.poisson(4, size)
        label = random.random(size) < 1 / (1 + np.exp(1.5 + 0.4 * visits - 0.9 * np.log(recency)))
        channel = random.choice(["web", "store", "mobile"], size)
        return pa.table(
            {
                "entity": np.tile(np.arange(entities), weeks),
                "as_of": pa.array(as_of, pa.timestamp("us", "UTC")),
                "label": label,
                "days_since_purchase": pa.array(np.where(random.random(size) < 0.1, np.nan, recency), from_pandas=True),
                "visits_30d": visits,
                "spend_90d": pa.array(random.gamma(2, 20, size).round(2)).cast(pa.decimal128(38, 6), safe=False),
                "channel": pa.array(channel, pa.string()),
            }
        )

    def train(
        self, *, seed: int | None = None, principal: str = "risk.modeller", audit: Any = None, **changes: Any
    ) -> Training:
        """A version of lapse; a new one for every seed, the rows' own."""
        import dataclasses
        from datetime import timedelta

        from sqlalchemy import text

        from ethogram.usecases.train import train

        number = next(self._numbers) if seed is None else seed
        version = f"lapsed_90d/seed{number}"
        with self.engine.begin() as connection:
            connection.execute(
                text(
                    "INSERT INTO ethogram.training_set (version, outcome, purpose, created_by, request, report)"
                    " VALUES (:v, 'lapsed_90d', 'churn_prevention', 'risk.modeller', '{}', '{}') ON CONFLICT DO NOTHING"
                ),
                {"v": version},
            )
        return train(
            dataclasses.replace(self.declared["lapse"], **{"learner": "logistic", **changes}),
            self.rows(seed=number),
            training_set=version,
            signals=["purchase_rhythm@4"],
            open_for=timedelta(days=28),
            audit={"future_features": []} if audit is None else audit,
            principal=principal,
            models=self.models,
            tracking=self.tracking,
        )

    def approved(self) -> int:
        """Number of a new version that its reviewer has approved."""
        version = self.train().version.version
        self.models.decide("lapse", version, "champion", decision="approve", principal="risk.reviewer")
        return version


@pytest.fixture(scope="session")
def registry(workspace: Path) -> Registry:
    """Shared by the session: a test trains the versions it changes."""
    return Registry(workspace, f"registry{os.getpid()}")


class Now:
    """A clock that a test sets."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def now(self) -> datetime:
        return self.at


class Shop:
    """An applied state of the reference workspace in which customers bought, refunded and looked around."""

    DAY = datetime(2026, 6, 1, tzinfo=UTC)

    def __init__(self, root: Path, state: str) -> None:
        from ethogram.settings import Settings
        from ethogram.wiring import parts_of

        self.root, self.state = root, state
        self.parts = parts_of(Settings(root, state))
        self.clock = Now(self.DAY + timedelta(days=1))  # what is said now changes nothing as of that day
        self.parts.clock = self.clock
        self.events: list[Event] = []
        self.ids: dict[str, int] = {}

    def store(self, as_: str = "risk.modeller", purpose: str = "churn_prevention") -> Store:
        from ethogram.local import Store

        return Store(self.parts, principal=as_, purpose=purpose)

    def environment(self, as_: str = "risk.modeller", purpose: str = "churn_prevention") -> dict[str, str]:
        """What a plain client is told."""
        return {
            "ETHOGRAM_WORKSPACE": str(self.root),
            "ETHOGRAM_STATE": self.state,
            "ETHOGRAM_PRINCIPAL": as_,
            "ETHOGRAM_PURPOSE": purpose,
        }

    def add(self, rows: Sequence[Mapping[str, Any]], *, unit: str) -> None:
        """Rows of `behavior, customer, occurred_at, available_at` and properties, straight into the lake."""
        import pyarrow as pa

        from ethogram.core.events import Event

        keys = sorted({row["customer"] for row in rows})
        self.ids |= dict(zip(keys, self.parts.keys.intern("customer", pa.array(keys)).to_pylist(), strict=True))
        instant = pa.timestamp("us", "UTC")
        types = {"money": pa.decimal128(18, 6), "integer": pa.int64(), "string": pa.string()}
        for name in sorted({row["behavior"] for row in rows}):
            behavior = self.parts.workspace.taxonomy.behavior(name)
            columns = {
                "event_id": pa.string(), "op": pa.string(), "target_id": pa.string(), "occurred_at": instant,
                "available_at": instant, "channel": pa.string(), "source": pa.string(), "run": pa.string(),
                "month": pa.string(), "customer": pa.int64(),
            } | {p: types[said.type] for p, said in behavior.properties.items() if said.type in types}  # fmt: skip
            mine = [
                dict.fromkeys(columns) | row | {
                    "event_id": f"{unit}-{number:05}", "op": "assert", "source": "test", "run": unit,
                    "month": f"{row['occurred_at']:%Y-%m}", "customer": self.ids[row["customer"]],
                }
                for number, row in enumerate(rows)
                if row["behavior"] == name
            ]  # fmt: skip
            mine.sort(key=lambda row: (row["month"], row["customer"], row["occurred_at"], row["event_id"]))
            schema = pa.schema(list(columns.items()))
            table = pa.table({column: [row[column] for row in mine] for column in columns}, schema=schema)
            self.parts.lake.append(f"events/{name}", table.to_reader(), unit=unit, partition_by=["month"])
            self.events += [
                Event(
                    row["event_id"],
                    name,
                    {"customer": row["customer"]},
                    row["occurred_at"],
                    row["available_at"],
                    {p: row[p] for p in behavior.properties if p in row},
                )
                for row in mine
            ]

    def expected(self, ref: str, key: str, as_of: datetime) -> dict[str, Any]:
        """What the plain-Python reference says."""
        from ethogram.core.signals.reference import evaluate

        return dict(evaluate(self.parts.workspace.signal(ref), self.events, self.ids.get(key), as_of).values)


def shop_rows(*, customers: int = 24, events: int = 400, seed: int = 7) -> list[dict[str, Any]]:
    """Random behavior of half a year before June 2026: ties, late arrivals, refunds, amounts of six digits."""
    random = Random(seed)
    rows = []
    for _ in range(events):
        occurred = Shop.DAY - timedelta(seconds=random.randrange(1, 200 * 86_400), microseconds=random.randrange(10**6))
        if random.random() < 0.2:
            occurred = occurred.replace(hour=0, minute=0, second=0, microsecond=0)
        late = timedelta(days=random.choice([0, 0, 0, 1, 12]))
        rows.append(
            {
                "behavior": random.choice(
                    ["commerce.purchase", "commerce.purchase", "commerce.refund", "engagement.page_viewed"]
                ),
                "customer": str(17_000 + random.randrange(customers)),
                "occurred_at": occurred,
                "available_at": occurred + late,
                "amount": Decimal(random.randrange(1, 10**9)).scaleb(-6),
                "items": random.randrange(1, 9),
            }
        )
        rows[-1]["category"] = (None, "books", "garden", "thé")[rows[-1]["items"] % 4]
    return rows


@pytest.fixture(scope="session")
def shop(workspace: Path) -> Shop:
    """One applied state for the session; tests add no events to it."""
    made = Shop(workspace, f"shop{os.getpid()}")
    made.store("platform").apply()
    made.add(shop_rows(), unit="first")
    return made


@dataclass(frozen=True)
class MlflowServer:
    """Our MLflow server's process for the registry's state, with what the front would send."""

    url: str
    secret: str

    def headers(self, principal: str) -> dict[str, str]:
        return {"x-ethogram-proxy": self.secret, "x-ethogram-principal": principal}


@pytest.fixture(scope="session")
def mlflow_server(registry: Registry) -> Iterator[MlflowServer]:
    """One process for the session: starting it takes seconds."""
    import socket
    import subprocess
    import time
    import urllib.error
    import urllib.request

    from ethogram.adapters.mlflow.server import command
    from ethogram.settings import Settings

    registry.train()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    settings = Settings(registry.place.root, registry.place.state)
    arguments, environment = command(settings, port=port, secret="only-the-front")
    process = subprocess.Popen(arguments, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    server = MlflowServer(f"http://127.0.0.1:{port}", "only-the-front")
    try:
        for _ in range(600):
            if process.poll() is not None:
                pytest.fail(
                    f"MLflow's server ended: {process.stderr.read().decode()[-2000:] if process.stderr else ''}"
                )
            try:
                urllib.request.urlopen(f"{server.url}/health", timeout=5)
                break
            except (urllib.error.URLError, OSError):
                time.sleep(0.2)
        yield server
    finally:
        process.terminate()
        process.wait(30)
