"""What can go wrong with the shared state's server, in words: what, where, next."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import psycopg

from ethogram.errors import AskedWrongly, EthogramError


class ServerTrouble(EthogramError):
    """The database server cannot be used."""

    code = "server-trouble"


class ServerWouldNotStart(ServerTrouble):
    """PostgreSQL gave up while starting or while a cluster was made; `lines` are its own last words."""

    code = "server-would-not-start"

    def __init__(self, where: Path, lines: Sequence[str], *, next_step: str) -> None:
        self.where, self.lines = where, tuple(lines)
        said = "; ".join(self.lines) or "it said nothing"
        super().__init__(f"{where}: PostgreSQL would not start ({said}); {next_step}")


class ServerUnreachable(ServerTrouble):
    """A server works on the data but does not answer here."""

    code = "server-unreachable"


class ServerGone(ServerTrouble):
    """The server went away in the middle of a session."""

    code = "server-gone"

    def __init__(self, said: str) -> None:
        self.said = said
        super().__init__(
            f"the database server went away in the middle of the work ({said}); the open transaction was not kept; "
            "do it again (an embedded server starts by itself), and run `ethogram doctor` if it happens twice"
        )


class AnotherUsersServer(ServerTrouble):
    """The workspace's server belongs to another account of this machine."""

    code = "another-users-server"

    def __init__(self, where: Path, *, owner: str, me: str) -> None:
        self.where, self.owner, self.me = where, owner, me
        super().__init__(
            f"{where}: the workspace's embedded database is for the OS user {owner!r} and you are {me!r}; "
            f"work as {owner!r} (sudo -u {owner} …), use a workspace of your own, "
            "or set ETHOGRAM_DATABASE_URL to a server that both may use"
        )


class StateFolderTrouble(ServerTrouble):
    """A folder or file the server needs cannot be made, read or written."""

    code = "state-folder-trouble"

    def __init__(self, where: Path, said: str, *, next_step: str) -> None:
        self.where = where
        super().__init__(f"{where}: {said}; {next_step}")


class NoSpace(ServerTrouble):
    """The disk is full, or too full to begin."""

    code = "no-space"

    def __init__(self, where: str, said: str) -> None:
        self.where = where
        super().__init__(
            f"{where}: {said}; free some space (`ethogram doctor` shows how much is needed) and do it again"
        )


class DatabaseRefused(ServerTrouble):
    """The server answered and said no."""

    code = "database-refused"


class SchemaNewer(ServerTrouble):
    """The database was brought forward by a later version of ethogram."""

    code = "schema-newer"

    def __init__(self, found: str, known: str) -> None:
        self.found, self.known = found, known
        super().__init__(
            f"the database is at migration {found}, this ethogram knows them up to {known}; "
            "upgrade ethogram, or open another state"
        )


class NoSuchState(AskedWrongly):
    """A state was named that has no database."""

    code = "no-such-state"


def os_trouble(where: Path, error: OSError) -> ServerTrouble:
    """Our error for an operating system's."""
    import errno

    said = error.strerror or type(error).__name__
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return NoSpace(str(where), said)
    return StateFolderTrouble(
        where, said, next_step="make it readable and writable for you, or run as its owner; `ethogram doctor` says more"
    )


def translate(error: psycopg.Error) -> EthogramError | None:
    """Our error for one of psycopg's that means trouble with the server; None for any other.

    >>> type(translate(psycopg.errors.AdminShutdown("terminating connection"))).__name__
    'ServerGone'
    >>> translate(psycopg.errors.UniqueViolation("duplicate key")) is None
    True
    """
    said = " ".join(str(error).split()) or type(error).__name__
    if isinstance(error, psycopg.errors.DiskFull) or "No space left on device" in said:
        return NoSpace("the database server", said)
    gone = (psycopg.errors.AdminShutdown, psycopg.errors.CrashShutdown, psycopg.errors.CannotConnectNow)
    if isinstance(error, gone) or (isinstance(error, psycopg.OperationalError) and error.sqlstate is None):
        return ServerGone(said)
    return None


@contextmanager
def translated() -> Iterator[None]:
    """Run a block on a psycopg connection; a server that goes away meanwhile is our `ServerGone`."""
    try:
        yield
    except psycopg.Error as error:
        ours = translate(error)
        if ours is None:
            raise
        raise ours from error
