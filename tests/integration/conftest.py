"""A real Prefect server, for the tests that need one, and its database, which is set up only once."""

from __future__ import annotations

import fcntl
import os
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest

from inkstream.flows.under_prefect.serve import SERVER_SETTINGS
from tests.ending import end_process


@dataclass(frozen=True, slots=True)
class PrefectServer:
    """A running server and the environment that points to it."""

    url: str
    environment: dict[str, str]


@pytest.fixture(scope="session")
def prefect_home(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Path], Path]:
    """Return a function that makes a folder a Prefect home whose database needs no migration.

    The migrations of a new database take a server more than ten seconds of processor time. All processes of a test run
    share one migrated database, and copy it.
    """
    own = tmp_path_factory.getbasetemp()
    shared = own.parent if "PYTEST_XDIST_WORKER" in os.environ else own

    def make(folder: Path) -> Path:
        folder.mkdir(exist_ok=True)
        with (shared / "prefect.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not (shared / "prefect.db").exists():
                _migrate(tmp_path_factory.mktemp("migrated"), shared / "prefect.db")
        _copy_database(shared / "prefect.db", folder / "prefect.db")
        return folder

    return make


def _migrate(home: Path, database: Path) -> None:
    command = [sys.executable, "-m", "prefect", "server", "database", "upgrade", "--yes"]
    subprocess.run(command, env={**os.environ, "PREFECT_HOME": str(home)}, check=True, capture_output=True)
    _copy_database(home / "prefect.db", database)


def _copy_database(source: Path, target: Path) -> None:
    with closing(sqlite3.connect(source)) as old, closing(sqlite3.connect(target)) as new:
        old.backup(new)


@contextmanager
def prefect_server_in(home: Path, port: int, **settings: str) -> Iterator[PrefectServer]:
    """Start a server as `inkstream serve` does, with its files in a folder and additional settings."""
    environment = {
        **os.environ,
        **SERVER_SETTINGS,
        "PREFECT_HOME": str(home),
        "PREFECT_API_URL": f"http://127.0.0.1:{port}/api",
        "PREFECT_LOGGING_LEVEL": "WARNING",
        "DASK_LOGGING__DISTRIBUTED": "error",
        **settings,
    }
    log = home / "server.log"
    with log.open("ab") as output:
        server = subprocess.Popen(
            [sys.executable, "-m", "prefect", "server", "start", "--host", "127.0.0.1", "--port", str(port)],
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=home,
        )
        try:
            _wait_for(f"http://127.0.0.1:{port}/api/health", server, log)
            yield PrefectServer(f"http://127.0.0.1:{port}/api", environment)
        finally:
            end_process(server)


def free_port() -> int:
    """Return a loopback port on which no process listens now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + 120
    while True:
        assert server.poll() is None, log.read_text()
        try:
            with urlopen(url, timeout=5):
                return
        except (URLError, OSError):
            assert time.monotonic() < end, log.read_text()
            time.sleep(0.2)
