"""Agreements between teams, and the one decision about access that every way in asks for."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date

from ethogram.core.content.origin import NOWHERE, Origin
from ethogram.core.yaml_content import Fields, Findings, read_yaml
from ethogram.errors import Problems, Refused


@dataclass(frozen=True, slots=True)
class Agreement:
    """Team `consumer` may use assets of team `provider` for named purposes between two dates, both included.

    Attributes:
        assets: Signal or score names without version; a version is the consumer's choice.
        features: Only these features; all if empty.
        approved_by: Principal of the provider who agreed; empty while it is a request.
    """

    name: str
    provider: str
    consumer: str
    assets: tuple[str, ...]
    purposes: tuple[str, ...]
    starts: date
    ends: date
    features: tuple[str, ...] = ()
    approved_by: str = ""
    origin: Origin = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Access:
    """The answer to a read: compliant, violation (a rule says no) or gap (nothing says yes); only compliant reads."""

    verdict: str
    asset: str
    provider: str
    consumer: str
    purpose: str
    reason: str
    agreement: str = ""

    @property
    def allowed(self) -> bool:
        return self.verdict == "compliant"


class NotAgreed(Refused):
    """A read that no ownership and no live agreement allows."""

    code = "not-agreed"

    def __init__(self, access: Access) -> None:
        self.access = access
        path = f"contracts/agreements/{access.provider}-{access.consumer}.yaml"
        super().__init__(
            f"{access.consumer} may not read {access.asset} of {access.provider} for {access.purpose}: "
            f"{access.reason}\n"
            f"next: propose an agreement in {path} and have {access.provider} approve it"
        )


def decide_access(
    *,
    asset: str,
    provider: str,
    consumer: str,
    purpose: str,
    agreements: Iterable[Agreement],
    today: date,
    features: Iterable[str] = (),
) -> Access:
    """Whether `consumer` may read `asset` (name without version) of `provider` for `purpose` on `today`.

    >>> decide_access(asset="purchase_rhythm", provider="growth", consumer="sales", purpose="campaigns",
    ...               agreements=[], today=date(2026, 1, 1)).verdict
    'gap'
    """

    def answer(verdict: str, reason: str, agreement: str = "") -> Access:
        return Access(verdict, asset, provider, consumer, purpose, reason, agreement)

    if consumer == provider:
        return answer("compliant", "its own")
    near = [a for a in agreements if a.provider == provider and a.consumer == consumer and asset in a.assets]
    if not near:
        return answer("gap", "no agreement covers it")
    wanted = set(features)
    reasons = []
    for agreement in near:
        if purpose not in agreement.purposes:
            reasons.append(f"agreement {agreement.name} is for {', '.join(agreement.purposes)} only")
        elif not agreement.approved_by:
            reasons.append(f"agreement {agreement.name} waits for {provider}'s approval")
        elif today < agreement.starts:
            reasons.append(f"agreement {agreement.name} starts on {agreement.starts}")
        elif today > agreement.ends:
            reasons.append(f"agreement {agreement.name} ended on {agreement.ends}")
        elif agreement.features and not wanted <= set(agreement.features):
            reasons.append(
                f"agreement {agreement.name} leaves out {', '.join(sorted(wanted - set(agreement.features)))}"
            )
        else:
            return answer("compliant", f"agreement {agreement.name}, to {agreement.ends}", agreement.name)
    return answer("violation", "; ".join(reasons))


def load_agreement(text: str, path: str) -> Agreement:
    """The agreement in the file at `path`; without `approved_by` it is a request that grants nothing.

    Raises:
        Problems: everything wrong with the file, with lines.
    """
    findings = Findings(path)
    fields = Fields(read_yaml(text, path), findings, what="agreement")
    agreement = Agreement(
        name=fields.text("name", required=True),
        provider=fields.text("provider", required=True),
        consumer=fields.text("consumer", required=True),
        assets=fields.texts("assets", required=True),
        purposes=fields.texts("purposes", required=True),
        starts=_day(fields, "starts"),
        ends=_day(fields, "ends"),
        features=fields.texts("features"),
        approved_by=fields.text("approved_by"),
        origin=Origin(path, fields.line),
    )
    fields.done()
    if agreement.provider and agreement.provider == agreement.consumer:
        fields.add("consumer", f"{agreement.consumer} needs no agreement to use what is its own")
    if agreement.approved_by and not agreement.approved_by.startswith(f"{agreement.provider}."):
        fields.add("approved_by", f"{agreement.approved_by} is not of {agreement.provider}, which has to approve")
    if not findings.found and agreement.ends < agreement.starts:
        fields.add("ends", f"it ends on {agreement.ends}, before it starts on {agreement.starts}")
    if problems := findings.told():
        raise Problems(problems, nothing_was="read")
    return agreement


def _day(fields: Fields, name: str) -> date:
    text = fields.text(name, required=True)
    try:
        return date.fromisoformat(text)
    except ValueError:
        if text:
            fields.add(name, f"agreement: {name} must be a date such as 2027-06-30, not {text!r}")
        return date.min
