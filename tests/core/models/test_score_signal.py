from datetime import timedelta

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from ethogram.core.models.score_signal import latest

pairs = st.lists(st.tuples(st.integers(1, 4), st.integers(0, 30)), max_size=40)


@given(pairs, pairs, st.integers(0, 20))
def test_the_newest_valid_score_answers_and_never_a_later_one(scores, asked, valid):
    found = latest(
        np.array([e for e, _ in scores], dtype=np.int64),
        np.array([t for _, t in scores], dtype=np.int64),
        asked_entity=np.array([e for e, _ in asked], dtype=np.int64),
        asked_as_of=np.array([t for _, t in asked], dtype=np.int64),
        valid_for=timedelta(microseconds=valid),
    )
    for (entity, at), row in zip(asked, found, strict=True):
        usable = [
            (t, i)
            for i, (e, t) in enumerate(scores)
            if e == entity and t <= at and at - max(u for f, u in scores if f == entity and u <= at) <= valid
        ]
        assert row == (max(usable)[1] if usable else -1)
