"""`python -m inkstream.deployments.lost_runs` with a wrong duration, or without a server."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.integration.conftest import free_port


@pytest.mark.parametrize(("after", "code"), [("75s", 5)])
def test_without_a_server_it_says_so(tmp_path: Path, after: str, code: int) -> None:
    nobody = f"http://127.0.0.1:{free_port()}/api"
    environment = {**os.environ, "PREFECT_API_URL": nobody, "PREFECT_HOME": str(tmp_path)}
    run = [sys.executable, "-m", "inkstream.deployments.lost_runs", "--after", after]
    done = subprocess.run(run, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stderr
    assert nobody in done.stderr
