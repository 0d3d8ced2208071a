"""Surrogates: the same key is the same number, whoever asks and however many at once."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pytest
from sqlalchemy import Engine

from ethogram.adapters.postgres.consents import PostgresConsents
from ethogram.adapters.postgres.engine import open_engine
from ethogram.adapters.postgres.keys import PostgresKeys


@pytest.fixture(scope="module")
def engine(workspace: Path, state: str) -> Iterator[Engine]:
    opened = open_engine(workspace, state)
    yield opened
    opened.dispose()


def test_a_key_keeps_its_number_and_null_stays_null(engine):
    keys = PostgresKeys(engine)
    first = keys.intern("customer", pa.array(["a", None, "b", "a"])).to_pylist()
    assert first[0] == first[3] != first[2]
    assert first[1] is None
    assert keys.intern("customer", pa.chunked_array([["b"], ["a"]])).to_pylist() == [first[2], first[0]]
    assert keys.intern("customer", pa.array([None], pa.string())).to_pylist() == [None]


def test_the_same_key_of_another_entity_is_somebody_else(engine):
    keys = PostgresKeys(engine)
    (one,) = keys.intern("customer", pa.array(["k"])).to_pylist()
    (other,) = keys.intern("household", pa.array(["k"])).to_pylist()
    assert one != other


def test_odd_texts_come_back_as_they_were(engine):
    keys = PostgresKeys(engine)
    odd = ["tab\there", "new\nline", "back\\slash", "\\N", "ünï", " spaces "]
    ids = keys.intern("visitor", pa.array(odd)).to_pylist()
    assert keys.reveal("visitor", ids) == odd
    assert keys.find("visitor", [*odd, "nobody"]) == [*ids, None]
    assert keys.reveal("visitor", [-1]) == [None]


def test_interning_at_the_same_time_agrees(engine):
    keys = PostgresKeys(engine)
    wanted = [f"c{i}" for i in range(2000)]
    with ThreadPoolExecutor(4) as pool:
        turned = [wanted, wanted[::-1], wanted[1000:] + wanted[:1000], wanted]
        found = list(
            pool.map(
                lambda each: dict(zip(each, keys.intern("ticket", pa.array(each)).to_pylist(), strict=True)), turned
            )
        )
    assert all(each == found[0] for each in found)
    assert len(set(found[0].values())) == 2000


def test_a_change_of_consent_that_comes_twice_counts_once(engine):
    consents = PostgresConsents(engine)
    at = datetime(2025, 1, 1, tzinfo=UTC)
    changes = pa.table({"id": [1, 1], "purpose": ["research"] * 2, "allowed": [True, False], "changed_at": [at, at]})
    changes = changes.set_column(3, "changed_at", pa.array([at, at.replace(day=2)], pa.timestamp("us", "UTC")))
    assert consents.record("customer", changes, by="shop.analyst") == 2
    assert consents.record("customer", changes, by="shop.analyst") == 0
    found = consents.changes("customer", "research")
    assert found["allowed"].to_pylist() == [True, False]
    assert consents.changes("customer", "nothing").num_rows == 0
