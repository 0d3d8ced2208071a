from datetime import UTC, datetime

import pytest
from sqlalchemy import text

from ethogram.adapters.postgres.changes import PostgresChanges
from ethogram.adapters.postgres.models import NoChampion, NothingApplied, PostgresModels, UnknownVersion
from ethogram.core.models.promotion import ApprovalVoid, GatesFailed, MayNotApprove, NotApproved


def changes(registry):
    with registry.engine.connect() as connection:
        rows = connection.execute(text("SELECT action, principal, body FROM ethogram.change ORDER BY seq"))
        return [(row.action, row.principal, row.body) for row in rows]


def mlflow_alias(registry, alias="champion"):
    with registry.engine.connect() as connection:
        return connection.execute(
            text("SELECT version FROM mlflow.registered_model_aliases WHERE name = 'lapse' AND alias = :a"),
            {"a": alias},
        ).scalar()


def test_a_promotion_writes_alias_move_and_change_together(registry):
    version = registry.approved()
    before = len(changes(registry))
    moved = registry.models.move("lapse", version, "champion", principal="risk.modeller")
    assert moved.version == mlflow_alias(registry) == version
    assert registry.models.moves("lapse")[-1].digest == moved.digest
    (action, principal, body), *more = changes(registry)[before:]
    assert (action, principal, body["approved_by"], more) == ("alias.move", "risk.modeller", "risk.reviewer", [])


def test_promoting_again_changes_nothing(registry):
    version = registry.approved()
    registry.models.move("lapse", version, "champion", principal="risk.modeller")
    before = len(changes(registry)), len(registry.models.moves("lapse"))
    registry.models.move("lapse", version, "champion", principal="risk.modeller")
    assert (len(changes(registry)), len(registry.models.moves("lapse"))) == before


def test_who_was_champion_when_is_remembered(registry):
    first, second = registry.approved(), registry.approved()
    early = datetime(2000, 1, 1, tzinfo=UTC)
    registry.models.move("lapse", first, "champion", principal="risk.modeller")
    between = registry.models.moves("lapse")[-1].at
    registry.models.move("lapse", second, "champion", principal="risk.modeller")
    assert registry.models.at_alias("lapse").version == second
    assert registry.models.at_alias("lapse", at=between).version == first
    with pytest.raises(NoChampion, match="ethogram promote lapse VERSION champion"):
        registry.models.at_alias("lapse", at=early)


def test_a_refusal_writes_nothing(registry):
    version = registry.train().version.version
    before = len(changes(registry)), mlflow_alias(registry)
    with pytest.raises(NotApproved):
        registry.models.move("lapse", version, "champion", principal="risk.modeller")
    assert (len(changes(registry)), mlflow_alias(registry)) == before


def test_an_approval_is_one_change_and_binds_to_the_digest(registry):
    version = registry.train().version
    before = len(changes(registry))
    approval = registry.models.decide(
        "lapse", version.version, "champion", decision="approve", principal="risk.reviewer", note="figures are fine"
    )
    assert approval.digest == version.digest
    ((action, principal, body),) = changes(registry)[before:]
    assert (action, principal, body["digest"]) == ("model.approve", "risk.reviewer", version.digest)


def test_an_author_may_not_approve(registry):
    version = registry.train(principal="risk.reviewer").version.version
    with pytest.raises(MayNotApprove, match="it is its author"):
        registry.models.decide("lapse", version, "champion", decision="approve", principal="risk.reviewer")


@pytest.mark.parametrize("tampering", ["one byte", "a file more", "a file less"])
def test_changed_content_voids_the_approval(registry, tampering):
    version = registry.approved()
    folder = registry.models.folder(registry.models.version("lapse", version))
    document = next(folder.rglob("model.json"))
    if tampering == "one byte":
        document.write_bytes(document.read_bytes().replace(b"0", b"1", 1))
    elif tampering == "a file more":
        (folder / "extra.txt").write_text("x")
    else:
        (folder / "requirements.txt").unlink()
    with pytest.raises(ApprovalVoid, match="approval void"):
        registry.models.move("lapse", version, "champion", principal="risk.modeller")
    with pytest.raises(ApprovalVoid):
        registry.models.decide("lapse", version, "champion", decision="approve", principal="risk.reviewer")
    with pytest.raises(ApprovalVoid):
        registry.models.document(registry.models.version("lapse", version))


def test_a_gate_that_is_unknown_refuses_promotion(registry):
    trained = registry.train(audit={})
    version = trained.version.version
    registry.models.decide("lapse", version, "champion", decision="approve", principal="risk.reviewer")
    with pytest.raises(GatesFailed, match=r"1 of 9 gates fails\n  look-ahead  future_features unknown"):
        registry.models.move("lapse", version, "champion", principal="risk.modeller")


def test_gates_are_remembered_with_the_digest_they_are_of(registry):
    version = registry.train().version
    with registry.engine.connect() as connection:
        rows = connection.execute(
            text("SELECT gate, digest, verdict FROM ethogram.gate_result WHERE model = 'lapse' AND version = :v"),
            {"v": version.version},
        ).all()
    assert len(rows) == 9
    assert {row.digest for row in rows} == {version.digest}


def test_an_unknown_version_names_those_there_are(registry):
    known = registry.train().version.version
    with pytest.raises(UnknownVersion, match=f"no registered version 9999; it has .*{known}"):
        registry.models.version("lapse", 9999)


def test_where_nothing_is_applied_nothing_is_allowed(workspace, state, tmp_path):
    from ethogram.adapters.postgres.engine import open_engine

    models = PostgresModels(open_engine(workspace, state), tmp_path)
    with pytest.raises(NothingApplied, match="ethogram apply"):
        models.rules()


def test_the_ledger_of_all_this_verifies(registry):
    registry.train()
    assert PostgresChanges(registry.engine).verify() is None
