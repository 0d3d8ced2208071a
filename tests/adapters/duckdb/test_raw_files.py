"""What a raw file says of itself."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from ethogram.adapters.duckdb.raw_files import is_made


def test_made_rows_are_known_by_their_files_metadata_alone(tmp_path: Path) -> None:
    rows = pa.table({"a": [1]})
    pq.write_table(rows.replace_schema_metadata({"made": "true"}), tmp_path / "made.parquet")
    pq.write_table(rows, tmp_path / "real.parquet")
    (tmp_path / "cut.parquet").write_bytes((tmp_path / "made.parquet").read_bytes()[:-9])
    (tmp_path / "rows.csv").write_text("made\ntrue\n")
    assert [file.name for file in sorted(tmp_path.iterdir()) if is_made(file)] == ["made.parquet"]
