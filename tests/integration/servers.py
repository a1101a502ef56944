"""Runs an S3 server in a separate process."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.ending import end_process
from tests.integration.conftest import free_port
from tests.places import ROOT


@contextmanager
def s3_server(log: Path) -> Iterator[str]:
    """Start moto's server with S3 and SQS, and yield its host and port."""
    with server(log, "tests.integration.s3_server", "-H", "127.0.0.1", "-p", "{port}") as address:
        yield address


@contextmanager
def server(log: Path, module: str, *arguments: str) -> Iterator[str]:
    port = free_port()
    with log.open("wb") as output:
        command = [sys.executable, "-W", "ignore", "-m", module, *(a.format(port=port) for a in arguments)]
        root = ROOT
        environment = {**os.environ, "PYTHONPATH": str(root)}
        server = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, env=environment)
        try:
            wait_for(port, server, log)
            yield f"127.0.0.1:{port}"
        finally:
            end_process(server)


def wait_for(port: int, server: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + 60
    while True:
        assert server.poll() is None, log.read_text()
        try:
            socket.create_connection(("127.0.0.1", port), timeout=5).close()
        except OSError:
            assert time.monotonic() < end, log.read_text()
            time.sleep(0.05)
        else:
            return
