"""The built wheel carries all that a new workspace needs."""

import subprocess
import sys
import zipfile
from pathlib import Path

from ethogram.adapters.workspace_files import CONTENT


def test_the_wheel_holds_the_whole_reference_workspace_and_every_page(project: Path, tmp_path: Path) -> None:
    built = subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(tmp_path), str(project)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert built.returncode == 0, built.stdout + built.stderr
    (wheel,) = tmp_path.glob("*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    for folder in CONTENT:
        for path in (project / folder).rglob("*"):
            if path.is_file() and "__pycache__" not in path.parts:
                assert f"ethogram/workspace/{path.relative_to(project).as_posix()}" in names
    http = project / "platform" / "ethogram" / "http" / "pages"
    for path in [*(http / "templates").rglob("*.html"), *(http / "static").iterdir()]:
        assert path.relative_to(project / "platform").as_posix() in names
    assert not [name for name in names if "__pycache__" in name]
