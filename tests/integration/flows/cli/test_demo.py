"""`inkstream demo`; its output is tested in `tests/integration/flows/demo/test_run.py`."""

from __future__ import annotations

import re
from pathlib import Path

from tests.integration.command import bare_environment, inkstream


def test_demo_under_prefect_is_quiet_and_writes_nothing_to_the_home_folder(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    done = inkstream("demo", "--prefect", "on", cwd=tmp_path, environment=bare_environment(home), seconds=280)
    assert "5 files, 7 pages (1 failed)" in done.stdout
    assert done.stderr == ""
    assert not re.search(r"\b(INFO|WARNING|ERROR|CRITICAL)\b|prefect\.|distributed\.", done.stdout), done.stdout
    assert list(home.iterdir()) == []
    assert (tmp_path / "demo" / "prefect" / "prefect.db").exists()
