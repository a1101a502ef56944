"""The Prefect commands of the documentation, block by block, on a real server."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.docs.blocks import SHELL, Block, blocks
from tests.integration.conftest import PrefectServer
from tests.places import ROOT

API = "export PREFECT_API_URL="
SERVER = ("prefect server start", "inkstream ", "export PREFECT_SERVER_")
"""The fixture starts the server; what runs beside it is run by `tests/docs/test_commands.py`."""


def lines(block: Block) -> list[str]:
    """Return the lines that need a running server and that end."""
    return [f"{line} --run-once" if " worker start" in line else line for line in block.lines()]


DOCUMENTED = [
    block
    for block in blocks(*SHELL)
    if any(line.startswith(("prefect ", "python -m inkstream.deployments", "curl ")) for line in block.lines())
    and not any(line.startswith(SERVER) for line in block.lines())
]


@pytest.mark.parametrize("block", DOCUMENTED, ids=str)
def test_a_documented_block_runs(block: Block, prefect_server: PrefectServer, s3: Any, tmp_path: Path) -> None:
    """Two pages create the same work pool, so it may exist already."""
    if "curl " in block.text and not shutil.which("curl"):
        pytest.skip("curl is not installed")
    script = "\n".join(f"{API}{prefect_server.url}" if line.startswith(API) else line for line in lines(block))
    programs = Path(sys.executable).parent
    environment = {
        **os.environ,
        **prefect_server.environment,
        "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
        "TMPDIR": str(tmp_path),
    }
    script = script.replace("--type process", "--type process --overwrite").replace("curl ", "curl --fail --silent ")
    done = subprocess.run(
        ["bash", "-ec", script], env=environment, cwd=ROOT, capture_output=True, text=True, check=False, timeout=240
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_blocks_use_both_deployment_files_events_and_lost_runs() -> None:
    text = "".join(block.text for block in DOCUMENTED)
    assert all(
        part in text for part in ("deployments/prefect.yaml", "deployments/on-arrival.yaml", "/events", "lost_runs")
    )
