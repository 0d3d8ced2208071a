"""What can be wrong with raw rows as a whole; a single bad row is quarantined instead."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from ethogram.errors import AskedWrongly, EthogramError, did_you_mean


class RowsUnreadable(EthogramError):
    """A file (or table) that cannot be taken in; others of the same source are not affected."""

    code = "rows-unreadable"
    exit_status = 1

    def __init__(self, path: str, said: str, *, next_step: str) -> None:
        self.path = path
        super().__init__(f"{path}: {said}; {next_step}")


class EmptyFile(RowsUnreadable):
    """A file without a byte, not even a header."""

    code = "empty-file"

    def __init__(self, path: str) -> None:
        super().__init__(
            path, "the file is empty", next_step="fetch it again, or remove it if there is nothing to take in"
        )


class MissingColumn(RowsUnreadable):
    """A column that the mapping or the contract needs is not in the file."""

    code = "missing-column"

    def __init__(self, path: str, missing: Sequence[str], *, has: Collection[str]) -> None:
        self.missing = tuple(missing)
        first = missing[0]
        listed = ", ".join(repr(name) for name in missing[:5]) + (", …" if len(missing) > 5 else "")
        shown = ", ".join(list(has)[:12]) + (", …" if len(has) > 12 else "")
        hint = did_you_mean(first, has, otherwise=f"it has {shown}")
        super().__init__(path, f"no column {listed}", next_step=hint + "; deliver the column, or change the mapping")


class NoRows(AskedWrongly):
    """Nothing where a source's rows should be."""

    code = "no-rows"

    def __init__(self, source: str, rows: str, data: str) -> None:
        self.source, self.rows, self.data = source, rows, data
        super().__init__(f"{source}: nothing at {rows} below {data}; name the right directory with --data")


class SourceBusy(EthogramError):
    """Another ingest of the same source is under way."""

    code = "source-busy"

    def __init__(self, source: str) -> None:
        self.source = source
        super().__init__(f"{source} is being taken in by another process; wait for it to finish and run this again")


class MappingChanged(AskedWrongly):
    """Rows that were taken in under another mapping: mixing two meanings in one table would be silent damage."""

    code = "mapping-changed"

    def __init__(self, source: str, paths: Sequence[str]) -> None:
        self.source, self.paths = source, tuple(paths)
        listed = ", ".join(paths[:3]) + (f" and {len(paths) - 3} more" if len(paths) > 3 else "")
        super().__init__(
            f"{source}: its mapping, contract or time rules changed since {listed} came in; "
            f"`ethogram ingest {source} --redo` replaces every event of this source, or give the new mapping a new name"
        )
