"""Child processes of a serving workspace: started on a free port, watched until they answer, always stopped."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from ethogram.errors import EthogramError


class PortTaken(EthogramError):
    """Another program listens where we were asked to."""

    code = "port-taken"

    def __init__(self, port: int) -> None:
        self.port = port
        super().__init__(f"port {port} is taken; stop what listens there, or choose another with --port")


class ChildFailed(EthogramError):
    """A server of ours ended before it answered."""

    code = "child-failed"

    def __init__(self, name: str, log: Path) -> None:
        self.name, self.log = name, log
        lines = log.read_text(errors="replace").splitlines()[-8:] if log.is_file() else []
        super().__init__(
            "\n".join([f"{name} did not start; its last words, whole in {log}:", *(f"  {x}" for x in lines)])
        )


def free_port() -> int:
    """A loopback port that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def require_port(port: int) -> None:
    """Raise `PortTaken` if somebody listens on loopback `port`."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise PortTaken(port) from error


class Child:
    """One child process in its own process group, its output in a log file."""

    def __init__(self, name: str, command: Sequence[str], *, env: Mapping[str, str], log: Path) -> None:
        self.name, self.log = name, log
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("wb") as sink:
            self._process = subprocess.Popen(
                command,
                env={**os.environ, **env},
                stdin=subprocess.DEVNULL,
                stdout=sink,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def wait_until(self, url: str, *, timeout_s: float = 60.0) -> None:
        """Return once `url` answers; raise `ChildFailed` if the process ends or stays silent."""
        give_up = time.monotonic() + timeout_s
        while time.monotonic() < give_up:
            if self._process.poll() is not None:
                raise ChildFailed(self.name, self.log)
            with contextlib.suppress(URLError, OSError), urlopen(url, timeout=2) as answer:
                if answer.status < 500:
                    return
            time.sleep(0.1)
        self.stop()
        raise ChildFailed(self.name, self.log)

    def stop(self) -> None:
        """Ask it to end, then make it."""
        if self._process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGTERM)
            try:
                self._process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(self._process.pid, signal.SIGKILL)
                self._process.wait()
