"""Every table of the shared state, in one place; migrations bring a database here.

Entity ids outside `entity_key`, `consent` and `quarantine` are surrogates; raw keys stand in those three alone.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    Double,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

metadata = MetaData(
    schema="ethogram",
    naming_convention={
        "pk": "%(table_name)s_pkey",
        "fk": "%(table_name)s_%(column_0_name)s_fkey",
        "uq": "%(table_name)s_%(column_0_N_name)s_key",
        "ix": "%(table_name)s_%(column_0_N_name)s_idx",
        "ck": "%(table_name)s_%(constraint_name)s_check",
    },
)

_INSTANT = DateTime(timezone=True)
_NOW = text("clock_timestamp()")

# What was applied: one current row per declared thing.
declaration = Table(
    "declaration",
    metadata,
    Column(
        "kind", Text, primary_key=True
    ),  # behavior entity source signal outcome model contract agreement policy team
    Column("name", Text, primary_key=True),  # with its version where it has one: purchase_rhythm@4
    Column("owner", Text, nullable=False),
    Column("body", JSONB, nullable=False),
    Column("digest", Text, nullable=False),
    Column("origin", Text, nullable=False),
    Column("applied_at", _INSTANT, nullable=False, server_default=_NOW),
    Column("applied_by", Text, nullable=False),
)

# What we altered, hash-chained; written in the same transaction as the alteration.
change = Table(
    "change",
    metadata,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("at", _INSTANT, nullable=False),
    Column("principal", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("body", JSONB, nullable=False),
    Column("previous", Text, nullable=False),
    Column("hash", Text, nullable=False),
    Index("change_subject_idx", "subject"),
)

# Raw keys and their surrogates.
entity_key = Table(
    "entity_key",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("entity", Text, nullable=False),
    Column("key", Text, nullable=False),
    UniqueConstraint("entity", "key"),
)

source_run = Table(
    "source_run",
    metadata,
    Column("run", Text, primary_key=True),
    Column("source", Text, nullable=False),
    Column("principal", Text, nullable=False),
    Column("started_at", _INSTANT, nullable=False),
    Column("finished_at", _INSTANT),
    Column("state", Text, nullable=False),  # running done failed
    Column("report", JSONB, nullable=False, server_default=text("'{}'::jsonb")),
    Index("source_run_source_idx", "source", "started_at"),
)

# One row per raw file (or table) that was taken in whole.
source_unit = Table(
    "source_unit",
    metadata,
    Column("source", Text, primary_key=True),
    Column("unit", Text, primary_key=True),  # digest of path and content
    Column("path", Text, nullable=False),
    Column("mapping", Text, nullable=False),  # digest of the mapping that took it in
    Column("run", Text, ForeignKey("ethogram.source_run.run"), nullable=False),
    Column("done_at", _INSTANT, nullable=False, server_default=_NOW),
    Column("report", JSONB, nullable=False),  # rows, events by behavior, unmapped, anonymous, quarantined, coverage …
)

quarantine = Table(
    "quarantine",
    metadata,
    Column("source", Text, primary_key=True),
    Column("unit", Text, primary_key=True),
    Column("row", BigInteger, primary_key=True),  # 1-based position in the file
    Column("path", Text, nullable=False),
    Column("run", Text, nullable=False),
    Column("reasons", JSONB, nullable=False),  # list of {rule, column, message}
    Column("raw", JSONB, nullable=False),
)

consent = Table(
    "consent",
    metadata,
    Column("seq", BigInteger, Identity(always=True), primary_key=True),
    Column("entity", Text, nullable=False),
    Column("id", BigInteger, nullable=False),
    Column("purpose", Text, nullable=False),
    Column("allowed", Boolean, nullable=False),
    Column("changed_at", _INSTANT, nullable=False),
    Column("recorded_at", _INSTANT, nullable=False, server_default=_NOW),
    Column("recorded_by", Text, nullable=False),
    Index("consent_entity_id_purpose_idx", "entity", "id", "purpose", "changed_at"),
    Index("consent_purpose_entity_idx", "purpose", "entity"),
)

training_set = Table(
    "training_set",
    metadata,
    Column("version", Text, primary_key=True),  # outcome/digest
    Column("outcome", Text, nullable=False),
    Column("purpose", Text, nullable=False),
    Column("created_at", _INSTANT, nullable=False, server_default=_NOW),
    Column("created_by", Text, nullable=False),
    Column("request", JSONB, nullable=False),  # signals, schedule, table versions: all that decides its bytes
    Column("report", JSONB, nullable=False),  # rows, entities, left out, label rate, per-feature profile
)

# What a model version is, beside MLflow's own row: the content its approval binds to.
model_version = Table(
    "model_version",
    metadata,
    Column("model", Text, primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("digest", Text, nullable=False),
    Column("author", Text, nullable=False),
    Column("run_id", Text, nullable=False),
    Column("training_set", Text, ForeignKey("ethogram.training_set.version"), nullable=False),
    Column("learner", Text, nullable=False),
    Column("created_at", _INSTANT, nullable=False, server_default=_NOW),
    Column("manifest", JSONB, nullable=False),  # file -> sha256, signature, signals, declaration digest
    Column("report", JSONB, nullable=False),  # validation figures, curves
)

gate_result = Table(
    "gate_result",
    metadata,
    Column("model", Text, primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("gate", Text, primary_key=True),
    Column("digest", Text, nullable=False),
    Column("verdict", Text, nullable=False),  # pass fail unknown
    Column("detail", Text, nullable=False),
    Column("evaluated_at", _INSTANT, nullable=False, server_default=_NOW),
    CheckConstraint("verdict in ('pass', 'fail', 'unknown')", name="verdict"),
)

approval = Table(
    "approval",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("model", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("alias", Text, nullable=False),
    Column("digest", Text, nullable=False),
    Column("principal", Text, nullable=False),
    Column("decision", Text, nullable=False),  # approve reject
    Column("note", Text, nullable=False, server_default=""),
    Column("at", _INSTANT, nullable=False, server_default=_NOW),
    CheckConstraint("decision in ('approve', 'reject')", name="decision"),
    Index("approval_model_version_alias_idx", "model", "version", "alias"),
)

# Who may be champion, now and before: the truth that MLflow's alias is a projection of.
alias_move = Table(
    "alias_move",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("model", Text, nullable=False),
    Column("alias", Text, nullable=False),
    Column("version", Integer),  # null: the alias was taken away
    Column("digest", Text),
    Column("principal", Text, nullable=False),
    Column("at", _INSTANT, nullable=False, server_default=_NOW),
    Index("alias_move_model_alias_idx", "model", "alias", "at"),
)

score_run = Table(
    "score_run",
    metadata,
    Column("run", Text, primary_key=True),
    Column("model", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("digest", Text, nullable=False),
    Column("as_of", _INSTANT, nullable=False),
    Column("principal", Text, nullable=False),
    Column("created_at", _INSTANT, nullable=False, server_default=_NOW),
    Column("report", JSONB, nullable=False),
)

# What pages show of a signal's values: one row per feature and day profiled.
feature_profile = Table(
    "feature_profile",
    metadata,
    Column("signal", Text, primary_key=True),  # name@version
    Column("feature", Text, primary_key=True),
    Column("as_of", _INSTANT, primary_key=True),
    Column("profile", JSONB, nullable=False),  # count, null share, quantiles, histogram
)

# What pages show of a behavior: events per week.
behavior_profile = Table(
    "behavior_profile",
    metadata,
    Column("behavior", Text, primary_key=True),
    Column("week", _INSTANT, primary_key=True),
    Column("events", BigInteger, nullable=False),
)

# Which days of a table of tiles are made, and of which versions of the event tables.
tile_day = Table(
    "tile_day",
    metadata,
    Column("table", Text, primary_key=True),  # tiles/browsing_v1-0
    Column("day", Date, primary_key=True),
    Column("digest", Text, nullable=False),  # of what its tiles are
    Column("versions", JSONB, nullable=False),  # by event table
    Column("events", BigInteger, nullable=False),
    Column("seconds", Double, nullable=False),
    Column("done_at", _INSTANT, nullable=False, server_default=_NOW),
)

materialization = Table(
    "materialization",
    metadata,
    Column("view", Text, primary_key=True),  # name@version
    Column("at", _INSTANT, primary_key=True),  # the boundary or instant the values are of
    Column("rows", BigInteger, nullable=False),
    Column("done_at", _INSTANT, nullable=False, server_default=_NOW),
    Column("report", JSONB, nullable=False, server_default=text("'{}'::jsonb")),
)

# Packed online rows: one per (view, entity), in their own schema.
online_row = Table(
    "row",
    metadata,
    Column("view", Text, primary_key=True),  # Feast project / view name with version
    Column("entity_key", LargeBinary, primary_key=True),
    Column("entity", BigInteger),  # surrogate id, for consent and erasure; null for views that are not ours
    Column("at", _INSTANT, nullable=False),  # event time of the values
    Column("created_at", _INSTANT),
    Column("schema", Integer, nullable=False),  # encoding version and feature layout
    Column("packed", LargeBinary, nullable=False),
    Index("row_entity_idx", "entity"),
    schema="online",
)

online_layout = Table(
    "layout",
    metadata,
    Column("id", Integer, Identity(always=True), primary_key=True),
    Column("view", Text, nullable=False),
    Column("features", JSONB, nullable=False),  # ordered [name, type]
    Column("digest", Text, nullable=False),
    UniqueConstraint("view", "digest"),
    schema="online",
)

reading = Table(
    "reading",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("at", _INSTANT, nullable=False, server_default=_NOW),
    Column("principal", Text, nullable=False),
    Column("team", Text, nullable=False),
    Column("purpose", Text, nullable=False),
    Column("asset", Text, nullable=False),  # signal purchase_rhythm@4
    Column("verdict", Text, nullable=False),  # compliant violation gap
    Column("rows", BigInteger, nullable=False, server_default="0"),
    Column("how", Text, nullable=False),  # lookup training_set feast score
    Column("duration_s", Double),
    Index("reading_asset_at_idx", "asset", "at"),
)
