"""What lets kernels work in parts: ranges of entities, orders by digits, ties settled for a few, kept tables."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from ethogram.core.signals.kernel.columns import Column, by_entity_and_time, put_back, stable_order
from ethogram.core.signals.kernel.events import Events
from ethogram.core.signals.kernel.ranges import Extremes


def events(entity, occurred, **columns):
    occurred = np.array(occurred, np.int64)
    return Events(np.array(entity, np.int64), occurred, occurred, None, columns)


@pytest.mark.parametrize("most", [1, 7, 50, 10_000])
@pytest.mark.parametrize("spread", [1, 1_000_003, 2**40])
def test_parts_hold_every_row_once_and_never_divide_an_entity(most, spread):
    entity = np.random.default_rng(1).integers(-3, 60, 500) * spread
    parts = events(entity, np.arange(500)).parted(most)
    assert sorted(np.concatenate([rows for _, rows in parts])) == list(range(500))
    for (least, rows), (following, _) in zip(parts, [*parts[1:], (2**62, None)], strict=True):
        assert (entity[rows] >= least).all()
        assert (entity[rows] < following).all()
        assert (np.diff(rows) > 0).all(), "rows keep their order"


def test_one_entity_with_most_of_the_events_is_a_part_of_its_own():
    entity = np.concatenate([np.full(900, 5), np.arange(100) * 100])
    sizes = [len(rows) for _, rows in events(entity, np.arange(1000)).parted(100)]
    assert max(sizes) < 920
    assert len(sizes) >= 2


def test_no_events_are_one_empty_part():
    ((_, rows),) = events([], []).parted(5)
    assert len(rows) == 0


@pytest.mark.parametrize("top", [1, 2**16, 2**40, 2**61])
def test_an_order_by_digits_is_the_stable_one(top):
    keys = np.random.default_rng(2).integers(0, top, 3_000)
    keys[::7] = keys[0]
    assert np.array_equal(stable_order(keys), np.argsort(keys, kind="stable"))


@pytest.mark.parametrize("far", [1, 2**61])
def test_order_by_entity_and_time_whatever_their_range(far):
    rng = np.random.default_rng(3)
    entity, at = rng.integers(-4, 4, 300) * far, rng.integers(-far, far, 300)
    assert np.array_equal(by_entity_and_time(entity, at), np.lexsort((at, entity)))


def test_put_back_undoes_an_order_nulls_included():
    column = Column(np.array([10, 20, 30]), np.array([True, False, True]))
    order = np.array([2, 0, 1])
    back = put_back(column.take(order), order)
    assert back.data.tolist() == [10, 20, 30]
    assert back.valid.tolist() == [True, False, True]


def test_rows_of_tied_entities_are_replaced_by_those_in_the_order_of_ids():
    words = Column(np.array([0, 1, 0, 1]), None, words=("a", "b"))
    found = events([1, 2, 2, 3], [5, 7, 7, 9], x=Column(np.array([10, 20, 30, 40])), y=words)
    assert found.ties().tolist() == [2]
    settled = events([2, 2], [7, 7], x=Column(np.array([30, 20])), y=Column(np.array([1, 0]), None, words=("a", "c")))
    after = found.instead(settled)
    assert after.columns["x"].data.tolist() == [10, 30, 20, 40]
    spoken = [after.columns["y"].words[code] for code in after.columns["y"].data]
    assert spoken == ["a", "c", "a", "b"]
    assert after.entity.tolist() == [1, 2, 2, 3]


@pytest.mark.parametrize("kept", [0, 10_000])
def test_extremes_are_the_same_asked_again_and_whether_levels_are_kept_or_not(monkeypatch, kept):
    monkeypatch.setattr(sys.modules[Extremes.__module__], "_KEPT", kept)
    values = np.random.default_rng(4).integers(-100, 100, 200)
    table = Extremes(values, largest=True)
    for _ in range(2):
        low = np.random.default_rng(5).integers(0, 199, 100)
        high = np.minimum(low + np.random.default_rng(6).integers(1, 150, 100), 200)
        assert table.between(low, high).tolist() == [values[a:b].max() for a, b in zip(low, high, strict=True)]
