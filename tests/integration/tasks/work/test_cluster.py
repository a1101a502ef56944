"""The Dask cluster that a run starts."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest

from inkstream.ocr_core.options import PipelineOptions
from inkstream.tasks.config import ExecutionOptions
from inkstream.tasks.work.cluster import open_cluster


def is_logged_by_a_worker(message: str) -> bool:
    """Return whether a worker would log an error with this message."""
    logger = logging.getLogger("distributed.worker")
    record = logger.makeRecord(logger.name, logging.ERROR, __file__, 1, message, (), None)
    return bool(logger.isEnabledFor(record.levelno) and logger.filter(record))


def test_workers_log_errors_except_heartbeats_that_miss_the_scheduler() -> None:
    with open_cluster(ExecutionOptions(workers=1), PipelineOptions().canonical()) as client:
        for message, logged in (
            ("Failed to communicate with scheduler during heartbeat.", False),
            ("Unexpected exception during heartbeat. Closing worker.", True),
        ):
            assert set(client.run(is_logged_by_a_worker, message).values()) == {logged}


def test_by_default_a_run_starts_its_own_cluster_with_a_worker_per_core(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    with open_cluster(ExecutionOptions(), PipelineOptions().canonical()) as client:
        pids = client.run(os.getpid)
        assert len(pids) == len({os.getpid(), *pids.values()}) - 1 == 2
        assert client.scheduler.address.startswith("tcp://127.0.0.1:")


def test_too_few_open_files_are_one_sentence_before_any_worker_starts(tmp_path: Path) -> None:
    (tmp_path / "inbox").mkdir()
    (tmp_path / "inbox" / "a.txt").touch()
    (tmp_path / "inbox" / "a.png").write_bytes(b"x")
    run = f"{sys.executable} -m inkstream run --source inbox --sink tables --prefect off"
    done = subprocess.run(f"ulimit -n 20; {run}", shell=True, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 4
    assert "inkstream: this process may open only 20 files" in done.stderr
    assert "ulimit -n 4096" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_limit_of_open_files_is_raised_as_far_as_allowed(tmp_path: Path) -> None:
    (tmp_path / "inbox").mkdir()
    (tmp_path / "inbox" / "a.png").write_bytes(b"x")
    run = f"{sys.executable} -m inkstream run --source inbox --sink tables --prefect off"
    done = subprocess.run(
        f"ulimit -S -n 20; {run}", shell=True, cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
