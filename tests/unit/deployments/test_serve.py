"""`python -m inkstream.deployments.serve` is `inkstream serve`."""

from __future__ import annotations

import subprocess
import sys


def test_the_module_takes_the_options_of_inkstream_serve() -> None:
    command = [
        sys.executable,
        "-m",
        "inkstream.deployments.serve",
        "--every",
        "5m",
        "--cron",
        "* * * * *",
        "--set",
        "x=1",
    ]
    process = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (process.returncode, "x: unknown option" in process.stderr) == (2, True), process.stderr
