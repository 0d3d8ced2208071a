"""One workspace's PostgreSQL: made, started, found and stopped, whatever died in between.

Everything is under `<workspace>/.ethogram/postgres/`:

    gate.lock     held shared by whoever connects, alone by whoever starts or stops
    lease.lock    held by the server's own processes for as long as one of them lives
    keeper.lock   held by the keeper, which stops an idle server
    data/         the cluster; `elsewhere` names its place when the server's account cannot come in here
    pgpass        the generated password, in the form libpq reads by itself
    server.json   where the sockets are
    server.log    what the server said

Whether a server lives is asked of the kernel (the lease) and of the server (a connection), never of a pid file.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg

from ethogram.adapters.postgres import binaries, locks
from ethogram.adapters.postgres.account import Account, account_for, name_of
from ethogram.adapters.postgres.errors import (
    AnotherUsersServer,
    DatabaseRefused,
    NoSpace,
    ServerTrouble,
    ServerUnreachable,
    ServerWouldNotStart,
    StateFolderTrouble,
    os_trouble,
)
from ethogram.errors import AskedWrongly

if TYPE_CHECKING:
    import psutil

ROLE = "ethogram"
SPACE_NEEDED = 200_000_000  # a fresh cluster is 40 MB; the rest is room for its first write-ahead log
SOCKET_PATH_LIMIT = 100  # bytes; the kernel's own is 108 on Linux, 104 on macOS
IDLE_S = 600.0

_GATE_WAIT_S = 180.0
_LOST_AFTER_S = 2.0  # too short does no harm: the server is asked to end, and started again
_STARTING = re.compile(r"the database system is (starting up|shutting down|in recovery mode|not yet accepting)", re.I)

_TELLING = re.compile(r"FATAL|PANIC|error|could not|cannot|unrecognized|invalid|HINT", re.I)

_SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "200",
    "max_wal_senders": "0",
    "wal_level": "minimal",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] ",
    # In /dev/shm it would be lost when systemd tidies up after a logout, and a container has 64 MB of it.
    "dynamic_shared_memory_type": "mmap",
}


class NoServer(Exception):
    """No server answers where one would be."""


class Cluster:
    """The embedded server of one workspace."""

    def __init__(self, workspace: Path) -> None:
        self.workspace = workspace.resolve()
        self._settle(self.workspace / ".ethogram" / "postgres")

    @classmethod
    def at(cls, home: Path) -> Cluster:
        """The cluster by its home folder, for one who is there and does not start it."""
        cluster = cls(home.parent.parent)
        cluster._settle(home)
        return cluster

    def _settle(self, home: Path) -> None:
        self.home = home
        self.gate = self.home / "gate.lock"
        self.lease = self.home / "lease.lock"
        self.keeper_lock = self.home / "keeper.lock"
        self.pgpass = self.home / "pgpass"
        self.record = self.home / "server.json"
        self.log = self.home / "server.log"
        self.elsewhere = self.home / "elsewhere"

    @property
    def place(self) -> Path:
        """The folder that holds `data`."""
        return Path(self.elsewhere.read_text().strip()) if self._is_elsewhere() else self.home

    def _is_elsewhere(self) -> bool:
        # Root believes this of its own folder only, or any user could send root's hand anywhere.
        return self.elsewhere.is_file() and self.home.stat().st_uid == os.geteuid()

    @property
    def data(self) -> Path:
        """PostgreSQL's data directory."""
        return self.place / "data"

    @property
    def exists(self) -> bool:
        """Whether a whole cluster is there (one is renamed into place only when it is whole)."""
        return (self.data / "PG_VERSION").is_file() and (self.data / "global" / "pg_control").is_file()

    # Joining

    def connect(self, database: str, **options: Any) -> psycopg.Connection[Any]:
        """A connection, from a server that is started if none runs.

        Raises:
            psycopg.OperationalError: If the server answered and refused, e.g. because there is no such database.
        """
        for _ in range(3):
            try:
                with self._gate(shared=True):
                    connection = self.knock(database, **options)
                    try:
                        self._tend()
                    except BaseException:
                        connection.close()
                        raise
                    return connection
            except NoServer:
                self.open()
        raise ServerUnreachable(
            f"{self.home}: the server started three times and was gone each time; "
            f"read {self.log}, then run `ethogram doctor`"
        )

    def open(self) -> None:
        """Make the cluster if there is none and start the server if none runs; any number may call at once."""
        self._prepare()
        with self._gate():
            try:
                if not self._answers(wait_s=_LOST_AFTER_S if locks.is_held(self.lease) else 0.0):
                    self._start()
                self._tend()
            except OSError as error:
                raise os_trouble(self.home, error) from error

    def address(self) -> dict[str, Any]:
        """Connection parameters without a database; the password stays in its file, libpq reads it there.

        Raises:
            NoServer: If no server was ever started here, or only for a folder that this one is a copy of.
        """
        try:
            record = json.loads(self.record.read_text())
            sockets, of = record["sockets"], record["of"]
            if of != self._identity():
                raise NoServer
        except (FileNotFoundError, NotADirectoryError, ValueError, KeyError, TypeError) as error:
            raise NoServer from error
        return {"host": sockets, "hostaddr": "", "port": 5432, "user": ROLE, "passfile": str(self.pgpass)}

    def knock(self, database: str, **options: Any) -> psycopg.Connection[Any]:
        """A connection to the server that runs; `NoServer` if none does."""
        options = {"connect_timeout": 60, "application_name": "ethogram", **options}
        try:
            return psycopg.connect(**self.address(), dbname=database, **options)
        except psycopg.errors.ConnectionTimeout as error:
            raise ServerUnreachable(
                f"{self.home}: the server did not answer within {options['connect_timeout']} s; "
                "is the machine overloaded, or the server paused? `ethogram down` stops it"
            ) from error
        except psycopg.OperationalError as error:
            said = str(error)
            if "FATAL:" not in said or _STARTING.search(said):
                raise NoServer(said) from error
            if "password authentication failed" in said:
                raise DatabaseRefused(
                    f"{self.pgpass}: the server does not accept the password in it; "
                    "run `ethogram down` and remove that file: the next start sets a new password"
                ) from error
            raise

    def _answers(self, *, wait_s: float) -> bool:
        """Whether a server lets us in; one that is starting or recovering is waited for as long as it lives."""
        deadline = time.monotonic() + wait_s
        while True:
            try:
                self.knock("postgres").close()
                return True
            except psycopg.OperationalError:  # it answers, if only that it is full
                return True
            except NoServer as absent:
                if "no password supplied" in str(absent) and self.pgpass.exists():
                    raise DatabaseRefused(
                        f"{self.pgpass}: holds no password that libpq would take (its folder's owner must own it, "
                        "mode 0600); run `ethogram down` and remove it: the next start sets a new password"
                    ) from absent
                comes = _STARTING.search(str(absent)) is not None
                if not locks.is_held(self.lease) or (time.monotonic() >= deadline and not comes):
                    return False
            time.sleep(0.02)

    @contextmanager
    def _gate(self, *, shared: bool = False) -> Iterator[None]:
        with ExitStack() as stack:
            try:
                file = stack.enter_context(locks.held(self.gate, shared=shared, wait_s=_GATE_WAIT_S))
                os.utime(file)  # the keeper takes it as a sign of life
            except FileNotFoundError as error:
                raise NoServer from error
            except OSError as error:
                raise self._not_ours(error) from error
            except locks.LockBusy as error:
                raise ServerUnreachable(
                    f"{self.gate}: another process has been starting or stopping the server for {_GATE_WAIT_S:.0f} s; "
                    f"see who holds it (fuser {self.gate}) and end that"
                ) from error
            yield

    def _not_ours(self, error: OSError) -> ServerTrouble:
        owner = _nearest(self.home).stat().st_uid
        if os.geteuid() not in (0, owner):
            return AnotherUsersServer(self.home, owner=name_of(owner), me=name_of(os.geteuid()))
        return os_trouble(self.home, error)

    # Making

    def _prepare(self) -> None:
        """The home folder, ours (as root: the workspace owner's)."""
        try:
            if not self.workspace.is_dir():
                raise StateFolderTrouble(
                    self.workspace, "no such folder", next_step="make it with `ethogram init NAME`"
                )
            if not self.home.is_dir():
                for folder in (self.home.parent, self.home):
                    _make_folder(folder)
            owner = self.home.stat().st_uid
            if os.geteuid() not in (0, owner):
                raise AnotherUsersServer(self.home, owner=name_of(owner), me=name_of(os.geteuid()))
            account = account_for(self.workspace, self.data)
            if owner == os.geteuid():
                # A server account that is not the owner passes through, and sees only `data`.
                self.home.chmod(0o700 if owner == account.uid else 0o711)
            if self.pgpass.is_file() and not self.pgpass.is_symlink():
                self.pgpass.chmod(0o600)  # libpq ignores one that others may read
        except OSError as error:
            raise self._not_ours(error) from error

    def _make(self, account: Account) -> None:
        """`initdb` in a scratch folder, moved into place when whole: a half-made cluster is never met."""
        place = self._choose_place(account)
        free = shutil.disk_usage(place).free
        if free < SPACE_NEEDED:
            raise NoSpace(
                str(place), f"only {free // 1_000_000} MB free, a new database needs {SPACE_NEEDED // 1_000_000}"
            )
        _, programs = binaries.programs(account)
        scratch = Path(tempfile.mkdtemp(prefix="new-", dir=place))
        try:
            password = secrets.token_urlsafe(32)
            pwfile = scratch / "password"
            _write(pwfile, password)
            for path in (pwfile, scratch):
                os.chown(path, account.uid, account.gid, follow_symlinks=False)
            command: list[str | Path] = [programs / "initdb", "--pgdata", scratch / "data", "--username", ROLE]
            command += ["--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
            # The password is random, so stretching it protects nothing and would slow every connection down.
            command += ["--auth=scram-sha-256", "--set=scram_iterations=1", f"--pwfile={pwfile}", "--no-instructions"]
            made = subprocess.run(
                command, capture_output=True, text=True, check=False, cwd="/", env=_ENV, **account.process_options
            )
            if made.returncode != 0:
                with suppress(OSError):
                    _write(self.log, made.stderr)
                raise self._would_not(made.stderr.splitlines())
            _write(self.pgpass, f"*:*:*:{ROLE}:{password}\n")
            if self.data.exists():  # not whole, or we would not be here; nothing is thrown away
                os.rename(self.data, place / f"broken-{time.strftime('%Y%m%dT%H%M%S')}-{secrets.token_hex(2)}")
            os.rename(scratch / "data", place / "data")
            _sync(place)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)

    def _choose_place(self, account: Account) -> Path:
        """Our home; or, when the server's account cannot come in (a workspace under /root), a system folder."""
        if not self._is_elsewhere() and not account.may_enter(self.home):
            root = binaries.SYSTEM_FOLDER
            root.mkdir(parents=True, exist_ok=True)
            root.chmod(0o755)
            place = Path(tempfile.mkdtemp(prefix="cluster-", dir=root))
            place.chmod(0o711)
            _write(place / "workspace", f"{self.workspace}\n")
            _write(self.elsewhere, f"{place}\n")
        return self.place

    def _claim(self) -> None:
        """See that a cluster outside the workspace is there, and ours rather than that of one we are a copy of."""
        if not self._is_elsewhere():
            return
        try:
            owner = Path((self.place / "workspace").read_text().strip())
        except FileNotFoundError:
            raise StateFolderTrouble(
                self.place,
                "the database of this workspace was here and is gone",
                next_step=f"put it back, or remove {self.home} to begin anew with an empty one",
            ) from None
        if owner == self.workspace:
            return
        theirs = Cluster(owner)
        if theirs.place == self.place:
            raise ServerTrouble(
                f"{self.workspace}: is a copy of {owner}, whose database it would share; "
                f"remove {self.home} to begin anew with an empty one"
            )
        _write(self.place / "workspace", f"{self.workspace}\n")

    def _mend(self, account: Account) -> None:
        """Put right what a crash, a copy or a tidy hand left, while no server runs."""
        version = self.data / "PG_VERSION"
        spare = self.data / "base" / "1" / "PG_VERSION"
        if not version.exists() and spare.exists():  # the same content: a whole cluster that lost one small file
            subprocess.run(["cp", spare, version], check=False, capture_output=True, **account.process_options)
        if self._unpacked_by_root():
            for folder, _, files in os.walk(self.data):
                for path in [folder, *(os.path.join(folder, name) for name in files)]:
                    os.chown(path, account.uid, account.gid, follow_symlinks=False)
        for leftover in self.leftovers():
            shutil.rmtree(leftover, ignore_errors=True)

    def _unpacked_by_root(self) -> bool:
        """Whether root copied the data in, into a folder of root's own."""
        if os.geteuid() != 0 or self.data.is_symlink() or not self.data.exists():
            return False
        return self.home.stat().st_uid == 0 and self.data.stat().st_uid == 0

    def _set_password(self, programs: Path, account: Account) -> None:
        """A new password for a cluster whose file of it was lost."""
        password = secrets.token_urlsafe(32)
        done = subprocess.run(
            [programs / "postgres", "--single", "-j", "-D", self.data, "postgres"],
            input=f"ALTER ROLE {ROLE} PASSWORD '{password}';\n\n",
            capture_output=True,
            text=True,
            check=False,
            cwd="/",
            env=_ENV,
            **account.process_options,
        )
        if done.returncode != 0 or "ERROR" in done.stderr:
            raise self._would_not(done.stderr.splitlines())
        _write(self.pgpass, f"*:*:*:{ROLE}:{password}\n")

    def leftovers(self) -> list[Path]:
        """Scratch folders of an `initdb` that was killed."""
        return sorted(self.place.glob("new-*"))

    # Starting

    def _start(self) -> None:
        """Start the server; we hold the gate and nobody answers."""
        self._claim()
        self._end()
        account = account_for(self.workspace, self.data)
        self._mend(account)
        if not self.exists:
            self._make(account)
        elif not account.may_enter(self.data):
            raise StateFolderTrouble(
                self.data,
                f"the OS user {account.name!r}, under which the server runs, cannot get there",
                next_step="let it pass (chmod o+x) through every folder above, or move the workspace",
            )
        _, programs = binaries.programs(account, (self.data / "PG_VERSION").read_text().strip())
        if not self.pgpass.exists():
            self._set_password(programs, account)
        # No server holds the lease and none works here, so this file is a dead one's; its pid may be anybody's now.
        (self.data / "postmaster.pid").unlink(missing_ok=True)
        self._launch(programs / "postgres", account, self._sockets(account))

    def _launch(self, postgres: Path, account: Account, sockets: Path) -> None:
        settings = _SETTINGS | {"unix_socket_directories": str(sockets)}
        command = [str(postgres), "-D", str(self.data), *(f"--{name}={value}" for name, value in settings.items())]
        with suppress(FileNotFoundError):
            os.replace(self.log, self.log.with_suffix(".previous.log"))
        lease = locks.take(self.lease, wait_s=5.0)
        try:
            self._detach(command, keep=lease, env=_ENV, **account.process_options)
        finally:
            locks.drop(lease)
        if not self._answers(wait_s=60.0):
            raise self._would_not(self.log.read_text(errors="replace").splitlines())

    def _sockets(self, account: Account) -> Path:
        """A private folder with a short path, the same as last time if it can be; also noted for those who join."""
        # Not XDG_RUNTIME_DIR: it is removed at logout, and the server may outlive the login.
        known = None
        with suppress(NoServer):
            known = Path(self.address()["host"])
        if known is None or not _remake_sockets(known, account):
            known = _new_sockets(account)
        _write(self.record, json.dumps({"sockets": str(known), "of": self._identity()}))
        return known

    def _identity(self) -> list[int]:
        """What a folder keeps when it is moved and what its copy does not have."""
        return [number for path in (self.home, self.data) for number in (path.stat().st_dev, path.stat().st_ino)]

    def _would_not(self, lines: list[str]) -> ServerTrouble:
        said = [line for line in lines if _TELLING.search(line)] or lines
        said = [re.sub(r"^.*?(?=(LOG|FATAL|PANIC|ERROR|HINT|initdb):)", "", line).strip() for line in said[-4:]]
        if any("No space left on device" in line for line in said):
            return NoSpace(str(self.place), "No space left on device")
        return ServerWouldNotStart(
            self.place, said, next_step=f"mend that (the whole of it is in {self.log}) or run `ethogram doctor`"
        )

    # Ending

    def stop(self, *, for_good: bool = False) -> bool:
        """Stop the server and write everything out, unless it is `for_good`; False if none ran."""
        if not self.home.is_dir():
            return False
        with self._gate():
            return self.stop_gated(for_good=for_good)

    def stop_gated(self, *, for_good: bool = False) -> bool:
        """`stop` for one who holds the gate."""
        ran = self._end(for_good=for_good)
        with suppress(NoServer):
            remove_sockets(Path(self.address()["host"]))
        return ran

    def processes(self) -> list[psutil.Process]:
        """The server's processes as this process may see them: those called postgres that work in the data folder."""
        return postgres_in(self.data)

    def _end(self, *, for_good: bool = False) -> bool:
        """End every process of a server that works on the data; False if there was none."""
        if not locks.is_held(self.lease):
            strangers = self.processes() if self.exists else []
            if strangers:
                raise ServerUnreachable(
                    f"{self.data}: a PostgreSQL that ethogram did not start works there (process {strangers[0].pid}); "
                    f"stop it with: kill -INT {strangers[0].pid}"
                )
            return False
        import psutil

        for number, patience_s in ((signal.SIGINT, 60.0), (signal.SIGQUIT, 10.0), (signal.SIGKILL, 10.0)):
            everyone = self.processes()
            first = heads(everyone)
            orphans = len(first) > 1  # of a killed postmaster; to them an interrupt means little
            if number == signal.SIGINT and (for_good or orphans):
                continue
            for process in everyone if number == signal.SIGKILL else first:
                with suppress(psutil.Error):
                    process.send_signal(number)
            deadline = time.monotonic() + patience_s
            while locks.is_held(self.lease):
                if time.monotonic() >= deadline:
                    break
                time.sleep(0.02)
            else:
                return True
        raise ServerUnreachable(
            f"{self.home}: a server that cannot be reached or seen from here works on this data (in another container, "
            "on another machine, or behind a /tmp of its own); stop it there with `ethogram down`, "
            "or set ETHOGRAM_DATABASE_URL"
        )

    # Keeping

    def _tend(self) -> None:
        """See that a keeper watches; we hold the gate, behind which no keeper leaves."""
        try:
            lock = locks.take(self.keeper_lock)
            try:
                command = [sys.executable, "-P", "-m", "ethogram.adapters.postgres.keeper"]
                command += [os.path.realpath(self.data), str(idle_s()), str(lock)]
                self._detach(command, keep=lock, cwd=self.home)
            finally:
                locks.drop(lock)
        except locks.LockBusy:
            return
        except OSError as error:
            raise os_trouble(self.home, error) from error

    def _detach(self, command: list[str], *, keep: int, cwd: Path = Path("/"), **options: Any) -> None:
        """Run a program that outlives us and holds the lock `keep`; what it says goes to the log."""
        log = locks.open_private(self.log, os.O_WRONLY | os.O_APPEND)
        try:
            # Through a shell that ends at once, so that it is nobody's child and no zombie of ours.
            subprocess.run(
                ["/bin/sh", "-c", '"$0" "$@" &', *command],
                check=True,
                pass_fds=[keep],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=cwd,
                start_new_session=True,
                **options,
            )
        finally:
            os.close(log)


