"""Apply: the printed steps in one transaction with their audit rows, then Feast; interrupted anywhere, run again."""

from __future__ import annotations

import dataclasses
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from ethogram.adapters.postgres.changes import PostgresChanges
from ethogram.adapters.postgres.declarations import PostgresDeclarations
from ethogram.adapters.postgres.engine import open_engine
from ethogram.adapters.workspace_files import read_content
from ethogram.core.workspace import Workspace, load_workspace
from ethogram.usecases.apply import NotApplied, apply, steps

SIGNALS = "feature_repo/teams/shop/signals.py"


@pytest.fixture(scope="module")
def content(workspace: Path) -> dict[str, str]:
    return dict(read_content(workspace))


@pytest.fixture(scope="module")
def declared(content: dict[str, str]) -> Workspace:
    return load_workspace(content)


@pytest.fixture(scope="module")
def engine(workspace: Path, state: str) -> Engine:
    return open_engine(workspace, state)


@pytest.fixture
def declarations(engine: Engine) -> PostgresDeclarations:
    with engine.begin() as connection:
        connection.execute(text("truncate ethogram.declaration, ethogram.change"))
    return PostgresDeclarations(engine)


class Published:
    """Stands for Feast, which tests/peers/test_plain_feast.py runs for real: keeps what came, or fails."""

    def __init__(self, *, fails: int = 0) -> None:
        self.fails, self.came = fails, 0

    def __call__(self, _: Workspace) -> None:
        if self.fails:
            self.fails -= 1
            raise ConnectionError("Feast's registry is not there")
        self.came += 1


def rows(engine: Engine, sql: str) -> list[tuple[object, ...]]:
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(text(sql))]


def test_the_first_apply_makes_all_with_one_audit_row_each(
    declared: Workspace, declarations: PostgresDeclarations, engine: Engine
) -> None:
    todo = steps(declared, declarations)
    done = apply(declared, declarations=declarations, publish=Published(), principal="platform")
    assert list(done.steps) == todo
    assert str(done) == f"{len(todo)} created, 0 changed, 0 removed"
    made = [(step.kind, step.name) for step in todo]
    declared_rows = "select kind, name from ethogram.declaration where kind <> 'projection' order by kind, name"
    assert rows(engine, declared_rows) == sorted(made)
    assert rows(engine, "select action, subject, principal from ethogram.change order by seq") == [
        ("create", f"{kind} {name}", "platform") for kind, name in made
    ]
    assert PostgresChanges(engine).verify() is None


def test_applying_again_changes_nothing_and_publishes_only_when_asked(
    declared: Workspace, declarations: PostgresDeclarations, engine: Engine
) -> None:
    first = apply(declared, declarations=declarations, publish=Published(), principal="platform")
    count = rows(engine, "select count(*) from ethogram.change")
    published = Published()
    second = apply(declared, declarations=declarations, publish=published, principal="platform")
    assert str(second) == "nothing to do; what is declared is applied"
    assert (second.digest, published.came) == (first.digest, 0)
    apply(declared, declarations=declarations, publish=published, principal="platform", always_publish=True)
    assert published.came == 1
    assert rows(engine, "select count(*) from ethogram.change") == count


def test_a_changed_and_a_removed_thing_are_a_step_and_an_audit_row_each(
    content: dict[str, str], declared: Workspace, declarations: PostgresDeclarations, engine: Engine
) -> None:
    before = apply(declared, declarations=declarations, publish=Published(), principal="platform")
    changed = content | {SIGNALS: content[SIGNALS].replace("basket_max_180d", "basket_top_180d")}
    changed.pop("contracts/agreements/growth-community.yaml")
    after = apply(load_workspace(changed), declarations=declarations, publish=Published(), principal="shop.analyst")
    assert [str(step) for step in after.steps] == [
        "shop         ~ signal basket 1",
        "platform     - agreement growth-community",
    ]
    assert after.digest != before.digest
    altered = rows(engine, "select action, subject, principal, body from ethogram.change order by seq desc limit 2")
    assert [row[:3] for row in altered] == [
        ("remove", "agreement growth-community", "shop.analyst"),
        ("change", "signal basket@1", "shop.analyst"),
    ]
    body = altered[1][3]
    assert isinstance(body, dict)
    assert body["digest"] != body["before"]
    back = apply(declared, declarations=declarations, publish=Published(), principal="platform")
    assert back.digest == before.digest


def test_the_digest_is_of_the_content_and_not_of_where_it_stands(
    content: dict[str, str], declared: Workspace, declarations: PostgresDeclarations
) -> None:
    apply(declared, declarations=declarations, publish=Published(), principal="platform")
    moved = content | {SIGNALS: "# a line more\n" + content[SIGNALS]}
    assert steps(load_workspace(moved), declarations) == []


def test_a_crash_before_feast_heard_of_it_is_mended_by_the_next_apply(
    declared: Workspace, declarations: PostgresDeclarations, engine: Engine
) -> None:
    published = Published(fails=1)
    with pytest.raises(ConnectionError):
        apply(declared, declarations=declarations, publish=published, principal="platform")
    assert steps(declared, declarations) == []
    count = rows(engine, "select count(*) from ethogram.change")
    done = apply(declared, declarations=declarations, publish=published, principal="platform")
    assert (done.steps, published.came) == ((), 1)
    assert rows(engine, "select count(*) from ethogram.change") == count


def test_a_crash_among_the_tables_leaves_all_as_it_was(
    declared: Workspace, declarations: PostgresDeclarations, engine: Engine
) -> None:
    broken = dataclasses.replace(declared.declared()[-1], owner=None)  # type: ignore[arg-type]  # what no column takes
    with pytest.raises(Exception, match="owner"):
        declarations.replace([*declared.declared()[:-1], broken], [], by="platform")
    assert rows(engine, "select count(*) from ethogram.declaration") == [(0,)]
    assert rows(engine, "select count(*) from ethogram.change") == [(0,)]


def test_two_at_once_go_one_after_the_other(
    declared: Workspace, declarations: PostgresDeclarations, engine: Engine
) -> None:
    assert declarations.current() == {}

    def one(_: int) -> int:
        done = apply(declared, declarations=PostgresDeclarations(engine), publish=Published(), principal="platform")
        return len(done.steps)

    with ThreadPoolExecutor(3) as pool:
        counts = sorted(pool.map(one, range(3)))
    assert counts == [0, 0, len(declared.declared())]
    assert PostgresChanges(engine).verify() is None


def test_what_is_not_applied_is_refused_with_the_first_steps(
    declared: Workspace, declarations: PostgresDeclarations
) -> None:
    todo = steps(declared, declarations)
    refusal = NotApplied(todo)
    lines = str(refusal).splitlines()
    assert lines[0] == "the working tree is not what was applied:"
    assert lines[1:6] == [f"  {step}" for step in todo[:5]]
    assert lines[6:] == [f"  … and {len(todo) - 5} more", "next: ethogram apply"]
    assert refusal.exit_status == 1
