from datetime import UTC, datetime, timedelta

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from ethogram.core.governance.consent import Mask, mask
from ethogram.core.time import micros

START = datetime(2026, 1, 1, tzinfo=UTC)


def day(number: float) -> datetime:
    return START + timedelta(days=number)


def said(*changes: tuple[int, float, bool], basis: str = "opt_out", now: float = 100) -> Mask:
    ids = np.array([id for id, _, _ in changes], np.int64)
    at = np.array([micros(day(when)) for _, when, _ in changes], np.int64)
    return mask(ids, at, np.array([allowed for _, _, allowed in changes], np.bool_), basis=basis, now=day(now))


def allows(found: Mask, *asked: tuple[int, float]) -> list[bool]:
    entities = np.array([id for id, _ in asked], np.int64)
    return found.allows(entities, np.array([micros(day(when)) for _, when in asked], np.int64)).tolist()


def test_who_said_nothing_is_allowed_under_opt_out_and_not_under_opt_in():
    assert allows(said(), (1, 5), (2, 9)) == [True, True]
    assert allows(said(basis="opt_in"), (1, 5), (2, 9)) == [False, False]
    assert allows(said((1, 3, False)), (2, 5)) == [True]


def test_a_refusal_that_stands_reaches_back_to_everything_before_it():
    assert allows(said((1, 50, False)), (1, 5), (1, 60), (2, 60)) == [False, False, True]


def test_a_consent_given_again_does_not_reach_back_over_the_refusal():
    found = said((1, 10, False), (1, 20, True))
    assert allows(found, (1, 5), (1, 10), (1, 15), (1, 20), (1, 25)) == [True, False, False, True, True]


def test_an_opt_in_counts_from_its_instant_on():
    found = said((1, 10, True), basis="opt_in")
    assert allows(found, (1, 9.999), (1, 10), (1, 11)) == [False, True, True]


def test_a_change_after_the_read_is_not_yet_true():
    assert allows(said((1, 50, False), now=49), (1, 5)) == [True]
    assert allows(said((1, 50, False), now=50), (1, 5)) == [False]


def test_at_one_instant_the_refusal_wins():
    assert allows(said((1, 10, False), (1, 10, True)), (1, 11)) == [False]
    assert allows(said((1, 10, True), (1, 10, False)), (1, 11)) == [False]


def test_the_order_in_which_changes_come_does_not_matter():
    assert allows(said((2, 5, False), (1, 20, True), (1, 10, False)), (1, 15), (1, 25), (2, 25)) == [False, True, False]


def test_the_refused_of_today_are_listed():
    assert said((1, 5, False), (2, 5, False), (2, 6, True), (3, 7, False)).refused().tolist() == [1, 3]


_belongs = st.lists(st.tuples(st.integers(1, 3), st.integers(11, 13)), min_size=1, max_size=5, unique=True)
_words = st.tuples(st.integers(0, 8), st.booleans())


@given(
    own=st.lists(st.tuples(st.integers(1, 4), _words), max_size=6),
    theirs=st.lists(st.tuples(st.integers(11, 14), _words), max_size=6),
    belongs=_belongs,
    asked=st.lists(st.tuples(st.integers(1, 4), st.integers(0, 9)), max_size=8),
    basis=st.sampled_from(["opt_in", "opt_out"]),
)
def test_who_belongs_to_somebody_that_refuses_is_refused_and_nobody_else(own, theirs, belongs, asked, basis):
    def word(changes, id, until, default):
        said = sorted((when, not allowed) for who, (when, allowed) in changes if who == id and when <= until)
        return not said[-1][1] if said else default

    def usable(id, until):
        parents = [parent for child, parent in belongs if child == id]
        return word(own, id, until, basis == "opt_out") and all(word(theirs, p, until, True) for p in parents)

    def flat(changes):
        return [(who, when, allowed) for who, (when, allowed) in changes]

    children, parents = (np.array(each, np.int64) for each in zip(*belongs, strict=True))
    both = said(*flat(own), basis=basis).below(said(*flat(theirs), basis="opt_out"), children, parents)
    spoke = {who for who, _ in own} | {c for c, p in belongs if any(who == p for who, _ in theirs)}
    right = [usable(id, when) and not (id in spoke and not usable(id, 99)) for id, when in asked]
    assert allows(both, *asked) == right


_changes = st.lists(st.tuples(st.integers(1, 3), st.integers(0, 8), st.booleans()), max_size=8)
_asked = st.lists(st.tuples(st.integers(1, 4), st.integers(0, 9)), max_size=8)


@given(changes=_changes, asked=_asked, basis=st.sampled_from(["opt_in", "opt_out"]), now=st.integers(0, 9))
def test_the_mask_says_what_reading_the_changes_one_by_one_says(changes, asked, basis, now):
    def word(id: int, until: int) -> bool:
        own = sorted((when, not allowed) for who, when, allowed in changes if who == id and when <= min(until, now))
        return not own[-1][1] if own else basis == "opt_out"

    def withdrawn(id: int) -> bool:
        return any(who == id and when <= now for who, when, _ in changes) and not word(id, now)

    right = [word(id, when) and not withdrawn(id) for id, when in asked]
    assert allows(said(*changes, basis=basis, now=now), *asked) == right
