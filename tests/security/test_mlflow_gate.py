"""What a hostile MLflow client could try, at the store, over HTTP and in the database itself."""

import json

import pytest
import requests
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

mlflow = pytest.importorskip("mlflow")


@pytest.fixture(scope="module")
def champion(registry):
    version = registry.approved()
    registry.models.move("lapse", version, "champion", principal="risk.modeller")
    return registry.models.version("lapse", version)


@pytest.fixture
def client(registry, monkeypatch):
    monkeypatch.setenv("ETHOGRAM_PRINCIPAL", "growth.analyst")
    mlflow.set_tracking_uri(registry.place.database_uri)
    mlflow.set_registry_uri(registry.place.registry_uri)
    return mlflow.MlflowClient(registry.place.database_uri, registry.place.registry_uri)


HOSTILE = {
    "move a stage": lambda c, v: c.transition_model_version_stage("lapse", str(v.version), "Production"),
    "drop the alias": lambda c, _: c.delete_registered_model_alias("lapse", "champion"),
    "delete the version": lambda c, v: c.delete_model_version("lapse", str(v.version)),
    "delete the model": lambda c, _: c.delete_registered_model("lapse"),
    "rename the model": lambda c, _: c.rename_registered_model("lapse", "other"),
    "forge the digest": lambda c, v: c.set_model_version_tag("lapse", str(v.version), "ethogram.digest", "0"),
    "remove the digest": lambda c, v: c.delete_model_version_tag("lapse", str(v.version), "ethogram.digest"),
    "reserve a tag": lambda c, _: c.set_registered_model_tag("lapse", "ethogram.approved", "true"),
    "delete the run": lambda c, v: c.delete_run(v.run_id),
    "delete the logged model": lambda c, v: c.delete_logged_model(v.manifest["model_id"]),
    "delete the experiment": lambda c, v: c.delete_experiment(c.get_run(v.run_id).info.experiment_id),
    "log artifacts elsewhere": lambda c, _: c.create_experiment("elsewhere", artifact_location="file:///etc"),
    "register a webhook": lambda c, _: c.create_webhook("w", "https://example.org", ["model_version.created"]),
}


@pytest.mark.filterwarnings("ignore::FutureWarning")
@pytest.mark.parametrize("attempt", HOSTILE.values(), ids=HOSTILE.keys())
def test_the_store_refuses_to(attempt, client, champion, registry):
    with pytest.raises(mlflow.MlflowException, match="refused"):
        attempt(client, champion)
    assert registry.models.at_alias("lapse").version == champion.version
    assert registry.models.changed(champion) == []


def test_a_copy_would_carry_tags_that_lie_and_is_refused(client, champion):
    with pytest.raises(mlflow.MlflowException, match=r"tags that start with 'ethogram\.' are written by training only"):
        client.copy_model_version(f"models:/lapse/{champion.version}", "lapse")


def test_a_version_that_a_client_registers_can_never_be_champion(client, champion):
    other = client.create_model_version("lapse", f"models:/{champion.manifest['model_id']}", champion.run_id)
    with pytest.raises(mlflow.MlflowException, match="was not registered by training here"):
        client.set_registered_model_alias("lapse", "champion", other.version)


def test_an_unprotected_alias_is_free_but_recorded(client, champion, registry):
    client.set_registered_model_alias("lapse", "candidate", str(champion.version))
    assert (registry.models.moves("lapse")[-1].alias, registry.models.moves("lapse")[-1].principal) == (
        "candidate",
        "growth.analyst",
    )
    client.delete_registered_model_alias("lapse", "candidate")
    assert registry.models.moves("lapse")[-1].version is None


def test_nobody_changes_nothing(client, champion, monkeypatch):
    for principal in ("", "nobody.known"):
        monkeypatch.setenv("ETHOGRAM_PRINCIPAL", principal)
        with pytest.raises(mlflow.MlflowException, match=r"nobody is asking|no principal named"):
            client.set_registered_model_alias("lapse", "candidate", str(champion.version))
        with pytest.raises(mlflow.MlflowException, match=r"nobody is asking|no principal named"):
            client.set_model_version_tag("lapse", str(champion.version), "note", "x")


