"""A store that loses the replies of commits that landed, or fails a fifth of all requests: no row is lost or doubled."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.conftest import forget_connections
from tests.faults.s3_proxy import FAULTS, LOST, s3_proxy
from tests.integration.test_commit_processes import found_rows, make_config, make_inbox, start, wanted_rows

LOST_REPLIES = 50
STREAMS = ("one", "two")


def test_commits_whose_replies_are_lost_are_neither_lost_nor_doubled(
    endpoint: str, s3: Any, bucket: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A driver for each of two streams of one table, a file a commit; the rows are made up, so nothing is read."""
    make_inbox(tmp_path, 30)
    places = [f"sink.url=s3://{bucket}/out", "trigger.max_files_per_trigger=1"]
    with s3_proxy(tmp_path, endpoint, "--lost-replies", str(LOST_REPLIES)) as proxy:
        monkeypatch.setenv("AWS_ENDPOINT_URL", proxy.endpoint)
        drivers = [start(tmp_path, *_sets([*places, f"stream={stream}"])) for stream in STREAMS]
        for driver in drivers:
            _, errors = driver.communicate(timeout=240)
            assert driver.returncode == 0, errors
        outcomes = proxy.outcomes()
    monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
    forget_connections()
    for stream in STREAMS:
        config = make_config(tmp_path, [*places, f"stream={stream}"])
        assert found_rows(config) == wanted_rows(config)
    assert outcomes[LOST] == LOST_REPLIES


def _sets(options: list[str]) -> list[str]:
    return [part for option in options for part in ("--set", option)]
