"""DuckDB connections with a limit on memory, a folder of their own to spill into, and UTC."""

from __future__ import annotations

from pathlib import Path

import duckdb

from ethogram.adapters.rooms import new_room

MEMORY = "1GB"


class Sessions:
    """Opens in-memory databases that spill below `folder`; call it for a connection, and close that yourself.

    Args:
        folder: Made on first use; what dead processes left in it is removed.
        memory: DuckDB's limit for each connection; what does not fit goes to disk.
        threads: All cores if None.
    """

    def __init__(self, folder: Path, *, memory: str = MEMORY, threads: int | None = None) -> None:
        self.folder, self._memory, self._threads = folder, memory, threads

    def __call__(self) -> duckdb.DuckDBPyConnection:
        return self.connect(self.room())

    def connect(self, room: Path) -> duckdb.DuckDBPyConnection:
        """A connection that spills into `room`."""
        settings: dict[str, str | bool | int | float | list[str]] = {
            "memory_limit": self._memory,
            "temp_directory": str(room),
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "true",
            "preserve_insertion_order": "true",
        }
        if self._threads is not None:
            settings["threads"] = self._threads
        connection = duckdb.connect(":memory:", config=settings)
        connection.execute("SET TimeZone = 'UTC'")
        return connection

    def room(self) -> Path:
        """A new folder for one connection, gone when the process ends."""
        return new_room(self.folder)
