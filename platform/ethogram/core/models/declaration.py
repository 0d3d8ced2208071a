"""What a team promises about a model: `registry/models/<model>.yaml`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from ethogram.core.content.origin import NOWHERE, Origin
from ethogram.core.models.digest import digest
from ethogram.core.yaml_content import Fields, Findings, read_yaml
from ethogram.errors import Problems

RISKS = ("low", "medium", "high")
LEARNERS = ("auto", "logistic", "boosted")
CALIBRATIONS = ("auto", "sigmoid", "isotonic")
_NAME = re.compile(r"[a-z][a-z0-9_]{0,40}")
_SIGNAL = re.compile(r"[a-z][a-z0-9_]*(@[1-9][0-9]*)?")
_MONEY = re.compile(r"([0-9]+(?:\.[0-9]+)?) ?([A-Z]{3})")
_PERCENT = re.compile(r"([0-9]+(?:\.[0-9]+)?) ?%")


@dataclass(frozen=True, slots=True)
class Value:
    """What acting on a score costs and brings, per case.

    Attributes:
        contact: Cost of acting once.
        saved: Worth of a case that is averted.
        currency: Of both.
        accepts: Share of true cases that acting averts, 0 to 1.
    """

    contact: Decimal
    saved: Decimal
    currency: str
    accepts: Decimal

    @property
    def break_even(self) -> Decimal:
        """Probability above which acting pays: contact / (saved · accepts).

        >>> round(Value(Decimal("1.20"), Decimal(38), "EUR", Decimal("0.12")).break_even, 3)
        Decimal('0.263')
        """
        return self.contact / (self.saved * self.accepts)


@dataclass(frozen=True, slots=True)
class ModelDeclaration:
    """A model as its owner declares it; a version of it is what training makes.

    Attributes:
        name: Its name in MLflow's registry too.
        owner: The team that answers for it.
        outcome: What it predicts.
        signals: What it reads, as `name` or `name@version`.
        intent: What the scores are for.
        limits: For whom or what they are not.
        purpose: The purpose for which its signals are read.
        risk: "low", "medium" or "high": decides which gates it must pass.
        score: Path of the contract of its scores.
        value: What acting on a score costs and brings; None where nobody acts on single cases.
        learner: "auto" lets the validation period choose.
        calibrate: "auto" takes isotonic where there are enough cases, else Platt's sigmoid.
    """

    name: str
    owner: str
    outcome: str
    signals: tuple[str, ...]
    intent: str
    limits: tuple[str, ...]
    purpose: str
    risk: str
    score: str
    value: Value | None = None
    learner: str = "auto"
    calibrate: str = "auto"
    origin: Origin = field(default=NOWHERE, compare=False, repr=False)

    @property
    def digest(self) -> str:
        """Digest of what decides how it is trained; wording of intent and limits does not."""
        said: dict[str, Any] = {
            "model": self.name,
            "outcome": self.outcome,
            "signals": list(self.signals),
            "purpose": self.purpose,
            "learner": self.learner,
            "calibrate": self.calibrate,
        }
        return digest(said)


def load_model(text: str, path: str) -> ModelDeclaration:
    """Read a model's declaration; raises `Problems` with every problem and its line.

    >>> load_model("model: lapse\\nowner: risk\\n", "registry/models/lapse.yaml")
    Traceback (most recent call last):
    ethogram.errors.Problems: registry/models/lapse.yaml:1: model lapse needs outcome
    registry/models/lapse.yaml:1: model lapse needs signals
    registry/models/lapse.yaml:1: model lapse needs intent
    registry/models/lapse.yaml:1: model lapse needs purpose
    registry/models/lapse.yaml:1: model lapse needs risk
    registry/models/lapse.yaml:1: model lapse needs score
    6 problems; nothing was applied
    """
    findings = Findings(path)
    fields = Fields(read_yaml(text, path), findings, what="a model")
    name = fields.text("model", required=True)
    if name:
        fields.what = f"model {name}"
        if not _NAME.fullmatch(name):
            fields.add("model", f"model {name!r} is not a name; use lower-case letters, digits and _")
    owner = fields.text("owner", required=True)
    outcome = fields.text("outcome", required=True)
    signals = fields.texts("signals", required=True)
    for ref in signals:
        if not _SIGNAL.fullmatch(ref):
            fields.add("signals", f"{fields.what}: {ref!r} is no signal; write name or name@version")
    if fields.has("signals") and not signals:
        fields.add("signals", f"{fields.what} needs at least one signal")
    intent = fields.text("intent", required=True)
    limits = fields.texts("limits")
    purpose = fields.text("purpose", required=True)
    risk = fields.text("risk", required=True, among=RISKS)
    score = fields.text("score", required=True)
    value = _value(fields, findings) if fields.has("value") else None
    learner = fields.text("learner", default="auto", among=LEARNERS)
    calibrate = fields.text("calibrate", default="auto", among=CALIBRATIONS)
    fields.done()
    if findings.found:
        raise Problems(findings.told())
    return ModelDeclaration(
        name,
        owner,
        outcome,
        signals,
        intent,
        limits,
        purpose,
        risk,
        score,
        value,
        learner,
        calibrate,
        Origin(path, fields.line_of("model")),
    )


def model_of(body: Mapping[str, Any]) -> ModelDeclaration:
    """The declaration from the form in which `apply` stored it."""
    value = body.get("value")
    return ModelDeclaration(
        **{
            name: body[name]
            for name in ("name", "owner", "outcome", "intent", "purpose", "risk", "score", "learner", "calibrate")
        },
        signals=tuple(body["signals"]),
        limits=tuple(body["limits"]),
        value=Value(Decimal(value["contact"]), Decimal(value["saved"]), value["currency"], Decimal(value["accepts"]))
        if value
        else None,
    )


def _value(fields: Fields, findings: Findings) -> Value | None:
    inner = Fields(fields.inner("value"), findings, what="value", line=fields.line_of("value"))
    money = {}
    for name in ("contact", "saved"):
        text = inner.text(name, required=True)
        found = _MONEY.fullmatch(text)
        if text and found is None:
            inner.add(name, f'value: {name} must be an amount with its currency, like "1.20 EUR", not {text!r}')
        elif found:
            money[name] = (Decimal(found[1]), found[2])
    text = inner.text("accepts", required=True)
    percent = _PERCENT.fullmatch(text)
    if text and percent is None:
        inner.add("accepts", f'value: accepts must be a share like "12 %", not {text!r}')
    inner.done()
    if len(money) < 2 or percent is None:
        return None
    (contact, currency), (saved, other) = money["contact"], money["saved"]
    accepts = Decimal(percent[1]) / 100
    if currency != other:
        inner.add("saved", f"value: contact is in {currency} and saved in {other}; give both in one currency")
    if not saved or not 0 < accepts <= 1:
        inner.add("accepts", "value: saved and accepts must be above 0, and accepts at most 100 %")
        return None
    return Value(contact, saved, currency, accepts)
