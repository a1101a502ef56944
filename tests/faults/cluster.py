"""A Dask cluster in separate processes, and what runs below it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import psutil

from tests.places import ROOT

_IDLE = {
    "DASK_DISTRIBUTED__ADMIN__TICK__INTERVAL": "1s",
    "DASK_DISTRIBUTED__ADMIN__SYSTEM_MONITOR__INTERVAL": "10s",
    "DASK_DISTRIBUTED__WORKER__PROFILE__ENABLED": "False",
}
"""Settings that let an idle cluster use less processor time."""


class Cluster:
    """A Dask scheduler and workers in separate processes; a nanny that was killed is restarted.

    The first workers declare `resources`, such as `GPU=1`. `environment` is added to this process's own.
    """

    def __init__(
        self,
        folder: Path,
        workers: int,
        *,
        allowed_failures: int = 20,
        resources: Sequence[str] = (),
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self._environment = {
            **os.environ,
            **(environment or {}),
            "DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": str(allowed_failures),
            **_IDLE,
            "PYTHONPATH": str(ROOT),
        }
        self._address_file = folder / "scheduler.json"
        self._log = (folder / "dask.log").open("ab")
        self._scheduler = self._dask("scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard")
        while not (self._address_file.exists() and self._address_file.read_text()):
            assert self._scheduler.poll() is None, "the Dask scheduler did not start"
            time.sleep(0.05)
        self.address: str = json.loads(self._address_file.read_text())["address"]
        self._resources = [*resources, *[""] * workers][:workers]
        self._nannies = [self._worker(index) for index in range(workers)]

    def nannies(self) -> list[psutil.Process]:
        """Restart the nannies that died, and return all of them."""
        for index, nanny in enumerate(self._nannies):
            if nanny.poll() is not None:
                self._nannies[index] = self._worker(index)
        return [psutil.Process(nanny.pid) for nanny in self._nannies]

    def close(self) -> None:
        """Kill every process of the cluster."""
        for process in [*self._nannies, self._scheduler]:
            process.kill()
            process.wait()
        self._log.close()

    def _worker(self, index: int) -> subprocess.Popen[bytes]:
        declared = ["--resources", self._resources[index]] if self._resources[index] else []
        return self._dask("worker", "--nthreads", "1", "--memory-limit", "0", "--no-dashboard", *declared)

    def _dask(self, role: str, *arguments: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "dask", role, "--scheduler-file", str(self._address_file)]
        return subprocess.Popen(
            [*command, *arguments], env=self._environment, stdout=self._log, stderr=self._log, start_new_session=True
        )


def workers_of(nanny: psutil.Process) -> list[psutil.Process]:
    """Return the live workers of a nanny; an empty list if it has ended."""
    return [child for child in children_of(nanny) if "resource_tracker" not in _command(child)]


def children_of(process: psutil.Process) -> list[psutil.Process]:
    """Return the live children of a process; an empty list if it has ended."""
    try:
        return process.children()
    except psutil.NoSuchProcess:
        return []


def _command(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except (psutil.NoSuchProcess, psutil.ZombieProcess):
        return "resource_tracker"