def postgres_in(data: Path) -> list[psutil.Process]:
    """Processes called postgres that work in a folder, even one that was removed under them."""
    import psutil

    found = []
    for process in psutil.process_iter(["name", "ppid"]):
        with suppress(psutil.Error, OSError):
            if process.info["name"] == "postgres" and process.cwd() == os.path.realpath(data):
                found.append(process)
    return found


def heads(processes: list[psutil.Process]) -> list[psutil.Process]:
    """Those that no other of them started: a server's first process."""
    pids = {process.pid for process in processes}
    return [process for process in processes if process.info["ppid"] not in pids]


def idle_s() -> float:
    """Seconds without a connection after which the keeper stops the server."""
    given = os.environ.get("ETHOGRAM_PG_IDLE_S")
    try:
        return float(given) if given else IDLE_S
    except ValueError:
        raise AskedWrongly(f"ETHOGRAM_PG_IDLE_S={given!r} is not a number of seconds; write e.g. 600") from None


_ENV = {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"}


def _write(path: Path, text: str) -> None:
    """Write a small private file so that a reader sees all of it or what was there before."""
    file, name = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
    try:
        with os.fdopen(file, "w") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
            locks.give_to_folders_owner(path.parent, stream.fileno())
        os.replace(name, path)
    except BaseException:
        with suppress(FileNotFoundError):
            os.unlink(name)
        raise


def _sync(folder: Path) -> None:
    """Let what was renamed in a folder survive a power cut."""
    file = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(file)
    finally:
        os.close(file)


def _make_folder(folder: Path) -> None:
    """Make a private folder if it is not there; as root, for the owner of the one it is in."""
    with suppress(FileExistsError):
        folder.mkdir(mode=0o700 if folder.name == "postgres" else 0o777)
        if os.geteuid() == 0:
            owner = folder.parent.stat()
            os.chown(folder, owner.st_uid, owner.st_gid, follow_symlinks=False)


def _socket_bases() -> list[Path]:
    """Where socket folders may be: paths short enough to name a socket in."""
    bases = dict.fromkeys([tempfile.gettempdir(), "/tmp", "/var/tmp"])
    room = SOCKET_PATH_LIMIT - len("/ethogram-12345678/.s.PGSQL.5432")
    return [Path(base) for base in bases if len(os.fsencode(base)) <= room]


def _new_sockets(account: Account) -> Path:
    """A folder only `account` (and root) may enter."""
    troubles = []
    for base in _socket_bases():
        try:
            folder = Path(tempfile.mkdtemp(prefix="ethogram-", dir=base))
            os.chown(folder, account.uid, account.gid)
            if account.may_enter(folder):
                return folder
            folder.rmdir()
            troubles.append(f"{base}: out of reach of the OS user {account.name!r}")
        except OSError as error:
            troubles.append(f"{base}: {error.strerror}")
    raise StateFolderTrouble(
        Path(tempfile.gettempdir()),
        f"no place for the server's socket ({'; '.join(troubles)})",
        next_step="set TMPDIR to a folder that may be written, with a path of at most 60 characters",
    )


def _remake_sockets(folder: Path, account: Account) -> bool:
    """The same folder as last time, but empty; False if the name cannot be had."""
    remove_sockets(folder)  # what a killed server left there would keep the next one out
    try:
        if not _may_be_sockets(folder):
            return False
        folder.mkdir(mode=0o700)
        os.chown(folder, account.uid, account.gid, follow_symlinks=False)
    except OSError:  # somebody else took the name meanwhile
        return False
    return True


def remove_sockets(folder: Path) -> None:
    """Remove a server's socket folder, and nothing that is none."""
    if _may_be_sockets(folder):
        shutil.rmtree(folder, ignore_errors=True)


def _may_be_sockets(folder: Path) -> bool:
    """Whether a path that was read from a file names what `_new_sockets` makes, and nothing else."""
    return folder.name.startswith("ethogram-") and folder.parent in _socket_bases()


def _nearest(path: Path) -> Path:
    """The path, or the nearest folder above it that exists and may be seen."""
    while True:
        try:
            path.stat()
            return path
        except OSError:
            path = path.parent
