from decimal import Decimal

import pytest

from ethogram.core.models.declaration import load_model, model_of
from ethogram.core.workspace import plain
from ethogram.errors import Problems

LAPSE = """\
model: lapse
owner: risk
outcome: lapsed_90d
signals: [purchase_rhythm@4, browsing]
intent: Rank customers for the winback campaign, which reaches 400 a day.
limits: [Not for customers with fewer than two purchases.]
purpose: churn_prevention
risk: medium                          # decides gates and board
value: {contact: 1.20 EUR, saved: 38.00 EUR, accepts: 12 %}
score: contracts/scores/lapse.yaml
"""


def test_a_declaration_is_read_whole_and_survives_storage():
    model = load_model(LAPSE, "registry/models/lapse.yaml")
    assert model.signals == ("purchase_rhythm@4", "browsing")
    assert model.value.accepts == Decimal("0.12")
    assert str(model.origin) == "registry/models/lapse.yaml:1"
    assert model_of(plain(model)) == model


def test_wording_does_not_change_how_it_is_trained_but_signals_do():
    model = load_model(LAPSE, "lapse.yaml")
    assert load_model(LAPSE.replace("400 a day", "500 a day"), "lapse.yaml").digest == model.digest
    assert load_model(LAPSE.replace(", browsing", ""), "lapse.yaml").digest != model.digest


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (
            ("risk: medium ", "risk: middle "),
            "lapse.yaml:8: model lapse: risk cannot be 'middle'; it is one of low, medium, high",
        ),
        (("purpose:", "purpos:"), "lapse.yaml:7: model lapse has no field 'purpos'; did you mean purpose?"),
        (("1.20 EUR", "1.20"), 'lapse.yaml:9: value: contact must be text, not 1.2; write "1.2" in quotes'),
        (("38.00 EUR", "38.00 GBP"), "contact is in EUR and saved in GBP"),
        (("12 %", "twelve"), "lapse.yaml:9: value: accepts must be a share like \"12 %\", not 'twelve'"),
        (("browsing", "browsing@0"), "'browsing@0' is no signal; write name or name@version"),
    ],
)
def test_a_mistake_is_told_with_its_line(change, problem):
    with pytest.raises(Problems) as refused:
        load_model(LAPSE.replace(*change), "lapse.yaml")
    assert problem in str(refused.value)
