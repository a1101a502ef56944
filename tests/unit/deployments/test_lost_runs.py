"""`python -m inkstream.deployments.lost_runs`, without a server."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.integration.conftest import free_port


def test_a_missing_server_is_an_error_that_names_its_url(tmp_path: Path) -> None:
    url = f"http://127.0.0.1:{free_port()}/api"
    environment = {**os.environ, "PREFECT_API_URL": url, "PREFECT_HOME": str(tmp_path)}
    command = [sys.executable, "-m", "inkstream.deployments.lost_runs", "--after", "75s"]
    process = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert process.returncode == 5, process.stderr
    assert url in process.stderr
