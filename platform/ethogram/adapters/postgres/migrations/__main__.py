"""Write the next migration: `python -m ethogram.adapters.postgres.migrations "what it does"`."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from ethogram.adapters.postgres import server
from ethogram.adapters.postgres.engine import open_engine
from ethogram.adapters.postgres.migrations import FOLDER, config, head


def main(message: str) -> None:
    """Compare the tables with a freshly migrated database and write the difference as a migration."""
    from alembic import command

    numbers = [path.name.split("_")[0] for path in (FOLDER / "versions").glob("[0-9]*_*.py")]
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        try:
            # Alembic takes the schema of the search path for nameless, and ours have names: look from another one.
            engine = open_engine(root, schema="mlflow", migrate=bool(numbers))
            with engine.connect() as connection:
                number = f"{int(head()) + 1:04d}" if numbers else "0001"
                made = config(connection)
                made.set_main_option("file_template", "%%(rev)s_%%(slug)s")
                command.revision(made, message=message, rev_id=number, autogenerate=True)
            engine.dispose()
        finally:
            server.remove(root)


if __name__ == "__main__":
    main(" ".join(sys.argv[1:]) or sys.exit("say what it does"))
