"""A real Prefect server, for the tests that need one."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from inkstream.flows.under_prefect.serve import SERVER_SETTINGS


@dataclass(frozen=True, slots=True)
class PrefectServer:
    """A running server and the environment that points to it."""

    url: str
    environment: dict[str, str]


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
            server.terminate()
            server.wait(timeout=60)


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
