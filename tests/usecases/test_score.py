from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pytest

from ethogram.adapters.delta.lake import DeltaLake
from ethogram.core.models.promotion import ApprovalVoid
from ethogram.core.models.score_contract import load_score_contract
from ethogram.core.models.score_signal import score_view
from ethogram.core.models.scorer import MissingInput
from ethogram.usecases.score import ScoredBeforeItKnew, score_batch, scores_as_of

LATE = datetime(1971, 1, 1, tzinfo=UTC)


@pytest.fixture
def contract(project):
    return load_score_contract((project / "contracts" / "scores" / "lapse.yaml").read_text(), "lapse.yaml")


@pytest.fixture
def champion(registry):
    version = registry.approved()
    registry.models.move("lapse", version, "champion", principal="risk.modeller")
    return registry.models.version("lapse", version)


@pytest.fixture
def lake(tmp_path):
    return DeltaLake(tmp_path / "lake")


def population(registry, as_of=LATE, rows=200):
    table = registry.rows(seed=77).slice(0, rows).drop_columns(["label", "as_of"])
    return table.append_column("as_of", pa.array([as_of] * rows, pa.timestamp("us", "UTC")))


def score(registry, lake, contract, table):
    return score_batch("lapse", table, contract=contract, principal="risk.modeller", models=registry.models, lake=lake)


def read(lake):
    import pyarrow.parquet as pq

    return pa.concat_tables(pq.read_table(path) for path in lake.files("scores/lapse").paths)


def test_scores_are_published_once_with_their_bands(registry, lake, contract, champion):
    done = score(registry, lake, contract, population(registry))
    again = score(registry, lake, contract, population(registry))
    assert done.run == again.run
    stored = read(lake)
    assert stored.num_rows == 200
    assert set(stored["version"].to_pylist()) == {champion.version}
    assert sum(done.bands.values()) == 200
    assert all(
        row["band"] == contract.band_of([row["score"]])[0] for row in stored.select(["score", "band"]).to_pylist()
    )


def test_scores_are_read_as_of_an_instant_and_expire(registry, lake, contract, champion):  # noqa: ARG001 - the alias points at it
    week = timedelta(days=7)
    first = score(registry, lake, contract, population(registry, LATE)).table
    score(registry, lake, contract, population(registry, LATE + week, rows=100))
    entity = first["entity"][150].as_py()
    asked = [
        LATE - week,
        LATE,
        LATE + week,
        LATE + contract.valid_for,
        LATE + contract.valid_for + timedelta(seconds=1),
    ]
    observations = pa.table({"entity": [entity] * 5, "as_of": pa.array(asked, pa.timestamp("us", "UTC"))})
    answers = scores_as_of(read(lake), observations, contract=contract)["score"].to_pylist()
    value = first["score"][150].as_py()
    assert answers == [None, value, value, value, None]


def test_nobody_is_scored_in_the_models_own_past(registry, lake, contract, champion):
    early = datetime.fromisoformat(champion.report["folds"]["cut"]) - timedelta(days=1)
    with pytest.raises(ScoredBeforeItKnew, match="would be of its own past"):
        score(registry, lake, contract, population(registry, early))


def test_a_missing_feature_is_named_before_anything_is_written(registry, lake, contract, champion):  # noqa: ARG001
    with pytest.raises(MissingInput, match="visits_30d"):
        score(registry, lake, contract, population(registry).drop_columns(["visits_30d"]))
    assert lake.files("scores/lapse").version == -1


def test_a_changed_model_scores_nobody(registry, lake, contract, champion):
    document = next(registry.models.folder(champion).rglob("model.json"))
    before = document.read_bytes()
    document.write_bytes(before + b" ")
    try:
        with pytest.raises(ApprovalVoid):
            score(registry, lake, contract, population(registry))
    finally:
        document.write_bytes(before)


def test_a_score_is_a_view_like_any_signals(registry, contract):
    view = score_view(registry.declared["lapse"], contract, join_key="customer_id")
    assert (view.name, view.ref, view.asset, view.kind) == ("lapse_score_v1", "lapse_score@1", "lapse_score", "score")
    assert view.features == (("score", "double"), ("band", "string"))