@pytest.mark.parametrize("method", ["file", "folder", "stream", "delete", "delete above"])
def test_registered_artifacts_are_sealed(method, champion, registry, tmp_path, client):  # noqa: ARG001 - sets the addresses
    from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

    uri = f"mlflow-artifacts:/{champion.manifest['location']}"
    repository = get_artifact_repository(uri, tracking_uri=registry.place.database_uri)
    above = get_artifact_repository("mlflow-artifacts:/lapse", tracking_uri=registry.place.database_uri)
    file = tmp_path / "MLmodel"
    file.write_text("evil")
    attempts = {
        "file": lambda: repository.log_artifact(str(file)),
        "folder": lambda: repository.log_artifacts(str(tmp_path), "data"),
        "stream": lambda: repository.log_artifact_from_stream(file.open("rb"), "MLmodel"),
        "delete": lambda: repository.delete_artifacts("MLmodel"),
        "delete above": lambda: above.delete_artifacts(),
    }
    with pytest.raises(mlflow.MlflowException, match="is sealed"):
        attempts[method]()
    assert registry.models.changed(champion) == []


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE mlflow.registered_model_aliases SET version = 1 + version WHERE name = 'lapse' AND alias = 'champion'",
        "DELETE FROM mlflow.registered_model_aliases WHERE name = 'lapse' AND alias = 'champion'",
        "INSERT INTO mlflow.registered_model_aliases (workspace, name, alias, version)"
        " VALUES ('default', 'lapse', 'second', 1)",
        "UPDATE mlflow.model_versions SET source = 'models:/m-0' WHERE name = 'lapse' AND version = :v",
        "DELETE FROM mlflow.model_versions WHERE name = 'lapse' AND version = :v",
        "DELETE FROM mlflow.runs WHERE run_uuid = :run",
    ],
)
def test_the_database_itself_keeps_the_rule(statement, champion, registry):
    with pytest.raises(DBAPIError, match="refused"), registry.engine.begin() as connection:
        connection.execute(text(statement), {"v": champion.version, "run": champion.run_id})


def test_an_open_registry_store_on_the_same_database_is_refused_too(champion, registry):
    other = registry.train().version
    client = mlflow.MlflowClient(registry.place.database_uri, registry.place.database_uri)
    with pytest.raises(mlflow.MlflowException, match="no approved move of @champion"):
        client.set_registered_model_alias("lapse", "champion", str(other.version))
    assert registry.models.at_alias("lapse").version == champion.version


def test_without_the_fronts_word_the_server_answers_nothing(mlflow_server):
    for path in ("/", "/api/2.0/mlflow/experiments/search", "/graphql"):
        assert requests.get(mlflow_server.url + path, timeout=60).status_code == 401
    wrong = {**mlflow_server.headers("risk.modeller"), "x-ethogram-proxy": "guess"}
    assert requests.get(mlflow_server.url + "/", headers=wrong, timeout=60).status_code == 401


def test_artifacts_are_sealed_over_http_in_every_way(mlflow_server, champion, registry):
    headers = mlflow_server.headers("growth.analyst")
    for prefix in ("api", "ajax-api"):
        place = f"{mlflow_server.url}/{prefix}/2.0/mlflow-artifacts"
        path = f"{champion.manifest['location']}/MLmodel"
        answers = [
            requests.put(f"{place}/artifacts/{path}", data=b"evil", headers=headers, timeout=60),
            requests.put(
                f"{place}/artifacts/{champion.manifest['location']}/more", data=b"", headers=headers, timeout=60
            ),
            requests.delete(f"{place}/artifacts/{path}", headers=headers, timeout=60),
            requests.delete(f"{place}/artifacts/lapse", headers=headers, timeout=60),
            requests.post(
                f"{place}/mpu/create/{path}", json={"path": "x", "num_parts": 1}, headers=headers, timeout=60
            ),
        ]
        assert [answer.status_code for answer in answers] == [403] * 5
    assert registry.models.changed(champion) == []


