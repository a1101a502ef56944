"""Runs a PostgreSQL server for a test, from Debian's packages and in a separate folder."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.integration.conftest import free_port

USER = "postgres"
"""The database's user. PostgreSQL refuses to run as root: root runs it as this user of Debian's package."""


def postgres_programs() -> Path | None:
    """Return the folder of `initdb` and `pg_ctl`, which Debian keeps off the path; None if it does not exist."""
    found = shutil.which("initdb")
    newest = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    return newest[-1].parent if newest else Path(found).parent if found else None


@dataclass(frozen=True, slots=True)
class Postgres:
    """A running server."""

    port: int

    @property
    def url(self) -> str:
        """The connection URL in Prefect's form."""
        return f"postgresql+asyncpg://{USER}@127.0.0.1:{self.port}/postgres"

    def sql(self, statement: str) -> list[str]:
        """Return the rows of a statement's result."""
        command = ["psql", "-h", "127.0.0.1", "-p", str(self.port), "-U", USER, "-d", "postgres", "-Atqc", statement]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()


@contextmanager
def postgres(programs: Path) -> Iterator[Postgres]:
    """Start a server on the loopback, and stop it at the end."""
    # Not in pytest's folder, which only root may enter if the suite runs as root.
    folder = Path(tempfile.mkdtemp(prefix="inkstream-postgres-"))
    data, log = folder / "data", folder / "log"
    as_user = None if os.getuid() else USER
    if as_user:
        shutil.chown(folder, USER, USER)
    server = Postgres(free_port())
    options = f"-p {server.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={folder} -c fsync=off"

    def run(name: str, *arguments: str) -> None:
        command = [str(programs / name), "-D", str(data), *arguments]
        done = subprocess.run(
            command,
            stdout=subprocess.DEVNULL,  # not a pipe, which the started server would keep open
            stderr=subprocess.DEVNULL,
            cwd=folder,
            user=as_user,
            group=as_user,
            extra_groups=[] if as_user else None,
            check=False,
        )
        assert done.returncode == 0, log.read_text() if log.exists() else command

    try:
        run("initdb", "-U", USER, "--auth=trust", "--no-sync")
        run("pg_ctl", "-w", "-l", str(log), "-o", options, "start")
        try:
            yield server
        finally:
            run("pg_ctl", "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder)
