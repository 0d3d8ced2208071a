"""Consent as reads obey it, over a real lake and a real ledger of what was said."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from ethogram.adapters.delta.lake import DeltaLake
from ethogram.adapters.postgres.consents import PostgresConsents
from ethogram.adapters.postgres.engine import open_engine
from ethogram.core.governance.purpose import Purpose
from ethogram.core.taxonomy import Behavior, Entity, Taxonomy
from ethogram.core.time import micros
from ethogram.usecases.consent import consent_mask

MAY = datetime(2026, 5, 1, tzinfo=UTC)
DAY = timedelta(days=1)
NOW = MAY + 30 * DAY
SUPPORT = Purpose("support", "Help.", "opt_out")
RESEARCH = Purpose("research", "Learn.", "opt_in")


def behavior(id: str, *entities: str) -> Behavior:
    return Behavior(
        id=id, brief="Something.", noun="thing", plural="things", actor=entities[0], entities=entities, properties={}
    )


TAXONOMY = Taxonomy(
    entities={
        "faculty": Entity("faculty", "A faculty.", "faculties", "faculty_id"),
        "student": Entity("student", "A student.", "students", "student_id", rolls_up_to="faculty"),
        "enrolment": Entity("enrolment", "One on a course.", "enrolments", "enrolment_id", rolls_up_to="student"),
    },
    behaviors={
        each.id: each
        for each in (
            behavior("learning.click", "enrolment", "student"),
            behavior("learning.joined", "student", "faculty"),
            behavior("learning.quiz", "enrolment", "student"),  # that nobody took
        )
    },
)


class Place:
    """Enrolments 1 and 2 are of student 101, 3 of student 102; both students are of faculty 201."""

    def __init__(self, root: Path, sql: Any) -> None:
        self.lake, self.consents = DeltaLake(root / "lake"), PostgresConsents(sql)
        self.add("learning.click", "enrolment", "student", [(1, 101), (2, 101), (3, 102), (3, 102)], unit="a")
        self.add("learning.joined", "student", "faculty", [(101, 201), (102, 201)], unit="b")

    def add(self, behavior: str, child: str, parent: str, rows: list[tuple[int, int]], *, unit: str) -> None:
        table = pa.table(
            {child: [row[0] for row in rows], parent: [row[1] for row in rows], "month": ["m"] * len(rows)}
        )
        self.lake.append(f"events/{behavior}", table.to_reader(), unit=unit, partition_by=["month"])

    def say(self, entity: str, id: int, *, allowed: bool, at: datetime = MAY, purpose: Purpose = SUPPORT) -> None:
        table = pa.table({"id": [id], "purpose": [purpose.name], "allowed": [allowed], "changed_at": [at]})
        assert self.consents.record(entity, table, by="care.analyst") == 1

    def allowed(self, at: datetime = NOW, *, purpose: Purpose = SUPPORT, only: list[int] | None = None) -> list[int]:
        read = consent_mask(
            "enrolment", purpose, taxonomy=TAXONOMY, consents=self.consents, lake=self.lake, now=NOW, only=only
        )
        ids = np.array(only or [1, 2, 3, 4])
        return ids[read.allows(ids, np.full(len(ids), micros(at)))].tolist()


@pytest.fixture
def place(tmp_path: Path, workspace: Path, state: str, request: pytest.FixtureRequest) -> Any:
    engine = open_engine(workspace, f"{state}_{abs(hash(request.node.name)) % 10**6}")
    yield Place(tmp_path, engine)
    engine.dispose()


def test_a_students_refusal_is_one_of_all_their_enrolments_past_and_to_come(place: Place):
    assert place.allowed() == [1, 2, 3, 4]
    place.say("student", 101, allowed=False)
    assert place.allowed() == [3, 4]
    assert place.allowed(MAY - DAY) == [3, 4]  # withdrawn when the read runs
    assert place.allowed(only=[2, 3]) == [3]
    place.add("learning.click", "enrolment", "student", [(4, 101)], unit="later")
    assert place.allowed() == [3]


def test_an_enrolments_own_word_does_not_overrule_its_student(place: Place):
    place.say("student", 101, allowed=False)
    place.say("enrolment", 1, allowed=True, at=MAY + DAY)
    assert place.allowed() == [3, 4]
    place.say("student", 101, allowed=True, at=MAY + 2 * DAY)
    assert place.allowed() == [1, 2, 3, 4]
    assert place.allowed(MAY + DAY) == [3, 4]
    place.say("enrolment", 2, allowed=False, at=MAY + 3 * DAY)
    assert place.allowed() == [1, 3, 4]


def test_a_refusal_reaches_down_every_step(place: Place):
    place.say("faculty", 201, allowed=False)
    assert place.allowed() == [4]


def test_silence_above_refuses_nothing_where_one_must_opt_in(place: Place):
    for enrolment in (1, 3):
        place.say("enrolment", enrolment, allowed=True, purpose=RESEARCH)
    assert place.allowed(purpose=RESEARCH) == [1, 3]
    place.say("student", 102, allowed=False, purpose=RESEARCH)
    assert place.allowed(purpose=RESEARCH) == [1]
    assert place.allowed() == [1, 2, 3, 4]