def test_the_front_of_another_principal_cannot_be_forged_by_a_second_header(mlflow_server):
    headers = {**mlflow_server.headers(""), "ETHOGRAM_PRINCIPAL": "risk.reviewer"}
    answer = requests.post(
        f"{mlflow_server.url}/api/2.0/mlflow/registered-models/create", json={"name": "x"}, headers=headers, timeout=60
    )
    assert answer.status_code == 401


def mutating_routes():
    """Every route of the installed MLflow that is no plain read, as (method, path)."""
    from mlflow.server import app as flask
    from mlflow.server.artifact_router import artifact_router
    from mlflow.server.assistant.api import assistant_router
    from mlflow.server.gateway_api import gateway_router
    from mlflow.server.job_api import job_api_router
    from mlflow.server.mcp_server_api import mcp_server_router

    for rule in flask.url_map.iter_rules():
        for method in rule.methods - {"GET", "HEAD", "OPTIONS"}:
            yield method, str(rule)
    for router in (artifact_router, assistant_router, gateway_router, job_api_router, mcp_server_router):
        for route in router.routes:
            for method in route.methods - {"GET", "HEAD", "OPTIONS"}:
                yield method, route.path


def test_only_known_routes_write():
    from ethogram.adapters.mlflow.guard import verdict

    found = {
        (method, path): verdict(method, path.replace("<", "").replace(">", "").replace("{", "").replace("}", ""))
        for method, path in mutating_routes()
    }
    assert len(found) > 150
    registry_writes = {
        path.rsplit("mlflow/", 1)[1]
        for (_, path), said in found.items()
        if said == "write" and ("registered-models" in path or "model-versions" in path)
    }
    # A new one here is a new way to change the registry: gate it in GatedStore before it is let in.
    assert registry_writes == {
        "registered-models/create", "registered-models/rename", "registered-models/update", "registered-models/delete",
        "registered-models/alias", "registered-models/set-tag", "registered-models/delete-tag",
        "model-versions/create", "model-versions/update", "model-versions/delete", "model-versions/transition-stage",
        "model-versions/set-tag", "model-versions/delete-tag",
    }  # fmt: skip
    for (_, path), said in found.items():
        if any(word in path for word in ("gateway", "webhooks", "jobs", "assistant", "mcp-servers", "workspaces")):
            assert said == "refused", path


def test_graphql_changes_nothing():
    from mlflow.server.graphql.graphql_schema_extensions import schema

    mutation = schema.graphql_schema.mutation_type
    assert set(mutation.fields) <= {"testMutation", "mlflowSearchRuns", "mlflowSearchDatasets"}


def test_every_mutation_of_the_store_is_gated():
    from mlflow.store.model_registry.sqlalchemy_store import SqlAlchemyStore

    from ethogram.adapters.mlflow.gated_store import GatedStore

    reads = ("get_", "search_", "list_", "supports_", "copy_model_version", "_")
    public = [
        name for name in vars(SqlAlchemyStore) if not name.startswith(reads) and callable(vars(SqlAlchemyStore)[name])
    ]
    assert {name for name in public if name not in vars(GatedStore)} == set()


def test_every_change_through_mlflow_is_in_the_ledger(client, champion, registry):
    def recorded():
        with registry.engine.connect() as connection:
            return connection.execute(text("SELECT count(*) FROM ethogram.change")).scalar_one()

    before = recorded()
    client.set_model_version_tag("lapse", str(champion.version), "note", json.dumps({"seen": True}))
    client.update_model_version("lapse", str(champion.version), "described")
    client.create_registered_model("scratch")
    client.delete_registered_model("scratch")
    assert recorded() == before + 4
