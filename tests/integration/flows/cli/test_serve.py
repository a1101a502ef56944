"""What `inkstream serve` refuses before it starts a server. `under_prefect/test_serve.py` serves for real."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.integration.command import inkstream

PLACES = ["--source", "inbox", "--sink", "tables"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([*PLACES, "--every", "5m", "--cron", "0 3 * * *"], "not both"),
        ([*PLACES, "--cron", "at noon"], "'at noon'"),
        ([*PLACES, "--every", "soon"], "not a duration"),
        (["--source", "inbox", "--sink", "memory://rows", "--set", "sink.format=memory"], "memory sink"),
    ],
)
def test_bad_schedules_and_memory_sinks_are_refused(arguments: list[str], message: str, tmp_path: Path) -> None:
    assert message in inkstream("serve", *arguments, code=2, cwd=tmp_path).stderr
    assert list(tmp_path.iterdir()) == []
