"""MLflow's tables in the schema `mlflow`, made once, with rules of ours that hold for every client of the database.

The triggers are the second wall: a client that opens the database itself, without our registry store, still cannot
point an alias where no recorded move points, nor delete what an alias or an approval is bound to.
"""

from __future__ import annotations

import hashlib

from sqlalchemy import Engine, inspect, text

from ethogram.adapters.mlflow.environment import Place, engine_of

_LOCK = 7_306_085_240  # advisory lock of whoever creates MLflow's tables

_RULES = """
CREATE OR REPLACE FUNCTION mlflow.ethogram_bound(m text, v integer) RETURNS boolean LANGUAGE sql STABLE AS $$
  SELECT EXISTS (SELECT 1 FROM mlflow.registered_model_aliases a WHERE a.name = m AND a.version = v)
      OR EXISTS (SELECT 1 FROM ethogram.approval p WHERE p.model = m AND p.version = v AND p.decision = 'approve')
$$;

CREATE OR REPLACE FUNCTION mlflow.ethogram_alias_rule() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE wanted integer;
BEGIN
  SELECT a.version INTO wanted FROM ethogram.alias_move a
   WHERE a.model = COALESCE(NEW.name, OLD.name) AND a.alias = COALESCE(NEW.alias, OLD.alias) ORDER BY a.id DESC LIMIT 1;
  IF TG_OP = 'DELETE' THEN
    IF wanted IS NOT NULL THEN
      RAISE EXCEPTION 'refused: @% of % may only be moved; ethogram promote', OLD.alias, OLD.name USING ERRCODE =
      '42501';
    END IF;
    RETURN OLD;
  END IF;
  IF wanted IS DISTINCT FROM NEW.version THEN
    RAISE EXCEPTION 'refused: no approved move of @% to % %; use registry URI ethogram:///mlflow or ethogram promote',
      NEW.alias, NEW.name, NEW.version USING ERRCODE = '42501';
  END IF;
  RETURN NEW;
END $$;

CREATE OR REPLACE FUNCTION mlflow.ethogram_version_rule() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF mlflow.ethogram_bound(OLD.name, OLD.version) AND (TG_OP = 'DELETE' OR
     (OLD.name, OLD.version, OLD.source, OLD.storage_location, OLD.run_id, OLD.current_stage) IS DISTINCT FROM
     (NEW.name, NEW.version, NEW.source, NEW.storage_location, NEW.run_id, NEW.current_stage)) THEN
    RAISE EXCEPTION 'refused: % % carries an alias or an approval', OLD.name, OLD.version USING ERRCODE = '42501';
  END IF;
  IF TG_OP = 'DELETE' THEN RETURN OLD; END IF;
  RETURN NEW;
END $$;

CREATE OR REPLACE FUNCTION mlflow.ethogram_keep_rule() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE old_row jsonb := to_jsonb(OLD); new_row jsonb; held record;
BEGIN
  IF TG_OP = 'UPDATE' THEN
    new_row := to_jsonb(NEW);
    IF (old_row->>'lifecycle_stage', old_row->>'artifact_uri', old_row->>'artifact_location') IS NOT DISTINCT FROM
       (new_row->>'lifecycle_stage', new_row->>'artifact_uri', new_row->>'artifact_location') THEN RETURN NEW; END IF;
  END IF;
  SELECT v.name, v.version INTO held FROM mlflow.model_versions v
    LEFT JOIN mlflow.runs r ON r.run_uuid = v.run_id
   WHERE mlflow.ethogram_bound(v.name, v.version) AND CASE TG_TABLE_NAME
     WHEN 'runs' THEN v.run_id = old_row->>'run_uuid'
     WHEN 'logged_models' THEN v.source = 'models:/' || (old_row->>'model_id')
     ELSE r.experiment_id::text = old_row->>'experiment_id' END LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION 'refused: % % was made by it, and carries an alias or an approval', held.name, held.version
      USING ERRCODE = '42501';
  END IF;
  IF TG_OP = 'DELETE' THEN RETURN OLD; END IF;
  RETURN NEW;
END $$;

CREATE OR REPLACE FUNCTION mlflow.ethogram_place_rule() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.artifact_location NOT LIKE 'mlflow-artifacts:/%' THEN
    RAISE EXCEPTION 'refused: artifacts of experiment % must be at mlflow-artifacts:/, not %', NEW.name,
    NEW.artifact_location
      USING ERRCODE = '42501';
  END IF;
  RETURN NEW;
END $$;

CREATE OR REPLACE TRIGGER ethogram_alias BEFORE INSERT OR UPDATE OR DELETE ON mlflow.registered_model_aliases
  FOR EACH ROW EXECUTE FUNCTION mlflow.ethogram_alias_rule();
CREATE OR REPLACE TRIGGER ethogram_version BEFORE UPDATE OR DELETE ON mlflow.model_versions
  FOR EACH ROW EXECUTE FUNCTION mlflow.ethogram_version_rule();
CREATE OR REPLACE TRIGGER ethogram_keep BEFORE UPDATE OR DELETE ON mlflow.runs
  FOR EACH ROW EXECUTE FUNCTION mlflow.ethogram_keep_rule();
CREATE OR REPLACE TRIGGER ethogram_keep BEFORE UPDATE OR DELETE ON mlflow.logged_models
  FOR EACH ROW EXECUTE FUNCTION mlflow.ethogram_keep_rule();
CREATE OR REPLACE TRIGGER ethogram_keep BEFORE UPDATE OR DELETE ON mlflow.experiments
  FOR EACH ROW EXECUTE FUNCTION mlflow.ethogram_keep_rule();
CREATE OR REPLACE TRIGGER ethogram_place BEFORE INSERT OR UPDATE ON mlflow.experiments
  FOR EACH ROW EXECUTE FUNCTION mlflow.ethogram_place_rule();
"""

