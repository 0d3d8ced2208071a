import json
from datetime import timedelta
from importlib.resources import files

import jsonschema
import pytest
import yaml

from ethogram.core.models.score_contract import load_score_contract
from ethogram.errors import Problems


def contracts(project):
    return sorted((project / "contracts" / "scores").glob("*.yaml"))


def test_every_score_contract_is_odcs_and_means_something(project):
    schema = json.loads((files("open_data_contract_standard") / "schema.json").read_text())
    found = contracts(project)
    assert len(found) >= 4
    for path in found:
        jsonschema.validate(yaml.safe_load(path.read_text()), schema)
        contract = load_score_contract(path.read_text(), path.name)
        assert contract.bands[-1].below > 1
        assert contract.valid_for >= timedelta(days=1)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (("property: direction", "property: way"), "needs the custom property direction"),
        (("below: 0.6", "below: 0.1"), "bands must rise"),
        (("value: 35d", "value: 35x"), 'validFor="35x" is not a duration'),
        (("version: 1.0.0", 'version: "1"'), "version '1' is not like 1.0.0"),
        (("higher_is_more_likely", "up"), "direction: value cannot be 'up'"),
    ],
)
def test_a_contract_that_leaves_meaning_open_is_refused(project, change, problem):
    text = (project / "contracts" / "scores" / "lapse.yaml").read_text()
    assert change[0] in text
    with pytest.raises(Problems) as refused:
        load_score_contract(text.replace(*change), "lapse.yaml")
    assert problem in str(refused.value)
