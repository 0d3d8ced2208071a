from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import text

from ethogram.adapters.postgres.changes import PostgresChanges
from ethogram.adapters.postgres.engine import open_engine


@pytest.fixture(scope="module")
def engine(workspace, state):
    engine = open_engine(workspace, state)
    yield engine
    engine.dispose()


@pytest.fixture
def ledger(engine):
    with engine.begin() as connection:
        connection.execute(text("TRUNCATE ethogram.change"))
    ledger = PostgresChanges(engine)
    for number in range(4):
        body = {"number": number, "rate": 1e20 if number else 0.1, "text": "Größe ☃", "none": None}
        ledger.write(principal="risk.modeller", action="test", subject=f"model m{number}", body=body)
    return ledger


def test_an_untouched_ledger_verifies(ledger):
    assert ledger.verify() is None


@pytest.mark.parametrize(
    ("tamper", "seq"),
    [
        ("UPDATE ethogram.change SET principal = 'somebody.else' WHERE seq = 2", 2),
        ("UPDATE ethogram.change SET body = body || '{\"number\": 9}' WHERE seq = 3", 3),
        ("UPDATE ethogram.change SET at = at - interval '1 day' WHERE seq = 1", 1),
        ("DELETE FROM ethogram.change WHERE seq = 2", 2),
        ("DELETE FROM ethogram.change WHERE seq = 1", 1),
        ("UPDATE ethogram.change SET previous = repeat('a', 64) WHERE seq = 4", 4),
    ],
)
def test_tampering_shows_where_it_happened(ledger, engine, tamper, seq):
    with engine.begin() as connection:
        connection.execute(text(tamper))
    assert ledger.verify().seq == seq


def test_writers_at_once_make_one_chain(ledger):
    def write(number):
        return ledger.write(principal="p", action="a", subject=f"s{number}", body={})

    with ThreadPoolExecutor(6) as pool:
        numbers = list(pool.map(write, range(24)))
    assert sorted(numbers) == list(range(5, 29))
    assert ledger.verify() is None
