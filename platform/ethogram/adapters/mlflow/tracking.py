"""Runs and versions in MLflow: what was tried on which data, and the version that was chosen."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from ethogram import __version__
from ethogram.adapters.mlflow.caller import requested_by
from ethogram.adapters.mlflow.environment import Place, silence
from ethogram.adapters.model_files import file_digests, inside
from ethogram.core.models.digest import digest
from ethogram.core.models.training import TrainedModel, TrainingData
from ethogram.errors import EthogramError

DOCUMENT = "model.json"


class TrackingTrouble(EthogramError):
    """MLflow could not log or register."""

    code = "tracking-trouble"


@dataclass(frozen=True, slots=True)
class _Logged:
    run_id: str
    model_id: str
    location: str
    files: Mapping[str, str]
    scorer: str
    signature: dict[str, Any]


class MlflowTracking:
    """`ports.Tracking`: logs straight into the workspace's database, no server needed.

    It sets MLflow's process-wide tracking and registry addresses: one state a process.
    """

    def __init__(self, place: Place) -> None:
        self.place = place

    def log(self, trained: TrainedModel, data: TrainingData, *, principal: str) -> dict[str, Any]:
        """Log a run for each learner, register the chosen one; what `Models.record` remembers of it.

        Raises:
            TrackingTrouble: With MLflow's own words.
        """
        silence()
        import mlflow
        from mlflow.exceptions import MlflowException

        from ethogram.adapters.mlflow.schema import ensure_schema

        ensure_schema(self.place)
        mlflow.set_tracking_uri(self.place.database_uri)
        mlflow.set_registry_uri(self.place.registry_uri)
        token = requested_by.set(principal)
        try:
            experiment = self._experiment(trained.model)
            logged = {
                learner: self._run(experiment, learner, trained, data, principal)
                for learner in sorted(trained.documents)
            }
            return self._register(logged[trained.chosen], trained, data, principal)
        except MlflowException as error:
            raise TrackingTrouble(f"MLflow: {error.message}\nnext: ethogram doctor") from error
        finally:
            requested_by.reset(token)

    def _experiment(self, model: str) -> str:
        import mlflow

        client = mlflow.MlflowClient()
        found = client.get_experiment_by_name(model)
        if found is None:
            return str(client.create_experiment(model, artifact_location=f"mlflow-artifacts:/{model}"))
        return str(found.experiment_id)

    def _run(self, experiment: str, learner: str, trained: TrainedModel, data: TrainingData, principal: str) -> _Logged:
        import mlflow
        from mlflow.entities import Dataset, DatasetInput, InputTag

        document = trained.documents[learner]
        tags = {
            "ethogram.model": trained.model,
            "ethogram.learner": learner,
            "ethogram.chosen": str(learner == trained.chosen).lower(),
            "ethogram.training_set": data.version,
            "ethogram.outcome": data.outcome,
            "ethogram.signals": ",".join(data.signals),
            "ethogram.declaration": trained.declaration,
            "ethogram.recipe": trained.recipe,
            "ethogram.principal": principal,
            "ethogram.code": __version__,
        }
        with mlflow.start_run(experiment_id=experiment, run_name=f"{learner} on {data.version}", tags=tags) as run:
            mlflow.log_params({f"{learner}.{name}": value for name, value in trained.params[learner].items()})
            mlflow.log_dict(dict(trained.report), "report.json")
            about = {"rows": data.rows, "outcome": data.outcome, "signals": list(data.signals)}
            dataset = Dataset(
                name=data.outcome,
                digest=data.version.rsplit("/", 1)[-1][:36],
                source_type="ethogram",
                source=json.dumps({"training_set": data.version, "state": self.place.state}),
                schema=json.dumps({"mlflow_colspec": [{"name": n, "type": k} for n, k in data.schema.items()]}),
                profile=json.dumps(about),
            )
            inputs = [DatasetInput(dataset, [InputTag("mlflow.data.context", "train")])]
            mlflow.MlflowClient().log_inputs(run.info.run_id, datasets=inputs)
            logged = self._log_model(run.info.run_id, learner, document)
            # Last: a model logged after its run's metrics makes MLflow write them twice and recover from the refusal.
            mlflow.log_metrics(
                {name: float(value) for name, value in trained.figures[learner].items() if value is not None},
                model_id=logged.model_id,
            )
            return logged

    def _log_model(self, run_id: str, learner: str, document: Mapping[str, Any]) -> _Logged:
        import mlflow
        from mlflow.models import ModelSignature
        from mlflow.types import ColSpec, Schema

        kinds = {"number": "double", "level": "string"}
        signature = ModelSignature(
            inputs=Schema([ColSpec(kinds[each["kind"]], each["name"], required=False) for each in document["inputs"]]),
            outputs=Schema([ColSpec("double", "score")]),
        )
        with tempfile.TemporaryDirectory() as scratch:
            data = Path(scratch) / "data"
            data.mkdir()
            (data / DOCUMENT).write_text(json.dumps(document, allow_nan=False), encoding="utf-8")
            info = mlflow.pyfunc.log_model(
                name=learner,
                loader_module="ethogram.adapters.mlflow.loader",
                data_path=str(data),
                signature=signature,
                pip_requirements=[f"ethogram=={__version__}"],
                metadata={"learner": learner},
            )
        location = urlsplit(mlflow.MlflowClient().get_logged_model(info.model_id).artifact_location).path.strip("/")
        files = file_digests(inside(self.place.artifacts, location))
        scorer = next(path for path in files if path.endswith(DOCUMENT))
        return _Logged(run_id, info.model_id, location, files, scorer, signature.to_dict())

    def _register(self, logged: _Logged, trained: TrainedModel, data: TrainingData, principal: str) -> dict[str, Any]:
        import mlflow
        from mlflow.exceptions import MlflowException

        from ethogram.adapters.mlflow.gated_store import as_training

        manifest = {
            "files": dict(logged.files),
            "location": logged.location,
            "scorer": logged.scorer,
            "signature": logged.signature,
            "signals": list(data.signals),
            "training_set": data.version,
            "declaration": trained.declaration,
            "recipe": trained.recipe,
            "model_id": logged.model_id,
            "run_id": logged.run_id,
        }
        sealed = digest(manifest)
        client = mlflow.MlflowClient()
        with as_training():
            try:
                client.get_registered_model(trained.model)
            except MlflowException as error:
                if error.error_code != "RESOURCE_DOES_NOT_EXIST":
                    raise
                client.create_registered_model(trained.model, description=trained.intent)
            version = client.create_model_version(
                trained.model,
                source=f"models:/{logged.model_id}",
                run_id=logged.run_id,
                tags={
                    "ethogram.digest": sealed,
                    "ethogram.training_set": data.version,
                    "ethogram.learner": trained.chosen,
                    "ethogram.principal": principal,
                },
                model_id=logged.model_id,
            )
        return {
            "model": trained.model,
            "version": int(version.version),
            "digest": sealed,
            "author": principal,
            "run_id": logged.run_id,
            "training_set": data.version,
            "learner": trained.chosen,
            "manifest": manifest,
            "report": trained.report,
        }
