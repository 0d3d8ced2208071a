"""The newest fact that an observation may see, against the naive reading of the same words."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from ethogram.core.latest import UNKNOWN, Latest, Observations

times = st.integers(-3, 12)
keys = st.integers(-1, 3)
facts = st.lists(st.tuples(keys, st.one_of(times, st.just(UNKNOWN)), st.one_of(times, st.just(UNKNOWN))), max_size=30)
observations = st.lists(st.tuples(keys, times), max_size=12)
ages = st.one_of(st.none(), st.integers(0, 6))


def naive(asked, facts, *, max_age, as_known, created):
    rows = []
    for key, at in asked:
        seen = []
        for row, (whose, happened, known) in enumerate(facts):
            if key < 0 or whose != key or happened == UNKNOWN or happened > at:
                continue
            if as_known and created and (known == UNKNOWN or known > at):
                continue
            seen.append((happened, known if created else 0, row))
        newest = max(seen, default=None)
        if newest is None or (max_age is not None and at - newest[0] > max_age):
            rows.append(-1)
        else:
            rows.append(newest[2])
    return rows


def ints(values):
    return np.array(list(values), np.int64)


def offered(latest, facts, start, *, created):
    latest.offer(
        ints(f[0] for f in facts),
        ints(f[1] for f in facts),
        ints(f[2] for f in facts) if created else None,
        first_row=start,
    )


@given(observations, facts, ages, st.booleans(), st.booleans(), st.integers(1, 30), st.booleans())
def test_it_is_what_a_look_at_every_fact_gives_however_the_facts_are_cut(
    asked, facts, max_age, as_known, created, size, backwards
):
    latest = Latest(
        Observations(ints(o[0] for o in asked), ints(o[1] for o in asked)), max_age=max_age, as_known=as_known
    )
    starts = list(range(0, len(facts), size))
    for start in reversed(starts) if backwards else starts:
        offered(latest, facts[start : start + size], start, created=created)
    assert latest.rows().tolist() == naive(asked, facts, max_age=max_age, as_known=as_known, created=created)


@given(observations, facts, st.integers(0, 10), st.booleans())
def test_facts_of_the_future_change_nothing(asked, facts, now, as_known):
    asked = [(key, at) for key, at in asked if at <= now]
    past = [(k, h, c) if h <= now and (not as_known or c <= now) else (-1, h, c) for k, h, c in facts]
    answers = []
    for known in (facts, past):
        latest = Latest(Observations(ints(o[0] for o in asked), ints(o[1] for o in asked)), as_known=as_known)
        offered(latest, known, 0, created=True)
        answers.append(latest.rows().tolist())
    assert answers[0] == answers[1]


def test_threads_that_offer_at_once_give_the_answer_of_one():
    rng = np.random.default_rng(3)
    asked = Observations(rng.integers(0, 50, 2000), rng.integers(0, 1000, 2000))
    whose, happened, created = (rng.integers(0, n, 40_000) for n in (60, 900, 20))
    alone, together = Latest(asked, as_known=True), Latest(asked, as_known=True)
    alone.offer(whose, happened, created, first_row=0)

    def offer(start):
        cut = slice(start, start + 500)
        together.offer(whose[cut], happened[cut], created[cut], first_row=start)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(offer, range(0, 40_000, 500)))
    assert (together.rows() == alone.rows()).all()


def test_a_key_with_most_of_the_observations_is_searched_like_any_other():
    rng = np.random.default_rng(5)
    keys, at = np.where(rng.random(3000) < 0.9, 0, rng.integers(1, 9, 3000)), rng.integers(0, 10**15, 3000)
    whose, happened = rng.integers(0, 9, 3000), rng.integers(0, 10**15, 3000)
    latest = Latest(Observations(keys, at))
    latest.offer(whose, happened, first_row=0)
    for row, key, now in zip(latest.rows()[:200], keys, at, strict=False):
        seen = happened[(whose == key) & (happened <= now)]
        assert (row == -1) if not len(seen) else (whose[row] == key and happened[row] == seen.max())
