"""The command line as whoever types it sees it: help to paste from, exit statuses, facts apart from prose."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import typer

from ethogram.cli import app as module
from ethogram.cli.reference import reference

GROUP: Any = typer.main.get_command(module.app)
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(shop: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs a command line in the shop, as nobody; gives exit status, stdout and stderr."""
    monkeypatch.chdir(shop.root)
    for name in ("ETHOGRAM_WORKSPACE", "ETHOGRAM_PRINCIPAL", "ETHOGRAM_PURPOSE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("ETHOGRAM_STATE", shop.state)

    def ran(line: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["ethogram", *shlex.split(line)])
        status = module.run()
        said = capsys.readouterr()
        return status, said.out, said.err

    return ran


@pytest.mark.parametrize("name", list(GROUP.commands))
def test_every_command_says_what_it_does_and_gives_a_line_to_paste(name: str) -> None:
    paragraphs = GROUP.commands[name].help.split("\n\n")
    assert re.fullmatch(r"[A-Z][^\n]+(\n[^\n]+)*\.", paragraphs[0])
    (example,) = re.findall(r"Example: (ethogram .+)", paragraphs[-1])
    words = shlex.split(example)[1:]
    assert words[0] == name
    command = GROUP.commands[name]
    command.make_context(name, words[1:])  # it parses: every option and argument in it exists
    missing = [option.name for option in command.params if not option.help and option.name != "help"]
    assert missing == []


def test_the_reference_page_is_what_the_commands_say(project: Path) -> None:
    assert (project / "docs" / "cli.md").read_text() == reference(), "python -m ethogram.cli.reference > docs/cli.md"


def test_the_first_page_lists_every_command_in_one_sentence_each(run: Run) -> None:
    status, out, _ = run("--help")
    assert status == 0
    assert out.startswith("Usage: ethogram [OPTIONS]")
    assert "..." not in out.partition("Commands:")[2]
    for name in GROUP.commands:
        assert re.search(rf"^  {name} +[A-Z]", out, re.MULTILINE), name


@pytest.mark.parametrize(
    ("line", "status", "says"),
    [
        ("nonsense", 2, "No such command 'nonsense'"),
        ("lookup customer", 2, "Missing argument 'keys'"),
        ("lookup customer 1 -s basket --purpose campaigns", 2, "nobody is asking: set ETHOGRAM_PRINCIPAL, or say --as"),
        ("lookup customer 1 -s basket --as risk.modeller", 2, "every read states a purpose (--purpose"),
        (
            "lookup customer 1 -s baskt --as risk --purpose campaigns",
            2,
            "no signal named 'baskt'; did you mean basket",
        ),
        ("lookup customer 1 -s basket --as sales.analyst --purpose campaigns", 1, "next: propose an agreement in"),
        ("materialize basket --as growth.analyst --at 2026-06-01", 1, "belongs to shop, so growth may not materialize"),
        ("materialize basket --as shop.analyst --at 2026-13-01", 2, 'at "2026-13-01" is not a date'),
        ("consent customer 1 --as care --purpose campaigns", 2, "say what the entity said: --allow or --deny"),
        ("up --port 80000", 2, "Invalid value for '--port'"),
        ("gates lapze", 2, "no model named 'lapze'; did you mean lapse?"),
        ("gates lapse", 2, "lapse has no registered version; `ethogram train lapse` makes the first"),
        ("taxonomy 'nothing.*'", 1, "no behavior matches 'nothing.*'; domains are campaign, commerce"),
        ("ingest --as shop", 2, "say what to take in: the names of sources, or --all DATASET"),
        ("ingest --all onlin_retail --as shop", 2, "no dataset named 'onlin_retail'; did you mean online_retail?"),
        ("signals --state Main", 2, "state 'Main' is not a name"),
    ],
)
def test_an_error_is_said_in_words_with_its_status_and_nothing_on_stdout(
    run: Run, line: str, status: int, says: str
) -> None:
    got, out, err = run(line)
    assert (got, out) == (status, "")
    assert says in err
    assert "Traceback" not in err


def test_outside_of_a_workspace_it_says_how_to_get_one(
    run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    status, out, err = run("plan")
    assert (status, out) == (2, "")
    assert "run `ethogram init NAME`, go into one, or set ETHOGRAM_WORKSPACE" in err


def test_what_cannot_be_done_ends_with_3(run: Run, shop: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from ethogram.errors import EthogramError

    def broken(*_: Any, **__: Any) -> None:
        raise EthogramError("the disk is full; free some space")

    monkeypatch.setattr(type(shop.parts.online), "write", broken)
    assert run("materialize basket --as shop.analyst --at 2026-06-01") == (3, "", "the disk is full; free some space\n")


def test_a_defect_is_one_line_to_report_with_its_trace_in_a_file(
    run: Run, shop: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise ZeroDivisionError("rows by none")

    monkeypatch.setattr(type(shop.parts.online), "write", broken)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    status, out, err = run("materialize basket --as shop.analyst --at 2026-06-01")
    assert (status, out) == (3, "")
    assert err.startswith("ZeroDivisionError: rows by none\nthis is a defect of ethogram")
    assert "Traceback" not in err
    assert "rows by none" in Path(err.rpartition(" ")[2].strip()).read_text()


def test_applied_is_planned_as_nothing_to_do(run: Run) -> None:
    assert run("plan") == (0, "", "nothing to do; what is declared is applied\n")
    status, out, _ = run("plan --json")
    assert (status, json.loads(out)) == (0, [])


def test_signals_lists_each_with_its_owner(run: Run, shop: Any) -> None:
    status, out, err = run("signals")
    assert (status, err) == (0, "")
    assert re.search(r"^purchase_rhythm@4 +signal +customer +growth +purchases_7d, ", out, re.MULTILINE)
    views = json.loads(run("signals --json")[1])
    assert {view["name"] for view in views} == set(shop.store().views())


def test_materialize_lookup_and_consent_one_after_the_other(run: Run, shop: Any) -> None:
    key = sorted(shop.ids)[2]
    ask = f"lookup customer {key} -s basket --as risk.modeller --purpose churn_prevention"
    shop.parts.online.drop("basket_v1")
    assert run(ask)[:2] == (1, f"customer {key} · not materialized; run `ethogram materialize`\n")
    status, out, _ = run("materialize basket --as shop.analyst --at 2026-06-01")
    assert (status, out) == (0, f"basket@1: {len(shop.ids)} rows as of 2026-06-01 00:00 UTC\n")
    status, out, err = run(ask)
    assert (status, err) == (0, "")
    assert out.startswith(f"customer {key} · as of 2026-06-01 00:00 UTC\n")
    (facts,) = json.loads(run(f"{ask} --json")[1])
    right = shop.expected("basket@1", key, shop.DAY)
    assert facts["known"]
    assert facts["values"]["basket_last"] == str(right["basket_last"])
    assert facts["values"]["items_180d"] == right["items_180d"]
    deny = f"consent customer {key} --deny --as care.analyst --purpose churn_prevention"
    shop.clock.at += timedelta(seconds=1)
    assert run(deny)[:2] == (0, f"customer {key} refuses churn_prevention\n")
    assert run(deny)[1] == f"customer {key} refuses churn_prevention; recorded before\n"
    assert run(ask)[:2] == (1, f"customer {key} · no consent for churn_prevention\n")
    shop.clock.at += timedelta(seconds=1)
    facts = json.loads(run(deny.replace("--deny", "--allow") + " --json")[1])
    assert facts == {"entity": "customer", "key": key, "purpose": "churn_prevention", "allowed": True, "changed": True}
    shop.parts.online.drop("basket_v1")


def test_the_installed_command_starts_without_loading_what_it_does_not_need() -> None:
    code = (
        "import sys; sys.argv = ['ethogram', '--help']; from ethogram.cli.app import run; run(); "
        "heavy = {'feast', 'mlflow', 'duckdb', 'pyarrow', 'pandas', 'sqlalchemy', 'sklearn', 'numpy'}; "
        "print(sorted(heavy & set(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr == "[]\n"
