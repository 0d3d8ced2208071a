"""An unmodified MLflow client against our registry, over HTTP and on the workspace's database."""

import numpy as np
import pytest

mlflow = pytest.importorskip("mlflow")


@pytest.fixture
def client(registry, monkeypatch):
    monkeypatch.setenv("ETHOGRAM_PRINCIPAL", "risk.modeller")
    mlflow.set_tracking_uri(registry.place.database_uri)
    mlflow.set_registry_uri(registry.place.registry_uri)
    return mlflow.MlflowClient(registry.place.database_uri, registry.place.registry_uri)


def test_an_approved_version_becomes_champion_by_the_plain_call(client, registry):
    version = registry.approved()
    client.set_registered_model_alias("lapse", "champion", str(version))
    assert int(client.get_model_version_by_alias("lapse", "champion").version) == version
    assert registry.models.at_alias("lapse").version == version
    assert registry.models.moves("lapse")[-1].principal == "risk.modeller"


def test_an_unapproved_version_is_refused_in_our_words(client, registry):
    version = registry.train().version.version
    with pytest.raises(mlflow.MlflowException, match="refused: no valid approval of lapse") as refused:
        client.set_registered_model_alias("lapse", "champion", str(version))
    assert refused.value.error_code == "PERMISSION_DENIED"
    assert "next: `ethogram approve lapse" in str(refused.value)


def test_pyfunc_scores_as_our_scorer_does(client, registry):
    from ethogram.core.models.scorer import Scorer
    from ethogram.modeling.columns import plain_columns

    version = registry.approved()
    client.set_registered_model_alias("lapse", "champion", str(version))
    model = mlflow.pyfunc.load_model("models:/lapse@champion")
    rows = registry.rows(seed=99).slice(0, 500)
    scorer = Scorer.read(registry.models.document(registry.models.version("lapse", version)))
    ours = scorer.score(plain_columns(rows, list(scorer.names)))
    frame = rows.select(list(scorer.names)).to_pandas()
    frame["visits_30d"] = frame["visits_30d"].astype("float64")
    frame["spend_90d"] = frame["spend_90d"].astype("float64")
    assert np.abs(model.predict(frame) - ours).max() <= 1e-12


def test_loading_a_model_leaves_its_content_untouched(client, registry):
    version = registry.approved()
    mlflow.pyfunc.load_model(f"models:/lapse/{version}")
    client.set_registered_model_alias("lapse", "champion", str(version))


def test_runs_carry_signature_dataset_and_lineage(client, registry):
    made = registry.train(learner="auto").version
    run = client.get_run(made.run_id)
    (dataset,) = run.inputs.dataset_inputs
    assert (dataset.dataset.name, dataset.dataset.digest) == tuple(made.training_set.split("/"))
    assert run.data.tags["ethogram.training_set"] == made.training_set
    assert run.data.tags["ethogram.signals"] == "purchase_rhythm@4"
    assert run.data.metrics["log_loss"] == pytest.approx(made.report["figures"]["log_loss"])
    signature = mlflow.models.get_model_info(f"models:/lapse/{made.version}").signature
    assert signature.inputs.input_names() == ["days_since_purchase", "visits_30d", "spend_90d", "channel"]
    both = client.search_runs([run.info.experiment_id], f"tags.`ethogram.training_set` = '{made.training_set}'")
    assert sorted(each.data.tags["ethogram.learner"] for each in both) == ["boosted", "logistic"]


def test_no_file_of_a_version_can_run_code_when_loaded(registry):
    version = registry.train().version
    assert version.manifest["scorer"].endswith("model.json")
    assert not [
        name for name in version.manifest["files"] if name.endswith((".pkl", ".pickle", ".joblib", ".npy", ".py"))
    ]


def test_over_http_the_same_rule_answers(registry, mlflow_server):
    import requests

    version = registry.approved()

    def call(principal, number, alias="champion"):
        return requests.post(
            f"{mlflow_server.url}/api/2.0/mlflow/registered-models/alias",
            json={"name": "lapse", "alias": alias, "version": str(number)},
            headers=mlflow_server.headers(principal),
            timeout=60,
        )

    refused = call("risk.modeller", registry.train().version.version)
    assert (refused.status_code, refused.json()["error_code"]) == (403, "PERMISSION_DENIED")
    assert refused.json()["message"].startswith("refused: no valid approval of lapse")
    assert call("", version).status_code == 401
    assert call("nobody.known", version).status_code == 403
    assert call("growth.analyst", version).status_code == 200
    assert registry.models.moves("lapse")[-1].principal == "growth.analyst"
