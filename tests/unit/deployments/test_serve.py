"""`python -m inkstream.deployments.serve` is `inkstream serve`."""

from __future__ import annotations

import subprocess
import sys


def test_it_takes_what_inkstream_serve_takes() -> None:
    run = [sys.executable, "-m", "inkstream.deployments.serve", "--every", "5m", "--cron", "* * * * *", "--set", "x=1"]
    done = subprocess.run(run, capture_output=True, text=True, check=False)
    assert (done.returncode, "x: unknown option" in done.stderr) == (2, True), done.stderr
