"""What must never be committed, and what the docs must not claim without proof."""

import re
import subprocess
from pathlib import Path

import pytest

from ethogram.cli.app import COMMANDS


def committed(project: Path) -> list[Path]:
    if not (project / ".git").exists():
        pytest.skip("not a git checkout")
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=project, capture_output=True, check=True).stdout
    return [project / name for name in listed.decode().split("\0") if name and (project / name).is_file()]


def test_no_registry_host_and_no_machine_path_is_committed(project: Path) -> None:
    # In pieces, so that this file does not name one itself.
    forbidden = re.compile(
        "|".join(["py" + r"pi\.org", "python" + "hosted", "npm" + r"js\.(org|com)", "/wo" + "rk/", "/ro" + "ot/"])
    )
    found = []
    for path in committed(project):
        if path.suffix in {".png", ".parquet", ".woff2"}:
            continue
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            if forbidden.search(line):
                found.append(f"{path.relative_to(project)}:{number}: {line.strip()[:100]}")
    assert found == []


def test_constraints_pin_every_dependency_exactly(project: Path) -> None:
    lines = [
        line for line in (project / "constraints.txt").read_text().splitlines() if line and not line.startswith("#")
    ]
    assert len(lines) > 100
    assert [line for line in lines if not re.match(r"[a-z0-9._-]+==\S+( ;|$)", line)] == []


def test_no_data_file_is_committed(project: Path) -> None:
    assert [str(path) for path in committed(project) if path.suffix in {".parquet", ".csv", ".gz", ".db"}] == []


def test_there_is_no_package_marker_where_it_would_hide_a_real_package(project: Path) -> None:
    assert not (project / "platform" / "__init__.py").exists()
    assert list((project / "tests").rglob("__init__.py")) == []


def pages() -> set[str]:
    from datetime import UTC, datetime
    from typing import cast

    from ethogram.http.app import create_app
    from ethogram.ports import CatalogReader

    app = create_app(cast(CatalogReader, None), mlflow_url=None, now=lambda: datetime.now(UTC))

    def paths(routes: list[object]) -> set[str]:
        found = {route.path for route in routes if hasattr(route, "path")}
        for route in routes:
            inner = getattr(route, "original_router", None) or getattr(route, "router", None)
            if inner is not None:
                found |= paths(inner.routes)
        return found

    return paths(list(app.routes))


def rows_of(document: Path) -> list[list[str]]:
    lines = [line for line in document.read_text().splitlines() if re.match(r"\| \d", line)]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_every_capability_named_has_its_command_page_and_test(project: Path) -> None:
    rows = rows_of(project / "docs" / "capabilities.md")
    assert len(rows) >= 15
    routes = pages()
    for number, _what, command, page, test in rows:
        if command != "-":
            name = command.strip("`").split()[1].replace("-", "_")
            assert name in COMMANDS, f"{number}: no command {command}"
        if page != "-":
            assert page.strip("`") in routes, f"{number}: no page {page}"
        for each in test.split(", "):
            path, _, function = each.strip("`").partition("::")
            assert (project / path).is_file(), f"{number}: no file {path}"
            assert f"def {function}(" in (project / path).read_text(), f"{number}: no test {function} in {path}"


def test_the_readme_has_exactly_the_two_set_up_commands(project: Path) -> None:
    setup = (project / "README.md").read_text().split("## Set up")[1].split("## ")[0]
    block = setup.split("```")[1]
    assert [line.split("#")[0].strip() for line in block.strip().splitlines()] == ["make demo", "make test"]
