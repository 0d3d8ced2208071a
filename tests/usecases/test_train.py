import json
import subprocess
import sys
from datetime import timedelta

import pyarrow as pa
import pytest

from ethogram.core.models.promotion import GatesFailed
from ethogram.usecases.approve import approve, reject
from ethogram.usecases.gates import gates
from ethogram.usecases.promote import promote
from ethogram.usecases.train import WrongTrainingSet, train


def test_the_same_training_set_declaration_and_code_give_the_same_version(registry):
    first = registry.train(seed=500)
    again = registry.train(seed=500)
    assert first.new
    assert not again.new
    assert (again.version.version, again.version.digest) == (first.version.version, first.version.digest)
    assert registry.train(seed=500, calibrate="isotonic").version.version != first.version.version


def test_training_says_what_it_found(registry):
    said = str(registry.train(seed=501))
    assert "lapse " in said
    assert "9 of 9 gates pass" in said


def test_lists_and_maps_are_left_out_of_the_model_and_said(registry, monkeypatch):
    plain = registry.rows

    def rows(**asked):
        table = plain(**asked)
        return table.append_column("recent", pa.array([["web", "store"]] * len(table)))

    monkeypatch.setattr(registry, "rows", rows)
    trained = registry.train(seed=503)
    assert trained.version.report["unread"] == ["recent"]
    assert "not read: recent (lists and maps)" in str(trained)


def test_training_never_makes_the_database_refuse_a_row(registry, caplog):
    registry.train(seed=502)
    assert [record.getMessage() for record in caplog.records if record.name.startswith("psycopg")] == []


def test_from_training_to_champion(registry):
    version = registry.train().version.version
    assert all(result.passed for result in gates("lapse", version, models=registry.models))
    approve("lapse", version, principal="risk.reviewer", models=registry.models, note="fine")
    assert promote("lapse", version, principal="risk.modeller", models=registry.models).version == version
    assert registry.models.at_alias("lapse").version == version


def test_a_rejection_stands_until_the_same_reviewer_approves(registry):
    version = registry.train().version.version
    reject("lapse", version, principal="risk.reviewer", models=registry.models, note="odd figures")
    with pytest.raises(Exception, match="rejected lapse"):
        promote("lapse", version, principal="risk.modeller", models=registry.models)
    approve("lapse", version, principal="risk.reviewer", models=registry.models)
    promote("lapse", version, principal="risk.modeller", models=registry.models)


def test_a_feature_that_looks_ahead_blocks_promotion_and_is_remembered(registry):
    version = registry.train(audit={"future_features": ["spend_90d"]}).version.version
    approve("lapse", version, principal="risk.reviewer", models=registry.models)
    with pytest.raises(GatesFailed, match="future_features 1"):
        promote("lapse", version, principal="risk.modeller", models=registry.models)


@pytest.mark.parametrize(
    ("training_set", "problem"), [("withdrew_28d/a", "predicts lapsed_90d"), ("lapsed_90d/a", "no column label")]
)
def test_a_training_set_of_something_else_is_refused(registry, training_set, problem):
    with pytest.raises(WrongTrainingSet, match=problem):
        train(
            registry.declared["lapse"],
            registry.rows().drop_columns(["label"]),
            training_set=training_set,
            signals=[],
            open_for=timedelta(days=1),
            audit={},
            principal="risk.modeller",
            models=registry.models,
            tracking=registry.tracking,
        )


def test_the_scoring_process_loads_neither_mlflow_nor_scikit_learn():
    heavy = ("mlflow", "sklearn", "feast", "pandas")
    code = (
        "import sys, json; import ethogram.core.models.scorer, ethogram.usecases.score;"
        "import ethogram.adapters.postgres.models;"
        f"print(json.dumps([m for m in {heavy} if m in sys.modules]))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert json.loads(found.stdout) == []
