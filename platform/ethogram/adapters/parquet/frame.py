"""A table that somebody made elsewhere, with what its columns are."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa

from ethogram.core.training_sets.frame import BadProvenance, Provenance
from ethogram.errors import AskedWrongly


class Unreadable(AskedWrongly):
    """A file that is no table."""

    code = "unreadable-table"


def read_frame(path: Path) -> pa.Table:
    """The rows of a Parquet or CSV file."""
    import pyarrow.csv as csv
    import pyarrow.parquet as pq

    if not path.is_file():
        raise Unreadable(f"{path}: no such file; name a Parquet or a CSV file")
    try:
        return csv.read_csv(path) if path.suffix == ".csv" else pq.read_table(path, partitioning=None)
    except (pa.ArrowException, OSError) as error:
        said = str(error).strip().splitlines()[0]
        raise Unreadable(f"{path}: cannot be read ({said}); make it anew as Parquet") from error


def read_provenance(path: Path) -> Provenance:
    """What a YAML file says of a table's columns."""
    import yaml

    if not path.is_file():
        raise BadProvenance(f"{path}: no such file; it names the columns of the key, the instant and the label")
    try:
        said = yaml.safe_load(path.read_text())
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise BadProvenance(f"{path}: not YAML ({str(error).splitlines()[0]})") from error
    if not isinstance(said, dict):
        raise BadProvenance(f"{path}: write fields: entity, key, as_of, label, and features if known")
    return Provenance.of(said, where=str(path))
