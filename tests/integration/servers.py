"""FTP, web and S3 servers in processes of their own."""

from __future__ import annotations

import argparse
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.integration.conftest import free_port
from tests.places import ROOT

USER, PASSWORD = "ada", "secret word"


@contextmanager
def web_server(folder: Path, log: Path) -> Iterator[str]:
    """Python's own, with listings; yields its host and port."""
    with server(log, "http.server", "{port}", "--bind", "127.0.0.1", "--directory", str(folder)) as address:
        yield address


@contextmanager
def ftp_server(folder: Path, log: Path, *options: str) -> Iterator[str]:
    """An FTP server; `--plain` takes away RFC 3659's listings, `--undated` its times;
    `--locked FOLDER` may not be listed. Yields its host and port."""
    arguments = ["--port", "{port}", "--folder", str(folder), *options]
    with server(log, "tests.integration.servers", *arguments) as address:
        yield address


@contextmanager
def s3_server(log: Path) -> Iterator[str]:
    """Moto's, with S3 and SQS; yields its host and port."""
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
            server.terminate()
            server.wait(timeout=30)


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


def main() -> None:
    """Serves a folder by FTP, to one user or to anybody."""
    from pyftpdlib.authorizers import DummyAuthorizer
    from pyftpdlib.handlers import FTPHandler
    from pyftpdlib.servers import FTPServer

    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int)
    parser.add_argument("--folder")
    parser.add_argument("--plain", action="store_true")
    parser.add_argument("--undated", action="store_true")
    parser.add_argument("--user", action="store_true")
    parser.add_argument("--locked")
    options = parser.parse_args()

    class Handler(FTPHandler):  # type: ignore[misc]
        authorizer = DummyAuthorizer()
        unicode_errors = "surrogateescape"  # names are bytes, as with servers written in C
        proto_cmds = {  # noqa: RUF012 - as in the parent
            name: command
            for name, command in FTPHandler.proto_cmds.items()
            if not (options.plain and name in ("MLSD", "MLST", "FEAT")) and not (options.undated and name == "MDTM")
        }

    if options.user:
        Handler.authorizer.add_user(USER, PASSWORD, options.folder)
    else:
        Handler.authorizer.add_anonymous(options.folder)
        if options.locked:
            Handler.authorizer.override_perm("anonymous", options.locked, "")
    FTPServer(("127.0.0.1", options.port), Handler).serve_forever()


if __name__ == "__main__":
    main()