_VERSION = f"rules {hashlib.sha256(_RULES.encode()).hexdigest()[:16]}"
_ready: set[Place] = set()


def ensure_schema(place: Place) -> None:
    """Make MLflow's tables and our rules where they are missing; any number of processes may call at once.

    The first time in a state takes two seconds, later ones a few milliseconds.
    """
    if place in _ready:
        return
    engine = engine_of(place)
    with engine.connect() as connection:
        if not _current(engine):
            # Held by the session, not by a transaction: MLflow's migrations run on connections of their own.
            connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": _LOCK})
            connection.commit()
            try:
                if not _current(engine):
                    _create(place, engine)
            finally:
                connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": _LOCK})
                connection.commit()
    _ready.add(place)


def _current(engine: Engine) -> bool:
    with engine.connect() as connection:
        said = connection.execute(
            text(
                "SELECT obj_description(p.oid, 'pg_proc') FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace"
                " WHERE n.nspname = 'mlflow' AND p.proname = 'ethogram_alias_rule'"
            )
        ).scalar()
    return bool(said == f"{_VERSION}, mlflow {_mlflow_version()}")


def _create(place: Place, engine: Engine) -> None:
    import logging

    from mlflow.store.db.utils import _all_tables_exist, _initialize_tables, create_sqlalchemy_engine

    for name in ("mlflow.store.db.utils", "alembic"):
        logging.getLogger(name).setLevel(logging.WARNING)
    theirs = create_sqlalchemy_engine(place.database_uri)
    try:
        if not inspect(theirs).has_table("experiments") or not _all_tables_exist(theirs):
            _initialize_tables(theirs)
    finally:
        theirs.dispose()
    with engine.begin() as connection:
        connection.exec_driver_sql(_RULES.replace("%", "%%"))
        connection.exec_driver_sql(
            f"COMMENT ON FUNCTION mlflow.ethogram_alias_rule() IS '{_VERSION}, mlflow {_mlflow_version()}'"
        )


def _mlflow_version() -> str:
    from importlib.metadata import version

    return version("mlflow")
