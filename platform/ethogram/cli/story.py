"""The demo as told on a terminal: each act is a use case of the SDK, each line a figure it gave."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.request import urlopen

from ethogram.cli.console import one_more, progress
from ethogram.core.models.promotion import reviewers_of
from ethogram.core.scenarios import Scenario
from ethogram.core.time import instant
from ethogram.errors import AskedWrongly, EthogramError, Refused
from ethogram.settings import read_settings

if TYPE_CHECKING:
    from ethogram.local import Store

SEED = 7
USUAL_EVENTS = 1_000_000
RUNNING = timedelta(days=120)
LOOKED_BACK = timedelta(days=60)
PAGES = ("/", "/taxonomy", "/signals", "/models", "/sources", "/teams", "/api/health", "/mlflow/")


class RawDataMissing(AskedWrongly):
    """No raw rows where the demo looks."""

    code = "raw-data-missing"

    def __init__(self, dataset: str, looked: list[Path]) -> None:
        self.dataset, self.looked = dataset, looked
        places = " nor ".join(map(str, looked))
        super().__init__(f"no {dataset} at {places}\nnext: make demo DATA={dataset} DATA_DIR=FOLDER (see docs/data.md)")


class DemoFailed(EthogramError):
    """An act that must hold did not."""

    code = "demo-failed"


class TooFewEvents(EthogramError):
    """A made shop so small that chance decides whether a model may be promoted."""

    code = "too-few-events"
    exit_status = 1

    def __init__(self, events: int, why: EthogramError) -> None:
        self.events = events
        found = str(why).partition("\nnext:")[0]
        super().__init__(
            f"{found}\nof {events:,} made events a model learns from few customers, and chance decides how it does\n"
            f"next: make demo ROWS={USUAL_EVENTS}"
        )


class Story:
    """One telling on one data set; telling it again repeats nothing that is done."""

    def __init__(self, scenario: Scenario, *, data: Path | None, events: int, port: int) -> None:
        self.scenario = scenario
        self.data = data
        self.events = events
        self.port = port
        unusual = scenario.dataset == "shop" and events != USUAL_EVENTS
        self.state = f"{scenario.dataset}_{events}" if unusual else scenario.dataset
        self.settings = read_settings(state=self.state)
        self.started = time.monotonic()
        self.act_number = 0

    def store(self, principal: str) -> Store:
        from ethogram.wiring import connect

        return connect(as_=principal, state=self.state, workspace=self.settings.root)

    @contextmanager
    def act(self, title: str) -> Iterator[None]:
        self.act_number += 1
        begun = time.monotonic()
        print(f"\n{self.act_number:>2}  {title}", flush=True)
        yield
        print(f"    {time.monotonic() - begun:.1f} s", flush=True)

    def say(self, text: str) -> None:
        for line in str(text).splitlines():
            print(f"    {line}", flush=True)

    def tell(self, *, stay: bool) -> None:
        """All acts in order; at the end the catalog is served, or fetched page by page and stopped."""
        made = " · MADE DATA" if self.scenario.dataset == "shop" else ""
        print(f"ethogram demo · {self.scenario.dataset}: {self.scenario.title}{made}")
        if self.scenario.dataset != "shop":
            self.raw_rows()  # missing rows are said before anything is done
        self.declare()
        self.take_in()
        self.publish()
        self.opt_out()
        version = self.champion()
        self.online()
        self.score()
        self.refuse()
        self.plain_feast()
        self.remember()
        self.serve(version, stay=stay)

    def declare(self) -> None:
        with self.act("The workspace: what teams declared is checked and applied"):
            applied = self.store("platform").apply()
            workspace = self.store("platform").workspace
            self.say(
                f"{len(workspace.taxonomy)} behaviors, {len(workspace.sources)} sources, "
                f"{len(workspace.signals)} signals of {len({s.owner for s in workspace.signals.values()})} teams, "
                f"{len(workspace.models)} models, {len(workspace.agreements)} agreements"
            )
            self.say(str(applied))

    def take_in(self) -> None:
        place = self.raw_rows()
        with self.act("Raw rows become events: checked, deduplicated, every row accounted for"):
            workspace = self.store("platform").workspace
            for name, source in workspace.sources.items():
                if source.dataset != self.scenario.dataset:
                    continue
                with progress(name, unit="files") as advance:
                    report = self.store(source.owner).ingest(name, data=place, progress=partial(one_more, advance))
                if report.failed:
                    raise DemoFailed("\n".join(failed.message for failed in report.failed))
                self.say(f"{source.owner}: {name}")
                self.say(f"  {report.line()}")

    def raw_rows(self) -> Path:
        if self.data is not None:
            if not self.data.is_dir():
                raise RawDataMissing(self.scenario.dataset, [self.data])
            return self.data
        if self.scenario.dataset == "shop":
            return self.made_data()
        shared = os.environ.get("ETHOGRAM_SHARED_DATA")
        places = [Path(shared)] if shared else []
        places.append(self.settings.root.parent / "shared" / "data")
        looked = [place / self.scenario.dataset for place in places]
        for folder in looked:
            if folder.is_dir():
                return folder
        raise RawDataMissing(self.scenario.dataset, looked)

    def made_data(self) -> Path:
        from ethogram.wiring import make_sample

        folder = self.settings.home / "made" / f"shop-{self.events}-{SEED}"
        if (folder / "manifest.json").is_file():
            return folder
        with self.act("Made data: a shop that never was, with planted truths (docs/made_data.md)"):
            folder.parent.mkdir(parents=True, exist_ok=True)
            with progress("made data", total=self.events, unit="events") as advance:
                report = make_sample(
                    folder,
                    events=self.events,
                    seed=SEED,
                    start=datetime(2025, 1, 1, tzinfo=UTC),
                    days=365,
                    progress=advance,
                )
            self.say(str(report))
        return folder

    def publish(self) -> None:
        with self.act("Two teams publish signals"):
            for team, name in self.scenario.publishers:
                store = self.store(team)
                view = store.view(name)
                self.say(f"{team} publishes {view.ref}: {view.brief}")
                self.say(f"  {', '.join(feature for feature, _ in view.features)}")
                with progress(f"profile of {view.ref}") as advance:
                    self.say(f"  {store.profile(view.ref, until=self.now(store), progress=advance)}")

    def opt_out(self) -> None:
        with self.act("Somebody opts out: absent everywhere from now on"):
            self.example, self.refuser = self.two_entities()
            store = self.store(self.scenario.publishers[0][0])
            changed = store.consent(self.scenario.entity, self.refuser, purpose=self.purpose, allowed=False)
            again = "" if changed else " (said before)"
            self.say(f"{self.scenario.entity} {self.refuser} refuses {self.purpose}{again}")

    @property
    def purpose(self) -> str:
        return self.store("platform").workspace.model(self.scenario.model).purpose

    def now(self, store: Store) -> datetime:
        """The instant that the story plays at."""
        if self.scenario.while_running:
            return store.last(self.scenario.while_running) - RUNNING
        return instant(self.scenario.now) if self.scenario.now else store.watermark()

    def end(self, store: Store) -> datetime | str | None:
        """The instant after the last observation."""
        return self.now(store) - LOOKED_BACK if self.scenario.while_running else self.scenario.end

    def two_entities(self) -> tuple[str, str]:
        """The two busiest entities at the story's instant, by the first signal's first count at its longest."""
        import pyarrow as pa

        store = self.store(self.scenario.publishers[0][0])
        view = store.view(self.scenario.publishers[0][1])
        as_of = self.now(store)
        ids = store.everyone(self.scenario.entity, as_of)
        rows = store.values(
            view, pa.table({"entity": ids, "as_of": pa.array([as_of] * len(ids), pa.timestamp("us", "UTC"))})
        )
        counts = [name for name, kind in view.features if kind == "integer"]
        noun = counts[0].rpartition("_")[0]
        busiest = [name for name in counts if name.rpartition("_")[0] == noun][-1]
        order = pa.table({"n": rows[busiest], "id": ids}).sort_by([("n", "descending"), ("id", "ascending")])
        keys = store.parts.keys.reveal(self.scenario.entity, order["id"].slice(0, 2).to_pylist())
        if len(keys) < 2 or keys[0] is None or keys[1] is None:
            raise DemoFailed(f"{self.scenario.dataset} names fewer than two of entity {self.scenario.entity}")
        return keys[0], keys[1]

    def champion(self) -> int:
        try:
            return self.model()
        except EthogramError as error:
            small = self.scenario.dataset == "shop" and self.events < USUAL_EVENTS
            if small and error.code in ("gates-failed", "training-set-too-short"):
                raise TooFewEvents(self.events, error) from error
            raise

    def model(self) -> int:
        name = self.scenario.model
        modeller = self.store("risk.modeller")
        declared = modeller.workspace.model(name)
        with self.act(f"risk asks for a training set: {declared.outcome}, as it could have been known"):
            made = modeller.training_set(
                declared.outcome,
                signals=declared.signals,
                every=self.scenario.every,
                start=self.scenario.start,
                end=self.end(modeller),
                purpose=declared.purpose,
            )
            self.say(str(made))
            self.say(f"version {made.version}")
        with self.act(f"risk.modeller trains {name}: two learners, validated on later months, calibrated"):
            training = modeller.train(name, training_set=made.version, progress=lambda step: self.say(f"{step} …"))
            for learner, figures in training.version.report["learners"].items():
                chosen = "  ← registered" if learner == training.version.learner else ""
                measured = f"AUC {figures['auc']:.3f}  log loss {figures['log_loss']:.4f}  ECE {figures['ece']:.3f}"
                self.say(f"{learner:<9} {measured}{chosen}")
            self.say(str(training))
            for gate in training.gates:
                self.say(f"  {gate.verdict:<7} {gate.gate}: {gate.detail}")
        version = training.version.version
        with self.act(f"{name} {version} asks to become champion"):
            if modeller.is_champion(name, version):
                self.say(f"{name} {version} is @champion already")
                return version
            if not modeller.parts.models.approvals(name, version, "champion"):
                self.expect_refusal("before anybody approved:", lambda: modeller.promote(name, version))
                self.expect_refusal("its author approves:", lambda: modeller.approve(name, version))
                approval = self.store(self.reviewer()).approve(name, version, note="figures and limits read")
                self.say(f"{approval.principal} approves content {approval.digest[:12]}")
            modeller.promote(name, version)
            self.say(f"{name} {version} is @champion")
        return version

    def reviewer(self) -> str:
        """Who may approve this model, by the policy."""
        workspace = self.store("platform").workspace
        declared = workspace.model(self.scenario.model)
        return reviewers_of(workspace.aliases.aliases["champion"], declared, workspace.teams)[0]

    def expect_refusal(self, when: str, attempt: object) -> None:
        try:
            attempt()  # type: ignore[operator]  # a closure of ours
        except Refused as refusal:
            self.say(when)
            for line in str(refusal).splitlines():
                self.say(f"  {line}")
        else:
            raise DemoFailed(f"{when} it should have been refused")

    def online(self) -> None:
        with self.act("Signals go online, and risk looks one up"):
            for team, name in self.scenario.publishers:
                for done in self.store(team).materialize([name], as_of=self.now(self.store(team))):
                    self.say(f"{team}: {done}")
            names = [name for _, name in self.scenario.publishers]
            answer = self.store("risk").lookup(self.scenario.entity, self.example, signals=names, purpose=self.purpose)
            self.say(f"{self.scenario.entity} {self.example}, as of {answer.at:%Y-%m-%d %H:%M} UTC")
            for feature, value in answer.items():
                self.say(f"  {feature:<28} {answer.why(feature) if value is None else _shown(value)}")

    def score(self) -> None:
        name = self.scenario.model
        with self.act(f"{name} scores everyone it is for, and publishes the scores as a signal"):
            modeller = self.store("risk.modeller")
            scored = modeller.score_all(name, as_of=self.now(modeller))
            self.say(str(scored))
            view = modeller.view(modeller.workspace.scores[name].name)
            reader = self.scenario.publishers[0][0]
            for key in (self.example, self.refuser):
                answer = self.store(reader).lookup(
                    self.scenario.entity, key, signals=[view.asset], purpose=self.purpose
                )
                said = f"{answer['score']:.3f} ({answer['band']})" if answer.known else f"none: {answer.left_out}"
                self.say(f"{reader} looks up {view.ref} of {self.scenario.entity} {key}: {said}")

    def refuse(self) -> None:
        with self.act("What must not happen does not"):
            first = self.scenario.publishers[0][1]
            outsider = self.store(self.scenario.outsider)
            self.expect_refusal(
                f"{self.scenario.outsider} looks {first} up:",
                lambda: outsider.lookup(self.scenario.entity, self.example, signals=[first], purpose=self.purpose),
            )
            answer = self.store("risk").lookup(
                self.scenario.entity, self.refuser, signals=[first], purpose=self.purpose
            )
            if answer.known:
                raise DemoFailed(f"{self.scenario.entity} {self.refuser} opted out and was served")
            self.say(f"risk looks up {self.scenario.entity} {self.refuser}, who opted out: {answer.left_out}")

    def plain_feast(self) -> None:
        with self.act("Plain Feast sees the same"):
            environment = {
                **os.environ,
                "ETHOGRAM_WORKSPACE": str(self.settings.root),
                "ETHOGRAM_STATE": self.state,
                "ETHOGRAM_PRINCIPAL": "risk.modeller",
                "ETHOGRAM_PURPOSE": self.purpose,
            }
            view = self.store("risk").view(self.scenario.publishers[0][1])
            listed = subprocess.run(
                [str(Path(sys.executable).parent / "feast"), "-c", "feature_repo", "feature-views", "list"],
                cwd=self.settings.root,
                env=environment,
                capture_output=True,
                text=True,
                check=False,
            )
            lines = [line for line in listed.stdout.splitlines() if line.startswith(view.name)]
            if listed.returncode or not lines:
                raise DemoFailed(f"plain Feast does not list {view.name}:\n{listed.stdout}{listed.stderr}")
            self.say("$ feast -c feature_repo feature-views list")
            self.say(f"  {lines[0]}")

    def remember(self) -> None:
        """Later commands mean this state unless they name another."""
        self.settings.home.mkdir(exist_ok=True)
        (self.settings.home / "state").write_text(self.state + "\n")

    def plain_mlflow(self, url: str, version: int) -> None:
        """Ask MLflow's own registry API, behind the front, who is champion."""
        query = f"name={self.scenario.model}&alias=champion"
        with urlopen(f"{url}/mlflow/api/2.0/mlflow/registered-models/alias?{query}", timeout=30) as answer:
            found = json.load(answer)["model_version"]["version"]
        if int(found) != version:
            raise DemoFailed(f"MLflow says that version {found} is champion, and {version} is")
        self.say(f"$ curl '{url}/mlflow/api/2.0/mlflow/registered-models/alias?{query}'")
        self.say(f"  version {found}")

    def serve(self, version: int, *, stay: bool) -> None:
        from ethogram.wiring import serve

        with serve(self.settings, port=self.port if stay else 0) as url:
            with self.act("The catalog is up, and MLflow's own API says who is champion"):
                self.plain_mlflow(url, version)
            print(f"\n    {time.monotonic() - self.started:.0f} s in all", flush=True)
            if stay:
                print(f"\n    {url}   the catalog; /mlflow is MLflow. Ctrl-C stops it.", flush=True)
                done = threading.Event()
                for number in (signal.SIGINT, signal.SIGTERM):
                    signal.signal(number, lambda *_: done.set())
                done.wait()
                return
            for page in (*PAGES, f"/models/{self.scenario.model}"):
                with urlopen(url + page, timeout=30) as answer:
                    body = answer.read()
                if answer.status != 200 or not body:
                    raise DemoFailed(f"{page} answered {answer.status}")
                print(f"    fetched {page:<24} {len(body):>9,} bytes", flush=True)
        print(f"\n    next: ethogram up   (the catalog at http://127.0.0.1:{self.port})")


def _shown(value: object) -> str:
    match value:
        case Decimal():
            return f"{value:,.2f}"
        case float():
            return f"{value:,.4g}"
        case int():
            return f"{value:,}"
    return str(value)
