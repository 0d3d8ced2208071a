"""What the demo says when its data cannot carry it."""

from __future__ import annotations

from pathlib import Path

import pytest

from ethogram.cli.story import Story, TooFewEvents
from ethogram.core.models.gate import GateResult
from ethogram.core.models.promotion import GatesFailed
from ethogram.core.scenarios import scenario


def failing(_: Story) -> int:
    raise GatesFailed("lapse", 1, "champion", [GateResult("ranking", "fail", "auc 0.5; needs auc >= 0.6")])


def told(dataset: str, events: int, project: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.chdir(project)
    monkeypatch.setattr(Story, "model", failing)
    with pytest.raises((TooFewEvents, GatesFailed)) as ended:
        Story(scenario(dataset), data=None, events=events, port=0).champion()
    return str(ended.value)


def test_a_shop_too_small_to_judge_a_model_on_says_which_size_tells(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = told("shop", 30_000, project, monkeypatch)
    assert said.startswith("refused: 1 of 1 gates fails\n  ranking")
    assert said.endswith("next: make demo ROWS=1000000")
    assert said.count("next:") == 1


@pytest.mark.parametrize(("dataset", "events"), [("shop", 1_000_000), ("online_retail", 30_000)])
def test_where_there_is_data_enough_a_failing_gate_speaks_for_itself(
    dataset: str, events: int, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "made events" not in told(dataset, events, project, monkeypatch)
