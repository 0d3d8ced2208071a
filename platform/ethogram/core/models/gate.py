"""Gates: what a model version must satisfy before a protected alias may point at it; unknown is a fail."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ethogram.core.content.origin import NOWHERE, Origin
from ethogram.core.expressions import BOOLEAN, DOUBLE, INTEGER, Type, check, parse
from ethogram.core.expressions import compile as closure
from ethogram.core.models.declaration import RISKS
from ethogram.core.yaml_content import Fields, Findings, Section, line_at, read_yaml
from ethogram.errors import EthogramError, Problems, did_you_mean

if TYPE_CHECKING:
    from ethogram.core.models.declaration import ModelDeclaration

# Every figure that a gate may name, with its type and what it says; all are of the validation period unless they say
# so.
FIGURES: dict[str, tuple[Type, str]] = {
    "auc": (DOUBLE, "probability that a case is ranked above a non-case"),
    "brier": (DOUBLE, "mean squared distance of probability and truth"),
    "log_loss": (DOUBLE, "mean logarithmic loss, nats"),
    "ece": (DOUBLE, "expected calibration error, ten equal-mass bins"),
    "ece_noise": (DOUBLE, "the part of ece that chance alone explains"),
    "citl": (DOUBLE, "mean score less observed rate"),
    "lift_10": (DOUBLE, "rate in the top tenth over the rate of all"),
    "base_rate": (DOUBLE, "observed rate"),
    "mean_score": (DOUBLE, "mean score"),
    "validation_rows": (INTEGER, "observations"),
    "validation_cases": (INTEGER, "observations that came true"),
    "validation_entities": (INTEGER, "distinct entities"),
    "train_rows": (INTEGER, "observations learned from"),
    "train_cases": (INTEGER, "observations learned from that came true"),
    "calibrate_rows": (INTEGER, "observations calibrated on"),
    "calibrate_cases": (INTEGER, "observations calibrated on that came true"),
    "baseline_log_loss": (DOUBLE, "loss of always saying the training rate"),
    "baseline_brier": (DOUBLE, "Brier score of always saying the training rate"),
    "best_feature_auc": (DOUBLE, "auc of the best single feature"),
    "auc_gap_error": (DOUBLE, "standard error of auc less best_feature_auc, entities apart"),
    "best_feature_log_loss": (DOUBLE, "loss of the best single feature"),
    "features": (INTEGER, "inputs of the model"),
    "suspect_features": (INTEGER, "inputs that predict too well alone to be true"),
    "future_features": (INTEGER, "features that the training set's audit found to look ahead"),
    "intent_words": (INTEGER, "words of the declared intent"),
    "limits": (INTEGER, "declared limits"),
}


@dataclass(frozen=True, slots=True)
class Gate:
    """One named condition over the figures of a version.

    Attributes:
        name: Unique in the policy.
        brief: What it protects from.
        holds: The condition by risk tier; a tier that is absent does not need this gate.
    """

    name: str
    brief: str
    holds: Mapping[str, str]
    origin: Origin = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class GatePolicy:
    """All gates, in the order of the file."""

    gates: tuple[Gate, ...]

    def for_risk(self, risk: str) -> list[tuple[Gate, str]]:
        """The gates that a model of this risk must pass, each with its condition."""
        return [(gate, gate.holds[risk]) for gate in self.gates if risk in gate.holds]


@dataclass(frozen=True, slots=True)
class GateResult:
    """What a gate said of a version: "pass", "fail" or "unknown", and the figures it said it from."""

    gate: str
    verdict: str
    detail: str

    @property
    def passed(self) -> bool:
        return self.verdict == "pass"


def evaluate(policy: GatePolicy, risk: str, figures: Mapping[str, Any]) -> list[GateResult]:
    """Every gate of the tier over `figures`; a figure that is absent, null or not finite makes its gate unknown.

    >>> ranking = Gate("ranking", "Ranks.", {"low": "auc >= 0.6"})
    >>> size = Gate("size", "Enough.", {"low": "features >= 1"})
    >>> [(r.gate, r.verdict, r.detail) for r in evaluate(GatePolicy((ranking, size)), "low", {"auc": 0.58})]
    [('ranking', 'fail', 'auc 0.58; needs auc >= 0.6'), ('size', 'unknown', 'features unknown; needs features >= 1')]
    """
    usable = {name: _usable(figures.get(name), kind) for name, (kind, _) in FIGURES.items()}
    results = []
    for gate, text in policy.for_risk(risk):
        expression = parse(text, where=str(gate.origin))
        try:
            answer = closure(expression, _TYPES)({name: usable[name] for name in expression.names})
        except EthogramError as error:
            results.append(GateResult(gate.name, "unknown", f"{error}"))
            continue
        verdict = {True: "pass", False: "fail"}.get(answer, "unknown")
        shown = ", ".join(f"{name} {_shown(usable[name])}" for name in sorted(expression.names, key=text.find))
        results.append(GateResult(gate.name, verdict, f"{shown}; needs {text}"))
    return results


def figures_of(report: Mapping[str, Any], model: ModelDeclaration) -> dict[str, Any]:
    """The figures of a version's report, with those of the declaration's card beside them."""
    return {**report.get("figures", {}), "intent_words": len(model.intent.split()), "limits": len(model.limits)}


def load_gate_policy(text: str, path: str) -> GatePolicy:
    """Read `registry/policies/gates.yaml`; raises `Problems` with every problem and its line.

    >>> load_gate_policy("gates:\\n- gate: ranking\\n  brief: Ranks.\\n  holds: acu >= 0.6\\n", "gates.yaml")
    Traceback (most recent call last):
    ethogram.errors.Problems: gates.yaml:4: gate ranking: no figure named 'acu'; did you mean auc?
    1 problem; nothing was applied
    """
    findings = Findings(path)
    fields = Fields(read_yaml(text, path), findings, what="the gate policy")
    if not fields.has("gates"):
        findings.add(1, "the gate policy needs gates")
    items = fields.items("gates")
    gates: list[Gate] = []
    for place, item in enumerate(items):
        one = Fields(item, findings, what="a gate", line=items.line_of(place))
        name = one.text("gate", required=True)
        one.what = f"gate {name}" if name else one.what
        if name in {gate.name for gate in gates}:
            one.add("gate", f"gate {name} is declared twice")
        brief = one.text("brief", required=True)
        holds: dict[str, str] = {}
        if isinstance(one.section.get("holds"), Section):
            tiers = Fields(one.inner("holds"), findings, what=f"{one.what}: holds", line=one.line_of("holds"))
            holds = {risk: tiers.text(risk) for risk in RISKS if tiers.has(risk)}
            tiers.done()
        else:
            condition = one.text("holds", required=True)
            holds = dict.fromkeys(RISKS, condition) if condition else {}
        for risk, condition in holds.items():
            line = line_at(one.section, ["holds", risk])
            for problem in _wrong_with(condition):
                if (line, f"{one.what}: {problem}") not in findings.found:
                    findings.add(line, f"{one.what}: {problem}")
        one.done()
        gates.append(Gate(name, brief, holds, Origin(path, one.line_of("gate"))))
    fields.done()
    if findings.found:
        raise Problems(findings.told())
    return GatePolicy(tuple(gates))


def gate_policy_of(body: Mapping[str, Any]) -> GatePolicy:
    """The policy from the form in which `apply` stored it."""
    gates: Sequence[Mapping[str, Any]] = body["gates"]
    return GatePolicy(tuple(Gate(g["name"], g["brief"], dict(g["holds"])) for g in gates))


_TYPES = {name: kind for name, (kind, _) in FIGURES.items()}


def _wrong_with(condition: str) -> list[str]:
    try:
        expression = parse(condition)
    except EthogramError as error:
        return [str(error)]
    unknown = sorted(name for name in expression.names if name not in FIGURES)
    if unknown:
        return [
            f"no figure named {name!r}; {did_you_mean(name, FIGURES, otherwise='see docs/models.md for the figures')}"
            for name in unknown
        ]
    if not expression.names:
        return ["names no figure, so it cannot fail"]
    try:
        check(expression, _TYPES, expect=BOOLEAN)
    except EthogramError as error:
        return [str(error)]
    return []


def _usable(value: Any, kind: Type) -> int | float | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return float(value) if kind == DOUBLE else value if isinstance(value, int) else None


def _shown(value: Any) -> str:
    if value is None:
        return "unknown"
    return f"{value:,}" if isinstance(value, int) else f"{value:.4g}"
